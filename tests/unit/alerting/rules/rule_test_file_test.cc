#include "alerting/rules/rule_test_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(RuleTestFile, ReadsWhatPromtoolReads) {
  const auto file = ParseRuleTestFile(R"(
rule_files: [a.yml, b*.yml]
evaluation_interval: 30s
group_eval_order: [x, y]
fuzzy_compare: true
tests:
- name: first
  interval: 10s
  start_timestamp: 2026-11-20T00:00:00.5Z
  external_labels: {region: seoul}
  external_url: http://x
  input_series:
  - {series: 'm{a="b"}', values: '1+1x3'}
  alert_rule_test:
  - {eval_time: 1m, alertname: A, exp_alerts: [{exp_labels: {a: b}, exp_annotations: {c: d}}, {}]}
  promql_expr_test:
  - {expr: m, eval_time: 90s, exp_samples: [{labels: m, value: 1e3}, {value: -.inf}, {value: .nan}, {histogram: '{{count:1}}'}]}
- start_timestamp: 100.25
)",
                                      "t.yml");
  ASSERT_OK(file.status());
  EXPECT_THAT(file->rule_files, ElementsAre("a.yml", "b*.yml"));
  EXPECT_EQ(file->evaluation_interval_ms, 30'000);
  EXPECT_TRUE(file->fuzzy_compare);
  EXPECT_THAT(file->group_eval_order, ElementsAre("x", "y"));
  ASSERT_EQ(file->tests.size(), 2U);
  const RuleTest& test = file->tests[0];
  EXPECT_EQ(test.interval_ms, 10'000);
  EXPECT_EQ(test.start_ms, 1'795'132'800'500);
  EXPECT_THAT(test.external_labels, ElementsAre(Pair("region", "seoul")));
  EXPECT_EQ(test.series[0].values, "1+1x3");
  ASSERT_EQ(test.alert_tests[0].alerts.size(), 2U);
  EXPECT_THAT(test.alert_tests[0].alerts[0].annotations, ElementsAre(Pair("c", "d")));
  const std::vector<ExpectedSample>& samples = test.expression_tests[0].samples;
  ASSERT_EQ(samples.size(), 4U);
  EXPECT_EQ(samples[0].value, 1000);
  EXPECT_EQ(samples[1].value, -INFINITY);
  EXPECT_TRUE(std::isnan(samples[2].value));
  EXPECT_EQ(samples[3].histogram, "{{count:1}}");
  EXPECT_EQ(file->tests[1].interval_ms, 30'000);
  EXPECT_EQ(file->tests[1].start_ms, 100'250);
}

TEST(RuleTestFile, ReadsStreams) {
  const auto file = ParseRuleTestFile(R"(
tests:
- interval: 10s
  input_streams:
  - stream: '{a="b"}'
    entries:
    - {at: 1m, line: x, metadata: {k: v}, repeat: 3, every: 5s}
  - {stream: '{c="d"}', lines: [one, two]}
  - {stream: '{e="f"}', start: 2s, interval: 1m, lines: [three, four]}
  logql_expr_test: [{expr: 'rate({a="b"}[1m])', eval_time: 1m}]
)",
                                      "t.yml");
  ASSERT_OK(file.status());
  const std::vector<TestStream>& streams = file->tests[0].streams;
  ASSERT_EQ(streams.size(), 3U);
  ASSERT_EQ(streams[0].entries.size(), 3U);
  EXPECT_EQ(streams[0].entries[2].at_ms, 70'000);
  EXPECT_THAT(streams[0].entries[2].metadata, ElementsAre(Pair("k", "v")));
  EXPECT_EQ(streams[1].entries[1].at_ms, 10'000);
  EXPECT_EQ(streams[2].entries[0].at_ms, 2'000);
  EXPECT_EQ(streams[2].entries[1].at_ms, 62'000);
  EXPECT_EQ(file->tests[0].expression_tests[0].language, RuleLanguage::kLogql);
}

struct BadCase {
  const char* name;
  const char* text;
  const char* error;
};

class RuleTestFileErrors : public ::testing::TestWithParam<BadCase> {};

TEST_P(RuleTestFileErrors, NameFileAndLine) {
  EXPECT_THAT(ParseRuleTestFile(GetParam().text, "t.yml").status().message(), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RuleTestFileErrors,
    ::testing::Values(
        BadCase{"Key", "tests:\n- name: a\n  inputs: []\n", "t.yml:3: unknown key \"inputs\""},
        BadCase{"Alertname", "tests:\n- alert_rule_test: [{eval_time: 1m}]\n",
                "t.yml:2: an item under alert_rule_test misses required attribute alertname"},
        BadCase{"Value", "tests: [{promql_expr_test: [{expr: a, exp_samples: [{value: many}]}]}]", "'value' must be a number"},
        BadCase{"Start", "tests: [{start_timestamp: yesterday}]", "'start_timestamp' must be Unix seconds"},
        BadCase{"Order", "group_eval_order: [a, b, a]", "group name repeated in evaluation order: a"},
        BadCase{"NoStream", "tests: [{input_streams: [{lines: [a]}]}]", "an input stream needs a 'stream'"},
        BadCase{"EveryAlone", "tests: [{input_streams: [{stream: '{a=\"b\"}', entries: [{line: a, every: 1s}]}]}]",
                "'every' goes with 'repeat'"},
        BadCase{"TooMany", "tests: [{input_streams: [{stream: '{a=\"b\"}', entries: [{repeat: 600000}, {repeat: 600000}]}]}]",
                "a test's streams may have 1000000 entries"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace varve
