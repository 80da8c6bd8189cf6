// varve rules test: unit tests of rules, in the form of `promtool test rules`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alerting/rules/rule_file.h"
#include "alerting/rules/rule_test_file.h"
#include "alerting/rules/rule_test_run.h"
#include "alerting/yaml_files.h"
#include "engine/model/regex.h"
#include "tools/commands.h"
#include "tools/rules_commands.h"

namespace varve {
namespace {

struct TestOptions {
  std::vector<std::string> files;
  std::string language = "promql";
  std::string run;
};

// Removed with everything in it.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::error_code error;
    std::string pattern = (std::filesystem::temp_directory_path(error) / "varve-rules-XXXXXX").string();
    if (!error && mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The groups of the files that the patterns, relative to `test_file`, match.
Result<std::vector<RuleGroup>> ReadGroups(const std::string& test_file, const std::vector<std::string>& patterns,
                                          RuleLanguage language) {
  const std::filesystem::path base = std::filesystem::path(test_file).parent_path();
  std::vector<RuleGroup> groups;
  std::string errors;
  for (const std::string& pattern : patterns) {
    if (pattern.empty()) continue;
    const std::string path = (base / pattern).string();
    const Result<std::vector<std::string>> matches = MatchingFiles(path);
    if (!matches.ok() || matches->empty()) fmt::print(stderr, "  WARNING: no file match pattern {}\n", path);
    for (const std::string& file : matches.ok() ? matches.value() : std::vector<std::string>()) {
      Result<std::vector<RuleGroup>> read = ReadRuleFile(file, language);
      if (!read.ok()) {
        errors += (errors.empty() ? "" : "\n") + read.status().message();
        continue;
      }
      std::move(read->begin(), read->end(), std::back_inserter(groups));
    }
  }
  if (!errors.empty()) return InvalidArgument(std::move(errors));
  return groups;
}

std::vector<std::string> RunFile(const std::string& path, const TestOptions& options, const re2::RE2* run) {
  const RuleLanguage language = options.language == "logql" ? RuleLanguage::kLogql : RuleLanguage::kPromql;
  const Result<std::string> text = ReadConfigText(path);
  if (!text.ok()) return {text.status().message()};
  const Result<RuleTestFile> file = ParseRuleTestFile(text.value(), path);
  if (!file.ok()) return {file.status().message()};
  const Result<std::vector<RuleGroup>> groups = ReadGroups(path, file->rule_files, language);
  if (!groups.ok()) return {groups.status().message()};
  const ScratchDirectory scratch;
  if (scratch.path().empty()) return {"no temporary directory can be created (TMPDIR says where)"};
  std::vector<std::string> failures;
  for (size_t i = 0; i < file->tests.size(); ++i) {
    const RuleTest& test = file->tests[i];
    if (run != nullptr && !RegexMatches(*run, test.name)) continue;
    const std::string directory = scratch.path() + "/" + std::to_string(i);
    std::vector<std::string> more = RunRuleTest(test, file.value(), groups.value(), directory);
    std::move(more.begin(), more.end(), std::back_inserter(failures));
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  return failures;
}

Status RunTests(const TestOptions& options) {
  Regex run;
  if (!options.run.empty()) {
    VARVE_ASSIGN_OR_RETURN(run, CompileRegex(options.run, {}));
  }
  size_t failed = 0;
  for (const std::string& path : options.files) {
    fmt::print("Unit Testing:  {}\n", path);
    std::fflush(stdout);  // before what goes to standard error
    const std::vector<std::string> failures = RunFile(path, options, run.get());
    if (failures.empty()) {
      fmt::print("  SUCCESS\n");
    } else {
      ++failed;
      fmt::print(stderr, "  FAILED:\n");
      for (const std::string& failure : failures) fmt::print(stderr, "{}\n\n", failure);
    }
    fmt::print("\n");
  }
  std::fflush(stdout);
  if (failed > 0) return ExecutionError(fmt::format("{} of {} test file(s) failed", failed, options.files.size()));
  return Status::Ok();
}

}  // namespace

void AddRulesTestCommand(CLI::App* rules, ChosenCommand* chosen) {
  CLI::App* command = rules->add_subcommand("test", "Unit tests of rules, as `promtool test rules`");
  auto options = std::make_shared<TestOptions>();
  command->add_option("FILES", options->files, "test files")->required();
  command
      ->add_option("--language", options->language,
                   "of rules without `type:` that are right in both: promql (default) or logql, for Loki's files")
      ->type_name("LANGUAGE")
      ->check(CLI::IsMember({"promql", "logql"}).description(""));
  command->add_option("--run", options->run, "only tests whose name this regular expression finds")->type_name("REGEX");
  command->footer(
      "Each test runs on a store of its own in a temporary directory: series and log lines go in, all groups are\n"
      "evaluated at every evaluation_interval, alerts and expressions are compared. The status is 1 if any differs.\n"
      "docs/rules.md has the format: promtool's, and input_streams and logql_expr_test for logs.\n\n"
      "Examples:\n"
      "  varve rules test tests/*.yml\n"
      "  varve rules test --run brute ssh_test.yml");
  command->callback([options, chosen] { *chosen = [options] { return RunTests(*options); }; });
}

}  // namespace varve
