// A sequence is an introducer (ESC or U+009B), any of "[]()#;?", and then either words separated by ";" up
// to a BEL (window titles), or numbers of up to four digits separated by ";" and a final character.

#include "query/logql/stages/decolorize.h"

#include <cstring>

namespace varve::logql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool IsFinal(char c) {
  return IsDigit(c) || (c >= 'A' && c <= 'P') || (c >= 'f' && c <= 'n') ||
         std::string_view("RZctqry=><~").find(c) != std::string_view::npos;
}

bool IsPrefix(char c) { return std::string_view("[]()#;?").find(c) != std::string_view::npos; }

// Words up to a BEL, from `i`.
size_t TitleEnd(std::string_view text, size_t i) {
  while (i < text.size() && (IsWord(text[i]) || text[i] == ';')) ++i;
  return i < text.size() && text[i] == '\a' ? i + 1 : 0;
}

// Numbers and a final character, from `i`. The numbers give back characters when they ate the final one.
size_t ControlEnd(std::string_view text, size_t i) {
  const size_t begin = i;
  size_t digits = 0;
  while (i < text.size() && IsDigit(text[i]) && digits < 4) ++i, ++digits;
  if (digits > 0) {
    while (i < text.size() && text[i] == ';') {
      ++i;
      for (size_t k = 0; k < 4 && i < text.size() && IsDigit(text[i]); ++k) ++i;
    }
  }
  for (; i > begin; --i) {
    if (i < text.size() && IsFinal(text[i])) return i + 1;
  }
  return i < text.size() && IsFinal(text[i]) ? i + 1 : 0;
}

}  // namespace

size_t AnsiSequenceLength(std::string_view text) {
  size_t begin = 0;
  if (text.starts_with('\x1B')) {
    begin = 1;
  } else if (text.starts_with("\xC2\x9B")) {
    begin = 2;
  } else {
    return 0;
  }
  size_t prefix = begin;
  while (prefix < text.size() && IsPrefix(text[prefix])) ++prefix;
  // A ";" may belong to the prefix or to what follows; none of the others can.
  for (size_t i = prefix;; --i) {
    if (const size_t end = TitleEnd(text, i); end != 0) return end;
    if (const size_t end = ControlEnd(text, i); end != 0) return end;
    if (i == begin) return 0;
  }
}

bool DecolorizeStage::Apply(Row* row) const {
  const std::string_view line = row->line;
  if (line.empty()) return true;
  if (std::memchr(line.data(), '\x1B', line.size()) == nullptr &&
      std::memchr(line.data(), '\x9B', line.size()) == nullptr) {
    return true;
  }
  row->scratch.clear();
  for (size_t i = 0; i < line.size();) {
    const char c = line[i];
    const size_t length = c == '\x1B' || c == '\xC2' ? AnsiSequenceLength(line.substr(i)) : 0;
    if (length == 0) row->scratch.push_back(c);
    i += length == 0 ? 1 : length;
  }
  row->line = row->labels.Store(row->scratch);
  return true;
}

}  // namespace varve::logql
