// One task watches the clock and hands reports that have something due to the pool; a report is on at most one thread,
// under its own run lock, which a run by hand takes too. Lock order: run → records → mu.
//
// What a run does between two writes of its record is safe to do again: asking has no effect, storing looks first, and a
// message may go out twice only if the process dies between the delivery and the record.
#include "alerting/reports/reporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "alerting/reports/report_config.h"
#include "alerting/reports/report_fields.h"
#include "alerting/reports/report_message.h"
#include "alerting/reports/report_queries.h"
#include "alerting/reports/report_state.h"
#include "engine/base/json_writer.h"
#include "engine/base/mutex.h"
#include "engine/base/thread_pool.h"
#include "engine/base/time.h"

namespace varve {
namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr int64_t kLateMs = 60'000;
constexpr auto kLookInterval = std::chrono::milliseconds(1000);
constexpr size_t kErrorBytesMax = 4096;
// How far back times of a schedule are looked for: so many more periods than may be made up.
constexpr int64_t kPeriodSecondsMax[] = {3600, 86400, 7 * 86400, 31 * 86400};

// By more than a period: what was looked at lies ahead. Without a remedy nothing would run until that time comes.
bool ClockWasSetBack(const ReportConfig& report, const ReportState& state, int64_t now_ms) {
  return state.handled_s > now_ms / kMsPerSecond + kPeriodSecondsMax[static_cast<size_t>(report.period)];
}

std::string EntryPush(const ReportConfig& report, const ReportPeriod& period, std::string_view line) {
  std::string body = R"({"streams":[{"stream":{"job":"varve-report","report":)";
  AppendJsonString(&body, report.name);
  body += fmt::format(R"(}},"values":[["{}",)", period.end_s * kNsPerSecond);
  AppendJsonString(&body, line);
  return body + "]]}]}";
}

}  // namespace

struct Reporter::Impl {
  // What lasts across reloads. All but run_mu is guarded by mu.
  struct Live {
    Mutex run_mu;  // held while the report runs
    ReportState state;
    bool removed = false;
    bool busy = false;  // a task of the pool has it
    // The schedule's next time, of that configuration behind that time: rare schedules take a while to find it.
    std::shared_ptr<const ReportConfig> next_of;
    int64_t next_after_s = 0, next_s = 0;
  };
  struct Report {
    std::shared_ptr<const ReportConfig> config;
    std::shared_ptr<Live> live;
  };
  // A token that Stop cancels.
  class Cancellable {
   public:
    Cancellable(Impl* impl, int64_t timeout_ms)
        : impl_(impl),
          token_(timeout_ms <= 0 ? CancelToken::SteadyTime::max()
                                 : std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms)) {
      const MutexLock lock(impl_->mu);
      impl_->tokens.insert(&token_);
      if (impl_->stopping) token_.Cancel();
    }
    ~Cancellable() {
      const MutexLock lock(impl_->mu);
      impl_->tokens.erase(&token_);
    }
    Cancellable(const Cancellable&) = delete;
    Cancellable& operator=(const Cancellable&) = delete;
    const CancelToken& token() const { return token_; }

