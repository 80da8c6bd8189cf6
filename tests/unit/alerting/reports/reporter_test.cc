#include "alerting/reports/reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "alerting/reports/report_config.h"
#include "alerting/reports/report_state.h"
#include "engine/base/rfc3339.h"
#include "engine/base/time.h"
#include "query/logql/parser.h"
#include "tests/support/memory_engine.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SetClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_s * kNsPerSecond; }
  std::atomic<int64_t> now_s{0};
};

int64_t Utc(const char* text) { return ParseRfc3339(text)->seconds; }

constexpr std::string_view kDaily = R"(
- name: daily
  schedule: "0 9 * * *"
  time_zone: Asia/Seoul
  queries: [{name: total, query: 'sum(count_over_time({job="app"}[$window]))', default: 0}]
  receivers: [ops]
  failure_receivers: [boss]
  retry: {attempts: 1, delay: 5m}
)";

// A reporter that can be thrown away and made again on the same engine, as after a kill.
class ReporterTest : public ::testing::Test {
 protected:
  struct Sent {
    std::string receiver, title, id, text;
  };

  ReporterTest() : engine_(Options(&clock_)), writes_(&engine_, IngestLimits()) {
    clock_.now_s = Utc("2026-11-18T12:00:00+09:00");
    Restart();
  }
  static testing::MemoryEngineOptions Options(const Clock* clock) {
    testing::MemoryEngineOptions options;
    options.engine.clock = clock;
    return options;
  }
  void Restart(std::string_view config = kDaily) {
    ReporterMeans means;
    means.engine = &engine_;
    means.writes = &writes_;
    means.promql = &promql_;
    means.query_limits = &limits_;
    means.clock = &clock_;
    means.send = [this](std::string_view receiver, const Message& message, const CancelToken&) {
      ++attempts_[std::string(receiver)];
      if (broken_.count(std::string(receiver)) != 0) return Delivery{Unavailable("it rains"), true};
      sent_.push_back({std::string(receiver), message.title, message.id, message.text});
      return Delivery{};
    };
    reporter_ = std::make_unique<Reporter>(std::move(means));
    EXPECT_OK(reporter_->Load());
    Configure(config);
  }
  void Configure(std::string_view config) {
    Result<std::vector<ReportConfig>> reports = ParseReports(config, "f", 1, "");
    ASSERT_OK(reports);
    reporter_->Configure(*std::move(reports));
  }
  void At(const char* time) {
    clock_.now_s = Utc(time);
    reporter_->RunDue(clock_.NowNs() / kNsPerMs);
  }
  void Log(const char* time) {
    engine_.Add(Labels::FromUnsorted({{"job", "app"}}), Utc(time) * kNsPerSecond, "line " + std::to_string(++lines_));
  }
  // Every stored entry, in order of time: "2026-11-20T00:00:00+09:00 {…}".
  std::vector<std::string> Stored() {
    const logql::ExprPtr expr = *logql::ParseExpr(R"({job="varve-report"})");
    QueryRequest request;
    const Result<TenantId> tenant = engine_.FindTenant("fake");
    if (!tenant.ok()) return {};
    request.tenant = *tenant;
    request.start_ns = 0;
    request.end_ns = INT64_MAX;
    request.limit = 5000;
    request.direction = Direction::kForward;
    QueryLimits limits;
    limits.max_query_length_ns = 0;
    const Result<QueryResult> result = RunQuery(engine_, *expr, request, limits);
    EXPECT_OK(result);
    std::vector<std::string> found;
    for (const ResultStream& stream : std::get<Streams>(result->data).streams) {
      for (const ResultEntry& entry : stream.entries) {
        found.push_back(LocalCalendar::Load("Asia/Seoul")->Rfc3339(entry.ts_ns / kNsPerSecond) + " " + entry.line);
      }
    }
    return found;
  }
  std::vector<std::string> SentIds() const {
    std::vector<std::string> ids;
    for (const Sent& sent : sent_) ids.push_back(sent.receiver + " " + sent.id);
    return ids;
  }
  ReportStatus Status() { return reporter_->Reports().at(0); }

  SetClock clock_;
  testing::MemoryEngine engine_;
  WritePath writes_;
  const promql::PromqlEngine promql_{promql::PromqlOptions()};
  PerTenant<QueryLimits> limits_;
  std::set<std::string> broken_;
  std::map<std::string, int> attempts_;
  std::vector<Sent> sent_;
  std::unique_ptr<Reporter> reporter_;
  int lines_ = 0;
};

