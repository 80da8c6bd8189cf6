#include "ingest/json_scan.h"

#include <cstring>

#include "ingest/json_text.h"
#include "ingest/utf8_repair.h"

namespace varve {
namespace {

// Decodes the escapes of a key. False for an escape that does not exist.
bool DecodeKey(std::string_view raw, std::string* out) {
  out->clear();
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      out->push_back(raw[i]);
      continue;
    }
    if (++i == raw.size()) return false;
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
    if (const size_t at = kLetters.find(raw[i]); at != std::string_view::npos) {
      out->push_back(kMeaning[at]);
      continue;
    }
    const int32_t rune = raw[i] == 'u' ? HexQuad(raw, i + 1) : -1;
    if (rune < 0) return false;
    char utf8[4];
    out->append(utf8,
                EncodeUtf8(static_cast<uint32_t>(rune), utf8));  // no level field holds a surrogate pair
    i += 4;
  }
  return true;
}

}  // namespace

JsonObjectScan::JsonObjectScan(std::string_view text) : text_(text) {
  if (SkipSpace() != '{') {
    done_ = true;
  } else {
    ++pos_;
  }
}

char JsonObjectScan::SkipSpace() {
  while (pos_ < text_.size() && IsJsonSpace(text_[pos_])) ++pos_;
  return pos_ < text_.size() ? text_[pos_] : '\0';
}

// Passes over a string whose opening quote is at pos_.
bool JsonObjectScan::SkipString() {
  ++pos_;
  while (true) {
    const void* quote =
        pos_ < text_.size() ? std::memchr(text_.data() + pos_, '"', text_.size() - pos_) : nullptr;
    if (quote == nullptr) return false;
    const auto at = static_cast<size_t>(static_cast<const char*>(quote) - text_.data());
    size_t backslashes = 0;
    while (at - backslashes > pos_ && text_[at - backslashes - 1] == '\\') ++backslashes;
    pos_ = at + 1;
    if (backslashes % 2 == 0) return true;
  }
}

// Passes over a value in brackets, counting brackets of its own kind only.
bool JsonObjectScan::SkipNested(char open, char close) {
  size_t level = 0;
  while (pos_ < text_.size()) {
    const char c = text_[pos_];
    if (c == '"') {
      if (!SkipString()) return false;
      continue;
    }
    ++pos_;
    if (c == open) ++level;
    if (c == close && --level == 0) return true;
  }
  return false;
}

bool JsonObjectScan::Key(std::string_view* key) {
  const size_t begin = pos_ + 1;
  if (!SkipString()) return false;
  *key = text_.substr(begin, pos_ - 1 - begin);
  if (key->find('\\') == std::string_view::npos) return true;
  if (!DecodeKey(*key, &decoded_key_)) return false;
  *key = decoded_key_;
  return true;
}

bool JsonObjectScan::Value(Field* field) {
  const char first = SkipSpace();
  size_t begin = pos_;
  bool ok = true;
  switch (first) {
    case '"':
      field->kind = Kind::kString;
      ok = SkipString();
      if (ok) field->value = text_.substr(begin + 1, pos_ - begin - 2);
      return ok;
    case '{':
      field->kind = Kind::kObject;
      ok = SkipNested('{', '}');
      break;
    case '[':
      field->kind = Kind::kArray;
      ok = SkipNested('[', ']');
      break;
    default:
      field->kind = Kind::kScalar;
      while (pos_ < text_.size() && !IsJsonSpace(text_[pos_]) && text_[pos_] != ',' && text_[pos_] != '}' &&
             text_[pos_] != ']') {
        ++pos_;
      }
      const std::string_view token = text_.substr(begin, pos_ - begin);
      ok = token == "true" || token == "false" || token == "null" || first == '-' ||
           (first >= '0' && first <= '9');
  }
  field->value = text_.substr(begin, pos_ - begin);
  return ok;
}

bool JsonObjectScan::Next(Field* field) {
  if (done_) return false;
  if (SkipSpace() != '"' || !Key(&field->key)) return Stop();
  if (SkipSpace() != ':') return Stop();
  ++pos_;
  if (!Value(field)) return Stop();
  // What follows the value decides only whether there is a next field.
  if (SkipSpace() == ',') {
    ++pos_;
  } else {
    done_ = true;
  }
  return true;
}

}  // namespace varve
