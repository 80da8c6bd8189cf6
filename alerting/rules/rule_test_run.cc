#include "alerting/rules/rule_test_run.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "alerting/rules/alert_records.h"
#include "alerting/rules/group_evaluation.h"
#include "alerting/rules/rule_test_report.h"
#include "alerting/rules/rule_test_store.h"
#include "engine/base/cancel.h"
#include "query/promql/syntax/parser.h"
#include "query/promql/values/series_description.h"

namespace varve {
namespace {

// 1h0m0s, as Go's time.Duration.
std::string GoDuration(int64_t ms) {
  const std::string sign = ms < 0 ? "-" : "";
  const uint64_t all = ms < 0 ? uint64_t{0} - static_cast<uint64_t>(ms) : static_cast<uint64_t>(ms);
  if (all > 0 && all < 1000) return sign + std::to_string(all) + "ms";
  std::string text = std::to_string(all / 1000 % 60);
  if (all % 1000 != 0) {
    std::string fraction = std::to_string(1000 + all % 1000).substr(1);
    while (fraction.ends_with('0')) fraction.pop_back();
    text += "." + fraction;
  }
  text += "s";
  if (all >= 60'000) text = std::to_string(all / 60'000 % 60) + "m" + text;
  if (all >= 3'600'000) text = std::to_string(all / 3'600'000) + "h" + text;
  return sign + text;
}

LabelMap WithoutEmpty(LabelMap labels) {
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
  return labels;
}

class RuleTestRun {
 public:
  RuleTestRun(const RuleTest& test, const RuleTestFile& file) : test_(test), file_(file) {}

  std::vector<std::string> Run(const std::vector<RuleGroup>& groups, const std::string& directory);

 private:
  void AddGroups(const std::vector<RuleGroup>& groups);
  // False: something failed to evaluate, which ends the test.
  bool EvaluateGroups(int64_t ts_ms);
  void CheckAlerts(int64_t begin_ms, int64_t end_ms);
  void CheckAlert(const AlertTest& expected);
  void CheckExpression(const ExpressionTest& expected);
  Result<std::vector<TestSample>> Expected(const ExpressionTest& expected) const;
  Result<std::vector<TestSample>> Got(const ExpressionTest& expected) const;
  int64_t LastEvalTimeMs() const;

