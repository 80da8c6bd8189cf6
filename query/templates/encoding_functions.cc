// Template functions that encode and decode: b64enc, b64dec, urlencode, urldecode.

#include "query/templates/template_call.h"
#include "query/templates/template_text.h"
#include "query/templates/url_escape.h"

namespace varve::templates {
namespace {

std::string_view Digits(Base64Alphabet alphabet) {
  return alphabet == Base64Alphabet::kUrl
             ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
             : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

bool Base64Encode(TemplateCall* call) {
  std::string out;
  AppendBase64(call->Text(0), Base64Alphabet::kStandard, &out);
  return call->ReturnCopy(out);
}

// The text of an error is the result.
bool Base64Decode(TemplateCall* call) {
  std::string out;
  size_t bad = 0;
  if (!DecodeBase64(call->Text(0), Base64Alphabet::kStandard, &out, &bad))
    out = "illegal base64 data at input byte " + std::to_string(bad);
  return call->ReturnCopy(out);
}

bool UrlEncode(TemplateCall* call) {
  std::string out;
  AppendQueryEscaped(call->Text(0), &out);
  return call->ReturnCopy(out);
}

bool UrlDecode(TemplateCall* call) {
  std::string out;
  return AppendQueryUnescaped(call->Text(0), &out, &call->error) && call->ReturnCopy(out);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

constexpr TemplateFunction kFunctions[] = {
    {"b64dec", "s", Base64Decode},
    {"b64enc", "s", Base64Encode},
    {"urldecode", "s", UrlDecode},
    {"urlencode", "s", UrlEncode},
};

}  // namespace

void AppendBase64(std::string_view text, Base64Alphabet alphabet, std::string* out) {
  const std::string_view digits = Digits(alphabet);
  for (; !text.empty(); text.remove_prefix(std::min<size_t>(text.size(), 3))) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < text.size() ? static_cast<uint8_t>(text[i]) : 0);
    for (size_t i = 0; i < 4; ++i) out->push_back(i <= text.size() ? digits[bits >> (18 - 6 * i) & 63] : '=');
  }
}

bool DecodeBase64(std::string_view text, Base64Alphabet alphabet, std::string* out, size_t* bad) {
  const std::string_view digit_texts = Digits(alphabet);
  uint32_t bits = 0;
  int digits = 0;
  size_t i = 0;
  for (; i < text.size() && text[i] != '='; ++i) {
    if (text[i] == '\n' || text[i] == '\r') continue;
    const size_t value = digit_texts.find(text[i]);
    if (value == std::string_view::npos) {
      *bad = i;
      return false;
    }
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (++digits < 4) continue;
    for (int shift = 16; shift >= 0; shift -= 8) out->push_back(static_cast<char>(bits >> shift & 255));
    digits = 0;
    bits = 0;
  }
  const size_t end = i;
  int padding = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == '\r') continue;
    *bad = i;
    if (text[i] != '=' || ++padding + digits > 4) return false;
  }
  *bad = padding > 0 && digits >= 2 ? text.size() : end - std::min<size_t>(end, static_cast<size_t>(digits));
  if (digits == 1 || (padding > 0 && (digits == 0 || digits + padding != 4))) return false;
  if (digits == 2) out->push_back(static_cast<char>(bits >> 4 & 255));
  if (digits == 3) {
    out->push_back(static_cast<char>(bits >> 10 & 255));
    out->push_back(static_cast<char>(bits >> 2 & 255));
  }
  return true;
}

void AppendQueryEscaped(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out->push_back(c);
    } else if (c == ' ') {
      out->push_back('+');
    } else {
      out->push_back('%');
      out->push_back(kHex[static_cast<uint8_t>(c) >> 4]);
      out->push_back(kHex[static_cast<uint8_t>(c) & 15]);
    }
  }
}

bool AppendQueryUnescaped(std::string_view text, std::string* out, std::string* error) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out->push_back(' ');
    } else if (text[i] != '%') {
      out->push_back(text[i]);
    } else if (i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out->push_back(static_cast<char>(HexValue(text[i + 1]) << 4 | HexValue(text[i + 2])));
      i += 2;
    } else {
      *error = "invalid URL escape ";
      AppendQuotedGo(text.substr(i, 3), false, '"', error);
      return false;
    }
  }
  return true;
}

std::span<const TemplateFunction> EncodingFunctions() { return kFunctions; }

}  // namespace varve::templates
