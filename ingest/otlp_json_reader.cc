#include "ingest/otlp_json_reader.h"

namespace varve {
namespace {

using Kind = OtlpValue::Kind;

constexpr char kKeyValue[] = "otlp: KeyValue";
constexpr char kAnyValue[] = "otlp: AnyValue";

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

}  // namespace

bool OtlpJsonReader::Id(std::string_view* id, size_t digits, const char* where, const char* name) {
  std::string_view text;
  if (!Text(&text, where)) return false;
  *id = {};
  if (text.empty()) return true;
  if (text.size() != digits) return Fail(where, std::string(name) + " has an invalid length");
  char* const lower = arena_->Allocate(digits);
  if (lower == nullptr) return Add(arena_->TakeStatus());
  bool zero = true;
  for (size_t i = 0; i < digits; ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) return Fail(where, std::string(name) + " is not hexadecimal");
    zero = zero && digit == 0;
    lower[i] = "0123456789abcdef"[digit];
  }
  if (!zero) *id = {lower, digits};
  return true;
}

bool OtlpJsonReader::KeyValue(int depth) {
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
bool OtlpJsonReader::Value(std::string_view name, int depth) {
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
    if (key == "doubleValue" || key == "double_value") {
      value.kind = Kind::kDouble;
      return Real(&value.real, kAnyValue, "doubleValue");
    }
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
bool OtlpJsonReader::Members(bool array, int depth) {
  return Message(kAnyValue, [&](std::string_view key) {
    if (key != "values") return cursor_.Skip(nullptr);
    if (!array) return List(kAnyValue, [&] { return KeyValue(depth + 1); });
    return cursor_.ConsumeNull() || cursor_.Array(kAnyValue, [&] { return Value({}, depth + 1); });
  });
}

bool OtlpJsonReader::Bool(OtlpValue* value) {
  std::string_view text;
  if (!cursor_.Skip(&text)) return false;
  if (text != "true" && text != "false") return Fail(kAnyValue, "boolValue is neither true nor false");
  value->kind = Kind::kBool;
  value->integer = text == "true" ? 1 : 0;
  return true;
}

bool OtlpJsonReader::Real(double* value, const char* where, const char* field) {
  std::string_view text;
  if (!NumberText(&text, where)) return false;
  return ParseReal(text, value) || Fail(where, std::string(field) + " is not a number");
}

bool OtlpJsonReader::Bytes(OtlpValue* value) {
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

}  // namespace varve