  const RuleTest& test_;
  const RuleTestFile& file_;
  RuleTestStore store_;
  RulerOptions options_;
  EvaluationCounters counters_;
  CancelToken cancel_;
  std::vector<std::unique_ptr<GroupState>> groups_;
  std::vector<std::string> failures_;
};

// Those that group_eval_order names in its order; others where its first one is.
void RuleTestRun::AddGroups(const std::vector<RuleGroup>& groups) {
  const std::vector<std::string>& order = file_.group_eval_order;
  const auto place = [&](const RuleGroup* group) {
    const auto at = std::find(order.begin(), order.end(), group->name);
    return at == order.end() ? 0 : at - order.begin();
  };
  std::vector<const RuleGroup*> ordered;
  for (const RuleGroup& group : groups) ordered.push_back(&group);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [&](const RuleGroup* a, const RuleGroup* b) { return place(a) < place(b); });
  for (const RuleGroup* group : ordered) {
    auto state = std::make_unique<GroupState>();
    state->key = {.tenant = std::string(RuleTestStore::kTenant), .by_api = false, .file = group->file, .name = group->name};
    state->id = GroupId(state->key);
    state->interval_ms = group->interval_ms.value_or(test_.interval_ms);
    state->query_offset_ms = group->query_offset_ms.value_or(0);
    state->rules = MakeRuleStates(*group);
    state->group = *group;
    groups_.push_back(std::move(state));
  }
}

bool RuleTestRun::EvaluateGroups(int64_t ts_ms) {
  const size_t before = failures_.size();
  for (const std::unique_ptr<GroupState>& group : groups_) {
    GroupEvaluation(store_.means(), options_, &counters_, group.get(), {.ts_ms = ts_ms, .send = false}, &cancel_).Run();
    for (const RuleState& rule : group->rules) {
      if (rule.last_error.empty()) continue;
      const std::string error = rule.last_error.substr(0, rule.last_error.find_last_not_of('\n') + 1);
      failures_.push_back("    rule: " + rule.rule.name() + ", time: " + GoDuration(ts_ms) + ", err: " + error);
    }
  }
  return failures_.size() == before;
}

void RuleTestRun::CheckAlerts(int64_t begin_ms, int64_t end_ms) {
  std::multimap<int64_t, const AlertTest*> due;
  for (const AlertTest& expected : test_.alert_tests) {
    if (expected.eval_time_ms >= begin_ms && expected.eval_time_ms < end_ms) due.emplace(expected.eval_time_ms, &expected);
  }
  for (const auto& [time_ms, expected] : due) CheckAlert(*expected);
}

void RuleTestRun::CheckAlert(const AlertTest& expected) {
  std::vector<ExpectedAlert> got;
  for (const std::unique_ptr<GroupState>& group : groups_) {
    for (const RuleState& rule : group->rules) {
      if (rule.rule.recording() || rule.rule.alert != expected.alertname) continue;
      for (const auto& [key, alert] : rule.alerts.alerts()) {
        if (alert.state != AlertState::kFiring) continue;
        got.push_back({WithoutEmpty(alert.labels), WithoutEmpty(alert.annotations)});
      }
    }
  }
  std::vector<ExpectedAlert> wanted = expected.alerts;
  for (ExpectedAlert& alert : wanted) alert.labels["alertname"] = expected.alertname;
  std::string failure = CompareAlerts(test_.name, expected, std::move(wanted), std::move(got));
  if (!failure.empty()) failures_.push_back(std::move(failure));
}

Result<std::vector<TestSample>> RuleTestRun::Expected(const ExpressionTest& expected) const {
  std::vector<TestSample> samples;
  for (const ExpectedSample& one : expected.samples) {
    const auto parse = [&]() -> Result<TestSample> {
      TestSample sample;
      VARVE_ASSIGN_OR_RETURN(sample.labels, promql::ParseMetric(one.labels));
      sample.value = one.value;
      if (one.histogram.empty()) return sample;
      VARVE_ASSIGN_OR_RETURN(const promql::SeriesDescription series,
                             promql::ParseSeriesDescription("{} " + one.histogram));
      if (series.values.size() != 1) {
        return InvalidArgument("expected 1 value, got " + std::to_string(series.values.size()));
      }
      if (series.values[0].histogram == nullptr) return InvalidArgument("expected histogram, got a number");
      sample.histogram = promql::HistogramNotation(*series.values[0].histogram);
      return sample;
    };
    Result<TestSample> sample = parse();
    if (!sample.ok()) return std::move(sample).status().WithContext("labels " + GoQuoted(one.labels));
    samples.push_back(std::move(sample).value());
  }
  return samples;
}

Result<std::vector<TestSample>> RuleTestRun::Got(const ExpressionTest& expected) const {
  VARVE_ASSIGN_OR_RETURN(const std::unique_ptr<const RuleQuery> query,
                         RuleQuery::Parse(expected.expr, expected.language));
  VARVE_ASSIGN_OR_RETURN(const std::unique_ptr<TenantQueries> tenant, store_.Queries());
  VARVE_ASSIGN_OR_RETURN(const std::vector<RuleSample> vector,
                         query->Run(*tenant, test_.start_ms + expected.eval_time_ms, &cancel_));
  std::vector<TestSample> samples;
  for (const RuleSample& sample : vector) {
    samples.push_back({.labels = sample.labels,
                       .value = sample.value,
                       .histogram = sample.histogram == nullptr ? "" : promql::HistogramNotation(*sample.histogram)});
  }
  return samples;
}

void RuleTestRun::CheckExpression(const ExpressionTest& expected) {
  Result<std::vector<TestSample>> got = Got(expected);
  Result<std::vector<TestSample>> wanted = got.ok() ? Expected(expected) : std::vector<TestSample>();
  const Status& failed = got.ok() ? wanted.status() : got.status();
  if (!failed.ok()) {
    failures_.push_back(ExpressionErrorText(expected, failed));
    return;
  }
  std::string failure =
      CompareSamples(expected, file_.fuzzy_compare, std::move(wanted).value(), std::move(got).value());
  if (!failure.empty()) failures_.push_back(std::move(failure));
}

int64_t RuleTestRun::LastEvalTimeMs() const {
  int64_t last_ms = 0;
  for (const AlertTest& one : test_.alert_tests) last_ms = std::max(last_ms, one.eval_time_ms);
  for (const ExpressionTest& one : test_.expression_tests) last_ms = std::max(last_ms, one.eval_time_ms);
  return last_ms;
}

std::vector<std::string> RuleTestRun::Run(const std::vector<RuleGroup>& groups, const std::string& directory) {
  Status status = store_.Open(directory, file_.evaluation_interval_ms);
  if (status.ok()) status = store_.SetInput(test_);
  if (!status.ok()) return {"    " + status.message()};
  options_.external_labels = test_.external_labels;
  options_.external_url = test_.external_url;
  AddGroups(groups);
  const int64_t step_ms = file_.evaluation_interval_ms;
  const int64_t last_ms = LastEvalTimeMs();
  for (int64_t at_ms = 0; at_ms <= last_ms; at_ms += step_ms) {
    status = store_.LoadUntil(test_.start_ms + at_ms);
    if (!status.ok()) return {"    " + status.message()};
    if (!EvaluateGroups(test_.start_ms + at_ms)) return std::move(failures_);
    CheckAlerts(at_ms, at_ms + step_ms);
  }
  for (const ExpressionTest& expected : test_.expression_tests) CheckExpression(expected);
  return std::move(failures_);
}

}  // namespace

std::vector<std::string> RunRuleTest(const RuleTest& test, const RuleTestFile& file,
                                     const std::vector<RuleGroup>& groups, const std::string& directory) {
  RuleTestRun run(test, file);
  return run.Run(groups, directory);
}

}  // namespace varve
