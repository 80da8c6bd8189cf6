#include "ingest/metric_write_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/metric_ingest.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::kIngestNowMs;
using testing::MetricIngest;
using testing::RwSeries;
using testing::Snapped;
using ::testing::StartsWith;

constexpr int64_t kT = kIngestNowMs;
constexpr std::string_view kV1 = "application/x-protobuf";

NativeHistogram SmallHistogram() {
  NativeHistogram h;
  h.schema = 0;
  h.zero_threshold = 0.001;
  h.zero_count = 1;
  h.sum = 9.5;
  h.count = 6;
  h.positive_spans = {{0, 2}, {1, 1}};
  h.positive_deltas = {1, 1, 0};
  return h;
}

TEST(MetricWritePath, StoresRemoteWrite1) {
  MetricIngest ingest;
  const MetricWriteOutcome outcome = ingest.Write1(
      {{{{"__name__", "up"}, {"job", "a"}}, {{kT - 1000, 1}, {kT, 0.5}}},
       {{{"__name__", "lat"}}, {}, {{{{"trace_id", "t"}}, 0.25, kT - 5}}, {{kT, SmallHistogram()}}}},
      {{"up", 2, "Whether it is up.", ""}});
  EXPECT_EQ(outcome.http_status, 204);
  EXPECT_EQ(outcome.message, "");
  EXPECT_EQ(outcome.samples_written, 2u);
  EXPECT_EQ(outcome.histograms_written, 1u);
  EXPECT_EQ(outcome.exemplars_written, 1u);
  EXPECT_EQ(ingest.Stored(),
            "lat 1795000000000=[int schema=0 sum=9.5 count=6 zero=1@0.001 spans=0+2,1+1 deltas=1,1,0]\n"
            "up{job=\"a\"} 1794999999000=1 1795000000000=0.5\n"
            "exemplar lat {trace_id=\"t\"} 1794999999995=0.25\n"
            "metadata up gauge  Whether it is up.\n");
  EXPECT_EQ(ingest.Replayed(), ingest.Stored());
}

TEST(MetricWritePath, StoresRemoteWrite2WithStartTimestamps) {
  MetricIngest ingest;
  const MetricWriteOutcome outcome = ingest.Write2(
      {{{{"__name__", "a_total"}, {"job", "x"}}, {{kT - 1000, 1}, {kT, 2, kT - 9000}}, {}, {}, {"", 1, "Help.", "s"}},
       {{{"__name__", "h_bucket"}, {"le", "1"}}, {{kT, 3}}, {{{{"trace_id", "t"}}, 1, kT}}, {}, {"", 3, "H.", ""}},
       {{{"__name__", "native"}}, {}, {}, {{kT, SmallHistogram(), kT - 7}}, {}}});
  EXPECT_EQ(outcome.http_status, 204) << outcome.message;
  EXPECT_EQ(outcome.samples_written, 3u);
  EXPECT_EQ(ingest.Stored(),
            "a_total{job=\"x\"} 1794999999000=1 1795000000000=2<1794999991000\n"
            "h_bucket{le=\"1\"} 1795000000000=3\n"
            "native 1795000000000=[int schema=0 sum=9.5 count=6 zero=1@0.001 spans=0+2,1+1 "
            "deltas=1,1,0]<1794999999993\n"
            "exemplar h_bucket{le=\"1\"} {trace_id=\"t\"} 1795000000000=1\n"
            "metadata a_total counter s Help.\n"
            "metadata h histogram  H.\n");
  EXPECT_EQ(ingest.Replayed(), ingest.Stored());
}

TEST(MetricWritePath, KnowsASeriesAgainInEitherMessageAndAnyOrderOfLabels) {
  MetricIngest ingest;
  for (int round = 0; round < 2; ++round) {
    const int64_t t = kT - 10'000 + round * 4000;
    EXPECT_EQ(ingest.Write1({{{{"__name__", "m"}, {"a", "1"}}, {{t, 1}}}}).http_status, 204);
    EXPECT_EQ(ingest.Write1({{{{"a", "1"}, {"none", ""}, {"__name__", "m"}}, {{t + 1000, 2}}}}).http_status, 204);
    EXPECT_EQ(ingest.Write2({{{{"__name__", "m"}, {"a", "1"}}, {{t + 2000, 3}}}}).http_status, 204);
    EXPECT_EQ(ingest.Write2({{{{"__name__", "other"}, {"a", "1"}}, {{t, 9}}},
                             {{{"__name__", "m"}, {"a", "1"}}, {{t + 3000, 4}}}})
                  .http_status,
              204);
  }
  EXPECT_EQ(ingest.engine.metrics().Stats().series, 2u);
  EXPECT_EQ(ingest.Replayed(), ingest.Stored());
}

