// Keys found in lines, made into label names: every character outside [a-zA-Z0-9_] becomes "_", a leading
// digit gets a "_" in front, surrounding white space is cut. Also the replacement of invalid UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "query/logql/row_arena.h"
#include "query/logql/values/utf8.h"

namespace varve::logql {

// Longer names are not extracted: nested keys would otherwise grow with the square of the line.
inline constexpr size_t kLabelNameBytesMax = 1024;

// Whether `key` is a label name as it stands.
bool IsCleanLabelKey(std::string_view key);

// Appends the sanitised key. The digit rule applies when `out` is empty.
void AppendSanitisedKey(std::string* out, std::string_view key);

// `text` with each invalid byte and each U+FFFD replaced by a space, as Loki does with extracted values;
// `text` itself when there is none.
std::string_view ReplaceInvalidUtf8(std::string_view text, RowArena* arena);

// Whether any byte is not ASCII.
bool HasNonAscii(std::string_view text);

}  // namespace varve::logql
