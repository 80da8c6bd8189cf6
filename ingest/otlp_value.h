// OTLP's AnyValue, read from either wire form, and its text.
//
// A value is a run of nodes in a vector, parents before their children, so that reading one allocates nothing
// after the first few. Strings and bytes are views into the body or the arena.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "ingest/byte_arena.h"
#include "ingest/byte_buffer.h"
#include "ingest/decode_memory.h"

namespace varve {

// How deep arrays and maps may nest in each other; beyond it kInvalidArgument (OtlpTooDeep).
inline constexpr int kOtlpValueDepthMax = 64;
Status OtlpTooDeep();

struct OtlpValue {
  enum class Kind : uint8_t { kEmpty, kString, kBool, kInt, kDouble, kBytes, kArray, kMap };

  Kind kind = Kind::kEmpty;
  // Of kArray and kMap: the index behind the last node inside. The first child stands right behind its
  // parent; the next child of a child at i is at NextOtlpValue(values, i).
  uint32_t end = 0;
  std::string_view key;   // of a map's member
  std::string_view text;  // kString, kBytes
  int64_t integer = 0;    // kBool, kInt
  double real = 0;        // kDouble
};
using OtlpValues = std::vector<OtlpValue>;

inline bool HasMembers(const OtlpValue& value) {
  return value.kind == OtlpValue::Kind::kArray || value.kind == OtlpValue::Kind::kMap;
}
inline uint32_t NextOtlpValue(const OtlpValues& values, uint32_t i) {
  return HasMembers(values[i]) ? values[i].end : i + 1;
}

// Writes values as text, as OpenTelemetry's collector does and Loki with it: strings as they are, numbers in
// JavaScript's form, bytes in base64, arrays and maps as JSON (maps sorted by key, the last of equal keys;
// < > & escaped), nothing as "". A number that is none makes a map or an array "".
class OtlpText {
 public:
  OtlpText(ByteArena* arena, DecodeMemory* memory) : arena_(arena), memory_(memory) {}

  // The text of the value at values[i]; a view into the body, the arena or a constant. Errors are the
  // memory's alone.
  Result<std::string_view> Of(const OtlpValues& values, uint32_t i);
  Result<std::string_view> OfNumber(int64_t number);
  // Lower-case hexadecimal.
  Result<std::string_view> OfHex(std::string_view bytes);

 private:
  bool AppendJson(const OtlpValues& values, uint32_t i);
  bool AppendMap(const OtlpValues& values, uint32_t i);
  bool AppendQuoted(std::string_view text);
  bool Append(std::string_view text);
  Result<std::string_view> Copy(std::string_view text);

  ByteArena* const arena_;
  DecodeMemory* const memory_;
  ByteBuffer json_;                // of the value that is being written
  std::vector<uint32_t> members_;  // a stack: the members of the maps that are being written
  bool not_a_number_ = false;
  Status status_;
};

}  // namespace varve
