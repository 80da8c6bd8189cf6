// varve rules backfill: what recording rules would have recorded, had they been there.
//
// Time goes by in windows of at most kWindowSteps evaluations. In each, the rules run one after the other in the order
// of files, groups and rules, and what one records is written before the next is asked, so that it reads it.
#include <fmt/format.h>
#include <snappy.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alerting/rules/rule_file.h"
#include "engine/base/time.h"
#include "engine/model/labels.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/metric_answer.h"
#include "tools/metric_query.h"
#include "tools/progress_bar.h"
#include "tools/recorded_series.h"
#include "tools/retrying_post.h"
#include "tools/rules_commands.h"
#include "tools/time_text.h"
#include "tools/units.h"

namespace varve {
namespace {

constexpr int64_t kWindowSteps = 500;
constexpr int64_t kStepDefaultMs = 60'000;

struct BackfillOptions {
  ServerAddress address;
  TimeOptions times;
  std::vector<std::string> files;
  std::string language = "promql";
  std::string step;  // "" = each group's interval
  uint32_t retries = 10;
};

struct BackfilledRule {
  const RuleGroup* group = nullptr;
  const Rule* rule = nullptr;
  int64_t step_ms = 0;
  RecordedSeries recorded;
};

int64_t RoundedUp(int64_t t_ms, int64_t step_ms) {
  const int64_t down = t_ms / step_ms * step_ms;
  return down < t_ms ? down + step_ms : down;
}

class Backfill {
 public:
  explicit Backfill(const BackfillOptions& options) : options_(options), client_(options.address) {}

  Status Run();

 private:
  Status ReadRules();
  Status RunWindow(BackfilledRule* rule, int64_t begin_ms, int64_t end_ms);
  Result<MetricAnswer> Ask(const Rule& rule, const EvaluationWindow& window);
  Status Write(SampleBatch* batch);
  Status WriteBody(const std::string& bytes);
  void Report(double seconds) const;