   private:
    Impl* const impl_;
    CancelToken token_;
  };
  struct Entry {
    std::string json;
    bool stored = false;  // just now
  };

  explicit Impl(ReporterMeans given) : means(std::move(given)) {}

  int64_t NowMs() const { return means.clock->NowNs() / kNsPerMs; }
  bool Stopping() const {
    const MutexLock lock(mu);
    return stopping;
  }
  void Notice(const ReportConfig& report, std::string_view text) const {
    if (means.notice) means.notice(report.name, text);
  }
  ReportState StateOf(const Live& live) const {
    const MutexLock lock(mu);
    return live.state;
  }
  // Makes `state` the report's, durably. Not written: it is written with the next change.
  void Keep(const ReportConfig& report, Live* live, ReportState state) {
    const MutexLock records_lock(records_mu);
    std::string record;
    {
      const MutexLock lock(mu);
      live->state = std::move(state);
      if (live->removed) return;
      record = EncodeReportState(live->state);
    }
    const Status written =
        means.engine->records().WriteRecords({{std::string(kReportRecords) + report.name, record}}, {});
    if (written.ok()) return;
    Notice(report, "its state could not be written: " + written.message());
    const MutexLock lock(mu);
    ++stats.record_failures;
  }

  Result<templates::DatumFields> Ask(const ReportConfig& report, const ReportPeriod& period,
                                     const ReportQueryMeans& query);
  Result<Entry> StoredEntry(const ReportConfig& report, const ReportPeriod& period);
  Status SendAll(const ReportConfig& report, const Message& message, std::vector<std::string>* receivers);
  void PlanRuns(const ReportConfig& report, Live* live, int64_t now_ms);
  void Attempt(const ReportConfig& report, Live* live, PendingRun run, int64_t now_ms);
  Status AskAndSend(const ReportConfig& report, const ReportPeriod& period, Live* live, PendingRun* run);
  void TellOfFailure(const ReportConfig& report, Live* live, PendingRun run, int64_t now_ms);
  void Fail(const ReportConfig& report, Live* live, PendingRun run, Status why, int64_t now_ms);
  void Replace(const ReportConfig& report, Live* live, const PendingRun& run);
  void Remove(const ReportConfig& report, Live* live, const std::string& date, bool succeeded);
  void RunDueOf(const Report& report, int64_t now_ms);
  Result<ReportRun> RunByHand(const Report& report, std::string_view date, bool dry_run);
  int64_t NextTime(const Report& report) const VARVE_REQUIRES(mu);
  int64_t NextDueMs(const Report& report) const VARVE_REQUIRES(mu);
  void Watch();

  ReporterMeans means;  // as they are once it is configured
  Mutex records_mu;  // one write of a record at a time, and none behind a removal
  mutable Mutex mu;
  CondVar wake;
  std::vector<Report> reports VARVE_GUARDED_BY(mu);
  std::map<std::string, ReportState> loaded VARVE_GUARDED_BY(mu);  // of reports not configured yet
  std::set<CancelToken*> tokens VARVE_GUARDED_BY(mu);
  ReporterStats stats VARVE_GUARDED_BY(mu);
  bool stopping VARVE_GUARDED_BY(mu) = false;
  std::unique_ptr<ThreadPool> pool;  // the owner's: Start, Stop
};

Result<templates::DatumFields> Reporter::Impl::Ask(const ReportConfig& report, const ReportPeriod& period,
                                                   const ReportQueryMeans& query) {
  templates::DatumFields fields;
  fields.emplace_back("metric_date", TextDatum(period.date));
  VARVE_ASSIGN_OR_RETURN(templates::DatumFields asked, AskQueries(report, period, query));
  std::move(asked.begin(), asked.end(), std::back_inserter(fields));
  VARVE_RETURN_IF_ERROR(ComputeFields(report, period, &fields));
  fields.emplace_back("created_at", TextDatum(report.calendar.Rfc3339(means.clock->NowNs() / kNsPerSecond)));
  return fields;
}

Result<Reporter::Impl::Entry> Reporter::Impl::StoredEntry(const ReportConfig& report, const ReportPeriod& period) {
  const std::shared_ptr<const QueryLimits> limits = means.query_limits->Of(report.tenant);
  const Cancellable cancel(this, limits->query_timeout_ms * static_cast<int64_t>(report.queries.size() + 1));
  const ReportQueryMeans query{means.engine, means.promql, limits.get(), &cancel.token()};
  Entry entry;
  VARVE_ASSIGN_OR_RETURN(entry.json, FindStoredEntry(report, period, query));
  if (!entry.json.empty()) return entry;
  VARVE_ASSIGN_OR_RETURN(const templates::DatumFields fields, Ask(report, period, query));
  entry.json = EntryJson(fields);
  const std::string body = EntryPush(report, period, entry.json);
  PushOutcome outcome =
      means.writes->Push({.tenant = report.tenant, .content_type = "application/json", .content_encoding = {}, .body = body});
  if (!outcome.status.ok()) return std::move(outcome.status).WithContext("storing the entry");
  if (outcome.entries_stored == 0) return Unavailable("storing the entry: it was not taken");
  entry.stored = true;
  return entry;
}

