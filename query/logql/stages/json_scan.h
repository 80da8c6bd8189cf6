// Finding one's way in JSON text as leniently as Loki does: nothing is validated that need not be read.
//
// All functions take [p, end) and never read outside it; null means that the text ended first.
#pragma once

#include <string_view>

#include "query/logql/row_arena.h"

namespace varve::logql::json {

// Go wordings of the errors that end up in __error_details__.
inline constexpr std::string_view kMalformedJson = "Malformed JSON error";
inline constexpr std::string_view kMalformedObject =
    "Value looks like object, but can't find closing '}' symbol";
inline constexpr std::string_view kMalformedArray = "Value is array, but can't find closing ']' symbol";
inline constexpr std::string_view kMalformedString = "Value is string, but can't find closing '\"' symbol";
inline constexpr std::string_view kUnknownValueType = "Unknown value type";
inline constexpr std::string_view kBadEscape = "Encountered an invalid escape sequence in a string";

enum class ValueType { kString, kNumber, kBool, kNull, kObject, kArray };

struct Value {
  ValueType type = ValueType::kNull;
  std::string_view text;  // strings without their quotes, still escaped; everything else as written
  bool escaped = false;   // a string with a backslash in it
};

// The first character that is not white space.
inline const char* SkipSpace(const char* p, const char* end) {
  while (p != end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) ++p;
  return p == end ? nullptr : p;
}

// `p` is behind the opening quote; the result is behind the closing one.
const char* StringEnd(const char* p, const char* end, bool* escaped);

// `p` is at the opening bracket `open`; the result is behind the matching `close`.
const char* BlockEnd(const char* p, const char* end, char open, char close);

// Reads the value at `p` (no white space in front; p < end). Returns the character behind it, or null with
// `error` set. An object or array is taken whole by its brackets.
const char* ReadValue(const char* p, const char* end, Value* value, std::string_view* error);

// Decodes escapes; false when one is not valid. The result may be `text` itself.
bool Unescape(std::string_view text, RowArena* arena, std::string_view* out);

// A value as a label's value: strings decoded ("" when an escape is not valid), invalid UTF-8 replaced by
// spaces, null as "", everything else as written.
std::string_view LabelValue(const Value& value, RowArena* arena);

}  // namespace varve::logql::json
