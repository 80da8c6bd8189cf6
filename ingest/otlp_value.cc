#include "ingest/otlp_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>

#include "ingest/utf8_repair.h"

namespace varve {
namespace {

using Kind = OtlpValue::Kind;

struct NumberText {
  char bytes[40];
  size_t size = 0;
  std::string_view view() const { return {bytes, size}; }
};

NumberText IntegerText(int64_t number) {
  NumberText text;
  text.size = static_cast<size_t>(std::to_chars(text.bytes, std::end(text.bytes), number).ptr - text.bytes);
  return text;
}

// JavaScript's form: 0.000001, 1e-7, 1e+21. `number` is finite.
NumberText RealText(double number) {
  NumberText text;
  const double size = std::fabs(number);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  text.size =
      static_cast<size_t>(std::to_chars(text.bytes, std::end(text.bytes), number, format).ptr - text.bytes);
  // e-07 is written e-7.
  char* const tail = text.bytes + text.size - 4;
  if (exponent && text.size > 4 && std::string_view(tail, 3) == "e-0") {
    tail[2] = tail[3];
    --text.size;
  }
  return text;
}

std::string_view NotANumberText(double number) {
  if (std::isnan(number)) return "json: unsupported value: NaN";
  return number > 0 ? "json: unsupported value: +Inf" : "json: unsupported value: -Inf";
}

size_t Base64Size(size_t bytes) { return (bytes + 2) / 3 * 4; }

void WriteBase64(std::string_view bytes, char* out) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) *out++ = k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
}

}  // namespace

Status OtlpTooDeep() {
  return InvalidArgument("otlp: a value is nested more than " + std::to_string(kOtlpValueDepthMax) +
                         " deep (the limit of Varve)");
}

Result<std::string_view> OtlpText::Copy(std::string_view text) {
  if (text.empty()) return std::string_view();
  char* const out = arena_->Allocate(text.size());
  if (out == nullptr) return arena_->TakeStatus();
  std::memcpy(out, text.data(), text.size());
  return std::string_view(out, text.size());
}

Result<std::string_view> OtlpText::OfNumber(int64_t number) { return Copy(IntegerText(number).view()); }

Result<std::string_view> OtlpText::OfHex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  char* const out = arena_->Allocate(bytes.size() * 2);
  if (out == nullptr) return arena_->TakeStatus();
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    out[2 * i] = kDigits[byte >> 4];
    out[2 * i + 1] = kDigits[byte & 15];
  }
  return std::string_view(out, bytes.size() * 2);
}

Result<std::string_view> OtlpText::Of(const OtlpValues& values, uint32_t i) {
  const OtlpValue& value = values[i];
  switch (value.kind) {
    case Kind::kEmpty: return std::string_view();
    case Kind::kString: return value.text;
    case Kind::kBool: return std::string_view(value.integer != 0 ? "true" : "false");
    case Kind::kInt: return OfNumber(value.integer);
    case Kind::kDouble:
      if (!std::isfinite(value.real)) return NotANumberText(value.real);
      return Copy(RealText(value.real).view());
    case Kind::kBytes: {
      if (value.text.empty()) return std::string_view();
      const size_t size = Base64Size(value.text.size());
      char* const out = arena_->Allocate(size);
      if (out == nullptr) return arena_->TakeStatus();
      WriteBase64(value.text, out);
      return std::string_view(out, size);
    }
    case Kind::kArray:
    case Kind::kMap: break;
  }
  json_.Clear();
  members_.clear();
  not_a_number_ = false;
  if (!AppendJson(values, i)) {
    if (not_a_number_) return std::string_view();
    return std::move(status_);
  }
  return Copy(json_.view());
}

bool OtlpText::Append(std::string_view text) {
  if (text.size() > json_.capacity() - json_.size()) {
    const size_t capacity = std::max<size_t>(1024, (json_.size() + text.size()) * 2);
    status_ = memory_->Add(static_cast<int64_t>(capacity));
    if (!status_.ok()) return false;
    json_.Reserve(capacity);
  }
  json_.Append(text);
  return true;
}