TEST_F(ReporterTest, StoresAndSendsTheDayBefore) {
  Log("2026-11-18T00:00:00+09:00");
  Log("2026-11-18T23:59:59+09:00");
  Log("2026-11-19T00:00:00+09:00");
  At("2026-11-19T08:59:59+09:00");
  EXPECT_THAT(Stored(), IsEmpty());
  At("2026-11-19T09:00:01+09:00");
  EXPECT_THAT(Stored(), ElementsAre("2026-11-19T00:00:00+09:00 "
                                    R"({"metric_date":"2026-11-18","total":2,"created_at":"2026-11-19T09:00:01+09:00"})"));
  EXPECT_THAT(SentIds(), ElementsAre("ops report/daily/2026-11-18"));
  EXPECT_EQ(Status().last_date, "2026-11-18");
  EXPECT_EQ(Status().next_run_ms, Utc("2026-11-20T09:00:00+09:00") * 1000);
  At("2026-11-19T09:00:02+09:00");
  At("2026-11-19T23:00:00+09:00");
  EXPECT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(reporter_->Stats().runs, 1u);
}

TEST_F(ReporterTest, StoresOncePerDateHoweverOftenItRuns) {
  At("2026-11-19T09:00:01+09:00");
  Log("2026-11-18T10:00:00+09:00");  // came late; what is stored stays
  clock_.now_s += 100;
  for (int i = 0; i < 3; ++i) {
    const Result<ReportRun> run = reporter_->Run("daily", "2026-11-18", false);
    ASSERT_OK(run);
    EXPECT_FALSE(run->stored);
    EXPECT_TRUE(run->sent);
    EXPECT_THAT(run->entry, HasSubstr(R"("total":0,"created_at":"2026-11-19T09:00:01+09:00")"));
  }
  EXPECT_THAT(Stored(), SizeIs(1));
  const Result<ReportRun> other = reporter_->Run("daily", "2026-11-17", false);
  ASSERT_OK(other);
  EXPECT_TRUE(other->stored);
  EXPECT_THAT(Stored(), SizeIs(2));
}

TEST_F(ReporterTest, ShowsADryRunAndDoesNothing) {
  Log("2026-11-18T10:00:00+09:00");
  const Result<ReportRun> run = reporter_->Run("daily", "2026-11-18", true);  // the day is not over
  ASSERT_OK(run);
  EXPECT_THAT(run->entry, HasSubstr(R"("total":1)"));
  EXPECT_THAT(run->text, HasSubstr("total: 1"));
  EXPECT_THAT(run->html, HasSubstr("<html>"));
  EXPECT_FALSE(run->stored || run->sent);
  EXPECT_THAT(Stored(), IsEmpty());
  EXPECT_THAT(sent_, IsEmpty());
}

TEST_F(ReporterTest, RefusesWhatCannotBeRun) {
  EXPECT_EQ(reporter_->Run("weekly", "2026-11-17", true).status().code(), Code::kNotFound);
  EXPECT_EQ(reporter_->Run("daily", "17.11.", true).status().code(), Code::kInvalidArgument);
  EXPECT_THAT(reporter_->Run("daily", "2026-11-18", false).status().message(), HasSubstr("is not over"));
}

TEST_F(ReporterTest, TriesAgainAndThenTellsOfTheFailure) {
  engine_.FailAppends(Unavailable("the disk is away"));
  At("2026-11-19T09:00:01+09:00");
  EXPECT_EQ(Status().attempts, 1u);
  EXPECT_THAT(Status().last_error, HasSubstr("the disk is away"));
  At("2026-11-19T09:05:00+09:00");
  EXPECT_EQ(Status().attempts, 1u);
  EXPECT_THAT(sent_, IsEmpty());
  At("2026-11-19T09:05:01+09:00");
  EXPECT_THAT(SentIds(), ElementsAre("boss report/daily/2026-11-18/failed"));
  EXPECT_THAT(sent_[0].text, HasSubstr("the disk is away"));
  EXPECT_EQ(Status().runs_due, 0u);
  EXPECT_EQ(reporter_->Stats().failures, 2u);
  EXPECT_EQ(reporter_->Stats().retries, 1u);
  EXPECT_EQ(reporter_->Stats().given_up, 1u);
  engine_.FailAppends({});
  At("2026-11-20T09:00:00+09:00");
  EXPECT_EQ(Status().last_error, "");
  EXPECT_THAT(Stored(), SizeIs(1));
}

