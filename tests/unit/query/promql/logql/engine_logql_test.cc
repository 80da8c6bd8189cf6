// Logs inside PromQL: logql("…") beside metrics of the same tenant.
#include "query/promql/logql/engine_logql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/memory_engine.h"
#include "tests/support/status_matchers.h"

namespace varve::promql {
namespace {

using ::testing::HasSubstr;

class MetricSource final : public SampleSource {
 public:
  MetricSource(const MetricStore* store, TenantId tenant) : store_(store), tenant_(tenant) {}
  Result<std::unique_ptr<const MetricSnapshot>> Select(const std::vector<Matcher>& matchers,
                                                       MetricRange range) const override {
    return store_->Snapshot(tenant_, matchers, range);
  }

 private:
  const MetricStore* const store_;
  const TenantId tenant_;
};

class EngineLogqlTest : public ::testing::Test {
 protected:
  EngineLogqlTest() {
    const Result<TenantId> tenant = engine_.InternTenant("fake");
    EXPECT_OK(tenant);
    tenant_ = *tenant;
    // Ten requests a minute and app; every second one of `web` fails. The metric counts all of them.
    for (int64_t minute = 0; minute < 10; ++minute) {
      for (int64_t i = 0; i < 10; ++i) {
        for (const std::string app : {"api", "web"}) {
          const bool fails = app == "web" && i % 2 == 1;
          engine_.Add(Labels::FromUnsorted({{"app", app}}), (minute * 60 + i * 6 + 1) * kNsPerSecond,
                      fails ? "status=500" : "status=200");
        }
      }
    }
    for (const std::string app : {"api", "web"}) AddMetric(app);
  }

  void AddMetric(const std::string& app) {
    MetricStore& store = engine_.metrics();
    const Result<SeriesOrdinal> series = store.InternSeries(
        tenant_, PackedLabels::FromUnsorted({{kMetricName, "requests"}, {"app", app}}), 0);
    ASSERT_OK(series);
    MetricBatch batch;
    for (int64_t minute = 0; minute <= 10; ++minute) {
      batch.floats.push_back({minute * 60'000, static_cast<double>(minute * 10)});
    }
    batch.parts.push_back({.series = *series, .float_begin = 0, .float_count = 11});
    ASSERT_OK(store.Append(tenant_, batch, [](const MetricVerdicts&) { return std::string_view(); }));
  }

  Result<QueryResult> Run(const std::string& query, int64_t start_ms, int64_t end_ms, int64_t step_ms) {
    const MetricSource metrics(&engine_.metrics(), tenant_);
    const EngineLogqlSource logs(&engine_, tenant_, limits_, nullptr);
    QueryContext context;
    context.source = &metrics;
    context.logql = &logs;
    return PromqlEngine({}).Run({.query = query, .start_ms = start_ms, .end_ms = end_ms, .step_ms = step_ms}, context);
  }

  // `labels value@ms value@ms; …`
  std::string Answer(const std::string& query, int64_t start_ms, int64_t end_ms, int64_t step_ms) {
    const Result<QueryResult> result = Run(query, start_ms, end_ms, step_ms);
    if (!result.ok()) return result.status().message();
    std::string out;
    for (const ResultSeries& series : result->series) {
      out += (out.empty() ? "" : "; ") + series.labels.ToString();
      for (const FloatPoint& point : series.floats) {
        char text[64];
        std::snprintf(text, sizeof text, " %g@%lld", point.value, static_cast<long long>(point.ts_ms));
        out += text;
      }
    }
    return out;
  }
  std::string Instant(const std::string& query, int64_t ms) { return Answer(query, ms, ms, 0); }

  testing::MemoryEngine engine_;
  TenantId tenant_ = 0;
  QueryLimits limits_;
};

TEST_F(EngineLogqlTest, IsAnInstantVector) {
  EXPECT_EQ(Instant("logql(`count_over_time({app=~\".+\"}[1m])`)", 300'000),
            "{app=\"api\"} 10@300000; {app=\"web\"} 10@300000");
  EXPECT_EQ(Instant("sum(logql(`sum by (app) (count_over_time({app=~\".+\"}[1m]))`))", 300'000), "{} 20@300000");
  EXPECT_EQ(Instant("logql(`1 + 1`)", 300'000), "{} 2@300000");
}

TEST_F(EngineLogqlTest, HasTheStepsOfARange) {
  EXPECT_EQ(Answer("logql(`count_over_time({app=\"web\"} |= \"500\" [1m])`) * 2", 60'000, 240'000, 90'000),
            "{app=\"web\"} 10@60000 10@150000 10@240000");
  EXPECT_EQ(Answer("logql(`count_over_time({app=\"web\"} |= \"500\" [1m])`) > 5", 60'000, 240'000, 90'000), "");
}

TEST_F(EngineLogqlTest, HasStepsThatAreNoMultiples) {
  // A line every six seconds, from the first second on.
  EXPECT_EQ(Answer("logql(`count_over_time({app=\"api\"}[1h])`)", 61'000, 121'000, 60'000),
            "{app=\"api\"} 11@61000 21@121000");
  EXPECT_EQ(Answer("logql(`count_over_time({app=\"api\"}[1h])`)", 60'999, 120'999, 60'000),
            "{app=\"api\"} 10@60999 20@120999");
}

TEST_F(EngineLogqlTest, JoinsWithMetrics) {
  // The share of requests that fail: failures from the logs, requests from the counter.
  EXPECT_EQ(Instant("sum by (app) (logql(`count_over_time({app=~\".+\"} |= \"500\" [5m])`)) "
                    "/ on (app) (requests - requests offset 5m)", 300'000),
            "{app=\"web\"} 0.5@300000");
  EXPECT_EQ(Answer("requests and on (app) logql(`count_over_time({app=~\".+\"} |= \"500\" [1m])`)", 60'000, 120'000,
                   60'000),
            "requests{app=\"web\"} 10@60000 20@120000");
}

TEST_F(EngineLogqlTest, IsEvaluatedAtTheStepsOfASubquery) {
  EXPECT_EQ(Instant("sum_over_time(logql(`count_over_time({app=\"api\"}[1m])`)[3m:1m])", 300'000),
            "{app=\"api\"} 30@300000");
}

TEST_F(EngineLogqlTest, PassesLogqlErrorsOnWithItsText) {
  EXPECT_THAT(Instant("logql(`{app=\"web\"}`)", 0), HasSubstr("logql(\"{app=\\\"web\\\"}\"): a metric query is wanted"));
  EXPECT_THAT(Instant("up + logql(`rate({app=\"web\"}`)", 0), HasSubstr("parse error at line 1"));
  limits_.max_query_series = 1;
  EXPECT_THAT(Instant("logql(`rate({app=~\".+\"}[1m])`)", 60'000), HasSubstr("maximum number of series"));
  const EngineLogqlSource source(&engine_, tenant_, limits_, nullptr);
  EXPECT_EQ(source.Check("nonsense(").code(), Code::kInvalidArgument);
  EXPECT_OK(source.Check("sum(rate({app=\"web\"}[1m]))"));
}

TEST_F(EngineLogqlTest, IsAnErrorWhereThereAreNoLogs) {
  const MetricSource metrics(&engine_.metrics(), tenant_);
  QueryContext context;
  context.source = &metrics;
  const auto result = PromqlEngine({}).Run({.query = "logql(`vector(1)`)"}, context);
  EXPECT_EQ(result.status().code(), Code::kExecution);
}

}  // namespace
}  // namespace varve::promql
