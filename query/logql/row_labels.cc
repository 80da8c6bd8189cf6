#include "query/logql/row_labels.h"

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
  stream_labels_.Clear();
  for (const Label& label : stream) {
    stream_labels_.Append({.name = label.name,
                           .value = label.value,
                           .category = LabelCategory::kStream,
                           .base = true,
                           .hash = HashName(label.name)});
  }
  base_valid_ = false;
}

void RowLabels::PrepareBase(std::string_view metadata) {
  base_metadata_ = metadata;
  base_.Assign(stream_labels_);
  base_names_.Clear();
  const bool well_formed = ForEachMetadata(base_metadata_, [&](std::string_view name,
                                                               std::string_view value) {
    uint32_t hash = HashName(name);
    RowLabel* found = base_.Find(name, hash);
    if (found != nullptr && found->category == LabelCategory::kStream) {
      name = base_names_.Concat(name, kExtractedSuffix);
      hash = HashName(name);
      found = base_.Find(name, hash);
      // A stream label that really is called <name>_extracted stays.
      if (found != nullptr && found->category == LabelCategory::kStream) return;
    }
    if (found != nullptr) {
      found->value = value;
    } else {
      base_.Append(
          {.name = name, .value = value, .category = LabelCategory::kMetadata, .base = true, .hash = hash});
    }
  });
  static_cast<void>(well_formed);  // what could be read is shown; blocks verify their bytes when loaded
  base_valid_ = true;
}

void RowLabels::Reset(std::string_view metadata) {
  if (!base_valid_ || metadata != base_metadata_) PrepareBase(metadata);
  labels_.Assign(base_);
  removed_.Clear();
  error_ = {};
  error_details_ = {};
  modified_ = false;
  arena_.Clear();
}

// A name that was removed before keeps all it ever was.
void RowLabels::Forget(const RowLabel& label) {
  RowLabel* known = removed_.Find(label.name, label.hash);
  if (known == nullptr) {
    removed_.Append(label);
    return;
  }
  known->base = known->base || label.base;
  known->extracted = known->extracted || label.extracted;
}

bool RowLabels::HasBase(std::string_view name) const {
  const uint32_t hash = HashName(name);
  const RowLabel* label = Find(name, hash);
  if (label == nullptr) label = removed_.Find(name, hash);
  return label != nullptr && label->base;
}

void RowLabels::SetLabel(std::string_view name, uint32_t hash, std::string_view value, LabelCategory category,
                         bool extracted) {
  // A label of that name in the line must not stand beside the row's own error.
  if (has_error() && (name == kErrorLabel || name == kErrorDetailsLabel)) return;
  modified_ = true;
  if (RowLabel* label = labels_.Find(name, hash); label != nullptr) {
    label->value = value;
    label->category = category;
    label->extracted = label->extracted || extracted;
    return;
  }
  // A name that comes back keeps its meaning for the parsers that follow.
  const RowLabel* removed = removed_.Find(name, hash);
  labels_.Append({.name = name,
                  .value = value,
                  .category = category,
                  .base = removed != nullptr && removed->base,
                  .extracted = extracted || (removed != nullptr && removed->extracted),
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
  if (label == nullptr) label = removed_.Find(name, hash);
  if (label == nullptr || !label->base) return {name, hash, false};
  const std::string_view suffixed = arena_.Concat(name, kExtractedSuffix);
  return {suffixed, HashName(suffixed), false};
}

bool RowLabels::WasExtractedSlow(const Target& target) const {
  const RowLabel* label = Find(target.name, target.hash);
  if (label == nullptr) label = removed_.Find(target.name, target.hash);
  return label != nullptr && label->extracted;
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
