// Unit tests of rules: the format of `promtool test rules`, and log streams beside series.
//
//   rule_files: [globs]  evaluation_interval: 1m  group_eval_order: [names]  fuzzy_compare: false
//   tests:
//   - name, interval, start_timestamp, external_labels, external_url
//     input_series: [{series: 'm{a="b"}', values: '1+1x10'}]
//     input_streams: [{stream: '{job="a"}', entries: [{at: 1m, line: …, metadata: {…}, repeat: 10, every: 1s}]},
//                     {stream: '{job="b"}', start: 0s, interval: 10s, lines: [a, b]}]
//     alert_rule_test: [{eval_time, alertname, exp_alerts: [{exp_labels, exp_annotations}]}]
//     promql_expr_test, logql_expr_test: [{expr, eval_time, exp_samples: [{labels, value, histogram}]}]
//
// docs/rules.md explains each key. Plain data; texts in PromQL's and LogQL's notations are parsed when the test runs.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/label_map.h"
#include "alerting/rules/rule_group.h"
#include "engine/base/status.h"

namespace varve {

// Of one test.
inline constexpr size_t kTestEntriesMax = 1'000'000;
inline constexpr size_t kTestEntryBytesMax = 256 << 20;

struct TestSeries {
  std::string series;
  std::string values;
};

struct TestEntry {
  int64_t at_ms = 0;  // from the test's start
  std::string line;
  LabelMap metadata;
};

struct TestStream {
  std::string stream;  // {job="a"}
  std::vector<TestEntry> entries;
};

struct ExpectedAlert {
  LabelMap labels;  // without alertname
  LabelMap annotations;
};

struct AlertTest {
  int64_t eval_time_ms = 0;
  std::string alertname;
  std::vector<ExpectedAlert> alerts;
};

struct ExpectedSample {
  std::string labels;     // m{a="b"}
  double value = 0;
  std::string histogram;  // {{count:5}}, instead of the value, or empty
};

struct ExpressionTest {
  RuleLanguage language = RuleLanguage::kPromql;
  std::string expr;
  int64_t eval_time_ms = 0;
  std::vector<ExpectedSample> samples;
};

struct RuleTest {
  std::string name;
  int64_t interval_ms = 0;  // between the values of a series
  int64_t start_ms = 0;
  std::vector<TestSeries> series;
  std::vector<TestStream> streams;
  std::vector<AlertTest> alert_tests;
  std::vector<ExpressionTest> expression_tests;
  LabelMap external_labels;
  std::string external_url;
};

struct RuleTestFile {
  std::vector<std::string> rule_files;  // patterns, relative to the file
  int64_t evaluation_interval_ms = 60'000;
  bool fuzzy_compare = false;  // neighbouring floats are equal
  std::vector<std::string> group_eval_order;
  std::vector<RuleTest> tests;
};

// kInvalidArgument lists every error, one a line: `tests.yml:12: unknown key …`.
Result<RuleTestFile> ParseRuleTestFile(std::string_view text, std::string_view name);

}  // namespace varve
