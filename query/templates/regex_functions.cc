// regexReplaceAll, regexReplaceAllLiteral, count; match, reReplaceAll. An expression that is a constant was
// compiled with the template; others are kept in a small cache of the thread.

#include <charconv>
#include <map>
#include <string>
#include <vector>

#include "engine/model/regex.h"
#include "query/templates/template_call.h"
#include "query/templates/template_text.h"
#include "query/templates/template_tree.h"

namespace varve::templates {
namespace {

using Text = std::string_view;

// Null: the call failed. The result lives until the thread's next call.
const re2::RE2* RegexOf(TemplateCall* call) {
  if (call->prepared != nullptr) {
    const auto* prepared = static_cast<const PreparedRegex*>(call->prepared);
    if (prepared->regex == nullptr) call->error = prepared->error;
    return prepared->regex.get();
  }
  thread_local std::map<std::string, Regex, std::less<>> cache;
  const Text pattern = call->Text(0);
  if (const auto known = cache.find(pattern); known != cache.end()) return known->second.get();
  if (pattern.size() > kTemplateRegexBytesMax) {
    call->error = LimitError("template_regex_bytes_max", kTemplateRegexBytesMax);
    return nullptr;
  }
  // A program takes time to build as well: a row gets at most some five hundred.
  if (!call->memory->Charge(kTemplateRegexCompileBytes)) {
    call->FailMemory();
    return nullptr;
  }
  Result<Regex> regex = CompileRegex(pattern, RegexOptions{.program_bytes_max = 1 << 20});
  if (!regex.ok()) {
    call->error = regex.status().message();
    return nullptr;
  }
  if (cache.size() >= kTemplateRegexCacheMax) cache.clear();
  return cache.emplace(pattern, std::move(*regex)).first->second.get();
}

// Calls `found(groups)` for each match from left to right as Go finds them: an empty match right behind
// another one does not count.
template <typename Found>
void ForEachMatch(const re2::RE2& regex, Text text, size_t group_count, Found found) {
  std::vector<re2::StringPiece> groups(group_count);
  const re2::StringPiece input(text.data(), text.size());
  size_t at = 0;
  size_t previous_end = Text::npos;
  while (at <= text.size()) {
    if (!regex.Match(input, at, text.size(), re2::RE2::UNANCHORED, groups.data(),
                     static_cast<int>(groups.size()))) {
      return;
    }
    const auto begin = static_cast<size_t>(groups[0].data() - text.data());
    const size_t end = begin + groups[0].size();
    if (begin != end || begin != previous_end) {
      if (!found(groups)) return;
    }
    previous_end = end;
    if (end > at) {
      at = end;
    } else {
      at = end < text.size() ? end + FirstRune(text.substr(end)).second : end + 1;
    }
  }
}

// The name behind a $: "1", "first" or what braces hold. False: the $ stands for itself.
bool ReadReference(Text* rest, Text* name) {
  const bool braces = rest->size() > 1 && (*rest)[1] == '{';
  size_t end = braces ? 2 : 1;
  const size_t begin = end;
  const auto is_word = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  while (end < rest->size() && is_word((*rest)[end])) ++end;
  if (end == begin || (braces && (end >= rest->size() || (*rest)[end] != '}'))) return false;
  *name = rest->substr(begin, end - begin);
  rest->remove_prefix(end + (braces ? 1 : 0));
  return true;
}

void AppendGroup(const re2::RE2& regex, const std::vector<re2::StringPiece>& groups, Text name,
                 std::string* out) {
  size_t index = groups.size();
  const bool number = name.find_first_not_of("0123456789") == Text::npos;
  if (number) {
    std::from_chars(name.data(), name.data() + name.size(), index);
    if (name.size() > 1 && name[0] == '0') index = groups.size();
  } else {
    const auto& names = regex.NamedCapturingGroups();
    if (const auto named = names.find(std::string(name)); named != names.end()) {
      index = static_cast<size_t>(named->second);
    }
  }
  if (index < groups.size()) out->append(groups[index].data(), groups[index].size());
}

// As Go's Regexp.Expand.
void Expand(const re2::RE2& regex, const std::vector<re2::StringPiece>& groups, Text with, std::string* out) {
  while (true) {
    const size_t dollar = with.find('$');
    out->append(with.substr(0, dollar));
    if (dollar == Text::npos) return;
    with.remove_prefix(dollar);
    if (with.starts_with("$$")) {
      out->push_back('$');
      with.remove_prefix(2);
      continue;
    }
    Text name;
    if (ReadReference(&with, &name)) {
      AppendGroup(regex, groups, name, out);
    } else {
      out->push_back('$');
      with.remove_prefix(1);
    }
  }
}

template <bool kLiteral>
bool ReplaceAllIn(TemplateCall* call, const re2::RE2* regex, Text text, Text with) {
  std::string out;
  size_t copied = 0;
  const size_t groups = kLiteral ? 1 : static_cast<size_t>(regex->NumberOfCapturingGroups()) + 1;
  ForEachMatch(*regex, text, groups, [&](const std::vector<re2::StringPiece>& found) {
    const auto begin = static_cast<size_t>(found[0].data() - text.data());
    out.append(text.substr(copied, begin - copied));
    if (kLiteral) {
      out.append(with);
    } else {
      Expand(*regex, found, with, &out);
    }
    copied = begin + found[0].size();
    return out.size() <= kTemplateMemoryBytesMax;
  });
  out.append(text.substr(copied));
  return call->ReturnCopy(out);
}

template <bool kLiteral>
bool ReplaceAll(TemplateCall* call) {
  const re2::RE2* regex = RegexOf(call);
  return regex != nullptr && ReplaceAllIn<kLiteral>(call, regex, call->Text(1), call->Text(2));
}

bool Count(TemplateCall* call) {
  const re2::RE2* regex = RegexOf(call);
  if (regex == nullptr) return false;
  int64_t count = 0;
  ForEachMatch(*regex, call->Text(1), 1, [&](const std::vector<re2::StringPiece>&) { return ++count > 0; });
  return call->Return(TemplateValue::Int(count));
}

constexpr TemplateFunction kFunctions[] = {
    {"count", "ss", Count, true},
    {"regexReplaceAll", "sss", ReplaceAll<false>, true},
    {"regexReplaceAllLiteral", "sss", ReplaceAll<true>, true},
};

}  // namespace

bool MatchRegex(TemplateCall* call) {
  const re2::RE2* regex = RegexOf(call);
  return regex != nullptr && call->Return(TemplateValue::Bool(RegexMatches(*regex, call->Text(1))));
}

bool ReplaceAllRegex(TemplateCall* call) {
  const re2::RE2* regex = RegexOf(call);
  if (regex != nullptr) return ReplaceAllIn<false>(call, regex, call->Text(2), call->Text(1));
  // Go panics there, in these words.
  if (call->error.starts_with("error parsing")) {
    const Text pattern = call->Text(0);
    std::string quoted = "`" + std::string(pattern) + "`";
    if (pattern.find_first_of("`\n") != Text::npos) {
      quoted.clear();
      AppendQuotedGo(pattern, false, '"', &quoted);
    }
    call->error.insert(0, "regexp: Compile(" + quoted + "): ");
  }
  return false;
}

std::span<const TemplateFunction> RegexFunctions() { return kFunctions; }

}  // namespace varve::templates
