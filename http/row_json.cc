#include "http/row_json.h"

#include <algorithm>
#include <utility>

#include "engine/base/json_writer.h"
#include "engine/model/labels.h"

namespace varve {

using logql::LabelCategory;

void RowLabelWriter::SetRow(const logql::RowLabels& labels) {
  sorted_.clear();
  has_metadata_ = has_parsed_ = false;
  for (const logql::RowLabel& label : labels.labels()) {
    sorted_.push_back({label.name, label.value, label.category});
    has_metadata_ |= label.category == LabelCategory::kMetadata;
    has_parsed_ |= label.category == LabelCategory::kParsed;
  }
  for (const auto& [name, value] : {std::pair(logql::kErrorLabel, labels.error()),
                                    std::pair(logql::kErrorDetailsLabel, labels.error_details())}) {
    if (value.empty()) continue;
    sorted_.push_back({name, value, LabelCategory::kParsed});
    has_parsed_ = true;
  }
  std::sort(sorted_.begin(), sorted_.end(), [](const Item& a, const Item& b) { return a.name < b.name; });
}

void RowLabelWriter::AppendMerged(std::string* out) const {
  char before = '{';
  for (const Item& item : sorted_) {
    out->push_back(before);
    before = ',';
    AppendJsonString(out, item.name);
    out->push_back(':');
    AppendJsonString(out, item.value);
  }
  out->append(sorted_.empty() ? "{}" : "}");
}

void RowLabelWriter::Append(LabelCategory category, std::string* out) const {
  out->push_back('{');
  bool first = true;
  for (const Item& item : sorted_) {
    if (item.category != category) continue;
    if (!first) out->push_back(',');
    first = false;
    AppendJsonString(out, item.name);
    out->push_back(':');
    AppendJsonString(out, item.value);
  }
  out->push_back('}');
}

void RowLabelWriter::AppendCategories(std::string* out) const {
  out->push_back('{');
  if (has_metadata_) {
    out->append("\"structuredMetadata\":");
    AppendMetadata(out);
  }
  if (has_parsed_) {
    out->append(has_metadata_ ? ",\"parsed\":" : "\"parsed\":");
    AppendParsed(out);
  }
  out->push_back('}');
}

void RowLabelWriter::AppendSelectorText(std::string* out) const {
  out->push_back('{');
  for (size_t i = 0; i < sorted_.size(); ++i) {
    if (i != 0) out->append(", ");
    out->append(sorted_[i].name).push_back('=');
    AppendGoQuoted(out, sorted_[i].value);
  }
  out->push_back('}');
}

}  // namespace varve
