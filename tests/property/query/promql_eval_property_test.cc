// A range query gives at each of its steps what an instant query gives at that time, whatever the expression; and a
// pool changes nothing. The two go through different code: columns against single steps, whole snapshots against
// small ones, sliding windows against one window.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "query/promql/eval/query.h"
#include "query/promql/syntax/parser.h"
#include "tests/support/memory_metric_store.h"

namespace varve::promql {
namespace {

constexpr int64_t kEndMs = 1'800'000;

class StoreSource final : public SampleSource {
 public:
  explicit StoreSource(std::mt19937* random) : random_(*random) {
    for (const char* metric : {"m_total", "n"}) {
      for (int i = 0; i < 4; ++i) {
        for (int g = 0; g < 2; ++g) AddSeries(metric, std::to_string(i), std::to_string(g));
      }
    }
  }
  Result<std::unique_ptr<const MetricSnapshot>> Select(const std::vector<Matcher>& matchers,
                                                       MetricRange range) const override {
    return store_.Snapshot(0, matchers, range);
  }

 private:
  int Random(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  void AddSeries(const std::string& metric, const std::string& i, const std::string& g) {
    const PackedLabels labels = PackedLabels::FromUnsorted({{kMetricName, metric}, {"i", i}, {"g", g}});
    MetricBatch batch;
    double value = Random(100);
    const bool histograms = Random(6) == 0;
    for (int64_t ts_ms = Random(60'000); ts_ms < kEndMs; ts_ms += 10'000 + Random(15'000)) {
      if (Random(12) == 0) ts_ms += Random(600'000);
      value = Random(15) == 0 ? Random(4) : value + Random(8);
      if (histograms && Random(3) != 0) {
        auto histogram = std::make_shared<NativeHistogram>();
        histogram->positive_spans = {{0, 2}};
        histogram->positive_deltas = {static_cast<int64_t>(value), 1};
        histogram->count = static_cast<uint64_t>(2 * static_cast<int64_t>(value) + 1);
        histogram->sum = value;
        batch.histograms.push_back({ts_ms, std::move(histogram)});
        continue;
      }
      const int kind = Random(40);
      batch.floats.push_back({ts_ms, kind == 0 ? StaleNan() : kind == 1 ? std::nan("") : value + 0.25});
    }
    batch.parts.push_back({.series = *store_.InternSeries(0, labels, 0),
                           .float_count = static_cast<uint32_t>(batch.floats.size()),
                           .histogram_count = static_cast<uint32_t>(batch.histograms.size())});
    EXPECT_TRUE(store_.Append(0, batch, [](const MetricVerdicts&) { return std::string_view(); }).ok());
  }

  std::mt19937& random_;
  MemoryMetricStore store_;
};

class RandomExpr {
 public:
  explicit RandomExpr(std::mt19937* random) : random_(*random) {}

  std::string Vector(int depth) {
    if (depth == 0) return Selector();
    switch (random_() % 9) {
      case 0: return Selector();
      case 1: return Pick({"abs", "sqrt", "round", "sgn", "timestamp"}) + "(" + Vector(depth - 1) + ")";
      case 2: return "-(" + Vector(depth - 1) + ")";
      case 3: return "(" + Vector(depth - 1) + ") " + Pick({"+", "*", "/", ">", "<= bool", "!=", "^"}) + " " + Scalar(depth);
      case 4: return Aggregate(depth);
      case 5: return "(" + Vector(depth - 1) + ") " + Binary() + " (" + Vector(depth - 1) + ")";
      default: return RangeCall(depth);
    }
  }

 private:
  std::string Pick(std::initializer_list<const char*> of) { return *(of.begin() + random_() % of.size()); }
  std::string Shift() { return Pick({"", "", "", " offset 90s", " offset -1m", " @ 1200", " @ 900 offset 30s"}); }
  std::string Matchers() {
    return Pick({"m_total", "n", "m_total{g=\"1\"}", "n{i=~\"1|2\"}", "{__name__=~\"m_total|n\",i=\"1\"}"});
  }
  std::string Selector() { return Matchers() + Shift(); }
  std::string Scalar(int depth) {
    switch (random_() % 4) {
      case 0: return "time()";
      case 1: return "scalar(" + Vector(depth - 1) + ")";
      default: return Pick({"2", "0.5", "30", "-1"});
    }
  }
  std::string Range(int depth) {
    if (depth > 0 && random_() % 3 == 0) {
      return "(" + Vector(depth - 1) + ")" + Pick({"[3m:30s]", "[5m:]", "[100s:7s]"}) + Shift();
    }
    return Matchers() + Pick({"[1m]", "[5m]", "[47s]"}) + Shift();
  }
  std::string RangeCall(int depth) {
    const std::string plain =
        Pick({"rate", "increase", "delta", "irate", "idelta", "sum_over_time", "avg_over_time", "min_over_time",
              "max_over_time", "count_over_time", "last_over_time", "first_over_time", "stddev_over_time", "changes",
              "resets", "deriv", "present_over_time", "quantile_over_time", "predict_linear"});
    if (plain == "quantile_over_time") return "quantile_over_time(0.7, " + Range(depth) + ")";
    if (plain == "predict_linear") return "predict_linear(" + Range(depth) + ", 60)";
    return plain + "(" + Range(depth) + ")";
  }
  std::string Aggregate(int depth) {
    const std::string op = Pick({"sum", "avg", "min", "max", "count", "group", "stddev", "quantile", "topk", "bottomk",
                                 "limitk", "limit_ratio", "count_values"});
    const std::string by = Pick({"", " by (g)", " by (i, g)", " without (i)"});
    std::string param;
    if (op == "quantile") param = "0.3, ";
    if (op == "topk" || op == "bottomk" || op == "limitk") param = "2, ";
    if (op == "limit_ratio") param = "0.4, ";
    if (op == "count_values") param = "\"v\", ";
    return op + by + " (" + param + Vector(depth - 1) + ")";
  }
  std::string Binary() {
    const std::string op = Pick({"+", "-", "*", "/", ">", "== bool", "and", "or", "unless"});
    const bool set = op == "and" || op == "or" || op == "unless";
    const std::string on = Pick({"", " on (i, g)", " ignoring (g)", " on (g)"});
    return op + on + (set || on.empty() ? "" : Pick({"", "", " group_left", " group_right"}));
  }

  std::mt19937& random_;
};

// Labels to the value's text, at each step.
using Steps = std::map<int64_t, std::map<std::string, std::string>>;

// Not to the last bit: topk orders the elements of an instant query, which stddev around it can tell.
std::string ValueText(double value) {
  if (std::isnan(value)) return "NaN";
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", value == 0 ? 0.0 : value);
  return text;
}

Steps StepsOf(const QueryResult& result) {
  Steps steps;
  for (const ResultSeries& series : result.series) {
    for (const FloatPoint& point : series.floats) {
      steps[point.ts_ms].emplace(series.labels.ToString(), ValueText(point.value));
    }
    for (const HistogramValue& point : series.histograms) {
      steps[point.ts_ms].emplace(series.labels.ToString(), point.histogram->ToString());
    }
  }
  return steps;
}

void CheckQuery(const PromqlEngine& engine, const StoreSource& source, ThreadPool* pool, const std::string& query,
                int64_t start_ms, int64_t step_ms, size_t* answered) {
  SCOPED_TRACE(query);
  const QueryRequest range{.query = query, .start_ms = start_ms, .end_ms = start_ms + 12 * step_ms, .step_ms = step_ms};
  const Result<QueryResult> whole = engine.Run(range, {.source = &source});
  const Result<QueryResult> pooled = engine.Run(range, {.source = &source, .pool = pool});
  ASSERT_EQ(whole.ok(), pooled.ok());
  Steps expected;
  std::string error;
  for (int64_t ms = range.start_ms; ms <= range.end_ms; ms += step_ms) {
    const Result<QueryResult> one =
        engine.Run({.query = query, .start_ms = ms, .end_ms = ms}, {.source = &source});
    if (!one.ok()) {
      error = one.status().message();
      break;
    }
    expected.merge(StepsOf(*one));
  }
  if (!whole.ok()) {
    // Range functions refuse equal label sets even of series that never meet.
    if (error.empty()) {
      EXPECT_EQ(whole.status().message(), "vector cannot contain metrics with the same labelset");
    }
    return;
  }
  EXPECT_EQ(error, "");
  *answered += whole->series.size();
  EXPECT_TRUE(StepsOf(*whole) == StepsOf(*pooled)) << "with a pool";
  const Steps steps = StepsOf(*whole);
  for (int64_t ms = range.start_ms; ms <= range.end_ms; ms += step_ms) {
    const auto found = steps.find(ms);
    EXPECT_EQ(found == steps.end() ? Steps::mapped_type() : found->second, expected[ms]) << "at " << ms;
  }
}

TEST(PromqlEvalPropertyTest, ARangeQueryIsItsInstantQueries) {
  const char* seeds = std::getenv("VARVE_TEST_SEEDS");
  const uint32_t count = seeds == nullptr ? 15 : static_cast<uint32_t>(std::atoi(seeds));
  ThreadPool pool("property", 2);
  size_t answered = 0;  // series
  for (uint32_t seed = 1; seed <= count && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const StoreSource source(&random);
    RandomExpr expressions(&random);
    // Not with delayed name removal: there a series has one answer to whether its name goes, at all steps.
    const PromqlEngine engine({});
    for (int i = 0; i < 20 && !HasFailure(); ++i) {
      const std::string query = expressions.Vector(3);
      const auto start_ms = static_cast<int64_t>(300'000 + random() % 900'000);
      CheckQuery(engine, source, &pool, query, start_ms, 1000 + static_cast<int64_t>(random() % 60'000),
                 &answered);
    }
  }
  EXPECT_GE(answered, 100u);
}

}  // namespace
}  // namespace varve::promql
