// Warnings and infos that go with a result, in Prometheus's words (prom_surface 4.11).
//
// Each text is kept once, with the position that came last. Texts end with the position of the expression,
// ` (line:col)`, which needs the query's text.
// Threads: thread-compatible; give each worker its own and Merge them in a fixed order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "query/promql/syntax/ast.h"

namespace varve::promql {

// Where monotonicity was forced, over all samples of one annotation.
struct MonotonicityRange {
  int64_t min_ms = 0;
  int64_t max_ms = 0;
  double min_bound = 0;
  double max_bound = 0;
  double max_diff = 0;
};

class Annotations {
 public:
  // `text` without prefix and position: `quantile value should be between 0 and 1, got 2`.
  void AddWarning(PositionRange pos, std::string text);
  void AddInfo(PositionRange pos, std::string text);
  // Says how often it came up when that was more than once.
  void AddCountedWarning(PositionRange pos, std::string text);
  // The counts of a classic histogram's buckets fell with rising bounds and were raised, at one step; `text` is the
  // beginning. All steps and histograms give one info.
  void AddMonotonicityFix(PositionRange pos, std::string text, const MonotonicityRange& range);
  void Merge(const Annotations& other);
  bool empty() const { return warnings_.empty() && infos_.empty(); }

  // `PromQL warning: … (1:20)`, ascending; at most `limit` (0: all), then one line that says how many were left out.
  std::vector<std::string> Warnings(std::string_view query, size_t limit) const;
  std::vector<std::string> Infos(std::string_view query, size_t limit) const;

 private:
  enum class Detail : uint8_t { kNone, kCount, kMonotonicity };
  struct Note {
    int32_t begin = 0;
    Detail detail = Detail::kNone;
    int64_t count = 1;
    MonotonicityRange range;
  };
  using Notes = std::map<std::string, Note>;  // by text
  static void Put(const std::string& text, const Note& note, Notes* notes);
  static std::vector<std::string> Texts(const Notes& notes, std::string_view kind, std::string_view query,
                                        size_t limit);

  Notes warnings_;
  Notes infos_;
};

}  // namespace varve::promql
