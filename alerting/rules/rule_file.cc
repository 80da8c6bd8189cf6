#include "alerting/rules/rule_file.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "alerting/rules/rule_checks.h"
#include "alerting/rules/rule_decoding.h"
#include "alerting/yaml_document.h"
#include "alerting/yaml_files.h"
#include "engine/model/labels.h"

namespace varve {
namespace {

std::string FileErrorText(std::string_view file, const RuleProblem& problem) {
  std::string text = std::string(file) + ":" + std::to_string(problem.line) + ": ";
  if (problem.in_group) text += "group " + GoQuoted(problem.group);
  if (problem.rule != 0) text += ", rule " + std::to_string(problem.rule);
  if (!problem.rule_name.empty()) text += " " + GoQuoted(problem.rule_name);
  if (problem.in_group) text += ": ";
  if (problem.expression) text += "could not parse expression: ";
  return text + problem.text;
}

Status FileErrors(std::string_view file, std::vector<RuleProblem> problems) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const RuleProblem& a, const RuleProblem& b) { return a.line < b.line; });
  std::string text;
  for (const RuleProblem& problem : problems) text += FileErrorText(file, problem) + "\n";
  if (problems.size() < kRuleProblemsMax) {
    text.pop_back();
  } else {
    text += std::string(file) + ": only the first " + std::to_string(kRuleProblemsMax) + " errors are told";
  }
  return InvalidArgument(std::move(text));
}

void CheckGroupNames(const std::vector<DecodedGroup>& groups, std::vector<RuleProblem>* problems) {
  std::map<std::string_view, uint32_t> lines;
  for (const DecodedGroup& decoded : groups) {
    const RuleGroup& group = decoded.group;
    RuleProblem problem;
    problem.line = group.line;
    const auto [at, added] = lines.emplace(group.name, group.line);
    if (group.name.empty()) {
      problem.text = "Groupname must not be empty";
    } else if (!added) {
      problem.text = "groupname: " + GoQuoted(group.name) + " is repeated in the same file, first in line " +
                     std::to_string(at->second);
    } else {
      continue;
    }
    if (problems->size() < kRuleProblemsMax) problems->push_back(std::move(problem));
  }
}

// ---- One group by an API -------------------------------------------------------------------------

// Loki names the rule in errors of expressions only; Mimir always, counting from 0.
std::string ApiErrorText(const RuleProblem& problem, const Rule* rule, bool loki) {
  if (loki) {
    if (!problem.expression || rule == nullptr) return problem.text;
    const bool record = !rule->record.empty();
    return "could not parse expression for " + std::string(record ? "record" : "alert") + " '" + rule->name() +
           "' in group '" + problem.group + "': " + problem.text;
  }
  if (problem.rule == 0) return "invalid rules config: " + problem.text;
  return "group " + GoQuoted(problem.group) + ", rule " + std::to_string(problem.rule - 1) + ", " +
         GoQuoted(problem.rule_name) + ": " + (problem.expression ? "could not parse expression: " : "") + problem.text;
}

Status ApiErrors(const RuleGroup& group, const std::vector<RuleProblem>& problems, bool loki) {
  std::string text;
  std::set<uint32_t> told;
  for (const RuleProblem& problem : problems) {
    // Loki stops at the first error of a rule.
    if (loki && problem.rule != 0 && !told.insert(problem.rule).second) continue;
    const Rule* rule = problem.rule == 0 ? nullptr : &group.rules[problem.rule - 1];
    if (!text.empty()) text += ", ";
    text += ApiErrorText(problem, rule, loki);
  }
  return InvalidArgument(std::move(text));
}

}  // namespace

Result<std::vector<RuleGroup>> ParseRuleFile(std::string_view text, std::string_view name, RuleLanguage language) {
  VARVE_ASSIGN_OR_RETURN(const YamlDocument document, ParseYaml(text, name));
  std::vector<RuleProblem> problems;
  std::vector<DecodedGroup> decoded = DecodeRuleFile(document.root, language, &problems);
  CheckGroupNames(decoded, &problems);
  const RuleCheckOptions options{.language = language};
  std::vector<RuleGroup> groups;
  for (DecodedGroup& one : decoded) {
    CheckRules(options, &one, &problems);
    one.group.file = name;
    groups.push_back(std::move(one.group));
  }
  if (!problems.empty()) return FileErrors(name, std::move(problems));
  return groups;
}

Result<std::vector<RuleGroup>> ReadRuleFile(const std::string& path, RuleLanguage language) {
  VARVE_ASSIGN_OR_RETURN(const std::string text, ReadConfigText(path));
  return ParseRuleFile(text, path, language);
}

Result<std::vector<RuleGroup>> ReadRuleFiles(const std::vector<std::string>& patterns, RuleLanguage language) {
  std::set<std::string> seen;
  std::vector<RuleGroup> groups;
  std::string errors;
  const auto add_error = [&](const Status& status) { errors += (errors.empty() ? "" : "\n") + status.message(); };
  const auto read = [&](const std::string& path) -> Status {
    VARVE_ASSIGN_OR_RETURN(std::vector<RuleGroup> more, ReadRuleFile(path, language));
    groups.insert(groups.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    return Status::Ok();
  };
  for (const std::string& pattern : patterns) {
    const Result<std::vector<std::string>> paths = MatchingFiles(pattern);
    if (!paths.ok()) {
      add_error(paths.status());
      continue;
    }
    for (const std::string& path : paths.value()) {
      if (!seen.insert(path).second) continue;
      const Status status = read(path);
      if (!status.ok()) add_error(status);
    }
  }
  if (!errors.empty()) return InvalidArgument(std::move(errors));
  return groups;
}

Result<RuleGroup> ParseRuleGroup(std::string_view yaml, std::string_view rule_namespace, RuleLanguage language) {
  constexpr std::string_view kUndecoded = "unable to decoded rule group";  // as Loki spells it
  const Result<YamlDocument> document = ParseYaml(yaml, "line");
  if (!document.ok()) {
    std::string where = document.status().message();  // "line:1: …"
    if (where.starts_with("line:")) where[4] = ' ';
    return InvalidArgument(std::string(kUndecoded) + ": " + where);
  }
  const bool loki = language == RuleLanguage::kLogql;
  std::vector<RuleProblem> problems;
  DecodedGroup decoded;
  if (!document->root.is_null()) decoded = DecodeRuleGroup(document->root, language, &problems);
  if (!problems.empty()) {
    return InvalidArgument(std::string(kUndecoded) + ": line " + std::to_string(problems[0].line) + ": " +
                           problems[0].text);
  }
  RuleGroup& group = decoded.group;
  if (group.name.empty()) {
    return InvalidArgument(loki ? "group 0: Groupname must not be empty"
                                : "invalid rules config: rule group name must not be empty");
  }
  if (group.rules.empty() && !loki) {
    return InvalidArgument("invalid rules config: rule group '" + group.name + "' has no rules");
  }
  CheckRules({.language = language, .legacy_names = loki, .accept_log_lines = loki}, &decoded, &problems);
  if (!problems.empty()) return ApiErrors(group, problems, loki);
  group.file = rule_namespace;
  return std::move(group);
}

}  // namespace varve
