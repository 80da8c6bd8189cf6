#include "ingest/decoded_body.h"

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace varve {
namespace {

constexpr size_t kVarintBytesMax = 10;

char* PutNumber(char* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

char* PutText(char* out, std::string_view text) {
  out = PutNumber(out, text.size());
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

size_t SizeMax(const DecodedPush& decoded) {
  size_t size = kVarintBytesMax;
  for (const DecodedPush::Stream& stream : decoded.streams) size += 1 + 2 * kVarintBytesMax + stream.labels.size();
  for (const LogEntryView& entry : decoded.entries) size += 3 * kVarintBytesMax + entry.line.size();
  for (const auto& [name, value] : decoded.pairs) size += 2 * kVarintBytesMax + name.size() + value.size();
  return size;
}

Status Damaged() { return InvalidArgument("unreadable decoded push"); }

// Reads the entries of one stream.
Status DecodeEntries(ByteReader* reader, uint64_t count, int64_t* last_ns, DecodedPush* out, DecodeMemory* memory) {
  for (uint64_t i = 0; i < count; ++i) {
    LogEntryView entry;
    *last_ns = static_cast<int64_t>(static_cast<uint64_t>(*last_ns) + static_cast<uint64_t>(reader->SignedVarint()));
    entry.ts_ns = *last_ns;
    entry.line = reader->LengthPrefixed();
    const uint64_t pairs = reader->Varint();
    if (!reader->ok() || pairs > reader->remaining()) return Damaged();
    if (pairs != 0) {
      const DecodedPush::EntryMetadata metadata{static_cast<uint32_t>(out->entries.size()),
                                                static_cast<uint32_t>(out->pairs.size()),
                                                static_cast<uint32_t>(pairs)};
      VARVE_RETURN_IF_ERROR(PushBack(&out->metadata, metadata, memory));
    }
    for (uint64_t p = 0; p < pairs; ++p) {
      MetadataPair pair;
      pair.first = reader->LengthPrefixed();
      pair.second = reader->LengthPrefixed();
      if (!reader->ok()) return Damaged();
      VARVE_RETURN_IF_ERROR(PushBack(&out->pairs, pair, memory));
    }
    VARVE_RETURN_IF_ERROR(PushBack(&out->entries, entry, memory));
  }
  return Status::Ok();
}

}  // namespace

Status EncodeDecodedBody(const DecodedPush& decoded, ByteBuffer* out, DecodeMemory* memory) {
  const size_t size_max = SizeMax(decoded);
  VARVE_RETURN_IF_ERROR(memory->Add(static_cast<int64_t>(size_max)));
  out->Clear();
  out->Reserve(size_max);
  char* p = PutNumber(out->data(), decoded.streams.size());
  size_t next_metadata = 0;
  uint64_t last_ns = 0;
  for (const DecodedPush::Stream& stream : decoded.streams) {
    *p++ = static_cast<char>(stream.form);
    p = PutNumber(PutText(p, stream.labels), stream.count);
    for (uint32_t i = stream.begin; i < stream.begin + stream.count; ++i) {
      const LogEntryView& entry = decoded.entries[i];
      const auto ts_ns = static_cast<uint64_t>(entry.ts_ns);
      p = PutText(PutNumber(p, ZigZag(static_cast<int64_t>(ts_ns - last_ns))), entry.line);
      last_ns = ts_ns;
      if (next_metadata == decoded.metadata.size() || decoded.metadata[next_metadata].entry != i) {
        p = PutNumber(p, 0);
        continue;
      }
      const DecodedPush::EntryMetadata& metadata = decoded.metadata[next_metadata++];
      p = PutNumber(p, metadata.count);
      for (uint32_t m = metadata.begin; m < metadata.begin + metadata.count; ++m) {
        p = PutText(PutText(p, decoded.pairs[m].first), decoded.pairs[m].second);
      }
    }
  }
  const auto size = static_cast<size_t>(p - out->data());
  VARVE_CHECK(size <= size_max);
  out->SetSize(size);
  return Status::Ok();
}

Status DecodeDecodedBody(std::string_view body, DecodedPush* out, DecodeMemory* memory) {
  ByteReader reader(body);
  const uint64_t streams = reader.Varint();
  int64_t last_ns = 0;
  for (uint64_t i = 0; i < streams; ++i) {
    DecodedPush::Stream stream;
    const auto form = reader.Fixed<uint8_t>();
    stream.labels = reader.LengthPrefixed();
    const uint64_t count = reader.Varint();
    // An entry takes at least three bytes, so this bounds the tables as well.
    if (!reader.ok() || form > static_cast<uint8_t>(LabelForm::kCanonical) || count > reader.remaining()) {
      return Damaged();
    }
    stream.form = static_cast<LabelForm>(form);
    stream.begin = static_cast<uint32_t>(out->entries.size());
    stream.count = static_cast<uint32_t>(count);
    VARVE_RETURN_IF_ERROR(PushBack(&out->streams, stream, memory));
    VARVE_RETURN_IF_ERROR(DecodeEntries(&reader, count, &last_ns, out, memory));
  }
  return reader.AtEnd() ? Status::Ok() : Damaged();
}

}  // namespace varve
