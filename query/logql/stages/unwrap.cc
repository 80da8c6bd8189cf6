#include "query/logql/stages/unwrap.h"

#include "query/logql/stages/label_filter.h"
#include "query/logql/values/byte_size.h"
#include "query/logql/values/duration.h"
#include "query/logql/values/number.h"

namespace varve::logql {
namespace {

bool Convert(UnwrapConversion conversion, std::string_view text, double* value, std::string* error) {
  switch (conversion) {
    case UnwrapConversion::kNone: return ParseGoFloat(text, value, error);
    case UnwrapConversion::kDuration:
    case UnwrapConversion::kDurationSeconds: {
      int64_t duration_ns = 0;
      if (!ParseGoDuration(text, &duration_ns, error)) return false;
      *value = DurationSeconds(duration_ns);
      return true;
    }
    case UnwrapConversion::kBytes: {
      uint64_t bytes = 0;
      if (!ParseByteSize(text, &bytes, error)) return false;
      *value = static_cast<double>(bytes);
      return true;
    }
  }
  return false;
}

}  // namespace

Result<UnwrapStep> UnwrapStep::Create(const Unwrap& unwrap, bool keep_label, bool as_text) {
  UnwrapStep step;
  step.label_ = unwrap.label;
  step.hash_ = HashName(unwrap.label);
  step.conversion_ = unwrap.conversion;
  step.keep_label_ = keep_label;
  step.as_text_ = as_text;
  for (const LabelFilterPtr& filter : unwrap.post_filters) {
    VARVE_ASSIGN_OR_RETURN(std::unique_ptr<RowStage> stage, CompileLabelFilter(*filter));
    step.post_filters_.push_back(std::move(stage));
  }
  return step;
}

bool UnwrapStep::Apply(Row* row, UnwrappedValue* value) const {
  const RowLabel* label = row->labels.Find(label_, hash_);
  if (label == nullptr || label->value.empty()) return false;
  *value = {.number = 0, .text = label->value};
  if (!as_text_ && !Convert(conversion_, label->value, &value->number, nullptr)) {
    std::string error;
    Convert(conversion_, label->value, &value->number, &error);
    row->labels.SetError(kSampleExtractionError, error);
  }
  for (const auto& filter : post_filters_) {
    if (!filter->Apply(row)) return false;
  }
  if (!keep_label_) row->labels.Remove(label_);
  return true;
}

}  // namespace varve::logql