// A string of JSON as Go writes it.
bool OtlpText::AppendQuoted(std::string_view text) {
  if (!Append("\"")) return false;
  size_t plain = 0;
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<uint8_t>(text[i]);
    char escape[8];
    std::string_view replacement;
    size_t length = 1;
    if (byte >= 0x80) {
      uint32_t rune = 0;
      length = DecodeUtf8Sequence(text, i, &rune);
      if (length == 0) {
        replacement = "\\ufffd";
        length = 1;
      } else if (rune == 0x2028 || rune == 0x2029) {
        replacement = rune == 0x2028 ? "\\u2028" : "\\u2029";
      }
    } else if (byte == '"' || byte == '\\') {
      escape[0] = '\\';
      escape[1] = static_cast<char>(byte);
      replacement = {escape, 2};
    } else if (byte < 0x20 || byte == '<' || byte == '>' || byte == '&') {
      static constexpr std::string_view kControls = "\b\t\n\f\r";
      static constexpr std::string_view kLetters = "btnfr";
      if (const size_t at = kControls.find(static_cast<char>(byte)); at != std::string_view::npos) {
        escape[0] = '\\';
        escape[1] = kLetters[at];
        replacement = {escape, 2};
      } else {
        static constexpr char kDigits[] = "0123456789abcdef";
        std::memcpy(escape, "\\u00", 4);
        escape[4] = kDigits[byte >> 4];
        escape[5] = kDigits[byte & 15];
        replacement = {escape, 6};
      }
    }
    if (!replacement.empty()) {
      if (!Append(text.substr(plain, i - plain)) || !Append(replacement)) return false;
      plain = i + length;
    }
    i += length;
  }
  return Append(text.substr(plain)) && Append("\"");
}

// Recursion is bounded by kOtlpValueDepthMax.
bool OtlpText::AppendJson(const OtlpValues& values, uint32_t i) {
  const OtlpValue& value = values[i];
  switch (value.kind) {
    case Kind::kEmpty: return Append("null");
    case Kind::kString: return AppendQuoted(value.text);
    case Kind::kBool: return Append(value.integer != 0 ? "true" : "false");
    case Kind::kInt: return Append(IntegerText(value.integer).view());
    case Kind::kDouble:
      not_a_number_ = !std::isfinite(value.real);
      return !not_a_number_ && Append(RealText(value.real).view());
    case Kind::kBytes: {
      if (!Append("\"")) return false;
      constexpr size_t kStep = 3 * 64;
      for (size_t at = 0; at < value.text.size(); at += kStep) {
        const std::string_view part = value.text.substr(at, kStep);
        char text[kStep / 3 * 4];
        WriteBase64(part, text);
        if (!Append({text, Base64Size(part.size())})) return false;
      }
      return Append("\"");
    }
    case Kind::kArray: {
      if (!Append("[")) return false;
      for (uint32_t child = i + 1; child < value.end; child = NextOtlpValue(values, child)) {
        if (child != i + 1 && !Append(",")) return false;
        if (!AppendJson(values, child)) return false;
      }
      return Append("]");
    }
    case Kind::kMap: return AppendMap(values, i);
  }
  return false;
}

bool OtlpText::AppendMap(const OtlpValues& values, uint32_t i) {
  const size_t begin = members_.size();
  for (uint32_t child = i + 1; child < values[i].end; child = NextOtlpValue(values, child)) {
    status_ = PushBack(&members_, child, memory_);
    if (!status_.ok()) return false;
  }
  // By key; of equal keys, in the order in which they came.
  std::sort(members_.begin() + static_cast<ptrdiff_t>(begin), members_.end(), [&](uint32_t a, uint32_t b) {
    const int order = values[a].key.compare(values[b].key);
    return order != 0 ? order < 0 : a < b;
  });
  const size_t end = members_.size();
  if (!Append("{")) return false;
  bool first = true;
  for (size_t m = begin; m < end; ++m) {
    const uint32_t child = members_[m];
    if (m + 1 < end && values[members_[m + 1]].key == values[child].key) continue;
    if (!first && !Append(",")) return false;
    first = false;
    if (!AppendQuoted(values[child].key) || !Append(":") || !AppendJson(values, child)) return false;
  }
  members_.resize(begin);
  return Append("}");
}

}  // namespace varve
