// Interning of label sets: which series a row belongs to.
//
// A series is identified by the bytes of its labels (sorted pairs, length-prefixed). SeriesKeyBuilder
// makes those bytes from a row's labels, under the grouping that applies; GroupedSeries numbers them. One
// table per thread, merged at the end.
// Threads: SeriesKeyBuilder is immutable after construction; GroupedSeries is thread-compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "query/exec/query.h"
#include "query/logql/ast.h"
#include "query/logql/row_labels.h"

namespace varve {

class SeriesKeyBuilder {
 public:
  // Without a grouping every label identifies. `of_vector`: the grouping is a vector aggregation's, whose
  // `without` leaves out labels with an empty value.
  explicit SeriesKeyBuilder(const std::optional<logql::Grouping>& grouping, bool of_vector = false);

  // Replaces `key`. A label with an empty value (`logfmt --keep-empty`, a path that json did not find) is not
  // the same as none.
  void Build(const logql::RowLabels& labels, std::string* key);

  // Whether rows of the stream whose labels are unmodified may differ in series by their metadata. A
  // stream's label always wins over metadata of the same name.
  bool DependsOnMetadata(const Labels& stream) const;
  // Whether the grouping asks for errors as labels, which then do not fail the query.
  bool groups_by_error() const { return groups_by_error_; }

 private:
  void BuildBy(const logql::RowLabels& labels, std::string* key) const;

  bool by_ = false;
  bool skips_empty_ = false;
  bool groups_by_error_ = false;
  std::vector<std::string> names_;  // sorted, unique: wanted if by_, else left out
  std::vector<std::pair<std::string_view, std::string_view>> scratch_;
};

class GroupedSeries {
 public:
  // The number of the series; new ones get the next.
  uint32_t Intern(std::string_view key);
  uint32_t size() const { return static_cast<uint32_t>(keys_.size()); }
  const std::string& Key(uint32_t series) const { return keys_[series]; }
  int64_t MemoryBytes() const;

 private:
  std::deque<std::string> keys_;  // a deque: the map points into it
  std::unordered_map<std::string_view, uint32_t> numbers_;
  int64_t key_bytes_ = 0;
};

// The labels that Build wrote.
LabelPairs DecodeSeriesKey(std::string_view key);

}  // namespace varve