TEST(MetricWritePath, KeepsEveryBitOfAValue) {
  MetricIngest ingest;
  EXPECT_EQ(ingest.Write1({{{{"__name__", "m"}},
                            {{kT - 5, StaleNan()},
                             {kT - 4, std::bit_cast<double>(uint64_t{0x7ff8000000000123})},
                             {kT - 3, -0.0},
                             {kT - 2, 5e-324},
                             {-62135596800000, INFINITY}}}})
                .http_status,
            204);
  EXPECT_EQ(ingest.Stored(),
            "m -62135596800000=inf 1794999999995=NaN:7ff0000000000002 1794999999996=NaN:7ff8000000000123 "
            "1794999999997=-0 1794999999998=5e-324\n");
}

struct RefusalCase {
  const char* name;
  RwSeries series;
  const char* text;  // what stands in the answer
};

const RwSeries kGood = {{{"__name__", "good"}}, {{kT, 1}}};

NativeHistogram Miscounted() {
  NativeHistogram h = SmallHistogram();
  h.count = 99;
  return h;
}

const RefusalCase kRefusals[] = {
    {"NoName", {{{"a", "1"}}, {{kT, 1}}}, "invalid metric name or labels, got {a=\"1\"}: there is no __name__"},
    {"NoLabels", {{}, {{kT, 1}}}, "invalid metric name or labels, got {}"},
    {"EmptyName", {{{"__name__", ""}}, {{kT, 1}}}, "there is no __name__"},
    {"EmptyLabelName", {{{"", "x"}, {"__name__", "m"}}, {{kT, 1}}}, "label \"\" has no name"},
    {"NameNotUtf8", {{{"__name__", "m\xff"}}, {{kT, 1}}}, "label \"__name__\" has a value that is not UTF-8"},
    {"LabelNotUtf8", {{{"__name__", "m"}, {"\xff", "x"}}, {{kT, 1}}}, "is not UTF-8"},
    {"TwiceWithOneValue",
     {{{"__name__", "m"}, {"a", "1"}, {"a", "1"}}, {{kT, 1}}},
     "invalid labels for series, labels {__name__=\"m\", a=\"1\", a=\"1\"}, duplicated label a"},
    {"Future",
     {{{"__name__", "m"}, {"a", "b"}}, {{kT + 600'001, 1}}},
     "out of bounds: timestamp is too far in the future for series {__name__=\"m\", a=\"b\"} at 1795000600001\n"},
    {"Miscounted histogram", {{{"__name__", "m"}}, {}, {}, {{kT, Miscounted()}}}, "for series {__name__=\"m\"} at "},
    {"FutureHistogram", {{{"__name__", "m"}}, {}, {}, {{kT + 600'001, SmallHistogram()}}}, "out of bounds"},
};

TEST(MetricWritePath, RefusesOneSeriesAndStoresTheRest) {
  for (const RefusalCase& c : kRefusals) {
    for (const bool second : {false, true}) {
      SCOPED_TRACE(std::string(c.name) + (second ? ", 2.0" : ", 1.0"));
      MetricIngest ingest;
      const std::vector<RwSeries> series = {c.series, kGood};
      const MetricWriteOutcome outcome = second ? ingest.Write2(series) : ingest.Write1(series);
      EXPECT_EQ(outcome.http_status, 400);
      EXPECT_THAT(outcome.message, HasSubstr(c.text));
      EXPECT_EQ(outcome.samples_written, 1u);
      EXPECT_EQ(outcome.histograms_written, 0u);
      EXPECT_EQ(ingest.Stored(), "good 1795000000000=1\n");
      EXPECT_EQ(ingest.Replayed(), ingest.Stored());
    }
  }
}

TEST(MetricWritePath, RefusesASampleThatContradictsAStoredOneAndReplaysWithoutIt) {
  MetricIngest ingest;
  EXPECT_EQ(ingest.Write1({{{{"__name__", "m"}}, {{kT, 1}}}}).http_status, 204);
  const MetricWriteOutcome outcome =
      ingest.Write1({{{{"__name__", "m"}}, {{kT - 1, 5}, {kT, 2}, {kT + 1, 6}}}, {{{"__name__", "n"}}, {{kT, 1}}}});
  EXPECT_EQ(outcome.http_status, 400);
  EXPECT_EQ(outcome.message, "duplicate sample for timestamp for series {__name__=\"m\"} at 1795000000000\n");
  EXPECT_EQ(outcome.samples_written, 3u);
  EXPECT_EQ(ingest.Stored(), "m 1794999999999=5 1795000000000=1 1795000000001=6\nn 1795000000000=1\n");
  EXPECT_EQ(ingest.Replayed(), ingest.Stored());
}

TEST(MetricWritePath, TakesTheSameSampleAgain) {
  MetricIngest ingest;
  for (int i = 0; i < 2; ++i) {
    const MetricWriteOutcome outcome = ingest.Write2({{{{"__name__", "m"}}, {{kT, 1}, {kT + 1, NAN}}}});
    EXPECT_EQ(outcome.http_status, 204);
    EXPECT_EQ(outcome.samples_written, 2u);
  }
  EXPECT_EQ(ingest.Replayed(), ingest.Stored());
}

TEST(MetricWritePath, LeavesSamplesOutOfTheMiddleOfSeriesWithTheirStarts) {
  MetricIngest ingest;
  const MetricWriteOutcome outcome =
      ingest.Write2({{{{"__name__", "a"}}, {{kT, 1, 10}, {kT + 700'000, 2, 20}, {kT + 1, 3, 30}}},
                     {{{"x", "y"}}, {{kT, 4, 40}}},
                     {{{"__name__", "b"}}, {{kT + 700'000, 5, 50}, {kT, 6, 60}}}});
  EXPECT_EQ(outcome.http_status, 400);
  EXPECT_EQ(outcome.samples_written, 3u);
  EXPECT_EQ(ingest.Stored(), "a 1795000000000=1<10 1795000000001=3<30\nb 1795000000000=6<60\n");
  EXPECT_EQ(ingest.Replayed(), ingest.Stored());
}

TEST(MetricWritePath, RefusesRemoteWrite2SeriesWithoutSamples) {
  MetricIngest ingest;
  const MetricWriteOutcome outcome = ingest.Write2({{{{"__name__", "m"}}, {}}, kGood});
  EXPECT_EQ(outcome.http_status, 400);
  EXPECT_EQ(outcome.message, "TimeSeries must contain at least one sample or histogram for series {__name__=\"m\"}\n");
  EXPECT_EQ(ingest.Write1({{{{"__name__", "m"}}, {}}}).http_status, 204);
  EXPECT_EQ(ingest.Stored(), "good 1795000000000=1\n");
}

TEST(MetricWritePath, RefusesReferencesBeyondTheSymbols) {
  MetricIngest ingest;
  const auto send = [&](std::string refs) {
    const std::string sample = testing::ProtoWriter().Double(1, 1).Number(2, kT).str();
    const std::string body = testing::ProtoWriter()
                                 .Bytes(4, "")
                                 .Bytes(5, testing::ProtoWriter().Bytes(1, refs).Bytes(2, sample).str())
                                 .str();
    return ingest.Write(MetricWire::kRemoteWrite, Snapped(body),
                        "application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy");
  };
  EXPECT_EQ(send("\x07\x09").http_status, 400);
  EXPECT_THAT(send("\x07\x09").message, HasSubstr("labelRefs 7 out of range: the request has 1 symbols"));
  EXPECT_THAT(send(std::string("\0", 1)).message, HasSubstr("not a multiple of 2"));
  EXPECT_EQ(ingest.Stored(), "");
}

TEST(MetricWritePath, DropsExemplarsThatAreTooLongWithoutAnError) {
  MetricIngest ingest;
  const auto send = [&](size_t runes) {
    std::string value;
    for (size_t i = 0; i < runes - 1; ++i) value += "ü";
    return ingest.Write1({{{{"__name__", "m"}}, {{kT, 1}}, {{{{"t", value}}, 1, kT}}}});
  };
  EXPECT_EQ(send(129).http_status, 204);
  EXPECT_EQ(send(129).exemplars_written, 0u);
  EXPECT_EQ(send(128).exemplars_written, 1u);
  EXPECT_EQ(ingest.Replayed(), ingest.Stored());
}

TEST(MetricWritePath, HoldsTheLimitsOnLabels) {
  IngestLimits limits;
  limits.max_label_names_per_metric_series = 2;
  limits.max_label_name_length = 10;
  limits.max_metric_label_value_length = 5;
  MetricIngest ingest(limits);
  EXPECT_THAT(ingest.Write1({{{{"__name__", "m"}, {"a", "1"}, {"b", "2"}, {"c", ""}}, {{kT, 1}}}}).message,
              HasSubstr("number of labels exceeds the limit (actual: 3, limit: 2, "
                        "limits.max_label_names_per_metric_series) for series {__name__=\"m\""));
  EXPECT_THAT(ingest.Write1({{{{"__name__", "m"}, {"abcdefghijk", "1"}}, {{kT, 1}}}}).message,
              HasSubstr("limits.max_label_name_length"));
  EXPECT_THAT(ingest.Write1({{{{"__name__", "m"}, {"a", "123456"}}, {{kT, 1}}}}).message,
              HasSubstr("limits.max_metric_label_value_length"));
  EXPECT_EQ(ingest.Write1({{{{"__name__", "m"}, {"a", "12345"}, {"c", ""}}, {{kT, 1}}}}).http_status, 204);
}

TEST(MetricWritePath, HoldsTheLimitOnSeriesAndTellsTheSenderToComeBack) {
  IngestLimits limits;
  limits.max_global_series_per_user = 1;
  MetricIngest ingest(limits);
  const MetricWriteOutcome outcome =
      ingest.Write1({{{{"__name__", "a"}}, {{kT, 1}}}, {{{"__name__", "b"}}, {{kT, 1}}}});
  EXPECT_EQ(outcome.http_status, 429);
  EXPECT_THAT(outcome.message, HasSubstr("(limits.max_global_series_per_user) for series {__name__=\"b\"}"));
  EXPECT_EQ(outcome.samples_written, 1u);
  EXPECT_EQ(ingest.Replayed(), "a 1795000000000=1\n");
}

TEST(MetricWritePath, HoldsTheRateAndTheSizeOfRequests) {
  IngestLimits limits;
  limits.ingestion_rate_samples = 1;
  limits.ingestion_burst_size_samples = 2;
  limits.max_samples_per_metrics_request = 3;
  limits.max_metrics_decompressed_size = 1000;
  MetricIngest ingest(limits);
  EXPECT_EQ(ingest.Write1({{{{"__name__", "a"}}, {{kT, 1}, {kT + 1, 1}, {kT + 2, 1}}}}).http_status, 429);
  EXPECT_EQ(ingest.Write1({{{{"__name__", "a"}}, {{kT, 1}, {kT + 1, 1}}}}).http_status, 204);
  EXPECT_EQ(ingest.Write1({{{{"__name__", "a"}}, {{kT + 2, 1}}}}).http_status, 429);
  const MetricWriteOutcome many =
      ingest.Write1({{{{"__name__", "a"}}, {{kT, 1}, {kT + 1, 1}, {kT + 2, 1}, {kT + 3, 1}}}});
  EXPECT_EQ(many.http_status, 413);
  EXPECT_THAT(many.message, HasSubstr("limits.max_samples_per_metrics_request"));
  EXPECT_EQ(ingest.Write1({{{{"__name__", "a"}, {"b", std::string(1000, 'x')}}, {{kT, 1}}}}).http_status, 413);
}

TEST(MetricWritePath, ShowsTheFirstErrorsAndCountsTheRest) {
  MetricIngest ingest;
  std::vector<RwSeries> series;
  for (int i = 0; i < 250; ++i) series.push_back({{{"i", std::to_string(i)}}, {{kT, 1}}});
  const MetricWriteOutcome outcome = ingest.Write1(series);
  EXPECT_EQ(outcome.http_status, 400);
  EXPECT_EQ(std::count(outcome.message.begin(), outcome.message.end(), '\n'), 101);
  EXPECT_THAT(outcome.message, HasSubstr("\nand 150 more errors\n"));
}

struct HeaderCase {
  const char* type;
  const char* encoding;
  int status;
};

TEST(MetricWritePath, ReadsHeadersAsPrometheusDoes) {
  const HeaderCase cases[] = {
      {"application/x-protobuf", "snappy", 204},
      {"application/x-protobuf", "Snappy", 204},
      {"application/x-protobuf", "", 204},
      {"", "", 204},
      {"application/x-protobuf;proto=prometheus.WriteRequest", "snappy", 204},
      {"application/x-protobuf; proto=prometheus.WriteRequest", "snappy", 204},
      {"application/x-protobuf;proto=io.example.Unknown", "snappy", 415},
      {"application/x-protobuf;charset", "snappy", 415},
      {"text/plain", "snappy", 415},
      {"application/json", "snappy", 415},
      {"application/x-protobuf", "gzip", 415},
      {"application/x-protobuf", "zstd", 415},
  };
  const std::string body = Snapped(testing::RemoteWrite1Body({kGood}));
  for (const HeaderCase& c : cases) {
    SCOPED_TRACE(std::string(c.type) + " " + c.encoding);
    MetricIngest ingest;
    EXPECT_EQ(ingest.Write(MetricWire::kRemoteWrite, body, c.type, c.encoding).http_status, c.status);
  }
}

TEST(MetricWritePath, RefusesBodiesThatCannotBeRead) {
  const std::string good = testing::RemoteWrite1Body({kGood});
  const std::string bodies[] = {
      "",
      "\xff\xfe not snappy",
      good,
      Snapped(good).substr(0, Snapped(good).size() - 5),
      Snapped(good) + "\x04" "ab",
      Snapped(good.substr(0, good.size() - 3)),
      Snapped("\xde\xad\xbe\xef\xde\xad\xbe\xef"),
      Snapped("\x08\x05"),
      std::string("\xff\xff\xff\xff\x0f\0a\0a\0a", 11),
  };
  for (const std::string& body : bodies) {
    MetricIngest ingest;
    const MetricWriteOutcome outcome = ingest.Write(MetricWire::kRemoteWrite, body, kV1, "snappy");
    EXPECT_TRUE(outcome.http_status == 400 || outcome.http_status == 413) << outcome.http_status;
    EXPECT_THAT(ingest.Records(), ::testing::IsEmpty());
    EXPECT_EQ(ingest.engine.ingest_budget()->used_bytes(), 0);
  }
}

TEST(MetricWritePath, SkipsFieldsItDoesNotKnowAndTakesFieldsInAnyOrder) {
  MetricIngest ingest;
  using testing::ProtoWriter;
  const std::string name = ProtoWriter().Bytes(1, "__name__").Bytes(2, "m").str();
  const std::string label = ProtoWriter().Bytes(2, "1").Bytes(9, "z").Bytes(1, "a").str();
  const std::string sample = ProtoWriter().Number(2, kT).Double(1, 7).Number(3, 5).str();
  const std::string series = ProtoWriter().Bytes(1, name).Bytes(2, sample).Bytes(77, "?").Bytes(1, label).str();
  const std::string body = ProtoWriter().Bytes(99, "future").Number(98, 7).Bytes(1, series).str();
  EXPECT_EQ(ingest.Write(MetricWire::kRemoteWrite, Snapped(body), kV1, "snappy").http_status, 204);
  EXPECT_EQ(ingest.Stored(), "m{a=\"1\"} 1795000000000=7\n");
}

TEST(MetricWritePath, RefusesDamagedRecords) {
  MetricIngest ingest;
  EXPECT_EQ(ingest.Write1({kGood}).http_status, 204);
  const std::string record = ingest.Records()[0];
  class NoSink final : public ReplaySink {
   public:
    void OnLogs(const AppendBatch&) override { ADD_FAILURE(); }
    void OnMetrics(TenantId, const MetricBatch&) override { ADD_FAILURE(); }
  } sink;
  for (size_t i = 0; i < record.size(); ++i) {
    std::string damaged = record;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_FALSE(ingest.path.MakeReplay()(damaged, &sink).ok()) << i;
    EXPECT_FALSE(ingest.path.MakeReplay()(record.substr(0, i), &sink).ok()) << i;
  }
}

TEST(MetricWritePath, CountsWhatItDiscards) {
  MetricIngest ingest;
  ingest.Write1({{{{"a", "1"}}, {{kT, 1}, {kT - 1, 2}}}, {{{"__name__", "m"}}, {{kT + 700'000, 1}, {kT, 2}}}});
  const MetricIngestStats stats = ingest.path.metrics()->Stats();
  EXPECT_EQ(stats.requests, 1u);
  EXPECT_EQ(stats.samples_received, 4u);
  EXPECT_EQ(stats.samples_written, 1u);
  EXPECT_EQ(stats.discarded[static_cast<size_t>(MetricDiscardReason::kMissingMetricName)], 2u);
  EXPECT_EQ(stats.discarded[static_cast<size_t>(MetricDiscardReason::kSampleTooFarInFuture)], 1u);
}

}  // namespace
}  // namespace varve
