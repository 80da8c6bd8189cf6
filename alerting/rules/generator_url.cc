#include "alerting/rules/generator_url.h"

namespace varve {
namespace {

// As Go's url.QueryEscape.
void AppendEscaped(std::string_view text, std::string* out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || c == '-' || c == '_' || c == '.' || c == '~') {
      *out += c;
    } else if (c == ' ') {
      *out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      *out += '%';
      *out += kHex[byte >> 4];
      *out += kHex[byte & 15];
    }
  }
}

}  // namespace

std::string GeneratorUrl(std::string_view external_url, std::string_view expr) {
  std::string url(external_url);
  url += "/graph?g0.expr=";
  AppendEscaped(expr, &url);
  url += "&g0.tab=1";
  return url;
}

}  // namespace varve
