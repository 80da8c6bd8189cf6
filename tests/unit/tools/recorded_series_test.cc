#include "tools/recorded_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/write_path.h"
#include "query/promql/eval/query.h"
#include "tests/support/memory_engine.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

MetricSeries Series(LabelPairs labels, const std::vector<std::pair<int64_t, double>>& points) {
  MetricSeries series;
  series.labels = std::move(labels);
  for (const auto& [t_ms, value] : points) {
    MetricPoint point;
    point.t_ms = t_ms;
    point.number = value;
    series.points.push_back(std::move(point));
  }
  return series;
}

MetricAnswer Answer(std::vector<MetricSeries> series) {
  MetricAnswer answer;
  answer.type = MetricAnswer::Type::kMatrix;
  answer.series = std::move(series);
  return answer;
}

Status Keep(SampleBatch*) { return Status::Ok(); }

RuleGroup Group(uint32_t limit = 0) {
  RuleGroup group;
  group.limit = limit;
  group.labels = {{"a", "group"}, {"g", "group"}};
  Rule rule;
  rule.record = "r";
  rule.labels = {{"a", "rule"}, {"gone", ""}};
  group.rules.push_back(rule);
  return group;
}

// What a store has after the batch was written to it.
std::string Stored(const SampleBatch& batch) {
  testing::MemoryEngine engine;
  WritePath writes(&engine, IngestLimits());
  const SampleWrite write = WriteSamples(writes.metrics(), "fake", batch);
  EXPECT_OK(write.status);
  const Result<TenantId> tenant = engine.InternTenant("fake");
  const auto snapshot = engine.metrics().Snapshot(tenant.value(), {}, {});
  EXPECT_OK(snapshot);
  std::string out;
  SeriesSamples samples;
  for (size_t i = 0; i < snapshot.value()->size(); ++i) {
    EXPECT_OK(snapshot.value()->Read(i, {}, nullptr, &samples));
    out += snapshot.value()->labels(i).ToString();
    for (size_t k = 0; k < samples.floats.size(); ++k) {
      const bool stale = IsStaleNan(samples.floats[k]);
      out += " " + std::to_string(samples.float_ts_ms[k]) + ":" +
             (stale ? "stale" : std::to_string(static_cast<int>(samples.floats[k])));
    }
    out += "\n";
  }
  return out;
}

TEST(RecordedSeries, HaveTheRulesNameAndLabels) {
  const RuleGroup group = Group();
  RecordedSeries recorded(group.rules[0], group);
  SampleBatch batch;
  ASSERT_OK(recorded.Take(Answer({Series({{"__name__", "up"}, {"a", "x"}, {"gone", "x"}, {"i", "1"}}, {{10, 1}, {20, 2}})}),
                          {.first_ms = 10, .last_ms = 20, .step_ms = 10}, &batch, Keep));
  EXPECT_EQ(Stored(batch), "r{a=\"rule\", g=\"group\", i=\"1\"} 10:1 20:2\n");
  EXPECT_EQ(recorded.samples(), 2U);
}

TEST(RecordedSeries, EndWithAMarkerInTheWindowAndBetweenWindows) {
  const RuleGroup group = Group();
  RecordedSeries recorded(group.rules[0], group);
  SampleBatch batch;
  ASSERT_OK(recorded.Take(Answer({Series({{"i", "1"}}, {{10, 1}, {40, 4}}), Series({{"i", "2"}}, {{30, 3}, {40, 4}})}),
                          {.first_ms = 10, .last_ms = 40, .step_ms = 10}, &batch, Keep));
  ASSERT_OK(recorded.Take(Answer({Series({{"i", "2"}}, {{50, 5}})}), {.first_ms = 50, .last_ms = 80, .step_ms = 10}, &batch, Keep));
  EXPECT_EQ(Stored(batch),
            "r{a=\"rule\", g=\"group\", i=\"1\"} 10:1 20:stale 40:4 50:stale\n"
            "r{a=\"rule\", g=\"group\", i=\"2\"} 30:3 40:4 50:5 60:stale\n");
}

TEST(RecordedSeries, LeaveOutEvaluationsBeyondTheLimit) {
  const RuleGroup group = Group(1);
  RecordedSeries recorded(group.rules[0], group);
  SampleBatch batch;
  ASSERT_OK(recorded.Take(Answer({Series({{"i", "1"}}, {{10, 1}, {20, 2}, {30, 3}}), Series({{"i", "2"}}, {{20, 2}})}),
                          {.first_ms = 10, .last_ms = 30, .step_ms = 10}, &batch, Keep));
  EXPECT_EQ(recorded.over_limit(), 1U);
  EXPECT_EQ(Stored(batch), "r{a=\"rule\", g=\"group\", i=\"1\"} 10:1 30:3\n");
}

TEST(RecordedSeries, AreWrittenInPieces) {
  const RuleGroup group = Group();
  RecordedSeries recorded(group.rules[0], group);
  std::vector<std::pair<int64_t, double>> points;
  for (int64_t i = 1; i <= 50'000; ++i) points.emplace_back(i, 1);
  SampleBatch batch;
  uint64_t written = 0;
  ASSERT_OK(recorded.Take(Answer({Series({}, points)}), {.first_ms = 1, .last_ms = 50'000, .step_ms = 1}, &batch,
                          [&](SampleBatch* full) {
                            written += full->samples();
                            full->Clear();
                            return Status::Ok();
                          }));
  EXPECT_EQ(written, 40'000U);
  EXPECT_EQ(batch.samples(), 10'000U);
}

TEST(RecordedSeries, RefuseTwoOfOneLabelSetAndHistograms) {
  const RuleGroup group = Group();
  RecordedSeries recorded(group.rules[0], group);
  SampleBatch batch;
  const EvaluationWindow window{.first_ms = 10, .last_ms = 10, .step_ms = 10};
  EXPECT_THAT(recorded.Take(Answer({Series({{"a", "1"}}, {{10, 1}}), Series({{"a", "2"}}, {{10, 2}})}), window, &batch, Keep).message(),
              HasSubstr("vector contains metrics with the same labelset after applying rule labels"));
  MetricAnswer histogram = Answer({Series({}, {{10, 1}})});
  histogram.series[0].points[0].histogram = "{}";
  EXPECT_THAT(recorded.Take(histogram, window, &batch, Keep).message(), HasSubstr("native histograms cannot be backfilled"));
  EXPECT_TRUE(batch.empty());
}

}  // namespace
}  // namespace varve
