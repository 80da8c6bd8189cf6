// Template functions on text. Names and order of arguments are sprig's (the text comes last) or, for the
// capitalised ones, those of Go's strings package (the text comes first).

#include <algorithm>
#include <cstring>
#include <utility>

#include "query/logql/values/utf8.h"
#include "query/templates/letter_case.h"
#include "query/templates/template_call.h"
#include "query/templates/template_text.h"

namespace varve::templates {
namespace {

using Text = std::string_view;

template <typename Map>
bool MapRunes(TemplateCall* call, Map map) {
  Text text = call->Text(0);
  // One code point for another may take at most three bytes for one (an invalid byte).
  char* const begin = call->memory->Allocate(text.size() * 3);
  if (begin == nullptr) return call->FailMemory();
  char* to = begin;
  while (!text.empty()) {
    const auto [rune, length] = FirstRune(text);
    to = logql::AppendUtf8(to, map(rune));
    text.remove_prefix(length);
  }
  return call->ReturnText({begin, static_cast<size_t>(to - begin)});
}

bool Lower(TemplateCall* call) { return MapRunes(call, ToLowerRune); }
bool Upper(TemplateCall* call) { return MapRunes(call, ToUpperRune); }

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
  return call->ReturnText(TrimWhere(call->Text(0), true, true, IsSpaceRune));
}

// Two texts come as (text, other) or, in sprig's order, (other, text).
template <bool kTextFirst>
Text TextOf(const TemplateCall& call) {
  return call.Text(kTextFirst ? 0 : 1);
}
template <bool kTextFirst>
Text OtherOf(const TemplateCall& call) {
  return call.Text(kTextFirst ? 1 : 0);
}

template <bool kTextFirst, bool kLeft, bool kRight>
bool TrimSet(TemplateCall* call) {
  const Text set = OtherOf<kTextFirst>(*call);
  return call->ReturnText(
      TrimWhere(TextOf<kTextFirst>(*call), kLeft, kRight, [&](uint32_t rune) { return InSet(set, rune); }));
}

template <bool kTextFirst>
bool TrimPrefix(TemplateCall* call) {
  const Text text = TextOf<kTextFirst>(*call);
  const Text prefix = OtherOf<kTextFirst>(*call);
  return call->ReturnText(text.starts_with(prefix) ? text.substr(prefix.size()) : text);
}

template <bool kTextFirst>
bool TrimSuffix(TemplateCall* call) {
  const Text text = TextOf<kTextFirst>(*call);
  const Text suffix = OtherOf<kTextFirst>(*call);
  return call->ReturnText(text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text);
}

bool ReturnBool(TemplateCall* call, bool value) { return call->Return(TemplateValue::Bool(value)); }
bool Contains(TemplateCall* call) {
  return ReturnBool(call, call->Text(1).find(call->Text(0)) != Text::npos);
}
bool HasPrefix(TemplateCall* call) { return ReturnBool(call, call->Text(1).starts_with(call->Text(0))); }
bool HasSuffix(TemplateCall* call) { return ReturnBool(call, call->Text(1).ends_with(call->Text(0))); }

// The first letter of each word as a capital. As in Go's strings.Title, white space and ASCII punctuation but
// the underscore end words.
bool Title(TemplateCall* call) {
  uint32_t previous = ' ';
  return MapRunes(call, [&](uint32_t rune) {
    const bool ascii_word = (previous >= '0' && previous <= '9') || (previous >= 'a' && previous <= 'z') ||
                            (previous >= 'A' && previous <= 'Z') || previous == '_';
    const bool starts = previous < 0x80 ? !ascii_word : IsSpaceRune(previous);
    previous = rune;
    return starts ? ToUpperRune(rune) : rune;
  });
}

// The first `count` occurrences, all of them when it is negative. An empty `from` matches between all code
// points.
bool ReplaceIn(TemplateCall* call, Text text, Text from, Text to, int64_t count) {
  std::string out;
  const auto left = [&] { return count != 0 && out.size() <= kTemplateMemoryBytesMax; };
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
  return call->ReturnCopy(out);
}

bool Replace(TemplateCall* call) { return ReplaceIn(call, call->Text(2), call->Text(0), call->Text(1), -1); }
bool ReplaceCounted(TemplateCall* call) {
  return ReplaceIn(call, call->Text(0), call->Text(1), call->Text(2), call->Integer(3));
}

bool Trunc(TemplateCall* call) {
  const int64_t size = call->Integer(0);
  const Text text = call->Text(1);
  const auto length = static_cast<int64_t>(text.size());
  if (size < 0 && size > -length) return call->ReturnText(text.substr(static_cast<size_t>(length + size)));
  return call->ReturnText(size >= 0 && length > size ? text.substr(0, static_cast<size_t>(size)) : text);
}

// As Go's slice expression panics.
bool FailBounds(TemplateCall* call, const std::string& range) {
  return call->Fail("runtime error: slice bounds out of range [" + range);
}

bool Substr(TemplateCall* call) {
  int64_t begin = call->Integer(0);
  int64_t end = call->Integer(1);
  const Text text = call->Text(2);
  const auto length = static_cast<int64_t>(text.size());
  if (begin < 0) {
    begin = 0;
    if (end < 0) return FailBounds(call, ":" + std::to_string(end) + "]");
    if (end > length)
      return FailBounds(call, ":" + std::to_string(end) + "] with length " + std::to_string(length));
  } else if (end < 0 || end > length) {
    end = length;
  }
  if (begin > end) return FailBounds(call, std::to_string(begin) + ":" + std::to_string(end) + "]");
  return call->ReturnText(text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
}

bool Repeat(TemplateCall* call) {
  const int64_t count = call->Integer(0);
  const Text text = call->Text(1);
  if (count < 0) return call->Fail("strings: negative Repeat count");
  if (text.empty()) return call->ReturnText("");
  if (static_cast<uint64_t>(count) > kTemplateMemoryBytesMax / text.size()) return call->FailMemory();
  char* const begin = call->memory->Allocate(text.size() * static_cast<size_t>(count));
  if (begin == nullptr) return call->FailMemory();
  for (size_t i = 0; i < static_cast<size_t>(count); ++i)
    std::memcpy(begin + i * text.size(), text.data(), text.size());
  return call->ReturnText({begin, text.size() * static_cast<size_t>(count)});
}

bool IndentWith(TemplateCall* call, Text before) {
  const int64_t spaces = call->Integer(0);
  const Text text = call->Text(1);
  if (spaces < 0) return call->Fail("strings: negative Repeat count");
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (static_cast<uint64_t>(spaces) > kTemplateMemoryBytesMax / lines) return call->FailMemory();
  const std::string pad(static_cast<size_t>(spaces), ' ');
  std::string out(before);
  out += pad;
  for (const char c : text) {
    out.push_back(c);
    if (c == '\n') out += pad;
  }
  return call->ReturnCopy(out);
}
bool Indent(TemplateCall* call) { return IndentWith(call, ""); }
bool NewlineIndent(TemplateCall* call) { return IndentWith(call, "\n"); }

// Pads with spaces, or cuts, to `count` code points.
template <bool kLeft>
bool Align(TemplateCall* call) {
  const int64_t count = call->Integer(0);
  const Text text = call->Text(1);
  const auto runes = static_cast<int64_t>(CountRunes(text));
  if (count < 0 || count == runes) return call->ReturnText(text);
  if (count > runes) {
    if (static_cast<uint64_t>(count) > kTemplateMemoryBytesMax) return call->FailMemory();
    const std::string pad(static_cast<size_t>(count - runes), ' ');
    return call->ReturnCopy(kLeft ? std::string(text) + pad : pad + std::string(text));
  }
  const int64_t skipped = kLeft ? count : runes - count;
  Text rest = text;
  for (int64_t i = 0; i < skipped; ++i) rest.remove_prefix(FirstRune(rest).second);
  return call->ReturnText(kLeft ? text.substr(0, text.size() - rest.size()) : rest);
}

// default other given; `given` may be missing.
bool Default(TemplateCall* call) {
  const auto& arguments = call->arguments;
  return call->Return(arguments.size() > 1 && IsTrue(arguments[1]) ? arguments[1] : arguments[0]);
}

constexpr TemplateFunction kFunctions[] = {
    {"Replace", "sssi", ReplaceCounted},
    {"ToLower", "s", Lower},
    {"ToUpper", "s", Upper},
    {"Trim", "ss", TrimSet<true, true, true>},
    {"TrimLeft", "ss", TrimSet<true, true, false>},
    {"TrimPrefix", "ss", TrimPrefix<true>},
    {"TrimRight", "ss", TrimSet<true, false, true>},
    {"TrimSpace", "s", TrimSpace},
    {"TrimSuffix", "ss", TrimSuffix<true>},
    {"alignLeft", "is", Align<true>},
    {"alignRight", "is", Align<false>},
    {"contains", "ss", Contains},
    {"default", "aa*", Default},
    {"hasPrefix", "ss", HasPrefix},
    {"hasSuffix", "ss", HasSuffix},
    {"indent", "is", Indent},
    {"lower", "s", Lower},
    {"nindent", "is", NewlineIndent},
    {"repeat", "is", Repeat},
    {"replace", "sss", Replace},
    {"substr", "iis", Substr},
    {"title", "s", Title},
    {"trim", "s", TrimSpace},
    {"trimAll", "ss", TrimSet<false, true, true>},
    {"trimPrefix", "ss", TrimPrefix<false>},
    {"trimSuffix", "ss", TrimSuffix<false>},
    {"trunc", "is", Trunc},
    {"upper", "s", Upper},
};

}  // namespace

std::span<const TemplateFunction> TextFunctions() { return kFunctions; }

}  // namespace varve::templates
