// Rows as they come out of a pipeline, in JSON: for answers that are written row by row (tail, export).
//
// Threads: pure functions, except that a RowLabelWriter belongs to one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/logql/row_labels.h"

namespace varve {

// Writes a row's labels as {"name":"value",…}, sorted by name, or in categories. Keeps its scratch space.
class RowLabelWriter {
 public:
  // Takes the row's labels, errors included; views end with the row.
  void SetRow(const logql::RowLabels& labels);

  // All of them: what clients without categorize-labels see as the stream.
  void AppendMerged(std::string* out) const;
  void AppendStream(std::string* out) const { Append(logql::LabelCategory::kStream, out); }
  void AppendMetadata(std::string* out) const { Append(logql::LabelCategory::kMetadata, out); }
  void AppendParsed(std::string* out) const { Append(logql::LabelCategory::kParsed, out); }
  // {"structuredMetadata":{…},"parsed":{…}}, without what is empty.
  void AppendCategories(std::string* out) const;
  // {a="b", c="d"}, as the legacy endpoints name a stream; all labels.
  void AppendSelectorText(std::string* out) const;

  bool has_metadata() const { return has_metadata_; }
  bool has_parsed() const { return has_parsed_; }

 private:
  struct Item {
    std::string_view name, value;
    logql::LabelCategory category;
  };
  void Append(logql::LabelCategory category, std::string* out) const;

  std::vector<Item> sorted_;
  bool has_metadata_ = false;
  bool has_parsed_ = false;
};

}  // namespace varve
