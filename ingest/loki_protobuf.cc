#include "ingest/loki_protobuf.h"

#include <string>

#include "engine/base/time.h"
#include "ingest/message_cursor.h"

namespace varve {
namespace {

using enum WireType;

// The years 1 and 10000, the ends of what protobuf's Timestamp may hold.
constexpr int64_t kSecondsMin = -62135596800;
constexpr int64_t kSecondsMax = 253402300800;

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
        VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(2), "Timestamp"));
    }
  }
  if (!cursor.ok()) return MalformedMessage("Timestamp");
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
        VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(2), "LabelPair"));
    }
  }
  return cursor.ok() ? Status::Ok() : MalformedMessage("LabelPair");
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
        VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(3), "Entry"));
    }
  }
  if (!cursor.ok()) return MalformedMessage("Entry");
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
        VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(2), "Stream"));
    }
  }
  if (!cursor.ok()) return MalformedMessage("Stream");
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
      VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(1), "PushRequest"));
    }
  }
  return cursor.ok() ? Status::Ok() : MalformedMessage("PushRequest");
}

}  // namespace varve
