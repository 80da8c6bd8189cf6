#include "tools/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace varve {
namespace {

TEST(Config, ReadsEveryKindOfValue) {
  Config config;
  const Status status = ApplyConfigText(R"(
auth_enabled: true
server:
  http_listen_port: 80
  graceful_shutdown_timeout: 5s
memory:
  budget: 512MB
storage:
  durability: disk
  disk_full_fraction: 0.8
  block_bytes: 2MB
limits:
  retention_period: 7d
  discover_service_name: [app, "job"]
  max_query_series: 1000
  discover_log_levels: false
)",
                                        "varve.yaml", &config);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_TRUE(config.http.auth_enabled);
  EXPECT_EQ(80, config.http.listen_port);
  EXPECT_EQ(5000, config.http.stop_timeout_ms);
  EXPECT_EQ(512 << 20, config.engine.memory_budget_bytes);
  EXPECT_EQ(Durability::kDisk, config.engine.durability);
  EXPECT_EQ(0.8, config.engine.disk_full_fraction);
  EXPECT_EQ(2u << 20, config.engine.block_bytes);
  EXPECT_EQ(7LL * 24 * 3600 * 1'000'000'000, config.engine.retention_ns);
  EXPECT_EQ((std::vector<std::string>{"app", "job"}), config.ingest.discover_service_name);
  EXPECT_EQ(1000u, config.query.max_query_series);
  EXPECT_FALSE(config.ingest.discover_log_levels);
}

TEST(Config, AcceptsAnEmptyFileAndAnEmptySection) {
  Config config;
  EXPECT_TRUE(ApplyConfigText("", "f", &config).ok());
  EXPECT_TRUE(ApplyConfigText("# nothing\nlimits:\n", "f", &config).ok());
}

TEST(Config, NamesFileLineAndKeyOfAMistake) {
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"limits:\n  max_line_sizes: 1\n",
       "f:2: unknown key \"limits.max_line_sizes\"; did you mean \"limits.max_line_size\"?"},
      {"frobnicate: 1\n", "f:1: unknown key \"frobnicate\""},
      {"\n\nlimits: 5\n", "f:3: unknown key \"limits\""},
      {"limits:\n  max_line_size: many\n",
       "f:2: limits.max_line_size: \"many\" is not a size such as 64KB, 512MB or 4GB"},
      {"limits:\n  query_timeout: 5\n",
       "f:2: limits.query_timeout: \"5\" is not a duration such as 30s, 1h30m or 7d"},
      {"limits:\n  query_timeout: -5s\n", "f:2: limits.query_timeout: \"-5s\" is negative"},
      {"limits:\n  query_timeout:\n", "f:2: limits.query_timeout: needs a value"},
      {"limits:\n  query_timeout: [1s]\n", "f:2: limits.query_timeout: takes a single value"},
      {"limits:\n  discover_service_name: app\n",
       "f:2: limits.discover_service_name: \"app\" is not a list such as [a, b]"},
      {"auth_enabled: yes\n", "f:1: auth_enabled: \"yes\" is none of true, false"},
      {"storage:\n  durability: paper\n", "f:2: storage.durability: \"paper\" is none of process, disk"},
      {"server:\n  http_listen_port: 70000\n",
       "f:2: server.http_listen_port: \"70000\" is not a whole number from 0 to 65535"},
      {"storage:\n  block_bytes: 8GB\n", "f:2: storage.block_bytes: \"8GB\" is too large"},
      {"auth_enabled: true\nauth_enabled: false\n", "f:2: auth_enabled: given twice"},
      {"- a\n", "f: not a map of keys to values"},
  };
  for (const auto& c : cases) {
    Config config;
    const Status status = ApplyConfigText(c.text, "f", &config);
    EXPECT_EQ(c.error, status.message()) << c.text;
  }
  Config config;
  const Status status = ApplyConfigText("limits:\n  a: [1,\n", "f", &config);
  EXPECT_TRUE(status.message().starts_with("f:") &&
              status.message().find("not valid YAML") != std::string::npos)
      << status.message();
}

