#include "ingest/rejections.h"

namespace varve {

std::string_view DiscardReasonName(DiscardReason reason) {
  switch (reason) {
    case DiscardReason::kRateLimited: return "rate_limited";
    case DiscardReason::kPerStreamRateLimit: return "per_stream_rate_limit";
    case DiscardReason::kStreamLimit: return "stream_limit";
    case DiscardReason::kLineTooLong: return "line_too_long";
    case DiscardReason::kGreaterThanMaxSampleAge: return "greater_than_max_sample_age";
    case DiscardReason::kTooFarInFuture: return "too_far_in_future";
    case DiscardReason::kMaxLabelNamesPerSeries: return "max_label_names_per_series";
    case DiscardReason::kLabelNameTooLong: return "label_name_too_long";
    case DiscardReason::kLabelValueTooLong: return "label_value_too_long";
    case DiscardReason::kDuplicateLabelNames: return "duplicate_label_names";
    case DiscardReason::kMissingLabels: return "missing_labels";
    case DiscardReason::kInvalidLabels: return "invalid_labels";
    case DiscardReason::kStructuredMetadataTooLarge: return "structured_metadata_too_large";
    case DiscardReason::kStructuredMetadataTooMany: return "structured_metadata_too_many";
    case DiscardReason::kDisallowedStructuredMetadata: return "disallowed_structured_metadata";
    case DiscardReason::kRequestBodyTooLarge: return "request_body_too_large";
    case DiscardReason::kMissingEnforcedLabels: return "missing_enforced_labels";
    case DiscardReason::kBlockedIngestion: return "blocked_ingestion";
    case DiscardReason::kCount: break;
  }
  return "unknown";
}

void Rejections::Add(DiscardReason reason, std::string text, uint64_t entries, uint64_t bytes) {
  ++errors_;
  entries_[static_cast<size_t>(reason)] += entries;
  bytes_[static_cast<size_t>(reason)] += bytes;
  retry_ |= reason == DiscardReason::kRateLimited || reason == DiscardReason::kPerStreamRateLimit ||
            reason == DiscardReason::kStreamLimit;
  if (const auto known = index_.find(text); known != index_.end()) {
    ++texts_[known->second].count;
    return;
  }
  // The first text is always told, cut where it alone would be too much.
  if (texts_.empty() && text.size() > kBytesMax) text.resize(kBytesMax);
  if (texts_.size() == kTextsMax || text_bytes_ + text.size() > kBytesMax) {
    ++untold_errors_;
    return;
  }
  text_bytes_ += text.size();
  index_.emplace(text, texts_.size());
  texts_.push_back({std::move(text), 1});
}

Status Rejections::ToStatus() const {
  std::string message;
  for (const Text& text : texts_) {
    if (!message.empty()) message += "; ";
    if (text.count > 1) message += std::to_string(text.count) + " errors like: ";
    message += text.text;
  }
  if (untold_errors_ != 0) message += "; and " + std::to_string(untold_errors_) + " more errors";
  return retry_ ? ResourceExhausted(std::move(message)) : InvalidArgument(std::move(message));
}

}  // namespace varve
