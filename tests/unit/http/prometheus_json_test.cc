#include "http/prometheus_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "engine/model/sample.h"

namespace varve {
namespace {

std::string FloatText(double value) {
  std::string out;
  AppendPromFloat(&out, value);
  return out;
}

std::string TimeText(int64_t ts_ms) {
  std::string out;
  AppendPromTime(&out, ts_ms);
  return out;
}

PackedLabels Packed(std::vector<LabelView> labels) { return PackedLabels::FromUnsorted(std::move(labels)); }

TEST(PrometheusJson, FloatsAreAsShortAsTheyReadBack) {
  const struct {
    double value;
    const char* text;
  } cases[] = {{0, "0"},
               {-0.0, "-0"},
               {1, "1"},
               {-1.5, "-1.5"},
               {0.1, "0.1"},
               {1e-6, "0.000001"},
               {9.99e-7, "9.99e-07"},
               {1e20, "100000000000000000000"},
               {1e21, "1e+21"},
               {-1.25e300, "-1.25e+300"},
               {5e-324, "5e-324"},
               {1793495700.123, "1793495700.123"},
               {std::numeric_limits<double>::infinity(), "+Inf"},
               {-std::numeric_limits<double>::infinity(), "-Inf"},
               {std::numeric_limits<double>::quiet_NaN(), "NaN"},
               {StaleNan(), "NaN"}};
  for (const auto& c : cases) EXPECT_EQ(c.text, FloatText(c.value));
}

TEST(PrometheusJson, TimesHaveThreeDecimalsOrNone) {
  EXPECT_EQ("0", TimeText(0));
  EXPECT_EQ("1.500", TimeText(1500));
  EXPECT_EQ("1.005", TimeText(1005));
  EXPECT_EQ("-0.001", TimeText(-1));
  EXPECT_EQ("1793495700", TimeText(1793495700000));
  EXPECT_EQ("-9223372036854775.808", TimeText(INT64_MIN));
}

TEST(PrometheusJson, ResultsOfEveryTypeHaveTheirForm) {
  std::string out;
  promql::QueryResult scalar;
  scalar.type = promql::ValueType::kScalar;
  scalar.scalar = {1500, 2};
  AppendQueryData(&out, scalar, StatsDetail::kNone);
  EXPECT_EQ(R"({"resultType":"scalar","result":[1.500,"2"]})", out);

  promql::QueryResult text;
  text.type = promql::ValueType::kString;
  text.text = "a\"b";
  text.text_ts_ms = 1000;
  out.clear();
  AppendQueryData(&out, text, StatsDetail::kNone);
  EXPECT_EQ(R"({"resultType":"string","result":[1,"a\"b"]})", out);

  promql::QueryResult vector;
  vector.type = promql::ValueType::kVector;
  out.clear();
  AppendQueryData(&out, vector, StatsDetail::kNone);
  EXPECT_EQ(R"({"resultType":"vector","result":[]})", out);
  vector.series.push_back({Packed({{"__name__", "up"}, {"job", "a"}}), {{1000, 1}}, {}});
  vector.series.push_back({PackedLabels(), {{1000, 0}}, {}});
  out.clear();
  AppendQueryData(&out, vector, StatsDetail::kNone);
  EXPECT_EQ(R"({"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1,"1"]},)"
            R"({"metric":{},"value":[1,"0"]}]})",
            out);

  promql::QueryResult matrix;
  matrix.type = promql::ValueType::kMatrix;
  matrix.series.push_back({PackedLabels(), {{1000, 1}, {2000, 2.5}}, {}});
  out.clear();
  AppendQueryData(&out, matrix, StatsDetail::kNone);
  EXPECT_EQ(R"({"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"2.5"]]}]})", out);
}

TEST(PrometheusJson, HistogramsShowTheirBucketsThatAreNotEmpty) {
  NativeHistogram native;
  native.count = 6;
  native.sum = 5;
  native.zero_count = 1;
  native.zero_threshold = 0.001;
  native.positive_spans = {{0, 3}};
  native.positive_deltas = {2, -2, 2};  // 2, 0, 2
  native.negative_spans = {{0, 1}};
  native.negative_deltas = {1};
  std::string out;
  AppendHistogramJson(&out, promql::FloatHistogram::FromNative(native));
  EXPECT_EQ(R"({"count":"6","sum":"5","buckets":[[1,"-1","-0.5","1"],[3,"-0.001","0.001","1"],)"
            R"([0,"0.5","1","2"],[0,"2","4","2"]]})",
            out);
  out.clear();
  AppendHistogramJson(&out, promql::FloatHistogram());
  EXPECT_EQ(R"({"count":"0","sum":"0"})", out);
}

TEST(PrometheusJson, StatisticsComeWhenAskedFor) {
  promql::QueryResult result;
  result.type = promql::ValueType::kVector;
  result.stats.total_queryable_samples = 7;
  result.stats.peak_samples = 3;
  result.stats.queryable_samples_per_step = {{1000, 3}, {2500, 4}};
  std::string totals;
  AppendQueryData(&totals, result, StatsDetail::kTotals);
  EXPECT_NE(std::string::npos, totals.find(R"("samples":{"totalQueryableSamples":7,"peakSamples":3})")) << totals;
  std::string steps;
  AppendQueryData(&steps, result, StatsDetail::kPerStep);
  EXPECT_NE(std::string::npos, steps.find(R"("totalQueryableSamplesPerStep":[[1,3],[2.500,4]])")) << steps;
}

TEST(PrometheusJson, EnvelopesHaveNotesOnlyWhereThereAreAny) {
  EXPECT_EQ(R"({"status":"success","data":[]})", PromSuccess("[]").body);
  EXPECT_EQ(R"({"status":"success","data":[],"warnings":["w"],"infos":["i","j"]})",
            PromSuccess("[]", {"w"}, {"i", "j"}).body);
  const HttpResponse error = PromError(422, "execution", "it <failed>");
  EXPECT_EQ(422, error.status);
  EXPECT_EQ("application/json", error.content_type);
  EXPECT_EQ(R"({"status":"error","errorType":"execution","error":"it \u003cfailed\u003e"})", error.body);
}

TEST(PrometheusJson, ExemplarsStandBelowTheirSeries) {
  std::string out;
  AppendExemplarsJson(&out, {});
  EXPECT_EQ("[]", out);
  out.clear();
  ExemplarSeries series{Packed({{"__name__", "h"}}), {{Packed({{"trace_id", "x"}}), 0.25, 1500}}};
  AppendExemplarsJson(&out, {series});
  EXPECT_EQ(R"([{"seriesLabels":{"__name__":"h"},"exemplars":[{"labels":{"trace_id":"x"},"value":"0.25",)"
            R"("timestamp":1.500}]}])",
            out);
}

TEST(PrometheusJson, TheEstimateIsNotBelowWhatIsWritten) {
  promql::QueryResult matrix;
  matrix.type = promql::ValueType::kMatrix;
  for (int s = 0; s < 50; ++s) {
    promql::ResultSeries series{Packed({{"__name__", "metric"}, {"n", "1"}}), {}, {}};
    for (int i = 0; i < 100; ++i) series.floats.push_back({1793495700123 + i, -1.2345678901234567e-300});
    matrix.series.push_back(std::move(series));
  }
  std::string out;
  AppendQueryData(&out, matrix, StatsDetail::kTotals);
  EXPECT_LE(out.size(), EstimateQueryBytes(matrix) * 5 / 4);
}

}  // namespace
}  // namespace varve
