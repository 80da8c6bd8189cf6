#include "ingest/otlp_json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "ingest/json_cursor.h"

namespace varve {
namespace {

using Kind = OtlpValue::Kind;

constexpr size_t kTraceIdDigits = 32;
constexpr size_t kSpanIdDigits = 16;

constexpr char kRequest[] = "otlp: ExportLogsServiceRequest";
constexpr char kResourceLogs[] = "otlp: ResourceLogs";
constexpr char kResource[] = "otlp: Resource";
constexpr char kScopeLogs[] = "otlp: ScopeLogs";
constexpr char kScope[] = "otlp: InstrumentationScope";
constexpr char kRecord[] = "otlp: LogRecord";
constexpr char kKeyValue[] = "otlp: KeyValue";
constexpr char kAnyValue[] = "otlp: AnyValue";

// SEVERITY_NUMBER_INFO2 → 10. False for what is no name.
bool ParseSeverityName(std::string_view name, int32_t* number) {
  static constexpr std::string_view kPrefix = "SEVERITY_NUMBER_";
  static constexpr std::array<std::string_view, 6> kLevels = {"TRACE", "DEBUG", "INFO",
                                                              "WARN",  "ERROR", "FATAL"};
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  if (name == "UNSPECIFIED") {
    *number = 0;
    return true;
  }
  for (size_t i = 0; i < kLevels.size(); ++i) {
    if (!name.starts_with(kLevels[i])) continue;
    const std::string_view digit = name.substr(kLevels[i].size());
    if (!digit.empty() && (digit.size() != 1 || digit[0] < '2' || digit[0] > '4')) return false;
    *number = static_cast<int32_t>(4 * i + 1) + (digit.empty() ? 0 : digit[0] - '1');
    return true;
  }
  return false;
}

// An integer, also one written 1.5e3. False when it is none or out of range.
template <typename T>
bool ParseInteger(std::string_view text, T* value) {
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

bool ParseReal(std::string_view text, double* value) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    *value = text == "NaN" ? std::numeric_limits<double>::quiet_NaN()
                           : std::numeric_limits<double>::infinity() * (text[0] == '-' ? -1 : 1);
    return true;
  }
  // from_chars would also take "inf" and "nan(…)".
  if (text.find_first_not_of("+-.0123456789eE") != std::string_view::npos) return false;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && after == end;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// Decodes into `out`, which has room for 3/4 of the text. False when it is not base64.
bool DecodeBase64(std::string_view text, char* out, size_t* size) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) return false;
  uint32_t bits = 0;
  int held = 0;
  *size = 0;
  for (const char c : text) {
    const int digit = Base64Digit(c);
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out[(*size)++] = static_cast<char>(bits >> held);
  }
  return true;
}

class Decoder {
 public:
  Decoder(std::string_view body, OtlpBatch* batch, ByteArena* arena, DecodeMemory* memory)
      : cursor_(body, arena), batch_(*batch), arena_(arena), memory_(memory) {}

  Status Decode() {
    if (cursor_.Peek() == '\0') return InvalidArgument("EOF");
    const bool ok = cursor_.Object(kRequest, [&](std::string_view key) {
      if (key != "resourceLogs" && key != "resource_logs") return cursor_.Skip(nullptr);
      return List(kRequest, [&] { return ResourceLogs(); });
    });
    if (ok && cursor_.Peek() != '\0') Fail(kRequest, "there are bytes left after the request");
    return cursor_.TakeStatus();
  }

 private:
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

  bool ResourceLogs() {
    batch_.BeginResource();
    return PartThenList(
        kResourceLogs, "resource", {"scopeLogs", "scope_logs"},
        [&] {
          return Message(kResource, [&](std::string_view key) {
            return key == "attributes" ? Attributes(OtlpLevel::kResource) : cursor_.Skip(nullptr);
          });
        },
        [&] { return batch_.EndResource(); },
        [&] { return List(kResourceLogs, [&] { return ScopeLogs(); }); });
  }

