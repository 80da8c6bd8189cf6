#include "ingest/journal_record.h"

#include "engine/base/bytes.h"
#include "engine/base/check.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varve {
namespace {

constexpr uint32_t kMagic = 0x31524A56;  // "VJR1"
constexpr uint8_t kVersion = 1;
constexpr uint64_t kDecodedSizeMax = uint64_t{1} << 40;

bool IsWireForm(uint8_t number) {
  return number >= 1 && number <= static_cast<uint8_t>(WireForm::kDecodedLogs);
}
bool IsContentEncoding(uint8_t number) { return number <= static_cast<uint8_t>(ContentEncoding::kLz4Block); }

}  // namespace

void WriteJournalRecord(const JournalRecordHeader& header, const RejectList& rejects, std::string_view body,
                        std::string* out) {
  VARVE_CHECK(out->empty());
  PutFixed(out, kMagic);
  PutFixed(out, kVersion);
  PutFixed(out, static_cast<uint8_t>(header.form));
  PutFixed(out, static_cast<uint8_t>(header.outer));
  PutFixed(out, static_cast<uint8_t>(header.inner));
  PutFixed(out, header.received_ns);
  PutLengthPrefixed(out, header.tenant);
  PutVarint(out, header.decoded_size_max);
  PutLengthPrefixed(out, header.options);
  rejects.Encode(out);
  out->reserve(out->size() + body.size() + sizeof(uint64_t));
  out->append(body);
  PutFixed(out, static_cast<uint64_t>(XXH3_64bits(out->data(), out->size())));
}

std::optional<WireForm> PeekWireForm(std::string_view record) {
  constexpr size_t kFormAt = sizeof(kMagic) + sizeof(kVersion);
  if (record.size() <= kFormAt) return std::nullopt;
  const auto form = static_cast<uint8_t>(record[kFormAt]);
  return IsWireForm(form) ? std::optional(static_cast<WireForm>(form)) : std::nullopt;
}

Result<JournalRecord> ParseJournalRecord(std::string_view bytes) {
  constexpr size_t kPrefixBytes = sizeof(kMagic) + sizeof(kVersion);
  if (bytes.size() < kPrefixBytes + sizeof(uint64_t)) return Corruption("journal record: too short");
  const auto magic = LoadFixed<uint32_t>(bytes.data());
  const auto version = static_cast<uint8_t>(bytes[sizeof(kMagic)]);
  if (magic != kMagic)
    return Corruption("journal record: magic " + std::to_string(magic) + ", not " + std::to_string(kMagic));
  if (version != kVersion) {
    return Corruption("journal record: version " + std::to_string(version) + ", known is " +
                      std::to_string(kVersion));
  }
  const size_t checked = bytes.size() - sizeof(uint64_t);
  if (XXH3_64bits(bytes.data(), checked) != LoadFixed<uint64_t>(bytes.data() + checked)) {
    return Corruption("journal record: checksum mismatch");
  }
  ByteReader reader(bytes.substr(kPrefixBytes, checked - kPrefixBytes));
  JournalRecord record;
  const auto form = reader.Fixed<uint8_t>();
  const auto outer = reader.Fixed<uint8_t>();
  const auto inner = reader.Fixed<uint8_t>();
  record.header.received_ns = reader.Fixed<int64_t>();
  record.header.tenant = reader.LengthPrefixed();
  record.header.decoded_size_max = reader.Varint();
  record.header.options = reader.LengthPrefixed();
  if (!reader.ok() || !IsWireForm(form) || !IsContentEncoding(outer) || !IsContentEncoding(inner) ||
      record.header.decoded_size_max > kDecodedSizeMax) {
    return Corruption("journal record: unreadable header");
  }
  record.header.form = static_cast<WireForm>(form);
  record.header.outer = static_cast<ContentEncoding>(outer);
  record.header.inner = static_cast<ContentEncoding>(inner);
  if (!record.rejects.Decode(&reader))
    return Corruption("journal record: unreadable list of refused entries");
  record.body = reader.Bytes(reader.remaining());
  return record;
}

}  // namespace varve
