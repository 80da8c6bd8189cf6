#include "tools/live_limits.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace varve {
namespace {

class FixedClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns; }
  int64_t now_ns = 5 * kNsPerSecond;
};

class LiveLimitsTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(std::string(dir_.path()) + "/" + name) << text;
  }
  Result<Config> Load() {
    Config config;
    VARVE_RETURN_IF_ERROR(ApplyConfigFile(std::string(dir_.path()) + "/varve.yaml", &config));
    config.runtime_config_file = std::string(dir_.path()) + "/overrides.yaml";
    return config;
  }
  std::unique_ptr<LiveLimits> Start() {
    Result<Config> config = Load();
    EXPECT_TRUE(config.ok()) << config.status().ToString();
    auto limits = std::make_unique<LiveLimits>([this] { return Load(); }, *config, &clock_);
    const Status read = limits->ReadOverrides();
    EXPECT_TRUE(read.ok()) << read.ToString();
    return limits;
  }

  TempDir dir_;
  FixedClock clock_;
};

TEST_F(LiveLimitsTest, GivesTenantsTheirOwnLimitsAndTheRestTheDefaults) {
  Write("varve.yaml",
        "limits:\n  max_query_series: 9\n  max_line_size: 10\n  retention_period: 48h\n"
        "  retention_stream: [{selector: '{a=\"b\"}', period: 24h}]\n");
  Write("overrides.yaml", "overrides:\n  t:\n    max_query_series: 3\n    retention_period: 12h\n  u:\n");
  const auto limits = Start();
  EXPECT_EQ(limits->query()->Of("t")->max_query_series, 3u);
  EXPECT_EQ(limits->query()->Of("u")->max_query_series, 9u);
  EXPECT_EQ(limits->query()->Of("v")->max_query_series, 9u);
  EXPECT_EQ(limits->ingest()->Of("t")->max_line_size, 10) << "what is not overridden is the default";
  const auto policy = limits->retention()->policy();
  EXPECT_EQ(policy->PeriodNs("t", Labels::FromUnsorted({{"a", "c"}})), 12 * kNsPerHour);
  EXPECT_EQ(policy->PeriodNs("t", Labels::FromUnsorted({{"a", "b"}})), 24 * kNsPerHour);
  EXPECT_EQ(policy->PeriodNs("v", Labels::FromUnsorted({{"a", "c"}})), 48 * kNsPerHour);
  EXPECT_EQ(limits->stats().tenants_overridden, 2u);
  EXPECT_EQ(limits->stats().values_overridden, 2u);
  EXPECT_NE(limits->TenantYaml("t").find("\nmax_query_series: 3\n"), std::string::npos);
  EXPECT_NE(limits->TenantYaml("t").find("retention_stream: [{selector: \"{a=\\\"b\\\"}\""),
            std::string::npos)
      << limits->TenantYaml("t");
  EXPECT_NE(limits->TenantYaml("v").find("\nmax_query_series: 9\n"), std::string::npos);
}

TEST_F(LiveLimitsTest, ReloadsBothFilesAndChangesOnlyLimits) {
  Write("varve.yaml", "limits:\n  max_query_series: 9\n");
  Write("overrides.yaml", "overrides:\n  t:\n    max_line_size: 5\n");
  const auto limits = Start();
  const auto held = limits->query()->Of("t");
  Write("varve.yaml", "limits:\n  max_query_series: 11\nserver:\n  http_listen_port: 1\n");
  Write("overrides.yaml", "overrides:\n  t:\n    max_line_size: 6\n");
  clock_.now_ns = 7 * kNsPerSecond;
  ASSERT_TRUE(limits->Reload().ok());
  EXPECT_EQ(limits->query()->Of("t")->max_query_series, 11u);
  EXPECT_EQ(limits->ingest()->Of("t")->max_line_size, 6);
  EXPECT_EQ(held->max_query_series, 9u) << "who holds limits keeps them";
  EXPECT_NE(limits->ConfigYaml().find("max_query_series: 11"), std::string::npos);
  EXPECT_NE(limits->ConfigYaml().find("http_listen_port: 3100"), std::string::npos)
      << "no limit: not reloaded";
  EXPECT_EQ(limits->stats().reloads_succeeded, 1u);
  EXPECT_EQ(limits->stats().last_success_ns, 7 * kNsPerSecond);
}