TEST_F(ReporterTest, SucceedsAtTheSecondAttempt) {
  engine_.FailAppends(Unavailable("the disk is away"));
  At("2026-11-19T09:00:01+09:00");
  engine_.FailAppends({});
  At("2026-11-19T09:05:01+09:00");
  EXPECT_THAT(SentIds(), ElementsAre("ops report/daily/2026-11-18"));
  EXPECT_THAT(Stored(), SizeIs(1));
}

constexpr std::string_view kTwoReceivers = R"(
- name: daily
  schedule: "0 9 * * *"
  time_zone: Asia/Seoul
  queries: [{name: total, query: 'sum(count_over_time({job="app"}[$window]))'}]
  receivers: [ops, mail]
  failure_receivers: [boss]
  retry: {attempts: 2, delay: 1m}
)";

TEST_F(ReporterTest, SendsAgainOnlyToWhomItHasNotReached) {
  Configure(kTwoReceivers);
  broken_ = {"mail"};
  At("2026-11-19T09:00:00+09:00");
  At("2026-11-19T09:01:00+09:00");
  broken_.clear();
  At("2026-11-19T09:02:00+09:00");
  EXPECT_THAT(SentIds(), ElementsAre("ops report/daily/2026-11-18", "mail report/daily/2026-11-18"));
  EXPECT_EQ(attempts_["mail"], 3);
  EXPECT_THAT(Stored(), SizeIs(1));
}

TEST_F(ReporterTest, TellsOfAReceiverThatStaysBroken) {
  Configure(kTwoReceivers);
  broken_ = {"mail", "boss"};
  for (const char* minute : {"00", "01", "02", "03", "04", "05", "06"}) {
    if (std::string_view(minute) == "03") broken_ = {"mail"};
    At(("2026-11-19T09:" + std::string(minute) + ":00+09:00").c_str());
  }
  EXPECT_THAT(SentIds(), ElementsAre("ops report/daily/2026-11-18", "boss report/daily/2026-11-18/failed"));
  EXPECT_THAT(sent_[1].text, HasSubstr("receiver \"mail\": it rains"));
  EXPECT_EQ(attempts_["mail"], 3);
  EXPECT_EQ(attempts_["boss"], 2);
}

TEST_F(ReporterTest, GivesUpTellingOfAFailure) {
  broken_ = {"ops", "boss"};
  for (int minute = 0; minute < 30; minute += 5) {
    clock_.now_s = Utc("2026-11-19T09:00:00+09:00") + minute * 60;
    reporter_->RunDue(clock_.NowNs() / kNsPerMs);
  }
  EXPECT_EQ(attempts_["boss"], 2);
  EXPECT_EQ(Status().runs_due, 0u);
}

TEST_F(ReporterTest, MakesUpRunsThatWereMissed) {
  Restart();
  At("2026-11-22T10:00:00+09:00");
  EXPECT_THAT(SentIds(), ElementsAre("ops report/daily/2026-11-18", "ops report/daily/2026-11-19",
                                     "ops report/daily/2026-11-20", "ops report/daily/2026-11-21"));
  EXPECT_EQ(reporter_->Stats().made_up, 4u);
}

TEST_F(ReporterTest, MakesUpNoMoreThanItMay) {
  Configure(std::string(kDaily) + "  make_up_max: 2\n");
  At("2027-06-01T10:00:00+09:00");
  EXPECT_THAT(SentIds(), ElementsAre("ops report/daily/2027-05-30", "ops report/daily/2027-05-31"));
  Configure(std::string(kDaily) + "  make_up_max: 0\n");
  At("2027-06-04T09:00:00+09:00");  // in time, after days away
  EXPECT_THAT(sent_, SizeIs(3));
  EXPECT_EQ(sent_[2].id, "report/daily/2027-06-03");
}

TEST_F(ReporterTest, GoesOnWhenTheClockWasYearsAhead) {
  At("2036-01-01T10:00:00+09:00");
  sent_.clear();
  At("2026-11-20T08:00:00+09:00");
  EXPECT_THAT(sent_, IsEmpty());
  Restart();
  At("2026-11-20T09:00:00+09:00");
  EXPECT_THAT(SentIds(), ElementsAre("ops report/daily/2026-11-19"));
}

