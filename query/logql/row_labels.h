// The labels of one row on its way through a pipeline.
//
// A row starts with its stream's labels and its entry's structured metadata; parsers and formatters add
// to it. Each label has a category that decides where the answer shows it: kStream → "stream",
// kMetadata → "structuredMetadata", kParsed → "parsed". Rules that make this more than a map:
//   - metadata named like a stream label is shown as <name>_extracted;
//   - a parsed name equal to a stream or metadata label is extracted as <name>_extracted, even when
//     that label was dropped or overwritten meanwhile;
//   - what one parser extracted, later parsers leave alone, even when it was dropped or renamed;
//   - label_format moves what it touches to kParsed; drop and keep remove from every category;
//   - __error__ and __error_details__ are kept apart from other labels, in kParsed.
// Threads: thread-compatible; one per worker. Ownership: values are views into the row's line, the
// stream's labels, the metadata bytes, or this object's own arena (Store); all end with Reset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/labels.h"
#include "query/logql/label_list.h"
#include "query/logql/row_arena.h"

namespace varve::logql {

inline constexpr std::string_view kErrorLabel = "__error__";
inline constexpr std::string_view kErrorDetailsLabel = "__error_details__";
inline constexpr std::string_view kExtractedSuffix = "_extracted";

// Of a label name.
uint32_t HashName(std::string_view name);

class RowLabels {
 public:
  // The labels every following row starts with, until the next call. `stream` must outlive them.
  void SetStream(const Labels& stream);
  // Starts a new row. `metadata` is encoded as in model/log_entry.h.
  void Reset(std::string_view metadata);
  void Reset(const Labels& stream, std::string_view metadata) {
    SetStream(stream);
    Reset(metadata);
  }

  // The label a query means by `name`; null when absent. A present label may have an empty value.
  const RowLabel* Find(std::string_view name) const { return Find(name, HashName(name)); }
  const RowLabel* Find(std::string_view name, uint32_t hash) const { return labels_.Find(name, hash); }
  std::string_view Get(std::string_view name) const {
    const RowLabel* label = Find(name);
    return label == nullptr ? std::string_view() : label->value;
  }
  // Whether the stream's labels or the metadata hold `name` (then a parser must use <name>_extracted).
  bool HasBase(std::string_view name) const;

  // Adds or overwrites; the views must live until Reset (see Store).
  void Set(std::string_view name, std::string_view value, LabelCategory category);
  void Remove(std::string_view name);
  // Removes every label for which `drop(label)` is true.
  template <typename Predicate>
  void RemoveIf(Predicate drop);
  // Copies bytes into the row's arena.
  std::string_view Store(std::string_view bytes) { return arena_.Store(bytes); }
  RowArena& arena() { return arena_; }

  // For parsers: where a value found under `name` goes, or nowhere.
  struct Target {
    std::string_view name;
    uint32_t hash = 0;
    bool fresh = false;  // no label of that name was there, now or before: set at once
  };
  // The name to extract `name` to: itself, or <name>_extracted (in the arena) when it is a base name.
  Target ExtractionTarget(std::string_view name, uint32_t hash) {
    if (!labels_.MayHold(hash) && removed_.empty()) return {name, hash, true};
    return ExtractionTargetSlow(name, hash);
  }
  // Whether a parser extracted `target` from this row already.
  bool WasExtracted(const Target& target) const { return !target.fresh && WasExtractedSlow(target); }
  // Sets it, and marks it as extracted. The views must live until Reset. No label may have been set since
  // ExtractionTarget.
  void SetExtracted(const Target& target, std::string_view value) {
    if (target.fresh && !has_error()) {
      modified_ = true;
      labels_.Append({.name = target.name,
                      .value = value,
                      .category = LabelCategory::kParsed,
                      .base = false,
                      .extracted = true,
                      .hash = target.hash});
    } else {
      SetLabel(target.name, target.hash, value, LabelCategory::kParsed, true);
    }
  }

  // A later error replaces an earlier one; empty details keep the earlier ones. `error` must live until
  // Reset, the details are copied.
  void SetError(std::string_view error, std::string_view details);
  bool has_error() const { return !error_.empty(); }
  std::string_view error() const { return error_; }
  std::string_view error_details() const { return error_details_; }
  void ClearError();
  void ClearErrorDetails();

  // False while the row shows exactly its stream's labels and metadata: then (stream, metadata) can
  // stand for the label set in caches.
  bool modified() const { return modified_; }

  // All labels, unordered, __error__ and __error_details__ not included; names are unique.
  const std::vector<RowLabel>& labels() const { return labels_.labels(); }

 private:
  Target ExtractionTargetSlow(std::string_view name, uint32_t hash);
  bool WasExtractedSlow(const Target& target) const;
  void SetLabel(std::string_view name, uint32_t hash, std::string_view value, LabelCategory category,
                bool extracted);
  void Forget(const RowLabel& label);
  void PrepareBase(std::string_view metadata);

  LabelList labels_;
  LabelList removed_;  // of this row: names keep their meaning for parsers
  std::string_view error_, error_details_;
  RowArena arena_;
  bool modified_ = false;

  // What a row of this stream with the latest metadata starts with.
  LabelList stream_labels_;
  LabelList base_;
  std::string base_metadata_;  // a copy: base_ points into it
  RowArena base_names_;
  bool base_valid_ = false;
};

template <typename Predicate>
void RowLabels::RemoveIf(Predicate drop) {
  labels_.RemoveIf(drop, [this](const RowLabel& label) {
    Forget(label);
    modified_ = true;
  });
}

}  // namespace varve::logql
