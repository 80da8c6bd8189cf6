#include "alerting/outgoing/mail_message.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace varve {
namespace {

constexpr size_t kLineMax = 76;
constexpr size_t kEncodedWordMax = 75;
constexpr size_t kWordMax = 900;
constexpr std::string_view kEncodedWordStart = "=?utf-8?q?";
constexpr std::string_view kHex = "0123456789ABCDEF";
constexpr size_t kAddressesMax = 1'000;

bool IsPrintable(char c) { return c >= 0x20 && c < 0x7f; }

void AppendHexByte(std::string* out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  *out += '=';
  *out += kHex[byte >> 4];
  *out += kHex[byte & 15];
}

// Of a character (its first byte and those that continue it), so that none is torn between two words or lines.
size_t CharacterBytes(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && end - at < 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return end - at;
}

// A word that is longer than a line may be (998 bytes) can only be folded when it is encoded.
bool HasEndlessWord(std::string_view value) {
  size_t word = 0;
  return std::any_of(value.begin(), value.end(), [&](char c) {
    word = c == ' ' ? 0 : word + 1;
    return word > kWordMax;
  });
}

bool NeedsEncoding(std::string_view value) {
  return !std::all_of(value.begin(), value.end(), IsPrintable) || value.find("=?") != std::string_view::npos ||
         HasEndlessWord(value);
}

std::string OneLine(std::string_view value) {
  std::string out(value);
  std::replace_if(out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return out;
}

// As few encoded words as 75 bytes each allow, one a line.
std::string EncodedWords(std::string_view value, size_t used) {
  std::string out;
  size_t room = kEncodedWordMax - std::min(used, kEncodedWordMax / 2);
  std::string word(kEncodedWordStart);
  for (size_t at = 0; at < value.size();) {
    const size_t bytes = CharacterBytes(value, at);
    std::string piece;
    for (const char c : value.substr(at, bytes)) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (c == ' ') {
        piece += '_';
      } else if (plain) {
        piece += c;
      } else {
        AppendHexByte(&piece, c);
      }
    }
    if (word.size() + piece.size() + 2 > room) {
      out += word + "?=\r\n ";
      word = kEncodedWordStart;
      room = kEncodedWordMax;
    }
    word += piece;
    at += bytes;
  }
  return out + word + "?=";
}

// Breaks lines at blanks.
std::string Folded(std::string_view value, size_t used) {
  std::string out;
  while (used + value.size() > kLineMax) {
    const size_t room = used < kLineMax ? kLineMax - used : 0;
    size_t blank = value.rfind(' ', room);
    if (blank == 0 || blank == std::string_view::npos) blank = value.find(' ', 1);
    if (blank == std::string_view::npos) break;
    // A line of blanks alone would end the header; so the break stands before the last of them.
    while (blank + 1 < value.size() && value[blank + 1] == ' ') ++blank;
    if (value.find_first_not_of(' ', blank) == std::string_view::npos) break;
    out.append(value.substr(0, blank)).append("\r\n");
    value.remove_prefix(blank);
    used = 0;
  }
  return out.append(value);
}

std::string AddressText(const MailAddress& address, size_t used) {
  if (address.name.empty()) return address.address;
  if (NeedsEncoding(address.name)) return EncodedWords(address.name, used) + " <" + address.address + ">";
  std::string out = "\"";
  for (const char c : address.name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\" <" + address.address + ">";
}

std::string AddressList(const std::vector<MailAddress>& addresses, size_t used) {
  std::string out;
  for (const MailAddress& address : addresses) {
    if (!out.empty()) out += ",\r\n ";
    out += AddressText(address, out.empty() ? used : 1);
  }
  return out;
}

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// What a quoted string says; text without quotes as it is.
std::string Unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string out;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

bool IsAddress(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == text.size()) return false;
  const bool quoted = text.front() == '"' && at > 1 && text[at - 1] == '"';
  return std::all_of(text.begin() + (quoted ? static_cast<std::ptrdiff_t>(at) : 0), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '<' && c != '>' && c != ',' && c != '"';
  }) && std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

Result<MailAddress> ParseOne(std::string_view item) {
  item = Trimmed(item);
  MailAddress out;
  std::string_view address = item;
  if (!item.empty() && item.back() == '>') {
    const size_t open = item.rfind('<');
    if (open == std::string_view::npos) return InvalidArgument("\"" + std::string(item) + "\" has > without <");
    const std::string_view name = Trimmed(item.substr(0, open));
    const bool quoted = name.starts_with('"');
    if (name.find_first_of("\r\n") != std::string_view::npos ||
        (!quoted && name.find_first_of("@:;<>\"") != std::string_view::npos)) {
      return InvalidArgument("\"" + OneLine(item) + "\" is not a mail address");
    }
    out.name = OneLine(Unquoted(name));
    address = Trimmed(item.substr(open + 1, item.size() - open - 2));
  }
  if (!IsAddress(address)) return InvalidArgument("\"" + std::string(item) + "\" is not a mail address");
  out.address = std::string(address);
  return out;
}

bool IsAddressHeader(std::string_view name) {
  return name == "From" || name == "To" || name == "Cc" || name == "Bcc" || name == "Reply-To" || name == "Sender";
}

bool IsHeaderName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ':'; });
}

