// A journalled request: its body, and in front of it everything that replay needs beside it.
//
// Bytes: docs/format.md, "Journal record". Written by Push, read by replay.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "ingest/content_decoding.h"
#include "ingest/reject_list.h"

namespace varve {

// Numbers are stored.
enum class WireForm : uint8_t {
  kLokiProtobuf = 1,
  kLokiJson = 2,
  kLokiJsonLegacy = 3,  // JSON that may also have the old form
  kOtlpProtobuf = 4,
  kOtlpJson = 5,
  // Metrics.
  kRemoteWrite1 = 6,
  kRemoteWrite2 = 7,
  kOtlpMetricsProtobuf = 8,
  kOtlpMetricsJson = 9,
  kImportJson = 10,
  kImportOpenMetrics = 11,
  kImportPrometheusText = 12,
  // Of logs again, and only in the journal: ingest/decoded_body.h.
  kDecodedLogs = 13,
};
inline bool IsMetricForm(WireForm form) {
  return form >= WireForm::kRemoteWrite1 && form <= WireForm::kImportPrometheusText;
}

struct JournalRecordHeader {
  WireForm form = WireForm::kLokiProtobuf;
  // What the stored body was encoded with: first the outer (Content-Encoding), then the inner one (the snappy
  // block that protobuf bodies come in).
  ContentEncoding outer = ContentEncoding::kIdentity;
  ContentEncoding inner = ContentEncoding::kIdentity;
  std::string_view tenant;
  int64_t received_ns = 0;
  uint64_t decoded_size_max = 0;  // the largest size of the body at any stage of decoding
  std::string_view options;       // DecodeOptions::encoded(), of metrics MetricDecodeOptions::encoded()
};

struct JournalRecord {
  JournalRecordHeader header;  // views into the record
  RejectList rejects;
  std::string_view body;
};

// Writes a record to `out`, which is empty.
void WriteJournalRecord(const JournalRecordHeader& header, const RejectList& rejects, std::string_view body,
                        std::string* out);

// The wire form of what begins like a record; nothing is checked. For choosing who shall read it.
std::optional<WireForm> PeekWireForm(std::string_view record);

// kCorruption: not a record, a damaged one, or one of a version that is not known.
Result<JournalRecord> ParseJournalRecord(std::string_view record);

}  // namespace varve
