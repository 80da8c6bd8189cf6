// From the parts of an OTLP request, in the order of its tree, to streams and entries, by Loki's rules: what
// becomes a label, what structured metadata and under which name, which time an entry has.
//
//   for each resource:  BeginResource, AddAttribute(kResource)…, EndResource
//     for each scope:   BeginScope, AddAttribute(kScope)…, EndScope
//       for each record: BeginRecord, AddAttribute(kLog)…, EndRecord
//
// Records that follow each other and have the same labels become one stream of the DecodedPush.
// Threads: thread-compatible. Ownership: everything outlives this; results are views into the body and the
// arena.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "ingest/decode_options.h"
#include "ingest/decoded_push.h"
#include "ingest/otlp_config.h"
#include "ingest/otlp_value.h"

namespace varve {

struct OtlpScope {
  std::string_view name;
  std::string_view version;
  uint32_t dropped_attributes_count = 0;
};

struct OtlpRecord {
  uint64_t time_unix_nano = 0;
  uint64_t observed_time_unix_nano = 0;
  int32_t severity_number = 0;
  std::string_view severity_text;
  uint32_t dropped_attributes_count = 0;
  uint32_t flags = 0;
  std::string_view trace_id;  // in hexadecimal; "" when it is absent or zero
  std::string_view span_id;
  std::string_view line;
};

class OtlpBatch {
 public:
  // `received_ns` is the time of records that have none, one nanosecond later for each further one.
  OtlpBatch(const DecodeOptions& options, int64_t received_ns, DecodedPush* out, ByteArena* arena,
            DecodeMemory* memory);

  void BeginResource();
  Status EndResource();
  void BeginScope();
  Status EndScope(const OtlpScope& scope);
  void BeginRecord();
  Status EndRecord(const OtlpRecord& record);

  // `values` holds the attribute's value, at 0. kInvalidArgument: a name of which a label cannot be made.
  Status AddAttribute(OtlpLevel level, std::string_view key, const OtlpValues& values);

  OtlpText& text() { return text_; }

 private:
  Status AddValue(OtlpLevel level, OtlpAction action, std::string_view name, const OtlpValues& values,
                  uint32_t i);
  Status AddPair(OtlpLevel level, MetadataPair pair);
  Status AddLabel(OtlpLevel level, std::string_view name, std::string_view value);
  void NoteServiceName(const OtlpValues& values);
  Status AddNumber(std::string_view name, int64_t number);
  Result<std::string_view> Joined(std::string_view prefix, std::string_view key);
  Result<std::string_view> EncodeLabels(const std::vector<MetadataPair>& labels);
  Status OpenStream();
  int64_t TimeOf(const OtlpRecord& record);

  const OtlpRules& rules_;
  const std::vector<std::string>& service_names_;
  int64_t untimed_ns_;  // of the next record without a time
  DecodedPush* const out_;
  ByteArena* const arena_;
  DecodeMemory* const memory_;
  OtlpText text_;

  // Of the resource.
  std::vector<MetadataPair> resource_labels_;
  std::vector<MetadataPair> resource_pairs_;
  std::string_view resource_stream_;  // its labels, encoded
  bool has_service_name_ = false;
  bool saw_service_name_ = false;
  std::string_view found_service_name_;
  // Of the scope and the record; the record's metadata goes to out_ at once.
  std::vector<MetadataPair> scope_pairs_;
  std::vector<MetadataPair> record_labels_;
  size_t record_pairs_begin_ = 0;
  std::vector<MetadataPair> merged_labels_;  // scratch
};

}  // namespace varve