  bool ScopeLogs() {
    OtlpScope scope;
    batch_.BeginScope();
    return PartThenList(
        kScopeLogs, "scope", {"logRecords", "log_records"}, [&] { return Scope(&scope); },
        [&] { return batch_.EndScope(scope); },
        [&] { return List(kScopeLogs, [&] { return LogRecord(); }); });
  }

  bool Scope(OtlpScope* scope) {
    return Message(kScope, [&](std::string_view key) {
      if (key == "name") return Text(&scope->name, kScope);
      if (key == "version") return Text(&scope->version, kScope);
      if (key == "attributes") return Attributes(OtlpLevel::kScope);
      if (key == "droppedAttributesCount" || key == "dropped_attributes_count") {
        return Integer(&scope->dropped_attributes_count, kScope);
      }
      return cursor_.Skip(nullptr);
    });
  }

  bool LogRecord() {
    OtlpRecord record;
    batch_.BeginRecord();
    return cursor_.Object(kRecord, [&](std::string_view key) { return RecordField(key, &record); }) &&
           Add(batch_.EndRecord(record));
  }

  bool RecordField(std::string_view key, OtlpRecord* record) {
    if (key == "timeUnixNano" || key == "time_unix_nano") return Integer(&record->time_unix_nano, kRecord);
    if (key == "body") return Body(&record->line);
    if (key == "attributes") return Attributes(OtlpLevel::kLog);
    if (key == "severityNumber" || key == "severity_number") return Severity(&record->severity_number);
    if (key == "severityText" || key == "severity_text") return Text(&record->severity_text, kRecord);
    if (key == "observedTimeUnixNano" || key == "observed_time_unix_nano") {
      return Integer(&record->observed_time_unix_nano, kRecord);
    }
    if (key == "traceId" || key == "trace_id") return Id(&record->trace_id, kTraceIdDigits, "traceId");
    if (key == "spanId" || key == "span_id") return Id(&record->span_id, kSpanIdDigits, "spanId");
    if (key == "flags") return Integer(&record->flags, kRecord);
    if (key == "droppedAttributesCount" || key == "dropped_attributes_count") {
      return Integer(&record->dropped_attributes_count, kRecord);
    }
    return cursor_.Skip(nullptr);
  }

  bool Body(std::string_view* line) {
    values_.clear();
    if (!Value({}, 1)) return false;
    Result<std::string_view> text = batch_.text().Of(values_, 0);
    if (!text.ok()) return Add(std::move(text).status());
    *line = *text;
    return true;
  }

  bool Severity(int32_t* number) {
    if (cursor_.Peek() != '"') return Integer(number, kRecord);
    std::string_view name;
    if (!cursor_.String(&name, kRecord)) return false;
    return ParseSeverityName(name, number) || ParseInteger(name, number) ||
           Fail(kRecord, "severityNumber is no name or number of a severity");
  }

  // In lower case; "" when all digits are zero.
  bool Id(std::string_view* id, size_t digits, const char* name) {
    std::string_view text;
    if (!Text(&text, kRecord)) return false;
    *id = {};
    if (text.empty()) return true;
    if (text.size() != digits) return Fail(kRecord, std::string(name) + " has an invalid length");
    char* const lower = arena_->Allocate(digits);
    if (lower == nullptr) return Add(arena_->TakeStatus());
    bool zero = true;
    for (size_t i = 0; i < digits; ++i) {
      const int digit = HexDigit(text[i]);
      if (digit < 0) return Fail(kRecord, std::string(name) + " is not hexadecimal");
      zero = zero && digit == 0;
      lower[i] = "0123456789abcdef"[digit];
    }
    if (!zero) *id = {lower, digits};
    return true;
  }

  bool Attributes(OtlpLevel level) {
    return List(kKeyValue, [&] {
      values_.clear();
      return KeyValue(1) && Add(batch_.AddAttribute(level, values_[0].key, values_));
    });
  }

  bool KeyValue(int depth) {
    const auto own = static_cast<uint32_t>(values_.size());
    std::string_view name;
    bool valued = false;
    const bool ok = cursor_.Object(kKeyValue, [&](std::string_view key) {
      if (key == "key") return Text(&name, kKeyValue);
      if (key != "value") return cursor_.Skip(nullptr);
      values_.resize(own);
      valued = true;
      return Value({}, depth);
    });
    if (!ok || (!valued && !Add(PushBack(&values_, OtlpValue(), memory_)))) return false;
    values_[own].key = name;
    return true;
  }