TEST(Config, KeepsTheTextAndPlaceOfSectionsWithAParserOfTheirOwn) {
  Config config;
  const Status status = ApplyConfigText(R"(# rules
rule_files: ["rules/*.yml"]
alerting:
  # elsewhere
  alertmanagers:
    - scheme: https
      basic_auth: {username: u, password: hidden}
      static_configs:
        - targets: ["am:9093"]
reports: [{name: daily,
  schedule: "0 9 * * *"}]
global:
  external_labels: {site: a}
ruler:
  storage:
    local:
      directory: rules
)",
                                        "f.yaml", &config);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ((std::vector<std::string>{"rules/*.yml"}), config.alerting.rule_files);
  EXPECT_EQ(
      "\n\n         \n  # elsewhere\n  alertmanagers:\n    - scheme: https\n"
      "      basic_auth: {username: u, password: hidden}\n      static_configs:\n        - targets: [\"am:9093\"]\n",
      config.alerting.alertmanagers.text);
  EXPECT_EQ("f.yaml", config.alerting.alertmanagers.file);
  EXPECT_EQ(std::string(9, '\n') + "         [{name: daily,\n  schedule: \"0 9 * * *\"}]\n", config.alerting.reports.text);
  EXPECT_EQ("a", config.alerting.ruler.external_labels.at("site"));
  EXPECT_EQ("rules", config.alerting.ruler_directory);
  const std::string printed = ToYaml(config);
  EXPECT_EQ(std::string::npos, printed.find("hidden"));
  EXPECT_NE(std::string::npos, printed.find(R"(reports: [{"name": daily, "schedule": "0 9 * * *"}])")) << printed;
  Config again;
  const Status read = ApplyConfigText(printed, "g", &again);
  ASSERT_TRUE(read.ok()) << read.ToString() << printed;
  EXPECT_EQ(printed, ToYaml(again));
}

TEST(Config, KeepsSectionsOfEveryShape) {
  const struct {
    const char* text;
    const char* section;
  } cases[] = {
      {"{alerting: {a: 1}, rule_files: []}", "{a: 1}"},
      {"x: &x {a: 1}\nalerting: *x\n", nullptr},  // unknown key x
      {"alerting:\n", ""},
      {"alerting: {}\n", ""},
      {"alerting:\n  a: 1", "         \n  a: 1"},
  };
  for (const auto& c : cases) {
    Config config;
    const Status status = ApplyConfigText(c.text, "f", &config);
    EXPECT_EQ(c.section != nullptr, status.ok()) << c.text << status.ToString();
    if (c.section == nullptr) continue;
    EXPECT_EQ(c.section, config.alerting.alertmanagers.text) << c.text;
  }
  Config config;
  EXPECT_EQ("f:1: alerting: takes a map", ApplyConfigText("alerting: 5", "f", &config).message());
  EXPECT_EQ("f:1: reports: takes a list", ApplyConfigText("reports: a", "f", &config).message());
}

TEST(Config, SetsSectionsAndHidesPasswordsOfUrls) {
  Config config;
  ASSERT_TRUE(ApplySetting("alerting={alertmanagers: []}", &config).ok());
  EXPECT_EQ("{alertmanagers: []}", config.alerting.alertmanagers.text);
  EXPECT_EQ("--set alerting", config.alerting.alertmanagers.file);
  EXPECT_EQ("--set reports: takes a map or a list", ApplySetting("reports=5", &config).message());
  ASSERT_TRUE(ApplySetting("ruler.alertmanager_url='http://a:b@h:1/x,http://i'", &config).ok());
  EXPECT_NE(std::string::npos, ToYaml(config).find("alertmanager_url: \"http://a:<secret>@h:1/x,http://i\"\n"));
  ASSERT_TRUE(ApplySetting("global.external_labels={a: b}", &config).ok());
  EXPECT_FALSE(ApplySetting("global.external_labels=[a]", &config).ok());
  EXPECT_FALSE(ApplySetting("global.external_labels={a: [b]}", &config).ok());
  EXPECT_EQ("b", config.alerting.ruler.external_labels.at("a"));
}

