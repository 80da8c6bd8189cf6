#include "ingest/entry_checks.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace varve {
namespace {

int64_t SaturatingAdd(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? INT64_MIN : INT64_MAX;
}

int64_t MsToNs(int64_t ms) {
  int64_t ns = 0;
  return __builtin_mul_overflow(ms, kNsPerMs, &ns) ? (ms < 0 ? INT64_MIN : INT64_MAX) : ns;
}

}  // namespace

std::string FormatRfc3339(int64_t ts_ns) {
  int64_t seconds = ts_ns / kNsPerSecond;
  if (ts_ns % kNsPerSecond < 0) --seconds;
  const time_t time = seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  char text[64];
  std::snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

EntryChecks::EntryChecks(const IngestLimits* limits, int64_t now_ns) : limits_(limits), now_ns_(now_ns) {
  // The two ends stand for times that do not fit (decoded_push.h) and are always refused.
  oldest_of_all_ns_ = INT64_MIN + 1;
  if (limits->reject_old_samples) {
    oldest_of_all_ns_ =
        std::max(oldest_of_all_ns_, SaturatingAdd(now_ns, -MsToNs(limits->reject_old_samples_max_age_ms)));
  }
  oldest_ns_ = oldest_of_all_ns_;
  newest_ns_ = std::min(INT64_MAX - 1, SaturatingAdd(now_ns, MsToNs(limits->creation_grace_period_ms)));
  const bool line_limited = limits->max_line_size > 0 && !limits->max_line_size_truncate;
  line_size_max_ = line_limited ? static_cast<uint64_t>(limits->max_line_size) : UINT64_MAX;
}

void EntryChecks::SetRetention(int64_t retention_ns) {
  oldest_ns_ = oldest_of_all_ns_;
  if (retention_ns > 0) oldest_ns_ = std::max(oldest_ns_, SaturatingAdd(now_ns_, -retention_ns));
}

uint64_t EntryChecks::MetadataBytes(std::span<const MetadataPair> pairs) {
  uint64_t bytes = 0;
  for (const auto& [name, value] : pairs) bytes += name.size() + value.size();
  return bytes;
}

bool EntryChecks::AcceptsMetadata(std::span<const MetadataPair> pairs) const {
  if (!limits_->allow_structured_metadata) return false;
  const auto size_max = static_cast<uint64_t>(std::max<int64_t>(0, limits_->max_structured_metadata_size));
  if (size_max != 0 && MetadataBytes(pairs) > size_max) return false;
  const uint32_t count_max = limits_->max_structured_metadata_entries_count;
  return count_max == 0 || pairs.size() <= count_max;
}

EntryChecks::Refusal EntryChecks::Explain(const LogEntryView& entry, std::span<const MetadataPair> pairs,
                                          std::string_view stream) const {
  const std::string name(stream);
  constexpr std::string_view kSee = "Please see `limits_config.";
  constexpr std::string_view kContact = "` or contact your Loki administrator to ";
  if (entry.ts_ns < oldest_ns_) {
    return {DiscardReason::kGreaterThanMaxSampleAge,
            "entry for stream '" + name + "' has timestamp too old: " + FormatRfc3339(entry.ts_ns) +
                ", oldest acceptable timestamp is: " + FormatRfc3339(oldest_ns_)};
  }
  if (entry.ts_ns > newest_ns_) {
    return {DiscardReason::kTooFarInFuture,
            "entry for stream '" + name + "' has timestamp too new: " + FormatRfc3339(entry.ts_ns)};
  }
  if (entry.line.size() > line_size_max_) {
    return {DiscardReason::kLineTooLong, "max entry size '" + std::to_string(limits_->max_line_size) +
                                             "' bytes exceeded for stream '" + name +
                                             "' while adding an entry with length '" +
                                             std::to_string(entry.line.size()) + "' bytes"};
  }
  if (!limits_->allow_structured_metadata) {
    return {DiscardReason::kDisallowedStructuredMetadata,
            "stream '" + name + "' includes structured metadata, but this feature is disallowed. " +
                std::string(kSee) + "allow_structured_metadata" + std::string(kContact) + "enable it"};
  }
  const uint64_t bytes = MetadataBytes(pairs);
  if (limits_->max_structured_metadata_size > 0 &&
      bytes > static_cast<uint64_t>(limits_->max_structured_metadata_size)) {
    return {DiscardReason::kStructuredMetadataTooLarge,
            "stream '" + name + "' has structured metadata too large: '" + std::to_string(bytes) +
                "' bytes, limit: '" + std::to_string(limits_->max_structured_metadata_size) + "' bytes. " +
                std::string(kSee) + "max_structured_metadata_size" + std::string(kContact) + "increase it"};
  }
  return {DiscardReason::kStructuredMetadataTooMany,
          "stream '" + name + "' has too many structured metadata labels: '" + std::to_string(pairs.size()) +
              "', limit: '" + std::to_string(limits_->max_structured_metadata_entries_count) + "'. " +
              std::string(kSee) + "max_structured_metadata_entries_count" + std::string(kContact) +
              "increase it"};
}

}  // namespace varve
