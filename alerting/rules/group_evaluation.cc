#include "alerting/rules/group_evaluation.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "alerting/rules/alert_expansion.h"
#include "alerting/rules/alert_lines.h"
#include "alerting/rules/alert_records.h"
#include "alerting/rules/generator_url.h"
#include "engine/base/failpoint.h"
#include "engine/base/time.h"
#include "engine/model/sample.h"

namespace varve {
namespace {

// Lines of earlier evaluations that wait for a push to take them; beyond it the oldest go.
constexpr size_t kWaitingLinesMax = 10'000;

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void Add(std::atomic<uint64_t>* counter, uint64_t n) { counter->fetch_add(n, std::memory_order_relaxed); }

Status DuplicateAlerts() {
  return ExecutionError("vector contains metrics with the same labelset after applying alert labels");
}

PackedLabels WithoutName(const PackedLabels& labels) {
  if (!labels.Has(kMetricName)) return labels;
  PackedLabelsBuilder builder(labels);
  builder.Delete(kMetricName);
  return builder.Build();
}

// One change an alert, from what it was to what it is in the end.
std::vector<AlertChange> NetChanges(std::vector<AlertChange> changes) {
  std::map<PackedLabels, AlertChange> net;
  for (AlertChange& change : changes) {
    const auto [at, added] = net.try_emplace(change.key, change);
    if (added) continue;
    at->second.to = change.to;
    at->second.alert = std::move(change.alert);
  }
  std::vector<AlertChange> out;
  for (auto& [key, change] : net) {
    if (change.from != change.to) out.push_back(std::move(change));
  }
  return out;
}

}  // namespace

GroupEvaluation::GroupEvaluation(const RulerMeans& means, const RulerOptions& options, EvaluationCounters* counters,
                                 GroupState* group, When when, const CancelToken* cancel)
    : means_(means), options_(options), counters_(counters), group_(group), when_(when), cancel_(cancel) {}

int64_t GroupEvaluation::NowMs() const { return means_.clock->NowNs() / kNsPerMs; }

bool GroupEvaluation::Run() {
  const Steady::time_point begin = Steady::now();
  const Result<TenantId> tenant = means_.engine->InternTenant(group_->key.tenant);
  if (tenant.ok()) {
    tenant_ = tenant.value();
    queries_ = std::make_unique<TenantQueries>(means_.engine, means_.promql, means_.query_limits, group_->key.tenant,
                                               tenant_);
  }
  DropOldLines();
  for (RuleState& rule : group_->rules) {
    if (!EvaluateRule(&rule)) return false;
  }
  WritePending();
  WriteStale(true);
  VARVE_KILL_POINT("rules_after_samples");
  {
    const MutexLock lock(group_->mu);
    group_->last_iteration_ms = when_.ts_ms;
    group_->last_sample_ms = sample_ms();
    group_->last_evaluation_ms = NowMs();
    group_->evaluation_seconds = SecondsSince(begin);
  }
  // Before the state says that they have ended.
  SendUnheard();
  VARVE_KILL_POINT("rules_after_unheard");
  Commit();
  VARVE_KILL_POINT("rules_after_state");
  WriteAlertLines();
  VARVE_KILL_POINT("rules_after_lines");
  if (when_.send) Send();
  Add(&counters_->iterations, 1);
  Add(&counters_->evaluation_micros, static_cast<uint64_t>(SecondsSince(begin) * 1e6));
  return true;
}

// False: cancelled; the rule is as it was.
bool GroupEvaluation::EvaluateRule(RuleState* rule) {
  if (!cancel_->Check().ok()) return false;
  if (MayReadPending(*rule)) WritePending();
  const Steady::time_point begin = Steady::now();
  Status status;
  if (rule->query == nullptr) {
    status = rule->parse_error.Clone();
  } else if (queries_ == nullptr) {
    status = Unavailable("the tenant cannot be created");
  } else {
    status = rule->rule.recording() ? Record(rule) : rule->rule.alarm.has_value() ? Watch(rule) : Alert(rule);
  }
  if (status.code() == Code::kCancelled && !cancel_->Check().ok()) return false;
  Add(&counters_->evaluations, 1);
  if (!status.ok()) Add(&counters_->evaluation_failures, 1);
  const MutexLock lock(group_->mu);
  rule->health = status.ok() ? RuleHealth::kOk : RuleHealth::kError;
  rule->last_error = status.ok() ? "" : status.message();
  rule->last_evaluation_ms = NowMs();
  rule->evaluation_seconds = SecondsSince(begin);
  ++evaluated_count_;
  return true;
}

// ---- Recording rules ----

bool GroupEvaluation::RecordedByOther(const RuleState& rule, const PackedLabels& series) const {
  const auto has = [&](const Pending& pending) { return pending.recorded.contains(series); };
  if (std::any_of(pending_.begin(), pending_.end(), has)) return true;
  return std::any_of(group_->rules.begin(), group_->rules.end(), [&](const RuleState& other) {
    return &other != &rule && other.rule.recording() && other.recorded.contains(series);
  });
}

// After a restart: the rule's series are those with a sample of the last iteration. Of another rule that records the
// same metric too; RecordedByOther keeps them apart.
Status GroupEvaluation::AskRecorded(RuleState* rule) {
  std::vector<Matcher> matchers;
  const auto add = [&](std::string name, std::string value) -> Status {
    VARVE_ASSIGN_OR_RETURN(Matcher matcher, Matcher::Create(std::move(name), MatchOp::kEqual, std::move(value)));
    matchers.push_back(std::move(matcher));
    return Status::Ok();
  };
  VARVE_RETURN_IF_ERROR(add(std::string(kMetricName), rule->rule.record));
  for (const auto& [name, value] : rule->rule.labels) VARVE_RETURN_IF_ERROR(add(name, value));
  const MetricRange then = {*group_->last_sample_ms, *group_->last_sample_ms};
  VARVE_ASSIGN_OR_RETURN(const auto snapshot, means_.engine->metrics().Snapshot(tenant_, matchers, then));
  SeriesSet found;
  SeriesSamples samples;
  for (size_t i = 0; i < snapshot->size(); ++i) {
    VARVE_RETURN_IF_ERROR(snapshot->Read(i, then, nullptr, &samples));
    const bool ended = !samples.floats.empty() && IsStaleNan(samples.floats.back());
    if (!samples.empty() && !ended) found.insert(snapshot->labels(i));
  }
  const MutexLock lock(group_->mu);
  rule->recorded = std::move(found);
  rule->recorded_known = true;
  return Status::Ok();
}

Status GroupEvaluation::Record(RuleState* rule) {
  if (!rule->recorded_known && group_->last_sample_ms.has_value()) VARVE_RETURN_IF_ERROR(AskRecorded(rule));
  VARVE_ASSIGN_OR_RETURN(const std::vector<RuleSample> samples, rule->query->Run(*queries_, sample_ms(), cancel_));
  Pending pending = {.rule = rule, .recorded = {}};
  std::vector<PackedLabels> series;
  series.reserve(samples.size());
  PackedLabelsBuilder builder;
  for (const RuleSample& sample : samples) {
    builder.Reset(sample.labels);
    builder.Set(kMetricName, rule->rule.record);
    for (const auto& [name, value] : rule->rule.labels) builder.Set(name, value);
    series.push_back(builder.Build());
    if (!pending.recorded.insert(series.back()).second) {
      return ExecutionError("vector contains metrics with the same labelset after applying rule labels");
    }
  }
  if (group_->group.limit > 0 && samples.size() > group_->group.limit) {
    return ExecutionError("exceeded limit of " + std::to_string(group_->group.limit) + " with " +
                          std::to_string(samples.size()) + " series");
  }
  for (size_t i = 0; i < samples.size(); ++i) {
    batch_.Add(series[i], sample_ms(), samples[i].value, samples[i].histogram);
  }
  const MutexLock lock(group_->mu);
  std::erase_if(rule->ended, [&](const PackedLabels& labels) { return pending.recorded.contains(labels); });
  for (const PackedLabels& before : rule->recorded) {
    if (!pending.recorded.contains(before) && !RecordedByOther(*rule, before)) rule->ended.push_back(before);
  }
  pending_.push_back(std::move(pending));
  return Status::Ok();
}

// ---- Alerting rules ----

Status GroupEvaluation::CheckCount(size_t count) const {
  if (count <= options_.alerts_per_rule_max) return Status::Ok();
  return ExecutionError("exceeded ruler.max_alerts_per_rule of " + std::to_string(options_.alerts_per_rule_max) +
                        " with " + std::to_string(count) + " alerts");
}

Status GroupEvaluation::Alert(RuleState* rule) {
  VARVE_ASSIGN_OR_RETURN(const std::vector<RuleSample> samples, rule->query->Run(*queries_, sample_ms(), cancel_));
  VARVE_RETURN_IF_ERROR(CheckCount(samples.size()));
  AlertExpansion expansion(rule, options_, *queries_, when_.ts_ms, cancel_);
  std::map<PackedLabels, SeenAlert> seen;
  for (const RuleSample& sample : samples) {
    SeenAlert alert = expansion.Expand(sample);
    PackedLabels key = PackLabels(alert.labels);
    if (!seen.emplace(std::move(key), std::move(alert)).second) return DuplicateAlerts();
  }
  // A template's query may have been cut short.
  VARVE_RETURN_IF_ERROR(cancel_->Check());
  const MutexLock lock(group_->mu);
  return TakeAlerts(rule, std::move(seen));
}

Status GroupEvaluation::Watch(RuleState* rule) {
  VARVE_ASSIGN_OR_RETURN(const std::vector<RuleSample> samples, rule->query->Run(*queries_, sample_ms(), cancel_));
  std::map<PackedLabels, RuleSample> breaching;  // by labels without the name, as `bool` leaves them
  for (const RuleSample& sample : samples) breaching.emplace(WithoutName(sample.labels), sample);
  std::vector<RuleSample> all = samples;
  if (rule->presence != nullptr) {
    VARVE_ASSIGN_OR_RETURN(all, rule->presence->Run(*queries_, sample_ms(), cancel_));
  }
  VARVE_RETURN_IF_ERROR(CheckCount(all.size()));
  AlertExpansion expansion(rule, options_, *queries_, when_.ts_ms, cancel_);
  std::map<PackedLabels, AlarmObservation> observed;
  for (const RuleSample& sample : all) {
    const bool holds = rule->presence == nullptr || sample.value != 0;
    const auto at = breaching.find(WithoutName(sample.labels));
    AlarmObservation observation = {.alert = expansion.Expand(holds && at != breaching.end() ? at->second : sample),
                                    .breaching = holds};
    PackedLabels key = PackLabels(observation.alert.labels);
    if (!observed.emplace(std::move(key), std::move(observation)).second) return DuplicateAlerts();
  }
  SeenAlert nothing_seen;
  if (observed.empty() && rule->alarms.alarms().empty()) nothing_seen = expansion.Expand(RuleSample{});
  VARVE_RETURN_IF_ERROR(cancel_->Check());
  std::vector<AlarmChange> changes;
  const MutexLock lock(group_->mu);
  rule->alarms.Forget(when_.ts_ms, observed);
  const AlarmTable::Alarms& known = rule->alarms.alarms();
  const auto is_new = [&](const auto& item) { return !known.contains(item.first); };
  VARVE_RETURN_IF_ERROR(
      CheckCount(known.size() + static_cast<size_t>(std::count_if(observed.begin(), observed.end(), is_new))));
  rule->alarms.Step(when_.ts_ms, *rule->rule.alarm, std::move(observed), nothing_seen, &changes);
  for (const AlarmChange& change : changes) {
    group_->lines.push_back({when_.ts_ms, AlarmLine(*group_, rule->rule, change)});
  }
  return TakeAlerts(rule, rule->alarms.Alerts(*rule->rule.alarm));
}

Status GroupEvaluation::TakeAlerts(RuleState* rule, std::map<PackedLabels, SeenAlert> seen) {
  const bool alarm = rule->rule.alarm.has_value();
  std::vector<AlertChange> changes;
  Status status;
  rule->alerts.Step(when_.ts_ms, alarm ? 0 : rule->rule.for_ms, alarm ? 0 : rule->rule.keep_firing_for_ms,
                    std::move(seen), &changes);
  rule->alerts.ForgetEnded(options_.alerts_per_rule_max);
  const size_t active = rule->alerts.active_count();
  if (group_->group.limit > 0 && active > group_->group.limit) {
    rule->alerts.Clear(&changes);
    status = ExecutionError("exceeded limit of " + std::to_string(group_->group.limit) + " with " +
                            std::to_string(active) + " alerts");
  }
  if (!changes.empty()) {
    changes = NetChanges(std::move(changes));
    EndSeries(rule, changes);
    for (const AlertChange& change : changes) {
      if (alarm) break;  // its own changes tell
      group_->lines.push_back({when_.ts_ms, AlertLine(*group_, rule->rule, change)});
    }
  }
  if (!status.ok()) return status;
  AddAlertSamples(rule);
  evaluated_.push_back(rule);
  return Status::Ok();
}

void GroupEvaluation::EndSeries(RuleState* rule, const std::vector<AlertChange>& changes) {
  for (const AlertChange& change : changes) {
    if (change.from == AlertState::kInactive) continue;
    rule->ended.push_back(AlertSeries(change.alert.labels, change.from));
    if (change.to == AlertState::kInactive) rule->ended.push_back(ForStateSeries(change.alert.labels));
  }
}

void GroupEvaluation::AddAlertSamples(RuleState* rule) {
  SeriesSet live;
  for (const auto& [key, alert] : rule->alerts.alerts()) {
    if (!alert.active()) continue;
    PackedLabels alerts = AlertSeries(alert.labels, alert.state);
    PackedLabels for_state = ForStateSeries(alert.labels);
    const int64_t active_at = alert.active_at_ms;
    const int64_t seconds = active_at / 1000 - (active_at % 1000 < 0 ? 1 : 0);
    batch_.AddFloat(alerts, sample_ms(), 1);
    batch_.AddFloat(for_state, sample_ms(), static_cast<double>(seconds));
    if (rule->ended.empty()) continue;
    live.insert(std::move(alerts));
    live.insert(std::move(for_state));
  }
  // Markers that could not be written before, of series that are back.
  std::erase_if(rule->ended, [&](const PackedLabels& labels) { return live.contains(labels); });
  if (!batch_.empty() || !rule->ended.empty()) pending_.push_back({.rule = rule, .recorded = {}});
}

// ---- What is written ----

// Whether an earlier rule's results wait that this rule's expression, or a template of it, may read.
bool GroupEvaluation::MayReadPending(const RuleState& rule) const {
  if (pending_.empty() || rule.query == nullptr) return false;
  if (rule.asks_in_template) return true;
  return std::any_of(pending_.begin(), pending_.end(), [&](const Pending& pending) {
    if (pending.rule->rule.recording()) return rule.query->Reads(pending.rule->rule.record);
    return rule.query->Reads("ALERTS") || rule.query->Reads("ALERTS_FOR_STATE");
  });
}

void GroupEvaluation::WritePending() {
  if (pending_.empty()) return;
  Status status;
  if (!batch_.empty()) {
    SampleWrite write = WriteSamples(means_.writes->metrics(), group_->key.tenant, batch_);
    Add(&counters_->samples_written, write.written);
    // What an iteration that was cut short has written is there already, perhaps with other values: the first stay.
    if (write.refused && when_.again) write.status = Status::Ok();
    status = std::move(write.status);
    if (!status.ok()) Add(&counters_->write_failures, 1);
    const MutexLock lock(group_->mu);
    for (Pending& pending : pending_) {
      if (!status.ok()) {
        pending.rule->health = RuleHealth::kError;
        pending.rule->last_error = status.message();
      }
      if (status.ok() || write.refused) pending.rule->recorded = std::move(pending.recorded);
    }
  } else {
    const MutexLock lock(group_->mu);
    for (Pending& pending : pending_) pending.rule->recorded = std::move(pending.recorded);
  }
  batch_.Clear();
  pending_.clear();
  WriteStale(false);
}

// Markers of series that have ended. That another value is there at the same time is how it should be: someone else
// writes the series now.
void GroupEvaluation::WriteStale(bool all_evaluated) {
  // Those of rules that are gone only at the end, and of the others once they were evaluated: a rule yet to come may
  // have them (again) now.
  if (all_evaluated) {
    for (const PackedLabels& labels : group_->ended) stale_.AddStale(labels, sample_ms());
  }
  for (size_t i = 0; i < evaluated_count_; ++i) {
    for (const PackedLabels& labels : group_->rules[i].ended) stale_.AddStale(labels, sample_ms());
  }
  if (stale_.empty()) return;
  const SampleWrite write = WriteSamples(means_.writes->metrics(), group_->key.tenant, stale_);
  stale_.Clear();
  Add(&counters_->samples_written, write.written);
  if (!write.status.ok() && !write.refused) {
    Add(&counters_->write_failures, 1);
    return;
  }
  const MutexLock lock(group_->mu);
  if (all_evaluated) group_->ended.clear();
  for (size_t i = 0; i < evaluated_count_; ++i) group_->rules[i].ended.clear();
}

void GroupEvaluation::Commit() {
  std::vector<RecordStore::Record> put;
  std::vector<std::string> removed = group_->records_to_remove;
  put.push_back({GroupRecordKey(group_->id), EncodeGroup({.key = group_->key,
                                                          .last_iteration_ms = group_->last_iteration_ms,
                                                          .last_sample_ms = group_->last_sample_ms,
                                                          .lines = group_->lines})});
  for (const RuleState& rule : group_->rules) {
    for (const PackedLabels& labels : rule.alerts.dirty()) {
      const auto at = rule.alerts.alerts().find(labels);
      std::string key = AlertKey(group_->id, rule.id, labels);
      if (at == rule.alerts.alerts().end()) {
        removed.push_back(std::move(key));
      } else {
        put.push_back({std::move(key), EncodeAlert(at->second)});
      }
    }
    for (const PackedLabels& labels : rule.alarms.dirty()) {
      const auto at = rule.alarms.alarms().find(labels);
      std::string key = AlarmKey(group_->id, rule.id, labels);
      if (at == rule.alarms.alarms().end()) {
        removed.push_back(std::move(key));
      } else {
        put.push_back({std::move(key), EncodeAlarm(at->second)});
      }
    }
  }
  if (!removed.empty()) {
    // A rule that went and came back has its alerts here in both.
    std::set<std::string_view> kept;
    for (const RecordStore::Record& record : put) kept.insert(record.key);
    std::erase_if(removed, [&](const std::string& key) { return kept.contains(key); });
  }
  const Status status = means_.engine->records().WriteRecords(put, removed);
  if (!status.ok()) {
    // What is in memory goes on; the next iteration writes all of it.
    Add(&counters_->state_write_failures, 1);
    return;
  }
  const MutexLock lock(group_->mu);
  group_->records_to_remove.clear();
  for (RuleState& rule : group_->rules) {
    rule.alerts.ClearDirty();
    rule.alarms.ClearDirty();
  }
}

void GroupEvaluation::DropOldLines() {
  if (group_->lines.size() <= kWaitingLinesMax) return;
  const MutexLock lock(group_->mu);
  const auto kept = group_->lines.end() - kWaitingLinesMax;
  Add(&counters_->lines_dropped, static_cast<uint64_t>(kept - group_->lines.begin()));
  group_->lines.erase(group_->lines.begin(), kept);
}

void GroupEvaluation::WriteAlertLines() {
  if (group_->lines.empty()) return;
  const LineWrite write = WriteLines(means_.writes, group_->key.tenant, kAlertLinesJob, group_->lines);
  if (!write.status.ok()) Add(&counters_->write_failures, 1);
  const MutexLock lock(group_->mu);
  // What is left goes with the next iteration.
  group_->lines.erase(group_->lines.begin(), group_->lines.begin() + static_cast<std::ptrdiff_t>(write.done));
}

// ---- What is sent ----

PostedAlert GroupEvaluation::Posted(const RuleState& rule, const TrackedAlert& alert) const {
  PostedAlert posted;
  posted.labels = alert.labels;
  for (const auto& [name, value] : options_.external_labels) posted.labels.try_emplace(name, value);
  posted.annotations = alert.annotations;
  posted.starts_at_ms = alert.fired_at_ms.value_or(alert.active_at_ms);
  posted.ends_at_ms = alert.resolved_at_ms.value_or(
      when_.ts_ms + 4 * std::max(group_->interval_ms, options_.resend_delay_ms));
  posted.generator_url = GeneratorUrl(options_.external_url, rule.query->text());
  return posted;
}

void GroupEvaluation::SendUnheard() {
  std::vector<PostedAlert> alerts;
  {
    const MutexLock lock(group_->mu);
    for (RuleState* rule : evaluated_) {
      for (const TrackedAlert* alert : rule->alerts.TakeUnheard(when_.ts_ms)) {
        alerts.push_back(Posted(*rule, *alert));
        // Its end comes by itself, when it has been told of.
        alerts.back().ends_at_ms = NowMs() + std::max(group_->interval_ms, options_.resend_delay_ms);
      }
    }
  }
  Post(alerts);
}

void GroupEvaluation::Send() {
  std::vector<PostedAlert> alerts;
  {
    const MutexLock lock(group_->mu);
    for (RuleState* rule : evaluated_) {
      for (const TrackedAlert* alert : rule->alerts.TakeUnsent(when_.ts_ms, options_.resend_delay_ms)) {
        alerts.push_back(Posted(*rule, *alert));
      }
    }
  }
  Post(alerts);
}

void GroupEvaluation::Post(const std::vector<PostedAlert>& alerts) {
  if (alerts.empty()) return;
  bool taken = true;
  for (AlertSink* sink : means_.sinks) {
    const Status status = sink->Post(group_->key.tenant, alerts);
    taken = taken && status.ok();
  }
  if (taken) return;
  Add(&counters_->send_failures, alerts.size());
  const MutexLock lock(group_->mu);
  for (RuleState* rule : evaluated_) rule->alerts.MarkUnsent(when_.ts_ms);
}

}  // namespace varve
