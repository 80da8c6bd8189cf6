#include "query/exec/grouped_series.h"

#include <algorithm>

#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr std::string_view kError = "__error__";
constexpr std::string_view kErrorDetails = "__error_details__";

// A map node, a bucket and the deque's string, roughly.
constexpr int64_t kEntryOverheadBytes = 112;

}  // namespace

SeriesKeyBuilder::SeriesKeyBuilder(const std::optional<logql::Grouping>& grouping, bool of_vector) {
  if (!grouping.has_value()) return;
  by_ = !grouping->without;
  skips_empty_ = of_vector && !by_;
  names_ = grouping->labels;
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  groups_by_error_ = std::binary_search(names_.begin(), names_.end(), kError);
}

void SeriesKeyBuilder::BuildBy(const logql::RowLabels& labels, std::string* key) const {
  for (const std::string& name : names_) {
    std::string_view value;
    if (name == kError || name == kErrorDetails) {
      value = name == kError ? labels.error() : labels.error_details();
      if (value.empty()) continue;
    } else {
      const logql::RowLabel* label = labels.Find(name);
      if (label == nullptr) continue;
      value = label->value;
    }
    PutLengthPrefixed(key, name);
    PutLengthPrefixed(key, value);
  }
}

void SeriesKeyBuilder::Build(const logql::RowLabels& labels, std::string* key) {
  key->clear();
  if (by_) return BuildBy(labels, key);
  scratch_.clear();
  for (const logql::RowLabel& label : labels.labels()) {
    if (skips_empty_ && label.value.empty()) continue;
    if (std::binary_search(names_.begin(), names_.end(), label.name)) continue;
    scratch_.emplace_back(label.name, label.value);
  }
  std::sort(scratch_.begin(), scratch_.end());
  for (const auto& [name, value] : scratch_) {
    PutLengthPrefixed(key, name);
    PutLengthPrefixed(key, value);
  }
}

bool SeriesKeyBuilder::DependsOnMetadata(const Labels& stream) const {
  if (!by_) return true;
  return std::any_of(names_.begin(), names_.end(),
                     [&](const std::string& name) { return !stream.Has(name); });
}

uint32_t GroupedSeries::Intern(std::string_view key) {
  const auto it = numbers_.find(key);
  if (it != numbers_.end()) return it->second;
  const uint32_t number = size();
  const std::string& stored = keys_.emplace_back(key);
  numbers_.emplace(stored, number);
  key_bytes_ += static_cast<int64_t>(key.size());
  return number;
}

int64_t GroupedSeries::MemoryBytes() const {
  return key_bytes_ + static_cast<int64_t>(keys_.size()) * kEntryOverheadBytes;
}

LabelPairs DecodeSeriesKey(std::string_view key) {
  LabelPairs labels;
  ByteReader reader(key);
  while (reader.remaining() != 0) {
    const std::string_view name = reader.LengthPrefixed();
    const std::string_view value = reader.LengthPrefixed();
    VARVE_CHECK(reader.ok());
    labels.emplace_back(name, value);
  }
  return labels;
}

}  // namespace varve
