#include "alerting/notify/stored_alert.h"

#include <utility>

#include "alerting/notify/alert_labels.h"

namespace varve {
namespace {

size_t BytesOf(const LabelMap& labels) {
  size_t bytes = 0;
  for (const auto& [name, value] : labels) bytes += name.size() + value.size();
  return bytes;
}

Status CheckLabelSet(const LabelMap& labels, const char* what) {
  for (const auto& [name, value] : labels) {
    if (name.empty()) return InvalidArgument(std::string("invalid ") + what + ": invalid name \"\"");
  }
  return Status::Ok();
}

// As Alertmanager merges: the newer one, with the earliest start, and the end that rules.
void MergeInto(PostedAlert* posted, const StoredAlert& old, int64_t now_ms) {
  const PostedAlert& before = *old.posted;
  if (before.starts_at_ms < posted->starts_at_ms) posted->starts_at_ms = before.starts_at_ms;
  if (posted->ResolvedAt(now_ms)) {
    if (before.ResolvedAt(now_ms) && before.ends_at_ms > posted->ends_at_ms) posted->ends_at_ms = before.ends_at_ms;
  } else if (before.ends_at_ms > posted->ends_at_ms && !old.timeout) {
    posted->ends_at_ms = before.ends_at_ms;
  }
}

bool Overlap(const PostedAlert& posted, const PostedAlert& before) {
  const auto within = [&before](int64_t t) { return t > before.starts_at_ms && t < before.ends_at_ms; };
  return within(posted.ends_at_ms) || within(posted.starts_at_ms);
}

}  // namespace

Status CheckAlert(PostedAlert* alert) {
  std::erase_if(alert->labels, [](const auto& label) { return label.second.empty(); });
  if (alert->labels.empty()) return InvalidArgument("at least one label pair required");
  VARVE_RETURN_IF_ERROR(CheckLabelSet(alert->labels, "label set"));
  VARVE_RETURN_IF_ERROR(CheckLabelSet(alert->annotations, "annotations"));
  if (alert->starts_at_ms != 0 && alert->ends_at_ms != 0 && alert->ends_at_ms < alert->starts_at_ms) {
    return InvalidArgument("start time must be before end time");
  }
  const size_t bytes = BytesOf(alert->labels) + BytesOf(alert->annotations) + alert->generator_url.size();
  if (bytes > kAlertBytesMax) {
    return InvalidArgument("alert of " + std::to_string(bytes) + " bytes exceeds the limit of " +
                           std::to_string(kAlertBytesMax));
  }
  return Status::Ok();
}

std::shared_ptr<StoredAlert> ReceiveAlert(PostedAlert posted, const StoredAlert* old, int64_t now_ms,
                                          int64_t resolve_timeout_ms) {
  auto result = std::make_shared<StoredAlert>();
  if (posted.starts_at_ms == 0) posted.starts_at_ms = posted.ends_at_ms == 0 ? now_ms : posted.ends_at_ms;
  if (posted.ends_at_ms == 0) {
    result->timeout = true;
    posted.ends_at_ms = now_ms + resolve_timeout_ms;
  }
  // Resolved and unknown: nobody was told of it, or everybody has been told the end. Resolved twice: the end is being
  // told. Posters repeat the end for a while (Prometheus for 15 minutes).
  if (posted.ResolvedAt(now_ms) && (old == nullptr || old->ended || old->ResolvedAt(now_ms))) return nullptr;
  if (old != nullptr && Overlap(posted, *old->posted)) MergeInto(&posted, *old, now_ms);
  result->fingerprint = AlertFingerprint(posted.labels);
  result->updated_at_ms = now_ms;
  result->ended = posted.ResolvedAt(now_ms);
  result->posted = std::make_shared<const PostedAlert>(std::move(posted));
  return result;
}

}  // namespace varve
