#include "alerting/notify/notify_records.h"

#include <charconv>
#include <utility>
#include <vector>

#include "alerting/notify/alert_labels.h"
#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kFingerprintDigits = 16;
constexpr size_t kUuidBytes = 36;
enum AlertFlags : uint8_t { kTimeout = 1, kEnded = 2 };

Status Damaged(std::string_view key, std::string_view what) {
  return Corruption("record " + std::string(key) + ": " + std::string(what));
}

Status CheckVersion(std::string_view key, ByteReader* reader) {
  const auto version = reader->Fixed<uint8_t>();
  if (reader->ok() && version == kVersion) return Status::Ok();
  return Damaged(key, "version " + std::to_string(version) + " is not known, " + std::to_string(kVersion) + " is");
}

void PutLabels(std::string* out, const LabelMap& labels) {
  PutVarint(out, labels.size());
  for (const auto& [name, value] : labels) {
    PutLengthPrefixed(out, name);
    PutLengthPrefixed(out, value);
  }
}

LabelMap ReadLabels(ByteReader* reader) {
  LabelMap labels;
  const uint64_t count = reader->Varint();
  for (uint64_t i = 0; i < count && reader->ok(); ++i) {
    std::string name(reader->LengthPrefixed());
    labels.insert_or_assign(std::move(name), std::string(reader->LengthPrefixed()));
  }
  return labels;
}

void PutFingerprints(std::string* out, const std::vector<uint64_t>& fingerprints) {
  PutVarint(out, fingerprints.size());
  for (const uint64_t fingerprint : fingerprints) PutFixed(out, fingerprint);
}

std::vector<uint64_t> ReadFingerprints(ByteReader* reader) {
  std::vector<uint64_t> fingerprints;
  const uint64_t count = reader->Varint();
  for (uint64_t i = 0; i < count && reader->ok(); ++i) fingerprints.push_back(reader->Fixed<uint64_t>());
  return fingerprints;
}

bool ReadHex(std::string_view text, uint64_t* value) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), *value, 16);
  return text.size() == kFingerprintDigits && end.ec == std::errc() && end.ptr == text.data() + text.size();
}

// The key after its prefix: a name of `size` bytes, then (with_tenant) a slash and the tenant.
bool SplitKey(std::string_view key, std::string_view prefix, size_t size, std::string_view* name,
              std::string* tenant) {
  if (!key.starts_with(prefix) || key.size() < prefix.size() + size) return false;
  *name = key.substr(prefix.size(), size);
  const std::string_view rest = key.substr(prefix.size() + size);
  if (tenant == nullptr) return rest.empty();
  if (!rest.starts_with('/')) return false;
  *tenant = rest.substr(1);
  return true;
}

std::string KeyOf(std::string_view prefix, std::string_view name) { return std::string(prefix) + std::string(name); }

}  // namespace

std::string AlertRecordKey(std::string_view tenant, uint64_t fingerprint) {
  return KeyOf(kAlertRecords, FingerprintText(fingerprint)) + "/" + std::string(tenant);
}

std::string EncodeAlert(const StoredAlert& alert) {
  std::string out(1, static_cast<char>(kVersion));
  const PostedAlert& posted = *alert.posted;
  const int flags = (alert.timeout ? kTimeout : 0) | (alert.ended ? kEnded : 0);
  out.push_back(static_cast<char>(flags));
  PutSignedVarint(&out, posted.starts_at_ms);
  PutSignedVarint(&out, posted.ends_at_ms);
  PutSignedVarint(&out, alert.updated_at_ms);
  PutLabels(&out, posted.labels);
  PutLabels(&out, posted.annotations);
  PutLengthPrefixed(&out, posted.generator_url);
  return out;
}

Result<StoredAlert> DecodeAlert(std::string_view key, std::string_view value, std::string* tenant) {
  StoredAlert alert;
  std::string_view digits;
  if (!SplitKey(key, kAlertRecords, kFingerprintDigits, &digits, tenant) || !ReadHex(digits, &alert.fingerprint)) {
    return Damaged(key, "not the key of an alert");
  }
  ByteReader reader(value);
  VARVE_RETURN_IF_ERROR(CheckVersion(key, &reader));
  const auto flags = reader.Fixed<uint8_t>();
  alert.timeout = (flags & kTimeout) != 0;
  alert.ended = (flags & kEnded) != 0;
  PostedAlert posted;
  posted.starts_at_ms = reader.SignedVarint();
  posted.ends_at_ms = reader.SignedVarint();
  alert.updated_at_ms = reader.SignedVarint();
  posted.labels = ReadLabels(&reader);
  posted.annotations = ReadLabels(&reader);
  posted.generator_url = reader.LengthPrefixed();
  if (!reader.AtEnd() || flags > (kTimeout | kEnded)) return Damaged(key, "not an alert");
  if (AlertFingerprint(posted.labels) != alert.fingerprint) return Damaged(key, "labels of another alert");
  alert.posted = std::make_shared<const PostedAlert>(std::move(posted));
  return alert;
}

std::string GroupRecordKey(uint64_t id) { return KeyOf(kGroupRecords, FingerprintText(id)); }