  // Appends the value and what is in it to values_. Of several alternatives the last counts.
  bool Value(std::string_view name, int depth) {
    if (depth > kOtlpValueDepthMax) return Add(OtlpTooDeep());
    const auto own = static_cast<uint32_t>(values_.size());
    OtlpValue value;
    value.key = name;
    if (!Add(PushBack(&values_, value, memory_))) return false;
    const bool ok = Message(kAnyValue, [&](std::string_view key) {
      if (cursor_.ConsumeNull()) return true;
      if (key == "stringValue" || key == "string_value") {
        value.kind = Kind::kString;
        return cursor_.String(&value.text, kAnyValue);
      }
      if (key == "boolValue" || key == "bool_value") return Bool(&value);
      if (key == "intValue" || key == "int_value") {
        value.kind = Kind::kInt;
        return Integer(&value.integer, kAnyValue);
      }
      if (key == "doubleValue" || key == "double_value") return Real(&value);
      if (key == "bytesValue" || key == "bytes_value") return Bytes(&value);
      const bool array = key == "arrayValue" || key == "array_value";
      if (!array && key != "kvlistValue" && key != "kvlist_value") return cursor_.Skip(nullptr);
      value.kind = array ? Kind::kArray : Kind::kMap;
      values_.resize(own + 1);
      return Members(array, depth);
    });
    if (!ok) return false;
    if (HasMembers(value)) {
      value.end = static_cast<uint32_t>(values_.size());
    } else {
      values_.resize(own + 1);
    }
    values_[own] = value;
    return true;
  }

  // {"values":[…]}
  bool Members(bool array, int depth) {
    return Message(kAnyValue, [&](std::string_view key) {
      if (key != "values") return cursor_.Skip(nullptr);
      if (!array) return List(kAnyValue, [&] { return KeyValue(depth + 1); });
      return cursor_.ConsumeNull() || cursor_.Array(kAnyValue, [&] { return Value({}, depth + 1); });
    });
  }

  bool Bool(OtlpValue* value) {
    std::string_view text;
    if (!cursor_.Skip(&text)) return false;
    if (text != "true" && text != "false") return Fail(kAnyValue, "boolValue is neither true nor false");
    value->kind = Kind::kBool;
    value->integer = text == "true" ? 1 : 0;
    return true;
  }

  bool Real(OtlpValue* value) {
    std::string_view text;
    if (!NumberText(&text, kAnyValue)) return false;
    value->kind = Kind::kDouble;
    return ParseReal(text, &value->real) || Fail(kAnyValue, "doubleValue is not a number");
  }

  bool Bytes(OtlpValue* value) {
    std::string_view text;
    if (!cursor_.String(&text, kAnyValue)) return false;
    value->kind = Kind::kBytes;
    value->text = {};
    if (text.empty()) return true;
    char* const out = arena_->Allocate(text.size());
    if (out == nullptr) return Add(arena_->TakeStatus());
    size_t size = 0;
    if (!DecodeBase64(text, out, &size)) return Fail(kAnyValue, "bytesValue is not base64");
    arena_->Trim(out, size);
    value->text = {out, size};
    return true;
  }

  bool Text(std::string_view* text, const char* where) {
    return cursor_.ConsumeNull() || cursor_.String(text, where);
  }

  template <typename T>
  bool Integer(T* value, const char* where) {
    if (cursor_.ConsumeNull()) return true;
    std::string_view text;
    if (!NumberText(&text, where)) return false;
    return ParseInteger(text, value) || Fail(where, "\"" + std::string(text.substr(0, 100)) +
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
  OtlpBatch& batch_;
  ByteArena* const arena_;
  DecodeMemory* const memory_;
  OtlpValues values_;  // of the value that is being read
};

}  // namespace

Status DecodeOtlpJson(std::string_view body, OtlpBatch* batch, ByteArena* arena, DecodeMemory* memory) {
  return Decoder(body, batch, arena, memory).Decode();
}

}  // namespace varve