TEST(Config, LooksForRuleFilesBesideTheFileThatNamesThem) {
  const std::string folder = ::testing::TempDir() + "alerting_config";
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/varve.yaml";
  std::ofstream(path) << "rule_files: [a.yml, /b.yml]\nalertmanager: {config_file: am.yml}\n";
  Config config;
  ASSERT_TRUE(ApplyConfigFile(path, &config).ok());
  EXPECT_EQ((std::vector<std::string>{folder + "/a.yml", "/b.yml"}), config.alerting.rule_files);
  EXPECT_EQ(folder + "/am.yml", config.alerting.notify_config_file);
  EXPECT_EQ("", config.alerting.ruler_directory);
}

TEST(Config, SetOverridesAnyKey) {
  Config config;
  EXPECT_TRUE(ApplySetting("limits.max_line_size=64KB", &config).ok());
  EXPECT_EQ(64 << 10, config.ingest.max_line_size);
  EXPECT_TRUE(ApplySetting("limits.discover_service_name=[]", &config).ok());
  EXPECT_TRUE(config.ingest.discover_service_name.empty());
  EXPECT_EQ("--set: unknown key \"nope\"", ApplySetting("nope=1", &config).message());
  EXPECT_EQ("--set nope: expected KEY=VALUE", ApplySetting("nope", &config).message());
}

TEST(Config, ReadsListenAddresses) {
  const struct {
    const char* text;
    const char* host;
    uint16_t port;
  } cases[] = {{"127.0.0.1:3100", "127.0.0.1", 3100},
               {"[::1]:80", "::1", 80},
               {":3100", "0.0.0.0", 3100},
               {"localhost:0", "127.0.0.1", 0}};
  for (const auto& c : cases) {
    Config config;
    ASSERT_TRUE(ApplyListenAddress(c.text, &config).ok()) << c.text;
    EXPECT_EQ(c.host, config.http.listen_address);
    EXPECT_EQ(c.port, config.http.listen_port);
  }
  Config config;
  for (const char* text : {"3100", "a:b", "a:70000", "a:", ""})
    EXPECT_FALSE(ApplyListenAddress(text, &config).ok()) << text;
}

TEST(Config, PrintsWhatItReadsBack) {
  Config config;
  ASSERT_TRUE(ApplySetting("limits.query_timeout=90s", &config).ok());
  ASSERT_TRUE(ApplySetting("storage.data_dir='/tmp/a \"b\"'", &config).ok());
  const std::string yaml = ToYaml(config);
  Config again;
  const Status status = ApplyConfigText(yaml, "printed", &again);
  ASSERT_TRUE(status.ok()) << status.ToString() << "\n" << yaml;
  EXPECT_EQ(90'000, again.query.query_timeout_ms);
  EXPECT_EQ("/tmp/a \"b\"", again.engine.data_dir);
  EXPECT_EQ(yaml, ToYaml(again));
}

// Between two marks docs/operations.md holds a row for each key. VARVE_UPDATE_GOLDEN=1 writes them.
TEST(Config, IsTheTableInTheDocumentation) {
  const std::string path = VARVE_SOURCE_DIR "/docs/operations.md";
  const std::string begin_mark = "<!-- config keys: begin -->\n";
  std::string table = "| key | default | meaning |\n|---|---|---|\n";
  for (const ConfigKey& key : ConfigKeys()) {
    table += "| `" + key.name + "` | `" + key.default_value + "` | " + key.meaning + " |\n";
  }
  std::stringstream stream;
  stream << std::ifstream(path).rdbuf();
  std::string document = stream.str();
  const size_t begin = document.find(begin_mark) + begin_mark.size();
  const size_t end = document.find("<!-- config keys: end -->");
  ASSERT_TRUE(begin <= end && end != std::string::npos) << "the marks are missing in " << path;
  if (std::getenv("VARVE_UPDATE_GOLDEN") != nullptr) {
    document.replace(begin, end - begin, table);
    std::ofstream(path) << document;
    return;
  }
  EXPECT_EQ(table, document.substr(begin, end - begin));
}

}  // namespace
}  // namespace varve
