#include "ingest/otlp_protobuf_value.h"

#include <bit>

namespace varve {
namespace {

using enum WireType;
using Kind = OtlpValue::Kind;

}  // namespace

Status OtlpProtobufValueReader::KeyValue(std::string_view bytes, int depth, OtlpValues* out) {
  constexpr char kName[] = "KeyValue";
  MessageCursor cursor(bytes);
  std::string_view key;
  std::string_view value;
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    switch (tag) {
      case Tag(1, kBytes): key = cursor.Bytes(); break;
      case Tag(2, kBytes): value = cursor.Bytes(); break;
      default:
        if (!cursor.ok()) break;
        VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(2), kName));
    }
  }
  if (!cursor.ok()) return MalformedMessage(kName);
  return Value(value, key, depth, out);
}

// Appends the value and what is in it. Of several alternatives the last counts.
Status OtlpProtobufValueReader::Value(std::string_view bytes, std::string_view key, int depth, OtlpValues* out) {
  constexpr char kName[] = "AnyValue";
  if (depth > kOtlpValueDepthMax) return OtlpTooDeep();
  const auto own = static_cast<uint32_t>(out->size());
  OtlpValue value;
  value.key = key;
  VARVE_RETURN_IF_ERROR(PushBack(out, value, memory_));
  std::string_view members;
  MessageCursor cursor(bytes);
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    switch (tag) {
      case Tag(1, kBytes):
        value.kind = Kind::kString;
        value.text = cursor.Bytes();
        break;
      case Tag(2, kVarint):
        value.kind = Kind::kBool;
        value.integer = cursor.Varint() != 0 ? 1 : 0;
        break;
      case Tag(3, kVarint):
        value.kind = Kind::kInt;
        value.integer = static_cast<int64_t>(cursor.Varint());
        break;
      case Tag(4, kFixed64):
        value.kind = Kind::kDouble;
        value.real = std::bit_cast<double>(cursor.Fixed<uint64_t>());
        break;
      case Tag(5, kBytes):
        value.kind = Kind::kArray;
        members = cursor.Bytes();
        break;
      case Tag(6, kBytes):
        value.kind = Kind::kMap;
        members = cursor.Bytes();
        break;
      case Tag(7, kBytes):
        value.kind = Kind::kBytes;
        value.text = cursor.Bytes();
        break;
      default:
        if (!cursor.ok()) break;
        VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(7), kName));
    }
  }
  if (!cursor.ok()) return MalformedMessage(kName);
  if (HasMembers(value)) {
    const bool map = value.kind == Kind::kMap;
    VARVE_RETURN_IF_ERROR(ForEachField(members, 1, FieldsUpTo(1), map ? "KeyValueList" : "ArrayValue",
                                  [&](std::string_view member) {
                                    return map ? KeyValue(member, depth + 1, out)
                                                 : Value(member, {}, depth + 1, out);
                                  }));
    value.end = static_cast<uint32_t>(out->size());
  }
  (*out)[own] = value;
  return Status::Ok();
}

}  // namespace varve
