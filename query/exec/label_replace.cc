#include "query/exec/label_replace.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace varve {
namespace {

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The value of the group called `name`, by number or by name.
std::string_view Group(const re2::RE2& regex, std::string_view name,
                       const std::vector<std::string_view>& groups) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size()) {
    return number < groups.size() ? groups[number] : std::string_view();
  }
  const auto& named = regex.NamedCapturingGroups();
  const auto it = named.find(std::string(name));
  return it == named.end() ? std::string_view() : groups[static_cast<size_t>(it->second)];
}

// Reads the reference behind a '$' at text[0]; returns its length without the '$', 0 when there is none.
size_t ReadReference(std::string_view text, std::string_view* name) {
  const bool braces = !text.empty() && text[0] == '{';
  size_t end = braces ? 1 : 0;
  while (end < text.size() && IsNameByte(text[end])) ++end;
  *name = text.substr(braces ? 1 : 0, end - (braces ? 1 : 0));
  if (name->empty()) return 0;
  if (!braces) return end;
  return end < text.size() && text[end] == '}' ? end + 1 : 0;
}

void SetLabel(LabelPairs* labels, const std::string& name, std::string value) {
  RemoveEmptyLabels(labels);
  std::erase_if(*labels, [&](const auto& label) { return label.first == name; });
  if (!value.empty()) labels->emplace_back(name, std::move(value));
  std::sort(labels->begin(), labels->end());
}

}  // namespace

std::string ExpandReplacement(const re2::RE2& regex, std::string_view replacement,
                              const std::vector<std::string_view>& groups) {
  std::string out;
  for (size_t i = 0; i < replacement.size();) {
    if (replacement[i] != '$') {
      out.push_back(replacement[i++]);
      continue;
    }
    if (++i < replacement.size() && replacement[i] == '$') {
      out.push_back('$');
      ++i;
      continue;
    }
    std::string_view name;
    const size_t length = ReadReference(replacement.substr(i), &name);
    if (length == 0) {
      out.push_back('$');  // malformed: taken as it is
      continue;
    }
    out.append(Group(regex, name, groups));
    i += length;
  }
  return out;
}

SeriesSet ApplyLabelReplace(const logql::LabelReplace& replace, SeriesSet operand) {
  const re2::RE2& regex = *replace.regex;
  const int group_count = regex.NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> found(static_cast<size_t>(group_count));
  for (Series& series : operand) {
    const std::string source(LabelValue(series.labels, replace.source));
    if (!regex.Match(source, 0, source.size(), re2::RE2::ANCHOR_BOTH, found.data(), group_count)) continue;
    std::vector<std::string_view> groups;
    for (const re2::StringPiece& piece : found) groups.emplace_back(piece.data(), piece.size());
    SetLabel(&series.labels, replace.destination, ExpandReplacement(regex, replace.replacement, groups));
  }
  return operand;
}

}  // namespace varve
