// Arbitrary matchers of alerts, lists of mail addresses, and texts as headers and bodies of mails.
//
// Whatever the text: no crash; every matcher can be asked; no address or header holds a line break of its own; lines of
// bodies are at most 76 bytes.
#include <cstdint>
#include <string>
#include <string_view>

#include "alerting/notify/notify_config.h"
#include "alerting/outgoing/mail_message.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace varve;
  if (size > 1 << 14) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto matchers = ParseAlertMatchers(text); matchers.ok()) {
    for (const Matcher& matcher : *matchers) {
      VARVE_CHECK(!matcher.name().empty() || size > 0);
      (void)matcher.Matches(text);
      VARVE_CHECK(matcher.op() != MatchOp::kEqual || matcher.Matches(matcher.value()));
    }
  }
  if (const auto addresses = ParseMailAddresses(text); addresses.ok()) {
    VARVE_CHECK(!addresses->empty());
    for (const MailAddress& address : *addresses) {
      VARVE_CHECK(address.address.find_first_of("\r\n") == std::string::npos);
      VARVE_CHECK(address.name.find_first_of("\r\n") == std::string::npos);
    }
  }
  const std::string header = EncodedHeader(text, 9);
  for (size_t at = header.find('\n'); at != std::string::npos; at = header.find('\n', at + 1)) {
    VARVE_CHECK(at > 0 && header[at - 1] == '\r' && at + 1 < header.size() && header[at + 1] == ' ');
  }
  const std::string body = QuotedPrintable(text);
  for (size_t begin = 0, end; begin < body.size(); begin = end + 2) {
    end = body.find("\r\n", begin);
    if (end == std::string::npos) end = body.size();
    VARVE_CHECK(end - begin <= 76);
  }
  return 0;
}
