// What the readers of OTLP's JSON share: lists and messages that may be null, numbers that may be strings,
// attributes and values.
//
// A base class of the decoders. Errors are kept in the cursor, the first of them counts.
// Threads: thread-compatible.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "ingest/json_cursor.h"
#include "ingest/otlp_value.h"

namespace varve {

// An integer, also one written 1.5e3. False when it is none or out of range.
template <typename T>
bool ParseOtlpInteger(std::string_view text, T* value) {
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, *value);
  if (error == std::errc() && after == end) return true;
  double real = 0;
  const auto [real_after, real_error] = std::from_chars(text.data(), end, real);
  if (real_error != std::errc() || real_after != end || real != std::trunc(real)) return false;
  constexpr double kBeyond = 2.0 * static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
  if (!(real >= static_cast<double>(std::numeric_limits<T>::min()) && real < kBeyond)) return false;
  *value = static_cast<T>(real);
  return true;
}

class OtlpJsonReader {
 protected:
  OtlpJsonReader(std::string_view body, ByteArena* arena, DecodeMemory* memory)
      : cursor_(body, arena), arena_(arena), memory_(memory) {}

  // null, or an array of what `fn` reads; a null in it is as good as nothing.
  template <typename Fn>
  bool List(const char* where, Fn&& fn) {
    return cursor_.ConsumeNull() || cursor_.Array(where, [&] { return cursor_.ConsumeNull() || fn(); });
  }
  // null, or an object.
  template <typename Fn>
  bool Message(const char* where, Fn&& fn) {
    return cursor_.ConsumeNull() || cursor_.Object(where, fn);
  }

  // A part (the resource, the scope) is needed before the list beside it, but may stand behind it; the list
  // is then passed over and read when the object has ended.
  template <typename PartFn, typename EndFn, typename ListFn>
  bool PartThenList(const char* where, std::string_view part, std::array<std::string_view, 2> list,
                    PartFn&& read_part, EndFn&& end_part, ListFn&& read_list) {
    constexpr size_t kNone = SIZE_MAX;
    bool ended = false;
    size_t passed_over = kNone;
    const auto end = [&] {
      if (ended) return true;
      ended = true;
      return Add(end_part());
    };
    const bool ok = Message(where, [&](std::string_view key) {
      if (key == part) {
        if (ended) return cursor_.Skip(nullptr);
        return read_part() && (passed_over != kNone || end());
      }
      if (key != list[0] && key != list[1]) return cursor_.Skip(nullptr);
      if (ended) return read_list();
      if (passed_over != kNone) return Fail(where, "a list is given twice");
      cursor_.Peek();
      passed_over = cursor_.offset();
      return cursor_.Skip(nullptr);
    });
    if (!ok || !end()) return false;
    if (passed_over == kNone) return true;
    const size_t after = cursor_.offset();
    cursor_.Seek(passed_over);
    if (!read_list()) return false;
    cursor_.Seek(after);
    return true;
  }

  // In lower case; "" when all digits are zero.
  bool Id(std::string_view* id, size_t digits, const char* where, const char* name);
  // One attribute, into values(); its value is at 0, where the key is, too.
  bool Attribute() {
    values_.clear();
    return KeyValue(1);
  }
  // A value, into values().
  bool AnyValue() {
    values_.clear();
    return Value({}, 1);
  }
  const OtlpValues& values() const { return values_; }
  bool Real(double* value, const char* where, const char* field);

  bool Text(std::string_view* text, const char* where) {
    return cursor_.ConsumeNull() || cursor_.String(text, where);
  }

  template <typename T>
  bool Integer(T* value, const char* where) {
    if (cursor_.ConsumeNull()) return true;
    std::string_view text;
    if (!NumberText(&text, where)) return false;
    return ParseOtlpInteger(text, value) || Fail(where, "\"" + std::string(text.substr(0, 100)) +
                                                        "\" is no integer, or too large for its field");
  }

  // A number, or a string that is to be one.
  bool NumberText(std::string_view* text, const char* where) {
    const char c = cursor_.Peek();
    if (c == '"') return cursor_.String(text, where);
    if (c == '{' || c == '[') return Fail(where, "a number was expected");
    return cursor_.Skip(text);
  }

  bool Fail(const char* where, std::string_view what) {
    return cursor_.Fail(std::string(where) + ": " + std::string(what));
  }
  bool Add(Status status) { return status.ok() || cursor_.Fail(std::move(status)); }

  JsonCursor cursor_;
  ByteArena* const arena_;
  DecodeMemory* const memory_;

 private:
  bool KeyValue(int depth);
  bool Value(std::string_view name, int depth);
  bool Members(bool array, int depth);
  bool Bool(OtlpValue* value);
  bool Bytes(OtlpValue* value);

  OtlpValues values_;  // of the value that is being read
};

}  // namespace varve
