// Mails as text: addresses, header fields and multipart/alternative bodies (RFC 5322, 2045–2047).
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"

namespace varve {

struct MailAddress {
  std::string name;  // may be empty
  std::string address;
};

// `a@b`, `Name <a@b>, "Last, First" <c@d>`: at least one. kInvalidArgument says which is wrong.
Result<std::vector<MailAddress>> ParseMailAddresses(std::string_view text);

struct MailMessage {
  // In this order; values are UTF-8, written as encoded words where they are not ASCII, folded; line breaks in them
  // become spaces. Names that are not tokens are left out. From, To, Cc and Reply-To hold addresses.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string text;  // empty: no such part
  std::string html;  // likewise
  std::string boundary;  // must not occur in the parts; quoted-printable never holds "=_"
};

// Header and body, lines of at most 76 bytes ended by CRLF (dots are not stuffed).
std::string FormatMail(const MailMessage& message);

// "Fri, 20 Nov 2026 19:08:57 +0000"
std::string MailDate(int64_t now_ms);

// A value as a header line may hold it: encoded words where it must be. `used`: bytes before it on its line.
std::string EncodedHeader(std::string_view value, size_t used);

std::string QuotedPrintable(std::string_view text);

}  // namespace varve