TEST_F(LiveLimitsTest, ABadFileChangesNothing) {
  Write("varve.yaml", "limits:\n  max_query_series: 9\n");
  Write("overrides.yaml", "overrides:\n  t:\n    max_line_size: 5\n");
  const auto limits = Start();
  Write("varve.yaml", "limits:\n  max_query_series: 11\n");
  Write("overrides.yaml", "overrides:\n  t:\n    max_line_sizes: 6\n");
  clock_.now_ns = 7 * kNsPerSecond;
  const Status status = limits->Reload();
  EXPECT_EQ(status.message(), std::string(dir_.path()) +
                                  "/overrides.yaml:3: t: unknown key \"limits.max_line_sizes\"; did you mean "
                                  "\"limits.max_line_size\"?");
  EXPECT_EQ(limits->query()->Of("t")->max_query_series, 9u);
  EXPECT_EQ(limits->ingest()->Of("t")->max_line_size, 5);
  EXPECT_EQ(limits->stats().reloads_failed, 1u);
  EXPECT_FALSE(limits->stats().last_succeeded);
  EXPECT_EQ(limits->stats().last_success_ns, 5 * kNsPerSecond);
}

TEST_F(LiveLimitsTest, ReloadsWithAParticipantOrNotAtAll) {
  Write("varve.yaml", "limits:\n  max_query_series: 9\n");
  Write("overrides.yaml", "");
  const auto limits = Start();
  bool good = false;
  std::vector<std::string> applied;
  limits->SetParticipant([&](const Config& fresh) -> Result<std::function<void()>> {
    if (!good) return InvalidArgument("rules.yml:3: bad");
    return std::function<void()>([&applied, files = fresh.alerting.rule_files] { applied = files; });
  });
  Write("varve.yaml", "limits:\n  max_query_series: 11\nrule_files: [/a.yml]\nglobal: {evaluation_interval: 5s}\n");
  EXPECT_EQ(limits->Reload().message(), "rules.yml:3: bad");
  EXPECT_EQ(limits->query()->Of("t")->max_query_series, 9u);
  EXPECT_NE(limits->ConfigYaml().find("rule_files: []\n"), std::string::npos);
  good = true;
  Write("overrides.yaml", "overrides:\n  t:\n    nope: 6\n");
  EXPECT_FALSE(limits->Reload().ok());
  EXPECT_TRUE(applied.empty()) << "the limits are wrong";
  Write("overrides.yaml", "");
  ASSERT_TRUE(limits->Reload().ok());
  EXPECT_EQ(applied, std::vector<std::string>{"/a.yml"});
  EXPECT_EQ(limits->query()->Of("t")->max_query_series, 11u);
  EXPECT_NE(limits->ConfigYaml().find("rule_files: [\"/a.yml\"]\n"), std::string::npos);
  EXPECT_NE(limits->ConfigYaml().find("evaluation_interval: 1m\n"), std::string::npos) << "needs a restart";
}