// Leaves in `receivers` those that were not told; the first error.
Status Reporter::Impl::SendAll(const ReportConfig& report, const Message& message,
                               std::vector<std::string>* receivers) {
  Status first_error;
  std::vector<std::string> left;
  for (const std::string& receiver : *receivers) {
    const Cancellable cancel(this, 0);
    Delivery delivery;
    if (means.send) {
      delivery = means.send(receiver, message, cancel.token());
    } else {
      delivery.status = Unavailable("there are no receivers: alertmanager.config_file is not set");
    }
    {
      const MutexLock lock(mu);
      ++(delivery.status.ok() ? stats.sent : stats.send_failures);
    }
    if (delivery.status.ok()) continue;
    left.push_back(receiver);
    Notice(report, fmt::format("receiver {}: {}", receiver, delivery.status.message()));
    if (first_error.ok()) {
      first_error = std::move(delivery.status).WithContext(fmt::format("receiver \"{}\"", receiver));
    }
  }
  *receivers = std::move(left);
  return first_error;
}

void Reporter::Impl::Replace(const ReportConfig& report, Live* live, const PendingRun& run) {
  ReportState state = StateOf(*live);
  for (PendingRun& one : state.runs) {
    if (one.date == run.date) one = run;
  }
  if (!run.error.empty()) state.last_error = run.error;
  Keep(report, live, std::move(state));
}

void Reporter::Impl::Remove(const ReportConfig& report, Live* live, const std::string& date, bool succeeded) {
  ReportState state = StateOf(*live);
  std::erase_if(state.runs, [&](const PendingRun& run) { return run.date == date; });
  if (succeeded) {
    state.last_date = std::max(state.last_date, date);
    state.last_error.clear();
    const MutexLock lock(mu);
    ++stats.runs;
  }
  Keep(report, live, std::move(state));
}

void Reporter::Impl::Fail(const ReportConfig& report, Live* live, PendingRun run, Status why, int64_t now_ms) {
  if (Stopping()) return;  // it comes again after the next start
  run.error = why.ToString().substr(0, kErrorBytesMax);
  ++run.attempts;
  Notice(report, fmt::format("{}: attempt {} of {} failed: {}", run.date, run.attempts, report.retry_attempts + 1,
                             run.error));
  const bool given_up = run.attempts > report.retry_attempts;
  {
    const MutexLock lock(mu);
    ++stats.failures;
    if (given_up) ++stats.given_up;
  }
  run.due_ms = now_ms + report.retry_delay_ms;
  if (given_up) {
    run.stage = RunStage::kFailed;
    run.attempts = 0;
    run.due_ms = now_ms;
    run.receivers = report.failure_receivers;
  }
  Replace(report, live, run);
  if (given_up && run.receivers.empty()) Remove(report, live, run.date, false);
}

Status Reporter::Impl::AskAndSend(const ReportConfig& report, const ReportPeriod& period, Live* live,
                                  PendingRun* run) {
  VARVE_ASSIGN_OR_RETURN(const Entry entry, StoredEntry(report, period));
  if (run->stage == RunStage::kAsking) {
    run->stage = RunStage::kSending;
    run->receivers = report.receivers;
    Replace(report, live, *run);
  }
  if (run->receivers.empty()) return Status::Ok();
  VARVE_ASSIGN_OR_RETURN(const templates::DatumFields fields, ParseEntry(entry.json));
  VARVE_ASSIGN_OR_RETURN(ReportText text, RenderReport(report, period, fields, means.external_url));
  return SendAll(report, ReportMessage(report, period, entry.json, std::move(text)), &run->receivers);
}

void Reporter::Impl::TellOfFailure(const ReportConfig& report, Live* live, PendingRun run, int64_t now_ms) {
  const Result<ReportPeriod> period = PeriodOf(run.date, report.period, report.calendar);
  if (!period.ok()) return Remove(report, live, run.date, false);
  const Message message = FailureMessage(report, *period, run.error, report.retry_attempts + 1);
  const Status sent = SendAll(report, message, &run.receivers);
  if (Stopping() && !sent.ok()) return;
  if (sent.ok() || ++run.attempts > report.retry_attempts) return Remove(report, live, run.date, false);
  run.due_ms = now_ms + report.retry_delay_ms;
  Replace(report, live, run);
}

