// Arbitrary bytes as each of the notifier's records: nothing must crash, and what decodes must encode and decode to
// the same again.
#include <cstdint>
#include <string>

#include "alerting/notify/alert_labels.h"
#include "alerting/notify/notify_records.h"
#include "engine/base/check.h"

namespace varve {
namespace {

constexpr std::string_view kUuid = "01234567-89ab-4cde-8f01-23456789abcd";

template <typename Value, typename Encode, typename Decode>
void CheckAgain(const Result<Value>& first, Encode encode, Decode decode) {
  if (!first.ok()) return;
  const std::string bytes = encode(first.value());
  const auto second = decode(bytes);
  VARVE_CHECK(second.ok());
  VARVE_CHECK(encode(second.value()) == bytes);
}

}  // namespace
}  // namespace varve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace varve;  // NOLINT(google-build-using-namespace)
  const std::string value(reinterpret_cast<const char*>(data), size);
  std::string tenant;
  // An alert's key has to be that of its labels; that of one label is tried.
  const std::string alert_key = AlertRecordKey("t", AlertFingerprint({{"alertname", "A"}}));
  const auto alert = [&](const std::string& bytes) { return DecodeAlert(alert_key, bytes, &tenant); };
  CheckAgain(alert(value), EncodeAlert, alert);
  const auto group = [](const std::string& bytes) { return DecodeGroup(GroupRecordKey(7), bytes); };
  CheckAgain(group(value), EncodeGroup, group);
  const auto sent = [](const std::string& bytes) { return DecodeSent(SentRecordKey(7), bytes); };
  CheckAgain(sent(value), EncodeSent, sent);
  const auto silence = [&](const std::string& bytes) {
    return DecodeSilence(SilenceRecordKey("t", kUuid), bytes, &tenant);
  };
  CheckAgain(silence(value), EncodeSilence, silence);
  return 0;
}
