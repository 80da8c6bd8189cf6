#include "query/exec/series_set.h"

#include <algorithm>

namespace varve {

std::string_view LabelValue(const LabelPairs& labels, std::string_view name) {
  for (const auto& [label, value] : labels) {
    if (label == name) return value;
  }
  return {};
}

LabelPairs KeepLabels(const LabelPairs& labels, const std::vector<std::string>& names) {
  LabelPairs kept;
  for (const auto& label : labels) {
    if (std::binary_search(names.begin(), names.end(), label.first)) kept.push_back(label);
  }
  return kept;
}

LabelPairs DropLabels(const LabelPairs& labels, const std::vector<std::string>& names) {
  LabelPairs kept;
  for (const auto& label : labels) {
    if (!std::binary_search(names.begin(), names.end(), label.first)) kept.push_back(label);
  }
  return kept;
}

void RemoveEmptyLabels(LabelPairs* labels) {
  std::erase_if(*labels, [](const auto& label) { return label.second.empty(); });
}

void SortByLabels(SeriesSet* series) {
  std::stable_sort(series->begin(), series->end(),
                   [](const Series& a, const Series& b) { return a.labels < b.labels; });
}

}  // namespace varve
