#include "engine/index/metric_index.h"

#include <algorithm>
#include <optional>

namespace varve {
namespace {

using Ordinals = MetricIndex::Ordinals;

// Longest first, then by name; at most `limit` stay.
void KeepGreatest(std::vector<NamedCount>* counts, size_t limit) {
  const auto greater = [](const NamedCount& a, const NamedCount& b) {
    return a.count != b.count ? a.count > b.count : a.name < b.name;
  };
  const size_t kept = std::min(limit, counts->size());
  std::partial_sort(counts->begin(), counts->begin() + static_cast<std::ptrdiff_t>(kept), counts->end(), greater);
  counts->resize(kept);
}

// Whether the matcher names the values it takes.
bool IsLookup(const Matcher& matcher) {
  if (matcher.MatchesEmpty()) return false;
  return matcher.op() == MatchOp::kEqual || (matcher.op() == MatchOp::kRegexMatch && !matcher.literals().empty());
}

// One matcher, with what it has said of values so far.
class ValueFilter {
 public:
  ValueFilter(const Matcher* matcher, const SymbolTable* symbols)
      : matcher_(matcher), symbols_(symbols), name_(symbols->Find(matcher->name())),
        matches_empty_(matcher->MatchesEmpty()) {}

  bool Accepts(std::span<const LabelPair> pairs) {
    if (!name_.has_value()) return matches_empty_;
    for (const LabelPair& pair : pairs) {
      if (pair.name == *name_) return AcceptsValue(pair.value);
    }
    return matches_empty_;
  }

 private:
  bool AcceptsValue(SymbolId value) {
    if (value == last_value_) return last_verdict_;
    last_value_ = value;
    if (matcher_->op() == MatchOp::kEqual || matcher_->op() == MatchOp::kNotEqual) {
      return last_verdict_ = matcher_->Matches(symbols_->Text(value));
    }
    const auto [known, added] = verdicts_.try_emplace(value, false);
    if (added) known->second = matcher_->Matches(symbols_->Text(value));
    return last_verdict_ = known->second;
  }

