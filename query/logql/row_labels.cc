#include "query/logql/row_labels.h"

#include <algorithm>
#include <bit>

#include <xxhash.h>

#include "engine/base/bytes.h"
#include "engine/model/log_entry.h"

namespace varve::logql {

uint32_t HashName(std::string_view name) {
  const char* p = name.data();
  const size_t size = name.size();
  uint64_t a = 0;
  uint64_t b = 0;
  if (size > 16) {
    a = XXH3_64bits(p, size);
  } else if (size >= 8) {
    a = LoadFixed<uint64_t>(p);
    b = LoadFixed<uint64_t>(p + size - 8);
  } else if (size >= 4) {
    a = LoadFixed<uint32_t>(p);
    b = LoadFixed<uint32_t>(p + size - 4);
  } else if (size > 0) {
    a = static_cast<uint64_t>(static_cast<uint8_t>(p[0])) << 16 |
        static_cast<uint64_t>(static_cast<uint8_t>(p[size / 2])) << 8 | static_cast<uint8_t>(p[size - 1]);
  }
  uint64_t h = (a ^ (size * 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL;
  h = (h ^ (h >> 32) ^ b) * 0xC2B2AE3D27D4EB4FULL;
  return static_cast<uint32_t>(h >> 32);
}

void RowLabels::SetStream(const Labels& stream) {
  stream_labels_.clear();
  for (const Label& label : stream) {
    stream_labels_.push_back({.name = label.name,
                              .value = label.value,
                              .category = LabelCategory::kStream,
                              .base = true,
                              .hash = HashName(label.name)});
  }
  base_valid_ = false;
}

void RowLabels::PrepareBase(std::string_view metadata) {
  base_metadata_ = metadata;
  base_ = stream_labels_;
  base_names_.Clear();
  const auto find = [this](std::string_view name, uint32_t hash) {
    return std::find_if(base_.begin(), base_.end(),
                        [&](const RowLabel& label) { return label.hash == hash && label.name == name; });
  };
  const bool well_formed =
      ForEachMetadata(base_metadata_, [&](std::string_view name, std::string_view value) {
        uint32_t hash = HashName(name);
        auto found = find(name, hash);
        if (found != base_.end() && found->category == LabelCategory::kStream) {
          name = base_names_.Concat(name, kExtractedSuffix);
          hash = HashName(name);
          found = find(name, hash);
          // A stream label that really is called <name>_extracted stays.
          if (found != base_.end() && found->category == LabelCategory::kStream) return;
        }
        const RowLabel label = {
            .name = name, .value = value, .category = LabelCategory::kMetadata, .base = true, .hash = hash};
        if (found != base_.end()) {
          *found = label;
        } else {
          base_.push_back(label);
        }
      });
  static_cast<void>(well_formed);  // what could be read is shown; blocks verify their bytes when loaded
  base_mask_ = 0;
  for (const RowLabel& label : base_) base_mask_ |= 1ULL << (label.hash & 63);
  base_valid_ = true;
}

void RowLabels::Reset(std::string_view metadata) {
  if (!base_valid_ || metadata != base_metadata_) PrepareBase(metadata);
  labels_ = base_;
  mask_ = base_mask_;
  indexed_ = 0;
  removed_.clear();
  error_ = {};
  error_details_ = {};
  modified_ = false;
  arena_.Clear();
}

void RowLabels::IndexLabels() const {
  const size_t want = std::bit_ceil(labels_.size() * 2);
  if (indexed_ == 0 || table_.size() < want) {
    table_.assign(std::max(table_.size(), want), 0);
    indexed_ = 0;
  }
  const size_t slots_mask = table_.size() - 1;
  for (; indexed_ < labels_.size(); ++indexed_) {
    size_t slot = labels_[indexed_].hash & slots_mask;
    while (table_[slot] != 0) slot = (slot + 1) & slots_mask;
    table_[slot] = static_cast<uint32_t>(indexed_ + 1);
  }
}

const RowLabel* RowLabels::FindSlow(std::string_view name, uint32_t hash) const {
  if (labels_.size() <= kLinearMax) {
    for (const RowLabel& label : labels_) {
      if (label.hash == hash && label.name == name) return &label;
    }
    return nullptr;
  }
  if (indexed_ != labels_.size()) IndexLabels();
  const size_t slots_mask = table_.size() - 1;
  for (size_t slot = hash & slots_mask; table_[slot] != 0; slot = (slot + 1) & slots_mask) {
    const RowLabel& label = labels_[table_[slot] - 1];
    if (label.hash == hash && label.name == name) return &label;
  }
  return nullptr;
}

const RowLabel* RowLabels::FindRemoved(std::string_view name, uint32_t hash) const {
  for (const RowLabel& label : removed_) {
    if (label.hash == hash && label.name == name) return &label;
  }
  return nullptr;
}

bool RowLabels::HasBase(std::string_view name) const {
  const uint32_t hash = HashName(name);
  if (const RowLabel* label = Find(name, hash); label != nullptr && label->base) return true;
  return std::any_of(removed_.begin(), removed_.end(), [&](const RowLabel& label) {
    return label.base && label.hash == hash && label.name == name;
  });
}

void RowLabels::SetLabel(std::string_view name, uint32_t hash, std::string_view value, LabelCategory category,
                         bool extracted) {
  // A label of that name in the line must not stand beside the row's own error.
  if (has_error() && name.starts_with("__error") && (name == kErrorLabel || name == kErrorDetailsLabel))
    return;
  modified_ = true;
  if (const RowLabel* found = Find(name, hash); found != nullptr) {
    RowLabel& label = labels_[static_cast<size_t>(found - labels_.data())];
    label.value = value;
    label.category = category;
    label.extracted = label.extracted || extracted;
    return;
  }
  bool base = false;
  if (!removed_.empty()) {
    // A name that comes back keeps its meaning for the parsers that follow.
    for (const RowLabel& removed : removed_) {
      if (removed.hash != hash || removed.name != name) continue;
      base = base || removed.base;
      extracted = extracted || removed.extracted;
    }
  }
  Append({.name = name,
          .value = value,
          .category = category,
          .base = base,
          .extracted = extracted,
          .hash = hash});
}

void RowLabels::Set(std::string_view name, std::string_view value, LabelCategory category) {
  SetLabel(name, HashName(name), value, category, false);
}

void RowLabels::Remove(std::string_view name) {
  const uint32_t hash = HashName(name);
  if (Find(name, hash) == nullptr) return;
  RemoveIf([&](const RowLabel& label) { return label.hash == hash && label.name == name; });
}

RowLabels::Target RowLabels::ExtractionTargetSlow(std::string_view name, uint32_t hash) {
  const RowLabel* label = Find(name, hash);
  bool base = label != nullptr && label->base;
  if (label == nullptr && !removed_.empty()) {
    const RowLabel* removed = FindRemoved(name, hash);
    base = removed != nullptr && removed->base;
  }
  if (!base) return {name, hash, false};
  const std::string_view suffixed = arena_.Concat(name, kExtractedSuffix);
  return {suffixed, HashName(suffixed), false};
}

bool RowLabels::WasExtractedSlow(const Target& target) const {
  if (const RowLabel* label = Find(target.name, target.hash); label != nullptr) return label->extracted;
  if (removed_.empty()) return false;
  const RowLabel* removed = FindRemoved(target.name, target.hash);
  return removed != nullptr && removed->extracted;
}

void RowLabels::SetError(std::string_view error, std::string_view details) {
  error_ = error;
  if (!details.empty()) error_details_ = Store(details);
  modified_ = true;
  Remove(kErrorLabel);
  Remove(kErrorDetailsLabel);
}

void RowLabels::ClearError() { error_ = {}; }

void RowLabels::ClearErrorDetails() { error_details_ = {}; }

}  // namespace varve::logql