void Reporter::Impl::Attempt(const ReportConfig& report, Live* live, PendingRun run, int64_t now_ms) {
  if (run.stage == RunStage::kFailed) return TellOfFailure(report, live, std::move(run), now_ms);
  const Result<ReportPeriod> period = PeriodOf(run.date, report.period, report.calendar);
  if (!period.ok()) {  // a reload made days of hours
    Notice(report, fmt::format("{} is left out: {}", run.date, period.status().message()));
    return Remove(report, live, run.date, false);
  }
  if (run.attempts > 0) {
    const MutexLock lock(mu);
    ++stats.retries;
  }
  Status done = AskAndSend(report, *period, live, &run);
  if (done.ok()) return Remove(report, live, run.date, true);
  Fail(report, live, std::move(run), std::move(done), now_ms);
}

// Adds what the schedule has had since it was last looked at.
void Reporter::Impl::PlanRuns(const ReportConfig& report, Live* live, int64_t now_ms) {
  ReportState state = StateOf(*live);
  const int64_t now_s = now_ms / kMsPerSecond;
  const int64_t reach_s = (report.make_up_max + 2) * kPeriodSecondsMax[static_cast<size_t>(report.period)];
  std::vector<PendingRun> fresh;
  uint64_t late = 0;
  if (ClockWasSetBack(report, state, now_ms)) {
    state.handled_s = now_s;
    Keep(report, live, state);
  }
  int64_t handled_s = state.handled_s;
  int64_t at_s = report.schedule.Next(std::max(handled_s, now_s - reach_s), report.calendar);
  for (; at_s <= now_s; at_s = report.schedule.Next(at_s, report.calendar)) {
    handled_s = at_s;
    PendingRun run;
    run.date = LastPeriodBefore(at_s, report.period, report.calendar).date;
    run.due_ms = at_s * kMsPerSecond;
    const auto same = [&](const PendingRun& one) { return one.date == run.date; };
    if (std::any_of(state.runs.begin(), state.runs.end(), same)) continue;
    if (std::any_of(fresh.begin(), fresh.end(), same)) continue;
    if (now_ms - run.due_ms > kLateMs) ++late;
    fresh.push_back(std::move(run));
  }
  if (handled_s == state.handled_s) return;
  state.handled_s = handled_s;
  // The newest that is not late is no made-up one.
  const size_t most = report.make_up_max + (fresh.size() - std::min<size_t>(late, fresh.size()));
  const size_t skipped = fresh.size() > most ? fresh.size() - most : 0;
  fresh.erase(fresh.begin(), fresh.begin() + static_cast<std::ptrdiff_t>(skipped));
  if (skipped > 0) Notice(report, fmt::format("{} runs that were missed are more than make_up_max", skipped));
  {
    const MutexLock lock(mu);
    stats.made_up += late - skipped;
    stats.not_made_up += skipped;
  }
  std::move(fresh.begin(), fresh.end(), std::back_inserter(state.runs));
  Keep(report, live, std::move(state));
}

void Reporter::Impl::RunDueOf(const Report& report, int64_t now_ms) {
  const MutexLock running(report.live->run_mu);
  PlanRuns(*report.config, report.live.get(), now_ms);
  while (!Stopping()) {
    const ReportState state = StateOf(*report.live);
    const auto due = std::find_if(state.runs.begin(), state.runs.end(),
                                  [&](const PendingRun& run) { return run.due_ms <= now_ms; });
    if (due == state.runs.end()) return;
    Attempt(*report.config, report.live.get(), *due, now_ms);
  }
}

