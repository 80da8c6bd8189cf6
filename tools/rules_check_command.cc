// varve rules check: whether the server would take these rule files, in the form of `promtool check rules`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alerting/rules/rule_file.h"
#include "alerting/yaml_document.h"
#include "alerting/yaml_files.h"
#include "tools/commands.h"
#include "tools/rules_commands.h"

namespace varve {
namespace {

struct CheckOptions {
  std::vector<std::string> files;
  std::string language = "promql";
  std::string lint = "duplicate-rules";
  bool lint_fatal = false;
};

struct CheckCounts {
  size_t failed = 0;
  size_t linted = 0;
};

// Rules of one name and the same labels: what they record or fire cannot be told apart. Each once, ascending.
std::vector<std::pair<std::string, LabelMap>> DuplicateRules(const std::vector<RuleGroup>& groups) {
  std::map<std::pair<std::string, LabelMap>, size_t> counts;
  for (const RuleGroup& group : groups) {
    for (const Rule& rule : group.rules) {
      LabelMap labels = rule.labels;
      labels.insert(group.labels.begin(), group.labels.end());
      ++counts[{rule.name(), std::move(labels)}];
    }
  }
  std::vector<std::pair<std::string, LabelMap>> duplicates;
  for (const auto& [rule, count] : counts) {
    if (count > 1) duplicates.push_back(rule);
  }
  return duplicates;
}

void PrintDuplicates(const std::vector<std::pair<std::string, LabelMap>>& duplicates) {
  fmt::print(stderr, "  FAILED:\nlint error {} duplicate rule(s) found.\n", duplicates.size());
  for (const auto& [name, labels] : duplicates) {
    fmt::print(stderr, "Metric: {}\nLabel(s):\n", name);
    for (const auto& [label, value] : labels) fmt::print(stderr, "\t{}: {}\n", label, value);
  }
  fmt::print(stderr, "Might cause inconsistency while recording expressions\n");
}

// At most one byte more than a file may have.
std::string ReadStandardInput() {
  std::string text(kYamlBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stdin));
  return text;
}

void CheckOne(const std::string& file, const CheckOptions& options, CheckCounts* counts) {
  const RuleLanguage language = options.language == "logql" ? RuleLanguage::kLogql : RuleLanguage::kPromql;
  const bool from_stdin = file == "-";
  fmt::print("Checking {}\n", from_stdin ? "standard input" : file);
  std::string text;
  const auto read = [&]() -> Result<std::vector<RuleGroup>> {
    if (from_stdin) {
      text = ReadStandardInput();
    } else {
      VARVE_ASSIGN_OR_RETURN(text, ReadConfigText(file));
    }
    return ParseRuleFile(text, from_stdin ? "<stdin>" : file, language);
  };
  const Result<std::vector<RuleGroup>> groups = read();
  std::fflush(stdout);  // before what goes to standard error
  if (!groups.ok()) {
    ++counts->failed;
    fmt::print(stderr, "  FAILED:\n{}\n", groups.status().message());
    return;
  }
  const Result<YamlDocument> document = ParseYaml(text, file);
  if (document.ok() && document->more_documents) {
    fmt::print(stderr, "  WARNING: the file has several YAML documents, and only the first counts\n");
  }
  const auto duplicates = options.lint == "none" ? std::vector<std::pair<std::string, LabelMap>>()
                                                 : DuplicateRules(groups.value());
  if (!duplicates.empty()) {
    ++counts->linted;
    PrintDuplicates(duplicates);
  } else {
    size_t rules = 0;
    for (const RuleGroup& group : groups.value()) rules += group.rules.size();
    fmt::print("  SUCCESS: {} rules found\n", rules);
  }
  fmt::print("\n");
}

Status RunCheck(const CheckOptions& options) {
  CheckCounts counts;
  if (options.files.empty()) CheckOne("-", options, &counts);
  for (const std::string& file : options.files) CheckOne(file, options, &counts);
  std::fflush(stdout);
  if (counts.failed > 0) return InvalidArgument(fmt::format("{} rule file(s) failed", counts.failed));
  if (counts.linted > 0 && options.lint_fatal) {
    return InvalidArgument(fmt::format("{} rule file(s) with duplicate rules", counts.linted));
  }
  return Status::Ok();
}

}  // namespace

void AddRulesCheckCommand(CLI::App* rules, ChosenCommand* chosen) {
  CLI::App* command = rules->add_subcommand("check", "Whether rule files are right, as `promtool check rules`");
  auto options = std::make_shared<CheckOptions>();
  command->add_option("FILES", options->files, "rule files (none, or -: standard input)");
  command
      ->add_option("--language", options->language,
                   "of rules without `type:` that are right in both: promql (default) or logql, for Loki's files")
      ->type_name("LANGUAGE")
      ->check(CLI::IsMember({"promql", "logql"}).description(""));
  command->add_option("--lint", options->lint, "duplicate-rules (default), all, or none")
      ->type_name("CHECK")
      ->check(CLI::IsMember({"all", "duplicate-rules", "none"}).description(""));
  command->add_flag("--lint-fatal", options->lint_fatal, "fail where --lint finds something");
  command->footer(
      "Prints every error with file, line, group and rule. The status is 1 if a file has any.\n\n"
      "Examples:\n"
      "  varve rules check /etc/varve/rules/*.yml\n"
      "  varve rules check --language logql loki-rules.yaml");
  command->callback([options, chosen] { *chosen = [options] { return RunCheck(*options); }; });
}

}  // namespace varve
