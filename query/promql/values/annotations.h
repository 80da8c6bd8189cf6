// Warnings and infos that go with a result, in Prometheus's words (prom_surface 4.11).
//
// Each is kept once. Texts end with the position of the expression, ` (line:col)`, which needs the query's text.
// Threads: thread-compatible; give each worker its own and Merge them in a fixed order.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "query/promql/syntax/ast.h"

namespace varve::promql {

class Annotations {
 public:
  // `text` without prefix and position: `quantile value should be between 0 and 1, got 2`.
  void AddWarning(PositionRange pos, std::string text);
  void AddInfo(PositionRange pos, std::string text);
  void Merge(const Annotations& other);
  bool empty() const { return warnings_.empty() && infos_.empty(); }

  // `PromQL warning: … (1:20)`, ascending; at most `limit` (0: all), then one line that says how many were left out.
  std::vector<std::string> Warnings(std::string_view query, size_t limit) const;
  std::vector<std::string> Infos(std::string_view query, size_t limit) const;

 private:
  struct Note {
    int32_t begin = 0;
    std::string text;
    auto operator<=>(const Note&) const = default;
  };
  static std::vector<std::string> Texts(const std::set<Note>& notes, std::string_view kind, std::string_view query,
                                        size_t limit);

  std::set<Note> warnings_;
  std::set<Note> infos_;
};

}  // namespace varve::promql