Result<ReportRun> Reporter::Impl::RunByHand(const Report& target, std::string_view date, bool dry_run) {
  const ReportConfig& report = *target.config;
  VARVE_ASSIGN_OR_RETURN(const ReportPeriod period, PeriodOf(date, report.period, report.calendar));
  if (!dry_run && period.end_s * kMsPerSecond > NowMs()) {
    return InvalidArgument(fmt::format("the {} of {} is not over; a dry run may be of it",
                                       PeriodUnitName(report.period), period.date));
  }
  ReportRun run;
  run.report = report.name;
  run.date = period.date;
  const MutexLock running(target.live->run_mu);
  if (dry_run) {
    const std::shared_ptr<const QueryLimits> limits = means.query_limits->Of(report.tenant);
    const Cancellable cancel(this, limits->query_timeout_ms * static_cast<int64_t>(report.queries.size()));
    VARVE_ASSIGN_OR_RETURN(const templates::DatumFields fields,
                           Ask(report, period, {means.engine, means.promql, limits.get(), &cancel.token()}));
    run.entry = EntryJson(fields);
  } else {
    VARVE_ASSIGN_OR_RETURN(Entry entry, StoredEntry(report, period));
    run.entry = std::move(entry.json);
    run.stored = entry.stored;
  }
  VARVE_ASSIGN_OR_RETURN(const templates::DatumFields fields, ParseEntry(run.entry));
  VARVE_ASSIGN_OR_RETURN(ReportText text, RenderReport(report, period, fields, means.external_url));
  run.title = text.title;
  run.text = text.text;
  run.html = text.html;
  if (dry_run) return run;
  std::vector<std::string> receivers = report.receivers;
  const Status sent = SendAll(report, ReportMessage(report, period, run.entry, std::move(text)), &receivers);
  run.sent = sent.ok() && !report.receivers.empty();
  run.error = sent.ok() ? "" : sent.message();
  // What the schedule still had to do for this date is done.
  if (sent.ok()) Remove(report, target.live.get(), period.date, true);
  return run;
}

int64_t Reporter::Impl::NextTime(const Report& report) const {
  Live& live = *report.live;
  if (live.next_of != report.config || live.next_after_s != live.state.handled_s) {
    live.next_of = report.config;
    live.next_after_s = live.state.handled_s;
    live.next_s = report.config->schedule.Next(live.next_after_s, report.config->calendar);
  }
  return live.next_s;
}

int64_t Reporter::Impl::NextDueMs(const Report& report) const {
  int64_t due_ms = NextTime(report) * kMsPerSecond;
  for (const PendingRun& run : report.live->state.runs) due_ms = std::min(due_ms, run.due_ms);
  return due_ms;
}

void Reporter::Impl::Watch() {
  mu.Lock();
  while (!stopping) {
    const int64_t now_ms = NowMs();
    int64_t wait_ms = kLookInterval.count();
    for (const Report& report : reports) {
      if (report.live->busy) continue;
      const int64_t due_ms = NextDueMs(report);
      if (due_ms > now_ms && !ClockWasSetBack(*report.config, report.live->state, now_ms)) {
        wait_ms = std::min(wait_ms, due_ms - now_ms);
        continue;
      }
      report.live->busy = pool->TrySubmit([this, report, now_ms] {
        RunDueOf(report, now_ms);
        const MutexLock lock(mu);
        report.live->busy = false;
        wake.NotifyAll();
      });
    }
    wake.WaitFor(mu, std::chrono::milliseconds(wait_ms));
  }
  mu.Unlock();
}

Reporter::Reporter(ReporterMeans means) : impl_(std::make_unique<Impl>(std::move(means))) {}

void Reporter::SetExternalUrl(std::string url) { impl_->means.external_url = std::move(url); }

Reporter::~Reporter() { Stop(); }

Status Reporter::Load() {
  Status first_error;
  const Status read = impl_->means.engine->records().ForEachRecord(
      kReportRecords, [&](std::string_view key, std::string_view value) {
        Result<ReportState> state = DecodeReportState(value);
        if (state.ok()) {
          const MutexLock lock(impl_->mu);
          impl_->loaded[std::string(key.substr(kReportRecords.size()))] = *std::move(state);
        } else if (first_error.ok()) {
          first_error = std::move(state).status().WithContext(key);
        }
        return Status::Ok();
      });
  return read.ok() ? std::move(first_error) : read.Clone();
}

