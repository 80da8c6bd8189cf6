#include "ingest/loki_protobuf.h"

#include <string>

#include "engine/base/time.h"

namespace varve {
namespace {

enum WireType : uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroupStart = 3,
  kGroupEnd = 4,
  kFixed32 = 5
};

// The years 1 and 10000, the ends of what protobuf's Timestamp may hold.
constexpr int64_t kSecondsMin = -62135596800;
constexpr int64_t kSecondsMax = 253402300800;
constexpr int kGroupDepthMax = 64;

// A position in one message. After a malformed byte `ok` is false and every later read gives nothing.
class MessageCursor {
 public:
  explicit MessageCursor(std::string_view bytes) : p_(bytes.data()), end_(p_ + bytes.size()) {}

  bool AtEnd() const { return p_ == end_; }
  bool ok() const { return ok_; }

  uint64_t Varint() {
    if (p_ != end_ && static_cast<uint8_t>(*p_) < 0x80) [[likely]]
      return static_cast<uint8_t>(*p_++);
    return LongVarint();
  }
  std::string_view Bytes() {
    const uint64_t size = Varint();
    if (!ok_ || size > static_cast<uint64_t>(end_ - p_)) [[unlikely]] {
      Fail();
      return {};
    }
    const std::string_view bytes(p_, size);
    p_ += size;
    return bytes;
  }
  // Passes over a field's value. False when it is malformed.
  bool Skip(uint32_t wire_type) {
    int depth = 0;
    while (true) {
      switch (wire_type) {
        case kVarint: Varint(); break;
        case kFixed64: Advance(8); break;
        case kBytes: Bytes(); break;
        case kFixed32: Advance(4); break;
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

 private:
  void Fail() {
    ok_ = false;
    p_ = end_;
  }
  void Advance(size_t size) {
    if (static_cast<size_t>(end_ - p_) < size) {
      Fail();
    } else {
      p_ += size;
    }
  }
  uint64_t LongVarint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && p_ != end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*p_++);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    Fail();
    return 0;
  }

  const char* p_;
  const char* end_;
  bool ok_ = true;
};

Status Malformed(const char* message_name) {
  return InvalidArgument(std::string("proto: ") + message_name + ": unexpected EOF or malformed field");
}

// For a tag none of the message's fields has: skips an unknown field, refuses a known one of the wrong type.
Status SkipUnknown(MessageCursor* cursor, uint64_t tag, uint32_t known_fields, const char* message_name) {
  const uint64_t field = tag >> 3;
  if (field == 0 || field > 0x1FFFFFFF) {
    return InvalidArgument("proto: " + std::string(message_name) + ": illegal tag " + std::to_string(field) +
                           " (wire type " + std::to_string(tag & 7) + ")");
  }
  if (field <= known_fields) {
    return InvalidArgument("proto: wrong wireType = " + std::to_string(tag & 7) + " for field " +
                           std::to_string(field) + " of " + message_name);
  }
  return cursor->Skip(static_cast<uint32_t>(tag & 7)) ? Status::Ok() : Malformed(message_name);
}

constexpr uint64_t Tag(uint32_t field, WireType type) { return field << 3 | type; }

Status DecodeTimestamp(std::string_view bytes, int64_t* ts_ns) {
  MessageCursor cursor(bytes);
  int64_t seconds = 0;
  int32_t nanos = 0;
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    switch (tag) {
      case Tag(1, kVarint): seconds = static_cast<int64_t>(cursor.Varint()); break;
      case Tag(2, kVarint): nanos = static_cast<int32_t>(cursor.Varint()); break;
      default:
        if (!cursor.ok()) break;
        VARVE_RETURN_IF_ERROR(SkipUnknown(&cursor, tag, 2, "Timestamp"));
    }
  }
  if (!cursor.ok()) return Malformed("Timestamp");
  if (seconds < kSecondsMin || seconds >= kSecondsMax) {
    return InvalidArgument("proto: timestamp: seconds " + std::to_string(seconds) +
                           " are not between the years 1 and 9999");
  }
  if (nanos < 0 || nanos >= kNsPerSecond) {
    return InvalidArgument("proto: timestamp: nanos " + std::to_string(nanos) + " not in range [0, 1e9)");
  }
  if (__builtin_mul_overflow(seconds, kNsPerSecond, ts_ns) || __builtin_add_overflow(*ts_ns, nanos, ts_ns)) {
    *ts_ns = seconds < 0 ? kTimestampTooOldNs : kTimestampTooNewNs;
  }
  return Status::Ok();
}

Status DecodeLabelPair(std::string_view bytes, MetadataPair* pair) {
  MessageCursor cursor(bytes);
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    switch (tag) {
      case Tag(1, kBytes): pair->first = cursor.Bytes(); break;
      case Tag(2, kBytes): pair->second = cursor.Bytes(); break;
      default:
        if (!cursor.ok()) break;
        VARVE_RETURN_IF_ERROR(SkipUnknown(&cursor, tag, 2, "LabelPair"));
    }
  }
  return cursor.ok() ? Status::Ok() : Malformed("LabelPair");
}

