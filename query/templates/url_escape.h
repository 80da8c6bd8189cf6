// Escaping in URL queries, as Go's url.QueryEscape and QueryUnescape, and Base64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace varve::templates {

void AppendQueryEscaped(std::string_view text, std::string* out);
// False: `error` has Go's words.
bool AppendQueryUnescaped(std::string_view text, std::string* out, std::string* error);

enum class Base64Alphabet : uint8_t { kStandard, kUrl };
void AppendBase64(std::string_view text, Base64Alphabet alphabet, std::string* out);
// Padding may be left out. Line breaks are skipped, as in Go. False: where it went wrong.
bool DecodeBase64(std::string_view text, Base64Alphabet alphabet, std::string* out, size_t* bad);

}  // namespace varve::templates
