// OTLP's JSON form of logs, after decompression: the messages of ingest/otlp_protobuf.h in protobuf's JSON
// mapping.
//
// As OTLP has it, trace and span ids are hexadecimal. Fields are known by their JSON name (timeUnixNano) and
// by their own (time_unix_nano); 64-bit integers are strings or numbers, enumerations names or numbers; null
// is as good as nothing; unknown fields are skipped; fields may come in any order.
// Threads: thread-safe.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "ingest/byte_arena.h"
#include "ingest/decode_memory.h"
#include "ingest/otlp_batch.h"

namespace varve {

// kInvalidArgument ("EOF"; "otlp: LogRecord.timeUnixNano: …, error found in #10 byte") leaves `batch` half
// filled.
Status DecodeOtlpJson(std::string_view body, OtlpBatch* batch, ByteArena* arena, DecodeMemory* memory);

}  // namespace varve
