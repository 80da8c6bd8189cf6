// What the readers of OTLP's protobuf share: repeated messages, attributes and values.
//
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "ingest/decode_memory.h"
#include "ingest/message_cursor.h"
#include "ingest/otlp_value.h"

namespace varve {

// Calls fn with each occurrence of the length-delimited field. The other fields are skipped, after a check
// of their type when `known_fields` has them.
template <typename Fn>
Status ForEachField(std::string_view bytes, uint32_t field, uint64_t known_fields, const char* name, Fn&& fn) {
  MessageCursor cursor(bytes);
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    if (tag == Tag(field, WireType::kBytes)) {
      const std::string_view value = cursor.Bytes();
      if (cursor.ok()) VARVE_RETURN_IF_ERROR(fn(value));
    } else if (cursor.ok()) {
      VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, known_fields, name));
    }
  }
  return cursor.ok() ? Status::Ok() : MalformedMessage(name);
}

class OtlpProtobufValueReader {
 public:
  explicit OtlpProtobufValueReader(DecodeMemory* memory) : memory_(memory) {}

  // Replaces `out` by an attribute's value, whose first node has the key, or by a value.
  Status ReadKeyValue(std::string_view bytes, OtlpValues* out) {
    out->clear();
    return KeyValue(bytes, 1, out);
  }
  Status ReadValue(std::string_view bytes, OtlpValues* out) {
    out->clear();
    return Value(bytes, {}, 1, out);
  }

 private:
  Status KeyValue(std::string_view bytes, int depth, OtlpValues* out);
  Status Value(std::string_view bytes, std::string_view key, int depth, OtlpValues* out);

  DecodeMemory* const memory_;
};

}  // namespace varve