  const Matcher* const matcher_;
  const SymbolTable* const symbols_;
  const std::optional<SymbolId> name_;
  const bool matches_empty_;
  SymbolId last_value_ = UINT32_MAX;
  bool last_verdict_ = false;
  std::unordered_map<SymbolId, bool> verdicts_;
};

}  // namespace

void MetricIndex::Add(SeriesOrdinal series, std::span<const LabelPair> pairs) {
  all_.push_back(series);
  for (const LabelPair& pair : pairs) names_[pair.name][pair.value].push_back(series);
}

const MetricIndex::Values* MetricIndex::FindName(const SymbolTable& symbols, std::string_view name) const {
  const std::optional<SymbolId> id = symbols.Find(name);
  if (!id.has_value()) return nullptr;
  const auto it = names_.find(*id);
  return it == names_.end() ? nullptr : &it->second;
}

const Ordinals* MetricIndex::FindValue(const SymbolTable& symbols, const Values& values,
                                       std::string_view value) const {
  const std::optional<SymbolId> id = symbols.Find(value);
  if (!id.has_value()) return nullptr;
  const auto it = values.find(*id);
  return it == values.end() ? nullptr : &it->second;
}

Ordinals MetricIndex::OfLiterals(const SymbolTable& symbols, const Values& values, const Matcher& matcher) const {
  Ordinals out;
  const auto add = [&](std::string_view value) {
    const Ordinals* list = FindValue(symbols, values, value);
    if (list != nullptr) out.insert(out.end(), list->begin(), list->end());
  };
  if (matcher.op() == MatchOp::kEqual) {
    add(matcher.value());
    return out;
  }
  for (const std::string& literal : matcher.literals()) add(literal);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Ordinals MetricIndex::Candidates(const std::vector<Matcher>& matchers, const SymbolTable& symbols) const {
  const Matcher* best = nullptr;
  const Values* best_values = nullptr;
  size_t best_size = SIZE_MAX;
  bool best_is_lookup = false;
  for (const Matcher& matcher : matchers) {
    if (matcher.MatchesEmpty()) continue;
    const Values* values = FindName(symbols, matcher.name());
    if (values == nullptr) return {};
    const bool lookup = IsLookup(matcher);
    size_t size = values->size();
    if (lookup) {
      size = 0;
      const auto count = [&](std::string_view value) {
        const Ordinals* list = FindValue(symbols, *values, value);
        if (list != nullptr) size += list->size();
      };
      if (matcher.op() == MatchOp::kEqual) count(matcher.value());
      for (const std::string& literal : matcher.literals()) count(literal);
      if (size == 0) return {};
    }
    if (best == nullptr || (lookup && !best_is_lookup) || (lookup == best_is_lookup && size < best_size)) {
      best = &matcher;
      best_values = values;
      best_size = size;
      best_is_lookup = lookup;
    }
  }
  if (best == nullptr) return all_;
  if (best_is_lookup) return OfLiterals(symbols, *best_values, *best);
  Ordinals out;
  for (const auto& [value, list] : *best_values) {
    if (best->Matches(symbols.Text(value))) out.insert(out.end(), list.begin(), list.end());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Ordinals MetricIndex::Select(const std::vector<Matcher>& matchers, const SymbolTable& symbols,
                             const PairsOf& pairs_of) const {
  Ordinals out = Candidates(matchers, symbols);
  if (matchers.size() > 1 || (matchers.size() == 1 && matchers[0].MatchesEmpty())) {
    std::vector<ValueFilter> filters;
    filters.reserve(matchers.size());
    for (const Matcher& matcher : matchers) filters.emplace_back(&matcher, &symbols);
    std::erase_if(out, [&](SeriesOrdinal series) {
      const std::span<const LabelPair> pairs = pairs_of(series);
      return !std::all_of(filters.begin(), filters.end(), [&](ValueFilter& filter) { return filter.Accepts(pairs); });
    });
  }
  return out;
}

std::vector<std::string> MetricIndex::LabelNames(const SymbolTable& symbols) const {
  std::vector<std::string> out;
  for (const auto& [name, values] : names_) out.emplace_back(symbols.Text(name));
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> MetricIndex::LabelValues(const SymbolTable& symbols, std::string_view name) const {
  std::vector<std::string> out;
  if (const Values* values = FindName(symbols, name)) {
    for (const auto& [value, list] : *values) out.emplace_back(symbols.Text(value));
  }
  std::sort(out.begin(), out.end());
  return out;
}

void MetricIndex::Describe(const SymbolTable& symbols, size_t limit, CardinalityReport* report) const {
  report->series = all_.size();
  for (const auto& [name, values] : names_) {
    const std::string name_text(symbols.Text(name));
    report->label_pairs += values.size();
    report->values_by_label.push_back({name_text, values.size()});
    uint64_t bytes = 0;
    for (const auto& [value, list] : values) {
      const std::string_view value_text = symbols.Text(value);
      bytes += value_text.size() * list.size();
      if (name_text == kMetricName) report->series_by_metric.push_back({std::string(value_text), list.size()});
      report->series_by_pair.push_back({name_text + "=" + std::string(value_text), list.size()});
    }
    report->bytes_by_label.push_back({name_text, bytes});
    KeepGreatest(&report->series_by_pair, limit);
  }
  KeepGreatest(&report->series_by_metric, limit);
  KeepGreatest(&report->values_by_label, limit);
  KeepGreatest(&report->bytes_by_label, limit);
}

NamedCount MetricIndex::WidestLabel(const SymbolTable& symbols) const {
  NamedCount widest;
  for (const auto& [name, values] : names_) {
    if (values.size() > widest.count) widest = {std::string(symbols.Text(name)), values.size()};
  }
  return widest;
}

size_t MetricIndex::MemoryBytes() const {
  constexpr size_t kNodeBytes = 24;  // a hash node's link, key and allocator overhead
  size_t bytes = all_.capacity() * sizeof(SeriesOrdinal);
  for (const auto& [name, values] : names_) {
    bytes += values.bucket_count() * sizeof(void*);
    for (const auto& [value, list] : values) {
      bytes += kNodeBytes + sizeof(list) + list.capacity() * sizeof(SeriesOrdinal);
    }
  }
  return bytes;
}

}  // namespace varve