TEST_F(ReporterTest, StartsWithTheNextTimeOfItsSchedule) {
  EXPECT_EQ(Status().next_run_ms, Utc("2026-11-19T09:00:00+09:00") * 1000);
  At("2026-11-18T23:00:00+09:00");
  EXPECT_THAT(sent_, IsEmpty());
}

TEST_F(ReporterTest, ForgetsReportsThatAreGone) {
  At("2026-11-19T09:00:01+09:00");
  Configure("[]");
  EXPECT_THAT(reporter_->Reports(), IsEmpty());
  int records = 0;
  EXPECT_OK(engine_.records().ForEachRecord(kReportRecords, [&](std::string_view, std::string_view) {
    ++records;
    return varve::Status::Ok();
  }));
  EXPECT_EQ(records, 0);
  clock_.now_s = Utc("2026-11-25T12:00:00+09:00");
  Configure(kDaily);
  At("2026-11-25T13:00:00+09:00");
  EXPECT_THAT(sent_, SizeIs(1));
}

TEST_F(ReporterTest, KeepsItsAttemptsAcrossRestartsAndReloads) {
  engine_.FailAppends(Unavailable("the disk is away"));
  At("2026-11-19T09:00:01+09:00");
  Restart();
  EXPECT_EQ(Status().attempts, 1u);
  EXPECT_THAT(Status().last_error, HasSubstr("the disk is away"));
  Configure(kDaily);
  At("2026-11-19T09:04:00+09:00");
  EXPECT_EQ(Status().attempts, 1u);
  At("2026-11-19T09:05:01+09:00");
  EXPECT_THAT(SentIds(), ElementsAre("boss report/daily/2026-11-18/failed"));
}

TEST_F(ReporterTest, TellsOfARecordItCannotRead) {
  EXPECT_OK(engine_.records().WriteRecords({{"reports/daily", "\x07"}, {"reports/other", EncodeReportState({})}}, {}));
  ReporterMeans means;
  means.engine = &engine_;
  means.query_limits = &limits_;
  Reporter reporter(std::move(means));
  EXPECT_THAT(reporter.Load().message(), HasSubstr("reports/daily: report record: unknown version"));
}

// The process dies at the Nth time that anything durable or visible outside happens: a record, an append, a message.
// Whatever N is, in the end there is one entry and everybody was told, at most twice.
class DyingStore final : public RecordStore {
 public:
  explicit DyingStore(RecordStore* store) : store_(store) {}
  varve::Status WriteRecords(const std::vector<Record>& put, const std::vector<std::string>& removed) override {
    return Dies() ? IoError("killed") : store_->WriteRecords(put, removed);
  }
  varve::Status ForEachRecord(
      std::string_view prefix,
      const std::function<varve::Status(std::string_view, std::string_view)>& fn) const override {
    return store_->ForEachRecord(prefix, fn);
  }
  bool Dies() { return steps_left-- <= 0; }
  bool dead() const { return steps_left < 0; }
  int steps_left = 1 << 20;

 private:
  RecordStore* const store_;
};

class DyingEngine final : public Engine {
 public:
  explicit DyingEngine(Engine* engine) : engine_(*engine), store(&engine->records()) {}
  varve::Status Append(const AppendBatch& batch, std::string_view record) override {
    return store.Dies() ? IoError("killed") : engine_.Append(batch, record);
  }
  RecordStore& records() override { return store; }