void Reporter::Configure(std::vector<ReportConfig> configs) {
  const int64_t now_s = impl_->NowMs() / kMsPerSecond;
  {
    const MutexLock records_lock(impl_->records_mu);
    const MutexLock lock(impl_->mu);
    std::vector<Impl::Report> next;
    // Written before anybody can run the report: behind a run, this would put it back to its start.
    std::vector<RecordStore::Record> fresh;
    for (ReportConfig& config : configs) {
      Impl::Report report{std::make_shared<const ReportConfig>(std::move(config)), nullptr};
      const std::string& name = report.config->name;
      const auto known = std::find_if(impl_->reports.begin(), impl_->reports.end(),
                                      [&](const Impl::Report& one) { return one.config->name == name; });
      if (known != impl_->reports.end()) {
        report.live = known->live;
      } else {
        report.live = std::make_shared<Impl::Live>();
        const auto loaded = impl_->loaded.find(name);
        if (loaded != impl_->loaded.end()) {
          report.live->state = std::move(loaded->second);
        } else {
          report.live->state.handled_s = now_s;
          fresh.push_back({std::string(kReportRecords) + name, EncodeReportState(report.live->state)});
        }
      }
      next.push_back(std::move(report));
    }
    std::vector<std::string> removed;
    const auto is_there = [&](const std::string& name) {
      return std::any_of(next.begin(), next.end(), [&](const Impl::Report& one) { return one.config->name == name; });
    };
    for (const Impl::Report& report : impl_->reports) {
      if (is_there(report.config->name)) continue;
      report.live->removed = true;
      removed.push_back(std::string(kReportRecords) + report.config->name);
    }
    for (const auto& [name, state] : impl_->loaded) {
      if (!is_there(name)) removed.push_back(std::string(kReportRecords) + name);
    }
    impl_->loaded.clear();
    impl_->reports = std::move(next);
    // Not written: new ones are with their next change, and those that are gone are read, and removed, at the next start.
    const bool nothing = fresh.empty() && removed.empty();
    if (!nothing && !impl_->means.engine->records().WriteRecords(fresh, removed).ok()) ++impl_->stats.record_failures;
  }
  impl_->wake.NotifyAll();
}

void Reporter::Start() {
  if (impl_->pool != nullptr) return;
  {
    const MutexLock lock(impl_->mu);
    impl_->stopping = false;
    impl_->pool = std::make_unique<ThreadPool>("reports", size_t{impl_->means.threads} + 1);
  }
  VARVE_CHECK(impl_->pool->TrySubmit([impl = impl_.get()] { impl->Watch(); }));
}

void Reporter::Stop() {
  {
    const MutexLock lock(impl_->mu);
    impl_->stopping = true;
    for (CancelToken* token : impl_->tokens) token->Cancel();
  }
  impl_->wake.NotifyAll();
  impl_->pool.reset();
}

Result<ReportRun> Reporter::Run(std::string_view name, std::string_view date, bool dry_run) {
  std::optional<Impl::Report> found;
  {
    const MutexLock lock(impl_->mu);
    for (const Impl::Report& report : impl_->reports) {
      if (report.config->name == name) found = report;
    }
  }
  if (!found.has_value()) return NotFound(fmt::format("there is no report \"{}\"", name));
  return impl_->RunByHand(*found, date, dry_run);
}

std::vector<ReportStatus> Reporter::Reports() const {
  std::vector<ReportStatus> list;
  const MutexLock lock(impl_->mu);
  for (const Impl::Report& report : impl_->reports) {
    const ReportConfig& config = *report.config;
    const ReportState& state = report.live->state;
    ReportStatus status;
    status.name = config.name;
    status.tenant = config.tenant;
    status.schedule = config.schedule.text();
    status.time_zone = config.calendar.zone();
    status.period = PeriodUnitName(config.period);
    status.receivers = config.receivers;
    status.next_run_ms = impl_->NextTime(report) * kMsPerSecond;
    status.last_date = state.last_date;
    status.last_error = state.last_error;
    status.attempts = state.runs.empty() ? 0 : state.runs.front().attempts;
    status.runs_due = static_cast<uint32_t>(state.runs.size());
    list.push_back(std::move(status));
  }
  return list;
}

ReporterStats Reporter::Stats() const {
  const MutexLock lock(impl_->mu);
  return impl_->stats;
}

void Reporter::RunDue(int64_t now_ms) {
  std::vector<Impl::Report> reports;
  {
    const MutexLock lock(impl_->mu);
    reports = impl_->reports;
  }
  for (const Impl::Report& report : reports) impl_->RunDueOf(report, now_ms);
}

}  // namespace varve
