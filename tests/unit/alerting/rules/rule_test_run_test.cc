#include "alerting/rules/rule_test_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/rules/rule_file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What fails when the first test of `tests` runs over `rules`.
std::vector<std::string> Failures(const std::string& rules, const std::string& tests) {
  const TempDir dir;
  const auto groups = ParseRuleFile(rules, "rules.yml", RuleLanguage::kPromql);
  EXPECT_OK(groups);
  const auto file = ParseRuleTestFile(tests, "tests.yml");
  EXPECT_OK(file);
  if (!groups.ok() || !file.ok()) return {"not read"};
  return RunRuleTest(file->tests[0], file.value(), groups.value(), dir.path() + "/store");
}

TEST(RuleTestRun, EvaluatesRulesOverSeriesAndStreams) {
  EXPECT_THAT(Failures("groups:\n- name: g\n  rules:\n"
                  "  - {record: lines, expr: 'sum(count_over_time({a=\"b\"}[1m]))', type: logql}\n"
                  "  - {alert: Both, expr: lines > 1 and on() up == 0, for: 1m, annotations: {is: '{{ $value }}'}}\n",
                  "tests:\n- interval: 1m\n  input_series: [{series: up, values: '1 0x9'}]\n"
                  "  input_streams: [{stream: '{a=\"b\"}', entries: [{at: 5s, line: x, repeat: 30, every: 10s}]}]\n"
                  "  alert_rule_test:\n  - {eval_time: 1m, alertname: Both}\n"
                  "  - {eval_time: 2m, alertname: Both, exp_alerts: [{exp_annotations: {is: 6}}]}\n"
                  "  promql_expr_test: [{expr: lines, eval_time: 3m, exp_samples: [{labels: lines, value: 6}]}]\n"
                  "  logql_expr_test: [{expr: 'sum(count_over_time({a=\"b\"}[1h]))', eval_time: 9m, exp_samples: [{value: 30}]}]\n"),
              IsEmpty());
}

TEST(RuleTestRun, SaysWhatDiffersAsPromtoolDoes) {
  EXPECT_THAT(Failures("groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]",
                  "tests:\n- name: t\n  interval: 1m\n  input_series: [{series: 'up{i=\"a\"}', values: '0x3'}]\n"
                  "  alert_rule_test: [{eval_time: 1m, alertname: A}]\n"
                  "  promql_expr_test: [{expr: up, eval_time: 1m, exp_samples: [{labels: up, value: 1.5}]}]\n"),
              ElementsAre("    name: t,\n    alertname: A, time: 1m, \n        exp:[], \n        got:[\n            0:\n"
                          "              Labels:{alertname=\"A\", i=\"a\"}\n              Annotations:{}\n            ]",
                          "    expr: \"up\", time: 1m,\n        exp: {__name__=\"up\"} 1.5E+00\n"
                          "        got: {__name__=\"up\", i=\"a\"} 0E+00"));
}

TEST(RuleTestRun, EndsAtARuleThatFails) {
  EXPECT_THAT(Failures("groups: [{name: g, rules: [{record: r, expr: 'a + on() b'}]}]",
                  "tests:\n- interval: 1m\n  input_series: [{series: a, values: '1x90'}, {series: 'b{x=\"1\"}', values: '_x61 1x9'}, "
                  "{series: 'b{x=\"2\"}', values: '_x61 1x9'}]\n  promql_expr_test: [{expr: a, eval_time: 90m}]\n"),
              ElementsAre(HasSubstr("    rule: r, time: 1h1m0s, err: found duplicate series for the match group {}")));
}

TEST(RuleTestRun, FuzzyIsOneStepBetweenFloats) {
  const std::string tests =
      "tests:\n- interval: 1m\n  input_series: [{series: a, values: '2.9999999999999996'}]\n"
      "  promql_expr_test: [{expr: a, eval_time: 0, exp_samples: [{labels: a, value: 3}]}]\n";
  EXPECT_THAT(Failures("", "fuzzy_compare: true\n" + tests), IsEmpty());
  EXPECT_THAT(Failures("", tests), ElementsAre(HasSubstr("got: {__name__=\"a\"} 2.9999999999999996E+00")));
}

TEST(RuleTestRun, KnowsHistograms) {
  EXPECT_THAT(Failures("groups: [{name: g, rules: [{record: r, expr: 'sum(h)'}]}]",
                  "tests:\n- interval: 1m\n  input_series: [{series: h, values: '{{schema:1 count:3 sum:4 offset:-1 buckets:[1 0 2]}}x3'}]\n"
                  "  promql_expr_test:\n  - {expr: h, eval_time: 1m, exp_samples: [{labels: h, histogram: "
                  "'{{schema:1 count:3 sum:4 counter_reset_hint:not_reset offset:-1 buckets:[1 0 2]}}'}]}\n"
                  "  - {expr: histogram_count(r), eval_time: 1m, exp_samples: [{value: 3}]}\n"),
              IsEmpty());
}

TEST(RuleTestRun, RefusesInputThatCannotBeStored) {
  EXPECT_THAT(Failures("", "tests: [{input_series: [{series: 'a{', values: '1'}]}]"), ElementsAre(HasSubstr("input series")));
  EXPECT_THAT(Failures("", "tests: [{input_streams: [{stream: '{a=~\"b\"}', lines: [x]}]}]"),
              ElementsAre(HasSubstr("labels with = only are wanted")));
  EXPECT_THAT(Failures("", "tests: [{start_timestamp: 9000000000, promql_expr_test: [{expr: a, eval_time: 200y}]}]"),
              ElementsAre(HasSubstr("beyond what can be stored")));
  EXPECT_THAT(Failures("", "tests: [{interval: 200y, input_series: [{series: a, values: '1x3'}]}]"),
              ElementsAre(HasSubstr("ends at a time that cannot be stored")));
}

}  // namespace
}  // namespace varve
