// From a push request's bytes to the engine: decode, add labels and levels, validate, append.
//
// The journal record is the body as it came (plain bodies LZ4-compressed; with limits.mask set, what masking left of
// it) behind a header with tenant,
// receive time, encodings, options that shape decoding, and the list of rejected entries, so that
// replay decodes to exactly the same batch (docs/format.md, "Journal record").
// Threads: thread-safe; scratch memory is per thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/per_tenant.h"
#include "engine/engine.h"
#include "ingest/limits.h"
#include "ingest/mask.h"
#include "ingest/metric_write_path.h"

namespace varve {

struct PushRequest {
  std::string_view tenant = "fake";  // Loki's name for the only tenant
  std::string_view content_type;     // header value as it came
  std::string_view content_encoding;
  std::string_view body;
  bool legacy_json = false;  // /api/prom/push also takes the old JSON form
  bool otlp = false;         // the body is an ExportLogsServiceRequest
};

// Why entries were rejected; names as in loki_discarded_samples_total.
enum class DiscardReason : uint8_t {
  kRateLimited,
  kPerStreamRateLimit,
  kStreamLimit,
  kLineTooLong,
  kGreaterThanMaxSampleAge,
  kTooFarInFuture,
  kMaxLabelNamesPerSeries,
  kLabelNameTooLong,
  kLabelValueTooLong,
  kDuplicateLabelNames,
  kMissingLabels,
  kInvalidLabels,
  kStructuredMetadataTooLarge,
  kStructuredMetadataTooMany,
  kDisallowedStructuredMetadata,
  kRequestBodyTooLarge,
  kMissingEnforcedLabels,
  kBlockedIngestion,
  kCount
};
std::string_view DiscardReasonName(DiscardReason reason);  // "line_too_long"

struct PushOutcome {
  // ok: 204. Otherwise the error to answer with, even when some entries were stored:
  // kInvalidArgument 400, kOutOfRange 422 (nothing to store), kTooLarge 413, kResourceExhausted 429,
  // kUnavailable 503, kStorageFull 507, kIoError 500.
  Status status;
  // Not 0: the push was refused whole by limits.block_ingestion_until; answer with this, status says why.
  uint32_t blocked_status = 0;
  uint64_t entries_stored = 0;
  uint64_t line_bytes_stored = 0;
};

struct IngestStats {
  uint64_t requests = 0;
  uint64_t wire_bytes = 0;
  uint64_t decoded_bytes = 0;
  uint64_t entries_received = 0;
  uint64_t line_bytes_received = 0;
  uint64_t metadata_bytes_received = 0;
  std::array<uint64_t, static_cast<size_t>(DiscardReason::kCount)> discarded_entries{};
  std::array<uint64_t, static_cast<size_t>(DiscardReason::kCount)> discarded_bytes{};
  // Lines cut to limits.max_line_size, and the bytes they lost.
  uint64_t truncated_entries = 0;
  uint64_t truncated_bytes = 0;
  MaskCounts masked;  // by limits.mask
};

class WritePath {
 public:
  // `engine` must outlive this; the same limits for every tenant.
  WritePath(Engine* engine, IngestLimits limits);
  // `limits` too: a push keeps to those of its tenant at its beginning.
  WritePath(Engine* engine, std::reference_wrapper<const PerTenant<IngestLimits>> limits);
  ~WritePath();

  PushOutcome Push(const PushRequest& request);
  // For Engine::Recover.
  ReplayFn MakeReplay();
  // The metrics' half, with the same limits.
  MetricWritePath* metrics() const;
  IngestStats Stats() const;
  const PerTenant<IngestLimits>& limits() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
