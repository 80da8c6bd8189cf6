// Which series carry which label, for one tenant: name → value → ordinals, all by symbol.
//
// Ordinals are handed out in ascending order, so appending keeps every list sorted.
// Threads: thread-compatible; SeriesTable guards it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/index/symbol_table.h"
#include "engine/metric_batch.h"
#include "engine/metric_store.h"
#include "engine/model/matcher.h"

namespace varve {

struct LabelPair {
  SymbolId name = 0;
  SymbolId value = 0;
  bool operator==(const LabelPair&) const = default;
};

class MetricIndex {
 public:
  using Ordinals = std::vector<SeriesOrdinal>;  // ascending, unique
  using PairsOf = std::function<std::span<const LabelPair>(SeriesOrdinal)>;

  // `series` is greater than any added before.
  void Add(SeriesOrdinal series, std::span<const LabelPair> pairs);

  // The series that every matcher accepts, ascending; all when there is none. The list of the rarest value asked for
  // is walked, the other matchers are tried on its series; a regex is run once a distinct value.
  Ordinals Select(const std::vector<Matcher>& matchers, const SymbolTable& symbols, const PairsOf& pairs_of) const;

  // Of all series.
  std::vector<std::string> LabelNames(const SymbolTable& symbols) const;
  std::vector<std::string> LabelValues(const SymbolTable& symbols, std::string_view name) const;
  void Describe(const SymbolTable& symbols, size_t limit, CardinalityReport* report) const;
  // The label with the most values, and how many.
  NamedCount WidestLabel(const SymbolTable& symbols) const;

  size_t series_count() const { return all_.size(); }
  size_t MemoryBytes() const;

 private:
  using Values = std::unordered_map<SymbolId, Ordinals>;

  const Values* FindName(const SymbolTable& symbols, std::string_view name) const;
  const Ordinals* FindValue(const SymbolTable& symbols, const Values& values, std::string_view value) const;
  // The shortest list of candidates that the matchers allow, without those that need every value looked at as long as
  // another way is there.
  Ordinals Candidates(const std::vector<Matcher>& matchers, const SymbolTable& symbols) const;
  Ordinals OfLiterals(const SymbolTable& symbols, const Values& values, const Matcher& matcher) const;

  Ordinals all_;
  std::unordered_map<SymbolId, Values> names_;
};

}  // namespace varve
