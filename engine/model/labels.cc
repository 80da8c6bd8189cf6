#include "engine/model/labels.h"

#include <algorithm>

#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// Decodes one UTF-8 sequence at `text[i]`; returns its length, or 0 when it is not valid UTF-8.
size_t DecodeUtf8(std::string_view text, size_t i, uint32_t* rune) {
  const auto byte = [&](size_t k) { return static_cast<uint8_t>(text[k]); };
  const uint8_t b0 = byte(i);
  if (b0 < 0x80) {
    *rune = b0;
    return 1;
  }
  const size_t length = b0 >= 0xF0 ? 4 : b0 >= 0xE0 ? 3 : b0 >= 0xC2 ? 2 : 0;
  if (length == 0 || b0 > 0xF4 || i + length > text.size()) return 0;
  uint32_t value = b0 & (0x7F >> length);
  for (size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
    value = (value << 6) | (byte(i + k) & 0x3F);
  }
  static constexpr uint32_t kMinimum[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kMinimum[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 0;
  *rune = value;
  return length;
}

// Whether Go's strconv.IsPrint refuses the rune. Covers the classes that occur in practice: C0, DEL and
// C1 controls, soft hyphen, format and separator characters, private use and non-characters.
bool IsUnprintable(uint32_t rune) {
  return rune < 0x20 || (rune >= 0x7F && rune <= 0xA0) || rune == 0xAD || (rune >= 0x2000 && rune <= 0x200F) ||
         (rune >= 0x2028 && rune <= 0x202F) || (rune >= 0x205F && rune <= 0x206F) || rune == 0x3000 ||
         rune == 0xFEFF || (rune >= 0xE000 && rune <= 0xF8FF) || (rune >= 0xFFF0 && rune <= 0xFFFB) ||
         (rune & 0xFFFE) == 0xFFFE || rune >= 0xE0000;
}

void AppendHexEscape(std::string* out, char kind, int digits, uint32_t value) {
  out->push_back('\\');
  out->push_back(kind);
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out->push_back(kHex[(value >> shift) & 0xF]);
}

void AppendEscapedRune(std::string* out, uint32_t rune) {
  switch (rune) {
    case '\a': out->append("\\a"); return;
    case '\b': out->append("\\b"); return;
    case '\f': out->append("\\f"); return;
    case '\n': out->append("\\n"); return;
    case '\r': out->append("\\r"); return;
    case '\t': out->append("\\t"); return;
    case '\v': out->append("\\v"); return;
    default: break;
  }
  if (rune < 0x80) {
    AppendHexEscape(out, 'x', 2, rune);
  } else if (rune < 0x10000) {
    AppendHexEscape(out, 'u', 4, rune);
  } else {
    AppendHexEscape(out, 'U', 8, rune);
  }
}

}  // namespace

Labels Labels::FromUnsorted(std::vector<Label> labels) {
  std::erase_if(labels, [](const Label& label) { return label.value.empty(); });
  std::sort(labels.begin(), labels.end());
  Labels result;
  result.labels_ = std::move(labels);
  return result;
}

bool Labels::FromCanonical(std::string_view bytes, Labels* out) {
  std::vector<Label> labels;
  ByteReader reader(bytes);
  while (reader.remaining() != 0) {
    Label label;
    label.name = reader.LengthPrefixed();
    label.value = reader.LengthPrefixed();
    if (!reader.ok()) return false;
    if (!labels.empty() && labels.back().name >= label.name) return false;
    labels.push_back(std::move(label));
  }
  out->labels_ = std::move(labels);
  return true;
}

std::string_view Labels::Get(std::string_view name) const {
  for (const Label& label : labels_) {
    if (label.name == name) return label.value;
  }
  return {};
}

std::string Labels::Canonical() const {
  std::string out;
  for (const Label& label : labels_) {
    PutLengthPrefixed(&out, label.name);
    PutLengthPrefixed(&out, label.value);
  }
  return out;
}

std::string Labels::ToString() const {
  std::string out = "{";
  for (const Label& label : labels_) {
    if (out.size() > 1) out += ", ";
    out += label.name;
    out += '=';
    AppendGoQuoted(&out, label.value);
  }
  out += '}';
  return out;
}

const std::string* FirstDuplicateName(const std::vector<Label>& labels) {
  for (size_t i = 1; i < labels.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (labels[i].name == labels[j].name) return &labels[i].name;
    }
  }
  return nullptr;
}

bool IsValidLabelName(std::string_view name) {
  if (name.empty()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(i > 0 && c >= '0' && c <= '9')) return false;
  }
  return true;
}

void AppendGoQuoted(std::string* out, std::string_view text) {
  out->push_back('"');
  for (size_t i = 0; i < text.size();) {
    uint32_t rune = 0;
    const size_t length = DecodeUtf8(text, i, &rune);
    if (length == 0) {
      AppendHexEscape(out, 'x', 2, static_cast<uint8_t>(text[i]));
      ++i;
      continue;
    }
    if (rune == '"' || rune == '\\') {
      out->push_back('\\');
      out->push_back(static_cast<char>(rune));
    } else if (IsUnprintable(rune)) {
      AppendEscapedRune(out, rune);
    } else {
      out->append(text.substr(i, length));
    }
    i += length;
  }
  out->push_back('"');
}

std::string GoQuoted(std::string_view text) {
  std::string out;
  AppendGoQuoted(&out, text);
  return out;
}

}  // namespace varve
