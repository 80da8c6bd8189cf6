#include "tools/alerting_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

constexpr char kRule[] = "groups:\n- name: %s\n  rules:\n  - alert: A\n    expr: %s\n";

class AlertingFilesTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(dir_.path()) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  static std::string RuleFile(std::string_view group, std::string_view expr) {
    std::string text = kRule;
    text.replace(text.find("%s"), 2, group);
    return text.replace(text.find("%s"), 2, expr);
  }
  std::string ErrorOf(const AlertingConfig& config) { return ReadAlertingFiles(config).status().message(); }

  TempDir dir_;
};

TEST_F(AlertingFilesTest, ReadsNothingWhereNothingIsSaid) {
  const Result<AlertingFiles> files = ReadAlertingFiles({});
  ASSERT_TRUE(files.ok());
  EXPECT_TRUE(files->rules.empty() && !files->notify.has_value() && files->alertmanagers.empty() && files->reports.empty());
}

TEST_F(AlertingFilesTest, ReadsRulesOfBothKindsOfDirectories) {
  Write("prom/a.yml", RuleFile("a", "up"));
  Write("loki/t1/s.yaml", RuleFile("s", "'sum(count_over_time({a=\"b\"}[5m]))'"));
  Write("loki/t1/more.yml", RuleFile("m", "'{__name__=\"up\"} > 1'"));
  Write("loki/t2/readme.txt", "no rules");
  Write("loki/..data/x.yaml", "not ours");
  AlertingConfig config;
  config.rule_files = {std::string(dir_.path()) + "/prom/*.yml"};
  config.rule_files_tenant = "t1";
  config.ruler_directory = std::string(dir_.path()) + "/loki";
  const Result<AlertingFiles> files = ReadAlertingFiles(config);
  ASSERT_TRUE(files.ok()) << files.status().message();
  ASSERT_EQ(2u, files->rules.size());
  EXPECT_TRUE(files->rules.at("t2").empty());
  ASSERT_EQ(3u, files->rules.at("t1").size());
  for (const RuleGroup& group : files->rules.at("t1")) {
    const bool logs = group.name == "s";
    EXPECT_EQ(logs ? RuleLanguage::kLogql : RuleLanguage::kPromql, group.rules[0].language) << group.name;
  }
}

TEST_F(AlertingFilesTest, ReadsAlertmanagersOfTheSectionAndOfTheUrl) {
  AlertingConfig config;
  config.alertmanagers = {"\n\nalertmanagers:\n- static_configs:\n  - targets: [a:9093, b:9093]\n", "varve.yaml"};
  config.alertmanager_url = "http://c:9093,https://d/prefix";
  const Result<AlertingFiles> files = ReadAlertingFiles(config);
  ASSERT_TRUE(files.ok()) << files.status().message();
  std::vector<std::string> urls;
  for (const AlertmanagerTarget& target : files->alertmanagers) urls.push_back(target.url);
  EXPECT_EQ((std::vector<std::string>{"http://a:9093", "http://b:9093", "http://c:9093", "https://d/prefix"}), urls);
}

TEST_F(AlertingFilesTest, NamesWhatIsWrong) {
  AlertingConfig config;
  config.alertmanagers = {"\n\nalertmanagers:\n- nope: 1\n", "varve.yaml"};
  EXPECT_THAT(ErrorOf(config), HasSubstr("varve.yaml:4: "));
  config = {};
  config.ruler.evaluation_interval_ms = 0;
  EXPECT_EQ("global.evaluation_interval: must be above 0s", ErrorOf(config));
  config = {};
  config.rule_files_tenant = "a/b";
  EXPECT_EQ("ruler.rule_files_tenant: \"a/b\" is no tenant", ErrorOf(config));
  config = {};
  config.ruler_directory = std::string(dir_.path()) + "/none";
  EXPECT_THAT(ErrorOf(config), HasSubstr("ruler.storage.local.directory " + config.ruler_directory + ": "));
  config = {};
  config.rule_files = {Write("bad.yml", RuleFile("g", "sum("))};
  EXPECT_THAT(ErrorOf(config), HasSubstr("bad.yml:5: "));
  config = {};
  config.notify_config_file = Write("am.yml", "route: {receiver: b}\nreceivers: [{name: a}]\n");
  EXPECT_THAT(ErrorOf(config), HasSubstr("am.yml"));
  config = {};
  config.notify_config_file = std::string(dir_.path()) + "/none.yml";
  EXPECT_EQ("alertmanager.config_file: cannot read " + config.notify_config_file + ": No such file or directory", ErrorOf(config));
  config = {};
  config.reports = {"- name: r\n  schedule: '0 9 * * *'\n  queries: [{name: n, type: promql, query: up}]\n  receivers: [nobody]\n", "varve.yaml"};
  EXPECT_THAT(ErrorOf(config), HasSubstr("nobody")) << "there is no notifier";
}

}  // namespace
}  // namespace varve
