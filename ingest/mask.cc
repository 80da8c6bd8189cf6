#include "ingest/mask.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <array>

#include "engine/model/regex.h"

namespace varve {
namespace {

constexpr int kGroupsMax = 32;
constexpr int64_t kSetBytesMax = 16 << 20;  // of the program and the states of all expressions together

bool IsWordChar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// A replacement taken apart: texts, each with the group that follows it.
struct Part {
  std::string text;
  int group = -1;  // none
};

// The number of the group called `name`, or -1.
int GroupNumber(const re2::RE2& regex, const std::string& name) {
  const auto& named = regex.NamedCapturingGroups();
  if (const auto found = named.find(name); found != named.end()) return found->second;
  if (name.empty() || name.size() > 2 || name.find_first_not_of("0123456789") != std::string::npos) return -1;
  const int number = std::stoi(name);
  return number <= regex.NumberOfCapturingGroups() ? number : -1;
}

Result<std::vector<Part>> ParseReplacement(const std::string& text, const re2::RE2& regex) {
  std::vector<Part> parts(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      parts.back().text.push_back(text[i]);
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '$') {
      parts.back().text.push_back('$');
      ++i;
      continue;
    }
    const bool braces = i + 1 < text.size() && text[i + 1] == '{';
    const size_t begin = i + (braces ? 2 : 1);
    size_t end = begin;
    while (end < text.size() && IsWordChar(text[end])) ++end;
    const std::string name = text.substr(begin, end - begin);
    if (name.empty() || (braces && (end == text.size() || text[end] != '}'))) {
      return InvalidArgument("replacement: a dollar sign is written $$, a group $1 or ${name}");
    }
    parts.back().group = GroupNumber(regex, name);
    if (parts.back().group < 0) return InvalidArgument("replacement: the regex has no group " + name);
    parts.emplace_back();
    i = braces ? end : end - 1;
  }
  return parts;
}

}  // namespace

struct LineMask::Impl {
  struct Compiled {
    Regex regex;
    std::vector<Part> replacement;
    int groups = 1;  // that the replacement needs, the whole match included
  };

  Status Add(const MaskRule& rule);
  std::optional<uint64_t> ReplaceOne(const Compiled& rule, std::string_view text, size_t size_max,
                                     std::string* out) const;

  std::vector<MaskRule> rules;
  std::vector<Compiled> compiled;
  std::unique_ptr<re2::RE2::Set> any;  // null where it would take too much memory
};

Status LineMask::Impl::Add(const MaskRule& rule) {
  if (rule.regex.empty()) return InvalidArgument("regex: is empty");
  if (rule.regex.size() > kRegexBytesMax) return InvalidArgument("regex: longer than 4096 bytes");
  if (rule.replacement.size() > kReplacementBytesMax) return InvalidArgument("replacement: longer than 1024 bytes");
  Compiled entry;
  Result<Regex> regex = CompileRegex(rule.regex, {});
  if (!regex.ok()) return InvalidArgument("regex: " + regex.status().message());
  entry.regex = std::move(*regex);
  if (RegexMatches(*entry.regex, "")) return InvalidArgument("regex: " + rule.regex + " matches the empty text");
  if (entry.regex->NumberOfCapturingGroups() >= kGroupsMax) return InvalidArgument("regex: more than 31 groups");
  VARVE_ASSIGN_OR_RETURN(entry.replacement, ParseReplacement(rule.replacement, *entry.regex));
  for (const Part& part : entry.replacement) entry.groups = std::max(entry.groups, part.group + 1);
  compiled.push_back(std::move(entry));
  return Status::Ok();
}

std::optional<uint64_t> LineMask::Impl::ReplaceOne(const Compiled& rule, std::string_view text, size_t size_max,
                                                   std::string* out) const {
  std::array<re2::StringPiece, kGroupsMax> groups;
  const re2::StringPiece whole(text.data(), text.size());
  uint64_t replaced = 0;
  size_t copied = 0;
  size_t at = 0;
  out->clear();
  while (at <= text.size() &&
         rule.regex->Match(whole, at, text.size(), re2::RE2::UNANCHORED, groups.data(), rule.groups)) {
    const auto begin = static_cast<size_t>(groups[0].data() - text.data());
    if (groups[0].empty()) {  // \b and the like: nothing to hide
      at = begin + 1;
      while (at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) ++at;
      continue;
    }
    out->append(text.substr(copied, begin - copied));
    for (const Part& part : rule.replacement) {
      out->append(part.text);
      if (part.group < 0) continue;
      const re2::StringPiece& group = groups[static_cast<size_t>(part.group)];
      if (group.data() != nullptr) out->append(group.data(), group.size());
    }
    if (out->size() > size_max) return std::nullopt;
    at = copied = begin + groups[0].size();
    ++replaced;
  }
  out->append(text.substr(copied));
  if (out->size() > size_max) return std::nullopt;
  return replaced;
}

Result<std::shared_ptr<const LineMask>> LineMask::Compile(std::vector<MaskRule> rules) {
  if (rules.size() > kRulesMax) return InvalidArgument("more than 100 rules");
  auto impl = std::make_unique<Impl>();
  for (const MaskRule& rule : rules) VARVE_RETURN_IF_ERROR(impl->Add(rule));
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kSetBytesMax);
  auto any = std::make_unique<re2::RE2::Set>(options, re2::RE2::UNANCHORED);
  bool complete = true;
  for (const Impl::Compiled& rule : impl->compiled) complete = any->Add(rule.regex->pattern(), nullptr) >= 0 && complete;
  if (complete && any->Compile()) impl->any = std::move(any);
  impl->rules = std::move(rules);
  return std::make_shared<const LineMask>(std::move(impl));
}

LineMask::LineMask(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
LineMask::~LineMask() = default;

const std::vector<MaskRule>& LineMask::rules() const { return impl_->rules; }

bool LineMask::MayChange(std::string_view text) const {
  if (impl_->any == nullptr) return true;
  re2::RE2::Set::ErrorInfo error{};
  if (impl_->any->Match(re2::StringPiece(text.data(), text.size()), nullptr, &error)) return true;
  return error.kind != re2::RE2::Set::kNoError;  // out of memory: it cannot say
}

std::optional<uint64_t> LineMask::Replace(std::string_view text, size_t size_max, std::string* out) const {
  out->assign(text);
  std::string next;
  uint64_t total = 0;
  for (const Impl::Compiled& rule : impl_->compiled) {
    const std::optional<uint64_t> replaced = impl_->ReplaceOne(rule, *out, size_max, &next);
    if (!replaced.has_value()) return std::nullopt;
    if (*replaced == 0) continue;
    out->swap(next);
    total += *replaced;
  }
  return total;
}

}  // namespace varve