  const BackfillOptions& options_;
  ApiClient client_;
  std::vector<RuleGroup> groups_;
  std::vector<BackfilledRule> rules_;
  ProgressBar progress_;
  TimeRange range_;
  size_t alerting_ = 0;
  uint64_t refused_writes_ = 0;
  bool reached_server_ = false;
};

Status Backfill::ReadRules() {
  const RuleLanguage language = options_.language == "logql" ? RuleLanguage::kLogql : RuleLanguage::kPromql;
  int64_t step_ms = 0;
  if (!options_.step.empty()) {
    VARVE_ASSIGN_OR_RETURN(const int64_t step_ns, ParseDuration(options_.step));
    step_ms = step_ns / kNsPerMs;
    if (step_ms <= 0) return InvalidArgument("--step must be a millisecond or longer");
  }
  for (const std::string& file : options_.files) {
    VARVE_ASSIGN_OR_RETURN(std::vector<RuleGroup> groups, ReadRuleFile(file, language));
    std::move(groups.begin(), groups.end(), std::back_inserter(groups_));
  }
  for (const RuleGroup& group : groups_) {
    for (const Rule& rule : group.rules) {
      if (!rule.recording()) {
        ++alerting_;
        continue;
      }
      rules_.push_back({.group = &group,
                        .rule = &rule,
                        .step_ms = step_ms != 0 ? step_ms : group.interval_ms.value_or(kStepDefaultMs),
                        .recorded = RecordedSeries(rule, group)});
    }
  }
  return rules_.empty() ? InvalidArgument("there is no recording rule in these files") : Status::Ok();
}

Result<MetricAnswer> Backfill::Ask(const Rule& rule, const EvaluationWindow& window) {
  const bool logql = rule.language == RuleLanguage::kLogql;
  const auto time = [&](int64_t t_ms) { return logql ? std::to_string(t_ms * kNsPerMs) : SecondsText(t_ms * kNsPerMs); };
  const std::string body =
      fmt::format("query={}&start={}&end={}&step={}", ApiClient::EscapePathSegment(rule.expr), time(window.first_ms),
                  time(window.last_ms), SecondsText(window.step_ms * kNsPerMs));
  VARVE_ASSIGN_OR_RETURN(
      HttpAnswer answer,
      PostWithRetries(&client_, logql ? "/loki/api/v1/query_range" : "/api/v1/query_range",
                      "application/x-www-form-urlencoded", body, options_.retries, &reached_server_));
  if (answer.status != 200) return ApiClient::ErrorOf(std::move(answer));
  VARVE_ASSIGN_OR_RETURN(MetricAnswer parsed, ParseMetricAnswer(answer.body));
  if (parsed.type != MetricAnswer::Type::kMatrix) return ExecutionError("rule result is not a vector or scalar");
  return parsed;
}

// What is there already with the same value counts as written; another value there is a refusal.
Status Backfill::Write(SampleBatch* batch) {
  for (const std::string& bytes : batch->bodies()) VARVE_RETURN_IF_ERROR(WriteBody(bytes));
  batch->Clear();
  return Status::Ok();
}

Status Backfill::WriteBody(const std::string& bytes) {
  std::string body;
  snappy::Compress(bytes.data(), bytes.size(), &body);
  VARVE_ASSIGN_OR_RETURN(HttpAnswer answer, PostWithRetries(&client_, "/api/v1/write", "application/x-protobuf", body,
                                                            options_.retries, &reached_server_));
  if (answer.status / 100 == 2) return Status::Ok();
  if (answer.status != 400) return ApiClient::ErrorOf(std::move(answer));
  ++refused_writes_;
  progress_.Clear();
  fmt::print(stderr, "varve: not all samples were taken: {}\n", ApiClient::ErrorOf(std::move(answer)).message());
  return Status::Ok();
}

Status Backfill::RunWindow(BackfilledRule* rule, int64_t begin_ms, int64_t end_ms) {
  EvaluationWindow window{.first_ms = RoundedUp(begin_ms, rule->step_ms), .last_ms = 0, .step_ms = rule->step_ms};
  if (window.first_ms >= end_ms) return Status::Ok();
  window.last_ms = window.first_ms + (end_ms - 1 - window.first_ms) / rule->step_ms * rule->step_ms;
  VARVE_ASSIGN_OR_RETURN(const MetricAnswer answer, Ask(*rule->rule, window));
  SampleBatch batch;
  VARVE_RETURN_IF_ERROR(rule->recorded.Take(answer, window, &batch, [this](SampleBatch* full) { return Write(full); }));
  return Write(&batch);
}

void Backfill::Report(double seconds) const {
  uint64_t samples = 0;
  for (const BackfilledRule& rule : rules_) {
    samples += rule.recorded.samples();
    if (rule.recorded.over_limit() == 0) continue;
    fmt::print(stderr, "varve: group {}, rule {}: {} evaluations exceeded the group's limit of {} series\n",
               GoQuoted(rule.group->name), GoQuoted(rule.rule->record), rule.recorded.over_limit(), rule.group->limit);
  }
  if (alerting_ > 0) fmt::print(stderr, "varve: {} alerting rule(s) left out\n", alerting_);
  fmt::print("backfilled {} samples of {} recording rules, {} to {}, in {:.2f} s\n", samples, rules_.size(),
             FormatUtcTime(range_.begin_ns), FormatUtcTime(range_.end_ns), seconds);
}

Status Backfill::Run() {
  const auto start = std::chrono::steady_clock::now();
  VARVE_RETURN_IF_ERROR(ReadRules());
  VARVE_ASSIGN_OR_RETURN(range_, options_.times.Resolve(Clock::System().NowNs(), kNsPerHour));
  const int64_t begin_ms = RoundedUp(range_.begin_ns, kNsPerMs) / kNsPerMs;
  const int64_t end_ms = RoundedUp(range_.end_ns, kNsPerMs) / kNsPerMs;
  int64_t step_ms = rules_[0].step_ms;
  for (const BackfilledRule& rule : rules_) step_ms = std::min(step_ms, rule.step_ms);
  // The end of the last step of a window is the beginning of the next one.
  const int64_t window_ms = std::min(step_ms, (end_ms - begin_ms) / kWindowSteps + 1) * kWindowSteps;
  for (int64_t at_ms = begin_ms; at_ms < end_ms; at_ms += window_ms) {
    for (BackfilledRule& rule : rules_) {
      progress_.Update("backfill", static_cast<uint64_t>(at_ms - begin_ms), static_cast<uint64_t>(end_ms - begin_ms),
                       rule.rule->record);
      Status status = RunWindow(&rule, at_ms, std::min(end_ms, at_ms + window_ms));
      if (!status.ok()) {
        progress_.Clear();
        return std::move(status).WithContext(fmt::format("group {}, rule {}, from {}", GoQuoted(rule.group->name),
                                                         GoQuoted(rule.rule->record), FormatUtcTime(at_ms * kNsPerMs)));
      }
    }
  }
  progress_.Clear();
  Report(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  if (refused_writes_ == 0) return Status::Ok();
  return InvalidArgument(fmt::format("{} writes were not taken whole: other values are there", refused_writes_));
}

}  // namespace

void AddRulesBackfillCommand(CLI::App* rules, ChosenCommand* chosen) {
  CLI::App* command = rules->add_subcommand("backfill", "Evaluate recording rules over the past");
  auto options = std::make_shared<BackfillOptions>();
  command->add_option("FILES", options->files, "rule files; their rules run in this order")->required();
  AddServerOptions(command, &options->address);
  AddTimeOptions(command, &options->times);
  command->add_option("--step", options->step, "between evaluations (default: each group's interval, else 1m)")
      ->type_name("DURATION");
  command
      ->add_option("--language", options->language,
                   "of rules without `type:` that are right in both: promql (default) or logql, for Loki's files")
      ->type_name("LANGUAGE")
      ->check(CLI::IsMember({"promql", "logql"}).description(""));
  command->add_option("--retries", options->retries, "of a request, where that may help (default: 10)")->type_name("N");
  command->footer(
      "Asks the server for each recording rule's values (PromQL and LogQL), and writes them to it; a rule sees what\n"
      "the rules before it recorded. Evaluations are at multiples of the step, so that doing it again writes the same.\n"
      "Alerting rules are left out.\n\n"
      "Examples:\n"
      "  varve rules backfill --from 2026-11-01T00:00:00Z --to 2026-11-20T00:00:00Z /etc/varve/rules/*.yml\n"
      "  varve rules backfill --since 7d --step 5m errors.yml --addr http://varve:3100");
  command->callback([options, chosen] { *chosen = [options] { return Backfill(*options).Run(); }; });
}

}  // namespace varve
