// What the notifier keeps in the record store: docs/format.md, "Records of notifications".
//
// Decoders check everything: kCorruption names the key. Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "alerting/notify/notification_log.h"
#include "alerting/notify/silence.h"
#include "alerting/notify/stored_alert.h"
#include "engine/base/status.h"

namespace varve {

inline constexpr std::string_view kAlertRecords = "notify/alert/";
inline constexpr std::string_view kGroupRecords = "notify/group/";
inline constexpr std::string_view kSentRecords = "notify/sent/";
inline constexpr std::string_view kSilenceRecords = "silences/";

std::string AlertRecordKey(std::string_view tenant, uint64_t fingerprint);
std::string EncodeAlert(const StoredAlert& alert);
// Also gives the tenant, which the key names.
Result<StoredAlert> DecodeAlert(std::string_view key, std::string_view value, std::string* tenant);

// When a group of alerts is looked at next.
struct GroupRecord {
  uint64_t id = 0;  // of the key
  std::string tenant, group_key, receiver;
  int64_t next_flush_ms = 0;
  int64_t last_flush_ms = 0;  // 0: not yet
  bool unfinished = false;    // the last flush has not been told to everybody
};
std::string GroupRecordKey(uint64_t id);
std::string EncodeGroup(const GroupRecord& group);
Result<GroupRecord> DecodeGroup(std::string_view key, std::string_view value);

// What one integration was told of one group.
struct SentRecord {
  uint64_t id = 0;  // of the key
  std::string tenant, group_key, receiver, kind;
  uint32_t index = 0;  // of the integration, within the receiver
  int64_t expires_at_ms = 0;
  SentState state;
};
std::string SentRecordKey(uint64_t id);
std::string EncodeSent(const SentRecord& sent);
Result<SentRecord> DecodeSent(std::string_view key, std::string_view value);

std::string SilenceRecordKey(std::string_view tenant, std::string_view id);
std::string EncodeSilence(const Silence& silence);
Result<Silence> DecodeSilence(std::string_view key, std::string_view value, std::string* tenant);

}  // namespace varve
