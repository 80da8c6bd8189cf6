// OTLP's protobuf form of logs, ExportLogsServiceRequest, after decompression.
//
//   ExportLogsServiceRequest { repeated ResourceLogs resource_logs = 1; }
//   ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; string schema_url = 3; }
//   Resource     { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
//   ScopeLogs    { InstrumentationScope scope = 1; repeated LogRecord log_records = 2; string schema_url = 3;
//   } InstrumentationScope { string name = 1, version = 2; repeated KeyValue attributes = 3;
//                          uint32 dropped_attributes_count = 4; }
//   LogRecord    { fixed64 time_unix_nano = 1, observed_time_unix_nano = 11; SeverityNumber severity_number =
//   2;
//                  string severity_text = 3; AnyValue body = 5; repeated KeyValue attributes = 6;
//                  uint32 dropped_attributes_count = 7; fixed32 flags = 8; bytes trace_id = 9, span_id = 10;
//                  }
//   KeyValue     { string key = 1; AnyValue value = 2; }
//   AnyValue     { string 1 | bool 2 | int64 3 | double 4 | ArrayValue 5 | KeyValueList 6 | bytes 7 }
//
// Fields may come in any order; unknown ones are skipped. What the parts become: ingest/otlp_batch.h.
// Threads: thread-safe.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "ingest/decode_memory.h"
#include "ingest/otlp_batch.h"

namespace varve {

// kInvalidArgument ("proto: …", "otlp: a value is nested …") leaves `batch` half filled.
Status DecodeOtlpProtobuf(std::string_view body, OtlpBatch* batch, DecodeMemory* memory);

}  // namespace varve
