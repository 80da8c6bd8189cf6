// Text as templates see it: code points, and constants in Go's notation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace varve::templates {

// The code point at the start, or end, of a text that is not empty, and its length; an invalid byte is
// U+FFFD of length 1.
std::pair<uint32_t, size_t> FirstRune(std::string_view text);
std::pair<uint32_t, size_t> LastRune(std::string_view text);

size_t CountRunes(std::string_view text);

void AppendRune(uint32_t rune, std::string* out);

// As Go's unicode.IsSpace.
bool IsSpaceRune(uint32_t rune);
// Roughly Go's unicode.IsPrint: not control, format, space (but ' '), surrogate or private characters.
bool IsPrintRune(uint32_t rune);

// Decodes a Go constant, quotes included: "…", `…` or '…'. False when it is none.
bool UnquoteGo(std::string_view quoted, std::string* out);
// As Go's strconv.Quote; with `ascii`, as QuoteToASCII.
void AppendQuotedGo(std::string_view text, bool ascii, char quote, std::string* out);

// An integer constant of Go: a sign, 0x, 0b, 0o or a leading 0 for octal, underscores where Go allows them.
// kOutOfRange: it is one, but has more than 64 bits.
enum class GoInteger : uint8_t { kOk, kOutOfRange, kInvalid };
GoInteger ParseGoInteger(std::string_view text, int64_t* value);

}  // namespace varve::templates
