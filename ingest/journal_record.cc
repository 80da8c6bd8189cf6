#include "ingest/journal_record.h"

#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr uint8_t kVersion = 1;

bool IsWireForm(uint8_t number) { return number >= 1 && number <= 3; }
bool IsContentEncoding(uint8_t number) { return number <= static_cast<uint8_t>(ContentEncoding::kLz4Block); }

}  // namespace

void AppendJournalRecordHeader(const JournalRecordHeader& header, const RejectList& rejects, std::string* out) {
  PutFixed(out, kVersion);
  PutFixed(out, static_cast<uint8_t>(header.form));
  PutFixed(out, static_cast<uint8_t>(header.outer));
  PutFixed(out, static_cast<uint8_t>(header.inner));
  PutFixed(out, header.received_ns);
  PutLengthPrefixed(out, header.tenant);
  PutVarint(out, header.decoded_size_max);
  PutLengthPrefixed(out, header.options);
  rejects.Encode(out);
}

Result<JournalRecord> ParseJournalRecord(std::string_view bytes) {
  ByteReader reader(bytes);
  JournalRecord record;
  const auto version = reader.Fixed<uint8_t>();
  if (!reader.ok()) return Corruption("journal record: empty");
  if (version != kVersion) return Corruption("journal record: unknown version " + std::to_string(version));
  const auto form = reader.Fixed<uint8_t>();
  const auto outer = reader.Fixed<uint8_t>();
  const auto inner = reader.Fixed<uint8_t>();
  record.header.received_ns = reader.Fixed<int64_t>();
  record.header.tenant = reader.LengthPrefixed();
  record.header.decoded_size_max = reader.Varint();
  record.header.options = reader.LengthPrefixed();
  if (!reader.ok() || !IsWireForm(form) || !IsContentEncoding(outer) || !IsContentEncoding(inner) ||
      record.header.decoded_size_max > INT64_MAX / 2) {
    return Corruption("journal record: unreadable header");
  }
  record.header.form = static_cast<WireForm>(form);
  record.header.outer = static_cast<ContentEncoding>(outer);
  record.header.inner = static_cast<ContentEncoding>(inner);
  if (!record.rejects.Decode(&reader)) return Corruption("journal record: unreadable list of refused entries");
  record.body = reader.Bytes(reader.remaining());
  return record;
}

}  // namespace varve
