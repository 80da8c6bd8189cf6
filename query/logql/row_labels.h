// The labels of one row on its way through a pipeline.
//
// A row starts with its stream's labels and its entry's structured metadata; parsers and formatters add
// to it. Each label has a category that decides where the answer shows it: kStream → "stream",
// kMetadata → "structuredMetadata", kParsed → "parsed". Rules that make this more than a map:
//   - metadata named like a stream label is shown as <name>_extracted;
//   - a parsed name equal to a stream or metadata label is extracted as <name>_extracted;
//   - label_format moves what it touches to kParsed; drop and keep remove from every category;
//   - __error__ and __error_details__ are kept apart from other labels, in kParsed.
// Threads: thread-compatible; one per worker. Ownership: values are views into the row's line, the
// stream's labels, the metadata bytes, or this object's own arena (Store); all end with Reset.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/labels.h"

namespace varve::logql {

enum class LabelCategory : uint8_t { kStream, kMetadata, kParsed };

struct RowLabel {
  std::string_view name;
  std::string_view value;
  LabelCategory category = LabelCategory::kStream;
};

class RowLabels {
 public:
  // Starts a new row. `metadata` is encoded as in model/log_entry.h.
  void Reset(const Labels& stream, std::string_view metadata);

  // The label a query means by `name`; null when absent. A present label may have an empty value.
  const RowLabel* Find(std::string_view name) const;
  std::string_view Get(std::string_view name) const {
    const RowLabel* label = Find(name);
    return label == nullptr ? std::string_view() : label->value;
  }
  // Whether the stream's labels or the metadata hold `name` (then a parser must use <name>_extracted).
  bool HasBase(std::string_view name) const;

  // Adds or overwrites; the views must live until Reset (see Store).
  void Set(std::string_view name, std::string_view value, LabelCategory category);
  void Remove(std::string_view name);
  // Copies bytes into the row's arena.
  std::string_view Store(std::string_view bytes);

  // The first error of a row stays.
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
  const std::vector<RowLabel>& labels() const { return labels_; }

 private:
  std::vector<RowLabel> labels_;
  std::string_view error_, error_details_;
  std::deque<std::string> arena_;
  bool modified_ = false;
};

}  // namespace varve::logql
