#include "query/logql/stages/drop_keep.h"

#include <algorithm>

namespace varve::logql {

bool DropStage::Apply(Row* row) const {
  RowLabels& labels = row->labels;
  for (const LabelSelection& item : items_) {
    if (item.name == kErrorLabel) {
      if (!item.matcher || item.matcher->Matches(labels.error())) labels.ClearError();
    } else if (item.name == kErrorDetailsLabel) {
      if (!item.matcher || item.matcher->Matches(labels.error_details())) labels.ClearErrorDetails();
    } else if (!item.matcher || item.matcher->Matches(labels.Get(item.name))) {
      labels.Remove(item.name);
    }
  }
  return true;
}

bool KeepStage::Apply(Row* row) const {
  row->labels.RemoveIf([this](const RowLabel& label) {
    if (label.name == kErrorLabel || label.name == kErrorDetailsLabel) return false;
    return std::none_of(items_.begin(), items_.end(), [&](const LabelSelection& item) {
      return item.name == label.name && (!item.matcher || item.matcher->Matches(label.value));
    });
  });
  return true;
}

}  // namespace varve::logql
