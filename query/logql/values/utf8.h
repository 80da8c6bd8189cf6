// UTF-8 as Go reads and writes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace varve::logql {

// Length of the UTF-8 sequence that `text` starts with, as Go's utf8.DecodeRune; 0 when it is invalid
// (then Go skips one byte and reads U+FFFD).
size_t Utf8SequenceLength(std::string_view text);

// Appends a code point; surrogates and values out of range as U+FFFD. Returns the end.
char* AppendUtf8(char* out, uint32_t rune);

}  // namespace varve::logql