Status DecodeEntry(std::string_view bytes, DecodedPush* out, DecodeMemory* memory) {
  MessageCursor cursor(bytes);
  LogEntryView entry;
  const size_t pairs_begin = out->pairs.size();
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    switch (tag) {
      case Tag(1, kBytes): VARVE_RETURN_IF_ERROR(DecodeTimestamp(cursor.Bytes(), &entry.ts_ns)); break;
      case Tag(2, kBytes): entry.line = cursor.Bytes(); break;
      case Tag(3, kBytes): {
        MetadataPair pair;
        VARVE_RETURN_IF_ERROR(DecodeLabelPair(cursor.Bytes(), &pair));
        VARVE_RETURN_IF_ERROR(PushBack(&out->pairs, pair, memory));
        break;
      }
      default:
        if (!cursor.ok()) break;
        VARVE_RETURN_IF_ERROR(SkipUnknown(&cursor, tag, 3, "Entry"));
    }
  }
  if (!cursor.ok()) return Malformed("Entry");
  if (out->pairs.size() != pairs_begin) {
    const DecodedPush::EntryMetadata metadata{static_cast<uint32_t>(out->entries.size()),
                                              static_cast<uint32_t>(pairs_begin),
                                              static_cast<uint32_t>(out->pairs.size() - pairs_begin)};
    VARVE_RETURN_IF_ERROR(PushBack(&out->metadata, metadata, memory));
  }
  return PushBack(&out->entries, entry, memory);
}

Status DecodeStream(std::string_view bytes, DecodedPush* out, DecodeMemory* memory) {
  MessageCursor cursor(bytes);
  DecodedPush::Stream stream;
  stream.begin = static_cast<uint32_t>(out->entries.size());
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    switch (tag) {
      case Tag(1, kBytes): stream.labels = cursor.Bytes(); break;
      case Tag(2, kBytes): {
        const std::string_view entry = cursor.Bytes();
        if (!cursor.ok()) break;
        VARVE_RETURN_IF_ERROR(DecodeEntry(entry, out, memory));
        break;
      }
      default:
        if (!cursor.ok()) break;
        VARVE_RETURN_IF_ERROR(SkipUnknown(&cursor, tag, 2, "Stream"));
    }
  }
  if (!cursor.ok()) return Malformed("Stream");
  stream.count = static_cast<uint32_t>(out->entries.size()) - stream.begin;
  return PushBack(&out->streams, stream, memory);
}

}  // namespace

Status DecodeLokiProtobuf(std::string_view body, DecodedPush* out, DecodeMemory* memory) {
  MessageCursor cursor(body);
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    if (tag == Tag(1, kBytes)) [[likely]] {
      const std::string_view stream = cursor.Bytes();
      if (!cursor.ok()) break;
      VARVE_RETURN_IF_ERROR(DecodeStream(stream, out, memory));
    } else if (cursor.ok()) {
      VARVE_RETURN_IF_ERROR(SkipUnknown(&cursor, tag, 1, "PushRequest"));
    }
  }
  return cursor.ok() ? Status::Ok() : Malformed("PushRequest");
}

}  // namespace varve