TEST_F(LiveLimitsTest, NamesWhatIsWrongWithOverrides) {
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"override:\n", "f:1: unknown key \"override\"; did you mean \"overrides\"?"},
      {"overrides: [a]\n", "f:1: overrides: not a map of tenants"},
      {"overrides:\n  t: 5\n", "f:2: t: not a map of limits"},
      {"overrides:\n  t:\n  t:\n", "f:3: t: given twice"},
      {"overrides:\n  t:\n    max_line_size: 1\n    max_line_size: 2\n",
       "f:4: t: max_line_size: given twice"},
      {"overrides:\n  t:\n    max_line_size: many\n",
       "f:3: t: limits.max_line_size: \"many\" is not a size such as 64KB, 512MB or 4GB"},
      {"overrides:\n  t:\n    retention_stream: [{selector: '{', period: 1h}]\n",
       "f:3: t: limits.retention_stream: selector {: parse error at line 1, col 2: syntax error: unexpected "
       "$end, expecting IDENTIFIER or }"},
      {"overrides:\n  t:\n    retention_stream: [{selector: '{a=\"b\"}'}]\n",
       "f:3: t: limits.retention_stream: selector {a=\"b\"}: needs a period above 0"},
      {"overrides:\n  t:\n    blocked_queries: [{pattern: '[', regex: true}]\n",
       "f:3: t: limits.blocked_queries: pattern: error parsing regexp: missing closing ]: `[`"},
      {"overrides:\n  t:\n    blocked_queries: [{kind: x}]\n",
       "f:3: t: limits.blocked_queries: unknown key \"kind\""},
      {"overrides:\n  t:\n    blocked_queries: [{types: [fast]}]\n",
       "f:3: t: limits.blocked_queries: \"fast\" is none of metric, filter, limited"},
      {"overrides:\n  t:\n    mask: [{regex: 'a*'}]\n",
       "f:3: t: limits.mask: regex: a* matches the empty text"},
      {"overrides:\n  t:\n    mask: [{expression: a}]\n",
       "f:3: t: limits.mask: unknown key \"expression\""},
      {"overrides:\n  t:\n    block_ingestion_until: tomorrow\n",
       "f:3: t: limits.block_ingestion_until: \"tomorrow\" is not an instant such as 2026-11-20T00:00:00Z"},
  };
  for (const auto& c : cases) {
    const auto tenants = ReadOverridesText(c.text, "f", Config());
    ASSERT_FALSE(tenants.ok()) << c.text;
    EXPECT_EQ(c.error, tenants.status().message()) << c.text;
  }
  EXPECT_TRUE(ReadOverridesText("", "f", Config()).ok());
  EXPECT_TRUE(ReadOverridesText("overrides:\n", "f", Config()).ok());
}

TEST_F(LiveLimitsTest, PrintsListsAsItReadsThem) {
  Config config;
  ASSERT_TRUE(
      ApplyConfigText("limits:\n"
                      "  block_ingestion_until: 2026-11-20T01:02:03Z\n"
                      "  retention_stream:\n"
                      "    - selector: '{app=\"x\", env!=\"y\"}'\n      priority: 3\n      period: 90d\n"
                      "  blocked_queries:\n"
                      "    - pattern: 'rate\\('\n      regex: true\n      types: metric,filter\n"
                      "    - hash: 77\n"
                      "  mask:\n"
                      "    - {regex: '(token)=\\S+', replacement: '$1=\"x\"'}\n    - regex: hunter2\n",
                      "f", &config)
          .ok());
  ASSERT_EQ(config.retention_streams.size(), 1u);
  EXPECT_EQ(config.retention_streams[0].matchers.size(), 2u);
  EXPECT_EQ(config.retention_streams[0].period_ns, 90 * 24 * kNsPerHour);
  ASSERT_EQ(config.query.blocked_queries.size(), 2u);
  EXPECT_NE(config.query.blocked_queries[0].compiled, nullptr);
  ASSERT_NE(config.ingest.mask, nullptr);
  EXPECT_EQ(config.ingest.mask->rules(),
            (std::vector<MaskRule>{{"(token)=\\S+", "$1=\"x\""}, {"hunter2", "****"}}));
  Config again;
  const std::string yaml = ToYaml(config);
  const Status status = ApplyConfigText(yaml, "printed", &again);
  ASSERT_TRUE(status.ok()) << status.ToString() << "\n" << yaml;
  EXPECT_EQ(yaml, ToYaml(again));
}

}  // namespace
}  // namespace varve