void AppendPart(const MailMessage& message, std::string_view type, std::string_view body, std::string* out) {
  *out += "--" + message.boundary + "\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/";
  out->append(type).append("; charset=UTF-8\r\n\r\n");
  *out += QuotedPrintable(body) + "\r\n";
}

}  // namespace

Result<std::vector<MailAddress>> ParseMailAddresses(std::string_view text) {
  std::vector<std::string_view> items;
  bool quoted = false, angle = false;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quoted) {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '<' || c == '>')) {
      angle = c == '<';
    } else if (c == ',' && !quoted && !angle) {
      items.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  items.push_back(text.substr(begin));
  if (items.size() > kAddressesMax) return InvalidArgument("more than 1000 mail addresses");
  std::vector<MailAddress> out;
  for (const std::string_view item : items) {
    VARVE_ASSIGN_OR_RETURN(MailAddress address, ParseOne(item));
    out.push_back(std::move(address));
  }
  return out;
}

std::string EncodedHeader(std::string_view value, size_t used) {
  const std::string line = OneLine(value);
  return NeedsEncoding(line) ? EncodedWords(line, used) : Folded(line, used);
}

std::string QuotedPrintable(std::string_view text) {
  std::string out;
  size_t column = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool crlf = c == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (c == '\n' || crlf) {
      out += "\r\n";
      column = 0;
      i += crlf ? 1 : 0;
      continue;
    }
    const bool line_end = i + 1 == text.size() || text[i + 1] == '\n' || text.substr(i + 1).starts_with("\r\n");
    const bool blank = c == ' ' || c == '\t';
    const bool plain = (IsPrintable(c) && c != '=' && !blank) || (blank && !line_end);
    const size_t width = plain ? 1 : 3;
    if (column + width > kLineMax - 1) {
      out += "=\r\n";
      column = 0;
    }
    if (plain) {
      out += c;
    } else {
      AppendHexByte(&out, c);
    }
    column += width;
  }
  return out;
}

std::string MailDate(int64_t now_ms) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t seconds = now_ms / 1'000;
  tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%s, %02d %s %d %02d:%02d:%02d +0000",
                kDays[static_cast<size_t>(utc.tm_wday)], utc.tm_mday, kMonths[static_cast<size_t>(utc.tm_mon)],
                utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return buffer.data();
}

std::string FormatMail(const MailMessage& message) {
  std::string out;
  for (const auto& [name, value] : message.headers) {
    if (!IsHeaderName(name)) continue;
    const size_t used = name.size() + 2;
    const auto addresses = ParseMailAddresses(value);
    const bool as_addresses = IsAddressHeader(name) && addresses.ok();
    out += name + ": " + (as_addresses ? AddressList(*addresses, used) : EncodedHeader(value, used)) + "\r\n";
  }
  out += "MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"" + message.boundary + "\"\r\n\r\n";
  // The preferred alternative is the last one.
  if (!message.text.empty()) AppendPart(message, "plain", message.text, &out);
  if (!message.html.empty()) AppendPart(message, "html", message.html, &out);
  return out + "--" + message.boundary + "--\r\n";
}

}  // namespace varve