std::string EncodeGroup(const GroupRecord& group) {
  std::string out(1, static_cast<char>(kVersion));
  out.push_back(group.unfinished ? '\1' : '\0');
  PutSignedVarint(&out, group.next_flush_ms);
  PutSignedVarint(&out, group.last_flush_ms);
  PutLengthPrefixed(&out, group.tenant);
  PutLengthPrefixed(&out, group.group_key);
  PutLengthPrefixed(&out, group.receiver);
  return out;
}

Result<GroupRecord> DecodeGroup(std::string_view key, std::string_view value) {
  GroupRecord group;
  std::string_view digits;
  if (!SplitKey(key, kGroupRecords, kFingerprintDigits, &digits, nullptr) || !ReadHex(digits, &group.id)) {
    return Damaged(key, "not the key of a group");
  }
  ByteReader reader(value);
  VARVE_RETURN_IF_ERROR(CheckVersion(key, &reader));
  const auto unfinished = reader.Fixed<uint8_t>();
  group.unfinished = unfinished == 1;
  group.next_flush_ms = reader.SignedVarint();
  group.last_flush_ms = reader.SignedVarint();
  group.tenant = reader.LengthPrefixed();
  group.group_key = reader.LengthPrefixed();
  group.receiver = reader.LengthPrefixed();
  if (!reader.AtEnd() || unfinished > 1) return Damaged(key, "not a group");
  return group;
}

std::string SentRecordKey(uint64_t id) { return KeyOf(kSentRecords, FingerprintText(id)); }

std::string EncodeSent(const SentRecord& sent) {
  std::string out(1, static_cast<char>(kVersion));
  PutSignedVarint(&out, sent.state.sent_at_ms);
  PutSignedVarint(&out, sent.expires_at_ms);
  PutLengthPrefixed(&out, sent.tenant);
  PutLengthPrefixed(&out, sent.group_key);
  PutLengthPrefixed(&out, sent.receiver);
  PutLengthPrefixed(&out, sent.kind);
  PutVarint(&out, sent.index);
  PutFingerprints(&out, sent.state.firing);
  PutFingerprints(&out, sent.state.resolved);
  return out;
}

Result<SentRecord> DecodeSent(std::string_view key, std::string_view value) {
  SentRecord sent;
  std::string_view digits;
  if (!SplitKey(key, kSentRecords, kFingerprintDigits, &digits, nullptr) || !ReadHex(digits, &sent.id)) {
    return Damaged(key, "not the key of a sent notification");
  }
  ByteReader reader(value);
  VARVE_RETURN_IF_ERROR(CheckVersion(key, &reader));
  sent.state.sent_at_ms = reader.SignedVarint();
  sent.expires_at_ms = reader.SignedVarint();
  sent.tenant = reader.LengthPrefixed();
  sent.group_key = reader.LengthPrefixed();
  sent.receiver = reader.LengthPrefixed();
  sent.kind = reader.LengthPrefixed();
  const uint64_t index = reader.Varint();
  sent.index = static_cast<uint32_t>(index);
  sent.state.firing = ReadFingerprints(&reader);
  sent.state.resolved = ReadFingerprints(&reader);
  if (!reader.AtEnd() || index > UINT32_MAX) return Damaged(key, "not a sent notification");
  return sent;
}

std::string SilenceRecordKey(std::string_view tenant, std::string_view id) {
  return KeyOf(kSilenceRecords, id) + "/" + std::string(tenant);
}

std::string EncodeSilence(const Silence& silence) {
  std::string out(1, static_cast<char>(kVersion));
  PutSignedVarint(&out, silence.starts_at_ms);
  PutSignedVarint(&out, silence.ends_at_ms);
  PutSignedVarint(&out, silence.updated_at_ms);
  PutVarint(&out, silence.matchers.size());
  for (const Matcher& matcher : silence.matchers) {
    out.push_back(static_cast<char>(matcher.op()));
    PutLengthPrefixed(&out, matcher.name());
    PutLengthPrefixed(&out, matcher.value());
  }
  PutLengthPrefixed(&out, silence.created_by);
  PutLengthPrefixed(&out, silence.comment);
  PutLabels(&out, silence.annotations);
  return out;
}

Result<Silence> DecodeSilence(std::string_view key, std::string_view value, std::string* tenant) {
  Silence silence;
  std::string_view id;
  if (!SplitKey(key, kSilenceRecords, kUuidBytes, &id, tenant)) return Damaged(key, "not the key of a silence");
  silence.id = id;
  ByteReader reader(value);
  VARVE_RETURN_IF_ERROR(CheckVersion(key, &reader));
  silence.starts_at_ms = reader.SignedVarint();
  silence.ends_at_ms = reader.SignedVarint();
  silence.updated_at_ms = reader.SignedVarint();
  const uint64_t count = reader.Varint();
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const auto op = reader.Fixed<uint8_t>();
    if (op > static_cast<uint8_t>(MatchOp::kRegexNotMatch)) return Damaged(key, "not an operator of a matcher");
    std::string name(reader.LengthPrefixed()), text(reader.LengthPrefixed());
    auto matcher = Matcher::Create(std::move(name), static_cast<MatchOp>(op), std::move(text), false);
    if (!matcher.ok()) return Damaged(key, matcher.status().message());
    silence.matchers.push_back(std::move(matcher).value());
  }
  silence.created_by = reader.LengthPrefixed();
  silence.comment = reader.LengthPrefixed();
  silence.annotations = ReadLabels(&reader);
  if (!reader.AtEnd()) return Damaged(key, "not a silence");
  return silence;
}

}  // namespace varve