  varve::Status Recover(const ReplayFn& replay) override { return engine_.Recover(replay); }
  Result<TenantId> InternTenant(std::string_view name) override { return engine_.InternTenant(name); }
  Result<TenantId> FindTenant(std::string_view name) const override { return engine_.FindTenant(name); }
  Result<StreamOrdinal> InternStream(TenantId tenant, const Labels& labels) override {
    return engine_.InternStream(tenant, labels);
  }
  const Labels& StreamLabels(StreamOrdinal stream) const override { return engine_.StreamLabels(stream); }
  TenantId StreamTenant(StreamOrdinal stream) const override { return engine_.StreamTenant(stream); }
  void SetAppendObserver(AppendObserver* observer) override { engine_.SetAppendObserver(observer); }
  varve::Status Flush() override { return engine_.Flush(); }
  varve::Status Compact() override { return engine_.Compact(); }
  varve::Status Checkpoint(const std::string& directory) override { return engine_.Checkpoint(directory); }
  Result<std::unique_ptr<const LogSnapshot>> SnapshotLogs(TenantId tenant, const std::vector<Matcher>& matchers,
                                                          TimeRange range) const override {
    return engine_.SnapshotLogs(tenant, matchers, range);
  }
  Result<std::vector<const Labels*>> SelectStreams(TenantId tenant, const std::vector<Matcher>& matchers,
                                                   TimeRange range) const override {
    return engine_.SelectStreams(tenant, matchers, range);
  }
  std::optional<uint64_t> DataGeneration(TimeRange range) const override { return engine_.DataGeneration(range); }
  Result<DeleteRequest> AddDelete(std::string_view tenant, std::string_view query, int64_t start_ns,
                                  int64_t end_ns) override {
    return engine_.AddDelete(tenant, query, start_ns, end_ns);
  }
  std::vector<DeleteRequest> ListDeletes(std::string_view tenant) const override { return engine_.ListDeletes(tenant); }
  varve::Status CancelDelete(std::string_view tenant, std::string_view id, bool force) override {
    return engine_.CancelDelete(tenant, id, force);
  }
  uint64_t DeleteGeneration(std::string_view tenant) const override { return engine_.DeleteGeneration(tenant); }
  MetricStore& metrics() override { return engine_.metrics(); }
  MemoryBudget* ingest_budget() override { return engine_.ingest_budget(); }
  MemoryBudget* query_budget() override { return engine_.query_budget(); }
  ThreadPool* query_pool() override { return engine_.query_pool(); }
  const EngineOptions& options() const override { return engine_.options(); }
  EngineStats Stats() const override { return engine_.Stats(); }
  varve::Status Close() override { return engine_.Close(); }

 private:
  Engine& engine_;

 public:
  DyingStore store;
};

TEST_F(ReporterTest, SurvivesAKillAtAnyPoint) {
  for (int steps = 0; steps < 12; ++steps) {
    SCOPED_TRACE("killed at step " + std::to_string(steps));
    testing::MemoryEngine engine(Options(&clock_));
    std::map<std::string, int> told;
    DyingEngine dying(&engine);
    const auto life = [&](int64_t now_s) {
      WritePath writes(&dying, IngestLimits());
      ReporterMeans means;
      means.engine = &dying;
      means.writes = &writes;
      means.promql = &promql_;
      means.query_limits = &limits_;
      means.clock = &clock_;
      means.send = [&](std::string_view receiver, const Message& message, const CancelToken&) {
        if (dying.store.Dies()) return Delivery{Unavailable("killed"), true};
        ++told[std::string(receiver) + " " + message.id];
        return Delivery{};
      };
      Reporter reporter(std::move(means));
      EXPECT_OK(reporter.Load());
      Result<std::vector<ReportConfig>> reports = ParseReports(kTwoReceivers, "f", 1, "");
      reporter.Configure(*std::move(reports));
      clock_.now_s = now_s;
      reporter.RunDue(now_s * 1000);
    };
    clock_.now_s = Utc("2026-11-18T12:00:00+09:00");
    life(Utc("2026-11-18T12:00:00+09:00"));
    dying.store.steps_left = steps;
    life(Utc("2026-11-19T09:00:01+09:00"));
    dying.store.steps_left = 1 << 20;
    life(Utc("2026-11-19T09:00:05+09:00"));
    life(Utc("2026-11-19T09:10:00+09:00"));
    const EngineStats stats = engine.Stats();
    EXPECT_EQ(stats.appended_entries, 1u);
    ASSERT_THAT(told, SizeIs(2));
    for (const auto& [id, times] : told) {
      EXPECT_THAT(id, HasSubstr("report/daily/2026-11-18"));
      EXPECT_LE(times, 2) << id;
    }
  }
}

TEST_F(ReporterTest, RunsByItselfOnceStarted) {
  At("2026-11-19T08:59:59+09:00");
  clock_.now_s = Utc("2026-11-19T09:00:00+09:00");
  reporter_->Start();
  while (reporter_->Stats().runs == 0) std::this_thread::yield();
  reporter_->Stop();
  EXPECT_THAT(SentIds(), ElementsAre("ops report/daily/2026-11-18"));
  EXPECT_THAT(Stored(), SizeIs(1));
}

}  // namespace
}  // namespace varve
