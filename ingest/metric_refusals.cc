#include "ingest/metric_refusals.h"

#include "ingest/metric_write_path.h"

namespace varve {

std::string_view MetricDiscardReasonName(MetricDiscardReason reason) {
  using enum MetricDiscardReason;
  switch (reason) {
    case kMissingMetricName: return "missing_metric_name";
    case kInvalidLabels: return "invalid_labels";
    case kDuplicateLabelNames: return "duplicate_label_names";
    case kMaxLabelNames: return "max_label_names_per_series";
    case kLabelNameTooLong: return "label_name_too_long";
    case kLabelValueTooLong: return "label_value_too_long";
    case kSampleTooFarInFuture: return "too_far_in_future";
    case kSampleTooOld: return "too_old";
    case kDuplicateTimestamp: return "duplicate_timestamp";
    case kInvalidHistogram: return "invalid_histogram";
    case kInvalidMetric: return "invalid_metric";
    case kSeriesLimit: return "series_limit";
    case kRateLimited: return "rate_limited";
    case kTooManySamples: return "too_many_samples";
    case kRequestTooLarge: return "request_too_large";
    case kExemplarTooLong: return "exemplar_too_long";
    case kInvalidExemplar: return "invalid_exemplar";
    case kMetadataTooLong: return "metadata_too_long";
    case kCount: break;
  }
  return "unknown";
}

bool MetricRefusals::WantsText() const { return shown_ < kErrorsShownMax && text_.size() < kBytesMax; }

void MetricRefusals::Add(MetricDiscardReason reason, uint64_t samples, std::string text) {
  AddQuiet(reason, samples);
  ++errors_;
  retry_ |= reason == MetricDiscardReason::kSeriesLimit || reason == MetricDiscardReason::kRateLimited;
  if (!WantsText()) return;
  ++shown_;
  text_ += text;
  text_ += '\n';
}

void MetricRefusals::AddQuiet(MetricDiscardReason reason, uint64_t items) {
  counts_[static_cast<size_t>(reason)] += items;
}

std::string MetricRefusals::Message() const {
  if (errors_ == shown_) return text_;
  return text_ + "and " + std::to_string(errors_ - shown_) + " more errors\n";
}

}  // namespace varve
