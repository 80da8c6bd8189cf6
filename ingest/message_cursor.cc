#include "ingest/message_cursor.h"

namespace varve {

using enum WireType;

uint64_t MessageCursor::LongVarint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && p_ != end_; shift += 7) {
    const auto byte = static_cast<uint8_t>(*p_++);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  Fail();
  return 0;
}

bool MessageCursor::Skip(uint32_t wire_type) {
  int depth = 0;
  while (true) {
    switch (static_cast<WireType>(wire_type)) {
      case kVarint: Varint(); break;
      case kFixed64: Fixed<uint64_t>(); break;
      case kBytes: Bytes(); break;
      case kFixed32: Fixed<uint32_t>(); break;
      case kGroupStart:
        if (++depth > kGroupDepthMax) Fail();
        break;
      case kGroupEnd:
        if (--depth < 0) Fail();
        break;
      default: Fail();
    }
    if (!ok_) return false;
    if (depth == 0) return true;
    wire_type = static_cast<uint32_t>(Varint() & 7);
  }
}

Status MalformedMessage(const char* message_name) {
  return InvalidArgument(std::string("proto: ") + message_name + ": unexpected EOF or malformed field");
}

Status SkipUnknownField(MessageCursor* cursor, uint64_t tag, uint64_t known_fields,
                        const char* message_name) {
  const uint64_t field = tag >> 3;
  if (field == 0 || field > 0x1FFFFFFF) {
    return InvalidArgument("proto: " + std::string(message_name) + ": illegal tag " + std::to_string(field) +
                           " (wire type " + std::to_string(tag & 7) + ")");
  }
  if (field < 64 && (known_fields >> field & 1) != 0) {
    return InvalidArgument("proto: wrong wireType = " + std::to_string(tag & 7) + " for field " +
                           std::to_string(field) + " of " + message_name);
  }
  return cursor->Skip(static_cast<uint32_t>(tag & 7)) ? Status::Ok() : MalformedMessage(message_name);
}

}  // namespace varve
