#include "engine/index/label_index.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <optional>

namespace varve {
namespace {

using Ordinals = LabelIndex::Ordinals;

// The union of lists that share no element. Above a few thousand elements a bitmap over the ordinals
// beats sorting: one pass to set, one to read.
Ordinals UnionOfDisjoint(const std::vector<const Ordinals*>& lists) {
  if (lists.empty()) return {};
  if (lists.size() == 1) return *lists[0];
  size_t total = 0;
  StreamOrdinal max = 0;
  for (const Ordinals* list : lists) {
    total += list->size();
    max = std::max(max, list->back());
  }
  Ordinals result;
  result.reserve(total);
  if (total < 4096 || total < max / 64) {
    for (const Ordinals* list : lists) result.insert(result.end(), list->begin(), list->end());
    std::sort(result.begin(), result.end());
    return result;
  }
  std::vector<uint64_t> words(max / 64 + 1);
  for (const Ordinals* list : lists) {
    for (const StreamOrdinal ordinal : *list) words[ordinal / 64] |= 1ull << (ordinal % 64);
  }
  for (size_t i = 0; i < words.size(); ++i) {
    for (uint64_t word = words[i]; word != 0; word &= word - 1) {
      result.push_back(static_cast<StreamOrdinal>(i * 64 + static_cast<size_t>(std::countr_zero(word))));
    }
  }
  return result;
}

Ordinals Intersection(const Ordinals& a, const Ordinals& b) {
  const Ordinals& small = a.size() < b.size() ? a : b;
  const Ordinals& large = a.size() < b.size() ? b : a;
  Ordinals result;
  result.reserve(small.size());
  if (small.size() * 16 >= large.size()) {
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
    return result;
  }
  auto from = large.begin();
  for (const StreamOrdinal ordinal : small) {
    from = std::lower_bound(from, large.end(), ordinal);
    if (from == large.end()) break;
    if (*from == ordinal) result.push_back(ordinal);
  }
  return result;
}

Ordinals Difference(const Ordinals& a, const Ordinals& b) {
  Ordinals result;
  result.reserve(a.size());
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

}  // namespace

void LabelIndex::Add(StreamOrdinal stream, const Labels& labels) {
  VARVE_DCHECK(all_.empty() || all_.back() < stream);
  all_.push_back(stream);
  for (const Label& label : labels) names_[label.name][label.value].push_back(stream);
}

LabelIndex::Cost LabelIndex::CostOf(const Values* values, const Matcher& matcher) {
  if (values == nullptr) return {.is_lookup = true, .size = 0};
  const auto size_of = [values](std::string_view value) {
    const auto it = values->find(value);
    return it == values->end() ? size_t{0} : it->second.size();
  };
  // `=`, `!=` and alternations of literals name the values they mean (to keep, or to take away).
  if (matcher.op() == MatchOp::kEqual || (matcher.op() == MatchOp::kNotEqual && matcher.MatchesEmpty())) {
    return {.is_lookup = true, .size = size_of(matcher.value())};
  }
  if (matcher.op() == MatchOp::kRegexMatch && !matcher.literals().empty() && !matcher.MatchesEmpty()) {
    size_t size = 0;
    for (const std::string& literal : matcher.literals()) size += size_of(literal);
    return {.is_lookup = true, .size = size};
  }
  return {.is_lookup = false, .size = values->size()};
}

LabelIndex::Ordinals LabelIndex::StreamsWhere(const Values& values, const Matcher& matcher, bool accepted) {
  std::vector<const Ordinals*> lists;
  const auto look_up = [&](std::string_view value) {
    const auto it = values.find(value);
    if (it != values.end()) lists.push_back(&it->second);
  };
  if (CostOf(&values, matcher).is_lookup && accepted == (matcher.op() != MatchOp::kNotEqual)) {
    if (matcher.op() == MatchOp::kRegexMatch) {
      for (const std::string& literal : matcher.literals()) look_up(literal);
      // "a|a" names a list twice.
      std::sort(lists.begin(), lists.end());
      lists.erase(std::unique(lists.begin(), lists.end()), lists.end());
    } else {
      look_up(matcher.value());
    }
  } else {
    for (const auto& [value, ordinals] : values) {
      if (matcher.Matches(value) == accepted) lists.push_back(&ordinals);
    }
  }
  return UnionOfDisjoint(lists);
}

const LabelIndex::Values* LabelIndex::FindName(std::string_view name) const {
  const auto it = names_.find(name);
  return it == names_.end() ? nullptr : &it->second;
}

LabelIndex::Ordinals LabelIndex::Select(const std::vector<Matcher>& matchers,
                                        const LabelsOf& labels_of) const {
  struct Step {
    const Matcher* matcher;
    const Values* values;
    bool matches_empty;
    Cost cost;
  };
  std::vector<Step> steps;
  for (const Matcher& matcher : matchers) {
    const Values* values = FindName(matcher.name());
    const bool matches_empty = matcher.MatchesEmpty();
    if (values == nullptr && !matches_empty) return {};
    if (values == nullptr) continue;  // no stream has the label, and that is what it accepts
    steps.push_back({&matcher, values, matches_empty, CostOf(values, matcher)});
  }
  // What narrows without running a regex first; what only takes away last.
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) {
    if (a.matches_empty != b.matches_empty) return b.matches_empty;
    if (a.cost.is_lookup != b.cost.is_lookup) return a.cost.is_lookup;
    return a.cost.size < b.cost.size;
  });

  std::optional<Ordinals> selected;
  for (const Step& step : steps) {
    if (selected.has_value() && selected->empty()) return {};
    if (selected.has_value() && selected->size() <= step.cost.size) {
      std::erase_if(*selected, [&](StreamOrdinal stream) {
        return !step.matcher->Matches(labels_of(stream).Get(step.matcher->name()));
      });
    } else if (step.matches_empty) {
      const Ordinals refused = StreamsWhere(*step.values, *step.matcher, false);
      selected = Difference(selected.has_value() ? *selected : all_, refused);
    } else {
      Ordinals accepted = StreamsWhere(*step.values, *step.matcher, true);
      selected = selected.has_value() ? Intersection(*selected, accepted) : std::move(accepted);
    }
  }
  return selected.has_value() ? std::move(*selected) : all_;
}

size_t LabelIndex::MemoryBytes() const {
  constexpr size_t kNodeBytes = 48;  // a map node's links and allocator overhead
  size_t bytes = all_.capacity() * sizeof(StreamOrdinal);
  for (const auto& [name, values] : names_) {
    bytes += kNodeBytes + sizeof(name) + name.capacity();
    for (const auto& [value, ordinals] : values) {
      bytes += kNodeBytes + sizeof(value) + (value.size() > 15 ? value.capacity() : 0) + sizeof(ordinals) +
               ordinals.capacity() * sizeof(StreamOrdinal);
    }
  }
  return bytes;
}

}  // namespace varve
