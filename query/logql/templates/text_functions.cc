// Template functions on text. Names and order of arguments are sprig's (the text comes last) or, for the
// capitalised ones, those of Go's strings package (the text comes first).

#include <algorithm>
#include <cstring>
#include <utility>

#include "query/logql/stages/label_key.h"
#include "query/logql/templates/letter_case.h"
#include "query/logql/templates/template_value.h"

namespace varve::logql {
namespace {

using Text = std::string_view;

bool Fail(TemplateCall* call, std::string error) {
  call->error = std::move(error);
  return false;
}

bool Return(TemplateCall* call, TemplateValue value) {
  call->result = value;
  return true;
}

bool ReturnCopy(TemplateCall* call, const std::string& text) {
  if (text.size() > kTemplateTextBytesMax) return Fail(call, "result is too long");
  return Return(call, call->arena.Store(text));
}

// The code point at the start of `text` and its length; an invalid byte is U+FFFD of length 1.
std::pair<uint32_t, size_t> FirstRune(Text text) {
  const size_t length = Utf8SequenceLength(text);
  if (length == 0) return {0xFFFD, 1};
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  switch (length) {
    case 1: return {byte(0), 1};
    case 2: return {(byte(0) & 0x1F) << 6 | (byte(1) & 0x3F), 2};
    case 3: return {(byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
    default:
      return {(byte(0) & 7) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
  }
}

// The code point at the end of `text`.
std::pair<uint32_t, size_t> LastRune(Text text) {
  for (size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    const Text tail = text.substr(text.size() - length);
    if (Utf8SequenceLength(tail) == length) return FirstRune(tail);
  }
  return {0xFFFD, 1};
}

template <typename Map>
bool MapRunes(TemplateCall* call, Map map) {
  Text text;
  if (!TextArgument(call, 0, &text)) return false;
  if (text.size() > kTemplateTextBytesMax) return Fail(call, "result is too long");
  // One code point for another may take at most three bytes for one (an invalid byte).
  char* const begin = call->arena.Allocate(text.size() * 3);
  char* to = begin;
  while (!text.empty()) {
    const auto [rune, length] = FirstRune(text);
    to = AppendUtf8(to, map(rune));
    text.remove_prefix(length);
  }
  return Return(call, Text(begin, static_cast<size_t>(to - begin)));
}

bool Lower(TemplateCall* call) { return MapRunes(call, ToLowerRune); }
bool Upper(TemplateCall* call) { return MapRunes(call, ToUpperRune); }

bool IsSpaceRune(uint32_t rune) {
  return rune == ' ' || (rune >= '\t' && rune <= '\r') || rune == 0x85 || rune == 0xA0 || rune == 0x1680 ||
         (rune >= 0x2000 && rune <= 0x200A) || rune == 0x2028 || rune == 0x2029 || rune == 0x202F || rune == 0x205F ||
         rune == 0x3000;
}

bool InSet(Text set, uint32_t rune) {
  while (!set.empty()) {
    const auto [member, length] = FirstRune(set);
    if (member == rune) return true;
    set.remove_prefix(length);
  }
  return false;
}

template <typename Drop>
Text TrimWhere(Text text, bool left, bool right, Drop drop) {
  while (left && !text.empty()) {
    const auto [rune, length] = FirstRune(text);
    if (!drop(rune)) break;
    text.remove_prefix(length);
  }
  while (right && !text.empty()) {
    const auto [rune, length] = LastRune(text);
    if (!drop(rune)) break;
    text.remove_suffix(length);
  }
  return text;
}

bool TrimSpace(TemplateCall* call) {
  Text text;
  return TextArgument(call, 0, &text) && Return(call, TrimWhere(text, true, true, IsSpaceRune));
}

// Two texts, in the order (text, other) or (other, text).
template <bool kTextFirst>
bool TwoTexts(TemplateCall* call, Text* text, Text* other) {
  return TextArgument(call, kTextFirst ? 0 : 1, text) && TextArgument(call, kTextFirst ? 1 : 0, other);
}

template <bool kTextFirst, bool kLeft, bool kRight>
bool TrimSet(TemplateCall* call) {
  Text text;
  Text set;
  if (!TwoTexts<kTextFirst>(call, &text, &set)) return false;
  return Return(call, TrimWhere(text, kLeft, kRight, [&](uint32_t rune) { return InSet(set, rune); }));
}

template <bool kTextFirst>
bool TrimPrefix(TemplateCall* call) {
  Text text;
  Text prefix;
  if (!TwoTexts<kTextFirst>(call, &text, &prefix)) return false;
  return Return(call, text.starts_with(prefix) ? text.substr(prefix.size()) : text);
}

template <bool kTextFirst>
bool TrimSuffix(TemplateCall* call) {
  Text text;
  Text suffix;
  if (!TwoTexts<kTextFirst>(call, &text, &suffix)) return false;
  return Return(call, text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text);
}

bool Contains(TemplateCall* call) {
  Text text;
  Text other;
  return TwoTexts<false>(call, &text, &other) && Return(call, text.find(other) != Text::npos);
}
bool HasPrefix(TemplateCall* call) {
  Text text;
  Text other;
  return TwoTexts<false>(call, &text, &other) && Return(call, text.starts_with(other));
}
bool HasSuffix(TemplateCall* call) {
  Text text;
  Text other;
  return TwoTexts<false>(call, &text, &other) && Return(call, text.ends_with(other));
}

// The first `count` occurrences, all of them when it is negative. An empty `from` matches between all code
// points.
bool ReplaceIn(TemplateCall* call, Text text, Text from, Text to, int64_t count) {
  std::string out;
  const auto left = [&] { return count != 0 && out.size() <= kTemplateTextBytesMax; };
  if (from.empty()) {
    while (left()) {
      out += to;
      if (count > 0) --count;
      if (text.empty()) break;
      const size_t length = FirstRune(text).second;
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  } else {
    while (left()) {
      const size_t found = text.find(from);
      if (found == Text::npos) break;
      out += text.substr(0, found);
      out += to;
      text.remove_prefix(found + from.size());
      if (count > 0) --count;
    }
  }
  out += text;
  return ReturnCopy(call, out);
}

bool Replace(TemplateCall* call) {  // replace old new text
  Text from;
  Text to;
  Text text;
  return TextArgument(call, 0, &from) && TextArgument(call, 1, &to) && TextArgument(call, 2, &text) &&
         ReplaceIn(call, text, from, to, -1);
}
bool ReplaceCounted(TemplateCall* call) {  // Replace text old new count
  Text from;
  Text to;
  Text text;
  int64_t count = 0;
  return TextArgument(call, 0, &text) && TextArgument(call, 1, &from) && TextArgument(call, 2, &to) &&
         IntegerArgument(call, 3, &count) && ReplaceIn(call, text, from, to, count);
}

bool Trunc(TemplateCall* call) {
  int64_t size = 0;
  Text text;
  if (!IntegerArgument(call, 0, &size) || !TextArgument(call, 1, &text)) return false;
  const auto length = static_cast<int64_t>(text.size());
  if (size < 0 && length + size > 0) return Return(call, text.substr(static_cast<size_t>(length + size)));
  return Return(call, size >= 0 && length > size ? text.substr(0, static_cast<size_t>(size)) : text);
}

bool Substr(TemplateCall* call) {
  int64_t begin = 0;
  int64_t end = 0;
  Text text;
  if (!IntegerArgument(call, 0, &begin) || !IntegerArgument(call, 1, &end) || !TextArgument(call, 2, &text)) {
    return false;
  }
  const auto length = static_cast<int64_t>(text.size());
  if (begin < 0) {
    begin = 0;
  } else if (end < 0 || end > length) {
    end = length;
  }
  if (end < 0 || end > length || begin > end) {
    return Fail(call, "runtime error: slice bounds out of range [" + std::to_string(begin) + ":" +
                          std::to_string(end) + "]");
  }
  return Return(call, text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
}

bool Repeat(TemplateCall* call) {
  int64_t count = 0;
  Text text;
  if (!IntegerArgument(call, 0, &count) || !TextArgument(call, 1, &text)) return false;
  if (count < 0) return Fail(call, "strings: negative Repeat count");
  if (!text.empty() && static_cast<uint64_t>(count) > kTemplateTextBytesMax / text.size()) {
    return Fail(call, "result is too long");
  }
  std::string out;
  for (int64_t i = 0; i < count && !text.empty(); ++i) out += text;
  return ReturnCopy(call, out);
}

bool IndentWith(TemplateCall* call, Text before) {
  int64_t spaces = 0;
  Text text;
  if (!IntegerArgument(call, 0, &spaces) || !TextArgument(call, 1, &text)) return false;
  if (spaces < 0) return Fail(call, "strings: negative Repeat count");
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (static_cast<uint64_t>(spaces) > kTemplateTextBytesMax / lines) return Fail(call, "result is too long");
  const std::string pad(static_cast<size_t>(spaces), ' ');
  std::string out(before);
  out += pad;
  for (const char c : text) {
    out.push_back(c);
    if (c == '\n') out += pad;
  }
  return ReturnCopy(call, out);
}
bool Indent(TemplateCall* call) { return IndentWith(call, ""); }
bool NewlineIndent(TemplateCall* call) { return IndentWith(call, "\n"); }

// Pads with spaces, or cuts, to `count` code points.
template <bool kLeft>
bool Align(TemplateCall* call) {
  int64_t count = 0;
  Text text;
  if (!IntegerArgument(call, 0, &count) || !TextArgument(call, 1, &text)) return false;
  int64_t runes = 0;
  for (Text rest = text; !rest.empty(); rest.remove_prefix(FirstRune(rest).second)) ++runes;
  if (count < 0 || count == runes) return Return(call, text);
  if (count > runes) {
    if (static_cast<uint64_t>(count) > kTemplateTextBytesMax) return Fail(call, "result is too long");
    const std::string pad(static_cast<size_t>(count - runes), ' ');
    return ReturnCopy(call, kLeft ? std::string(text) + pad : pad + std::string(text));
  }
  const int64_t skipped = kLeft ? count : runes - count;
  Text rest = text;
  for (int64_t i = 0; i < skipped; ++i) rest.remove_prefix(FirstRune(rest).second);
  return Return(call, kLeft ? text.substr(0, text.size() - rest.size()) : rest);
}

bool Len(TemplateCall* call) {
  Text text;
  if (const auto* value = std::get_if<Text>(&call->arguments[0])) {
    text = *value;
    return Return(call, static_cast<int64_t>(text.size()));
  }
  return Fail(call, "len of type " + std::string(TemplateTypeName(call->arguments[0])));
}

bool Default(TemplateCall* call) {
  const TemplateValue& given = call->arguments[1];
  const bool empty = given == TemplateValue(Text()) || given == TemplateValue(int64_t{0}) ||
                     given == TemplateValue(0.0) || given == TemplateValue(false);
  return Return(call, empty ? call->arguments[0] : given);
}

constexpr TemplateFunction kFunctions[] = {
    {"Replace", 4, 4, ReplaceCounted},
    {"ToLower", 1, 1, Lower},
    {"ToUpper", 1, 1, Upper},
    {"Trim", 2, 2, TrimSet<true, true, true>},
    {"TrimLeft", 2, 2, TrimSet<true, true, false>},
    {"TrimPrefix", 2, 2, TrimPrefix<true>},
    {"TrimRight", 2, 2, TrimSet<true, false, true>},
    {"TrimSpace", 1, 1, TrimSpace},
    {"TrimSuffix", 2, 2, TrimSuffix<true>},
    {"alignLeft", 2, 2, Align<true>},
    {"alignRight", 2, 2, Align<false>},
    {"contains", 2, 2, Contains},
    {"default", 2, 2, Default},
    {"hasPrefix", 2, 2, HasPrefix},
    {"hasSuffix", 2, 2, HasSuffix},
    {"indent", 2, 2, Indent},
    {"len", 1, 1, Len},
    {"lower", 1, 1, Lower},
    {"nindent", 2, 2, NewlineIndent},
    {"repeat", 2, 2, Repeat},
    {"replace", 3, 3, Replace},
    {"substr", 3, 3, Substr},
    {"trim", 1, 1, TrimSpace},
    {"trimAll", 2, 2, TrimSet<false, true, true>},
    {"trimPrefix", 2, 2, TrimPrefix<false>},
    {"trimSuffix", 2, 2, TrimSuffix<false>},
    {"trunc", 2, 2, Trunc},
    {"upper", 1, 1, Upper},
};

}  // namespace

const TemplateFunction* FindTextFunction(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                   [&](const TemplateFunction& function) { return function.name == name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

}  // namespace varve::logql
