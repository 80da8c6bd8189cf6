#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/otlp_buckets.h"
#include "ingest/otlp_metric_names.h"
#include "tests/support/metric_ingest.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::MetricIngest;
using testing::ProtoWriter;

// A request with one resource, scope and metric; `data` is the metric's kind and what is in it.
std::string Json(const std::string& name, const std::string& unit, const std::string& data,
                 const std::string& resource = R"({"key":"service.name","value":{"stringValue":"shop"}})") {
  return R"({"resourceMetrics":[{"resource":{"attributes":[)" + resource +
         R"(]},"scopeMetrics":[{"scope":{"name":"lib","version":"1"},"metrics":[{"name":")" + name + R"(","unit":")" +
         unit + R"(","description":"Help.",)" + data + R"(}]}]}]})";
}

struct Outcome {
  int status;
  std::string message;
  std::string stored;
};

Outcome Push(const std::string& body, const OtlpMetricsConfig& config = {}) {
  IngestLimits limits;
  limits.otlp_metrics = config;
  MetricIngest ingest(limits);
  const MetricWriteOutcome outcome = ingest.Write(MetricWire::kOtlp, body, "application/json", "");
  // With other settings of the day it replays to the same.
  EXPECT_EQ(ingest.Replayed(), ingest.Stored());
  return {outcome.http_status, outcome.message, ingest.Stored()};
}

TEST(OtlpMetrics, AMonotonicSumIsACounterAndAGaugeKeepsItsSign) {
  EXPECT_EQ(Push(Json("http.requests", "1",
                      R"("sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[
                         {"attributes":[{"key":"http.method","value":{"stringValue":"GET"}}],
                          "startTimeUnixNano":"1000000000","timeUnixNano":"5000000000","asInt":"7"}]})"))
                .stored,
            "http_requests_total{http_method=\"GET\", job=\"shop\"} 5000=7<1000\n"
            "metadata http_requests_total counter  Help.\n");
  EXPECT_EQ(Push(Json("room.temperature", "Cel", R"("gauge":{"dataPoints":[{"timeUnixNano":"5000000000","asDouble":-1.5}]})")).stored,
            "room_temperature_celsius{job=\"shop\"} 5000=-1.5\n"
            "metadata room_temperature_celsius gauge celsius Help.\n");
}

TEST(OtlpMetrics, AHistogramBecomesCumulativeBucketsWithItsExemplars) {
  EXPECT_EQ(Push(Json("latency", "s",
                      R"("histogram":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE","dataPoints":[
                         {"timeUnixNano":"5000000000","count":"6","sum":12.5,"bucketCounts":["1","2","3"],
                          "explicitBounds":[0.1,100000],
                          "exemplars":[{"timeUnixNano":"4000000000","asDouble":50,
                            "traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708",
                            "filteredAttributes":[{"key":"user","value":{"stringValue":"u"}}]}]}]})"))
                .stored,
            "latency_seconds_bucket{job=\"shop\", le=\"+Inf\"} 5000=6\n"
            "latency_seconds_bucket{job=\"shop\", le=\"0.1\"} 5000=1\n"
            "latency_seconds_bucket{job=\"shop\", le=\"100000\"} 5000=3\n"
            "latency_seconds_count{job=\"shop\"} 5000=6\n"
            "latency_seconds_sum{job=\"shop\"} 5000=12.5\n"
            "exemplar latency_seconds_bucket{job=\"shop\", le=\"100000\"} {span_id=\"0102030405060708\", "
            "trace_id=\"0102030405060708090a0b0c0d0e0f10\", user=\"u\"} 4000=50\n"
            "metadata latency_seconds histogram seconds Help.\n");
}

TEST(OtlpMetrics, AHistogramBecomesOneWithCustomBucketsWhereThatIsWanted) {
  OtlpMetricsConfig config;
  config.convert_histograms_to_nhcb = true;
  EXPECT_EQ(Push(Json("latency", "s",
                      R"("histogram":{"aggregationTemporality":2,"dataPoints":[
                         {"timeUnixNano":"5000000000","count":5,"sum":12.5,"bucketCounts":[0,2,3],"explicitBounds":[1,2]}]})"),
                 config)
                .stored,
            "latency_seconds{job=\"shop\"} 5000=[int schema=-53 sum=12.5 count=5 zero=0@0 spans=1+2 deltas=2,1 "
            "bounds=1,2]\n"
            "metadata latency_seconds histogram seconds Help.\n");
}

TEST(OtlpMetrics, AnExponentialHistogramIsNative) {
  EXPECT_EQ(Push(Json("size", "By",
                      R"("exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[
                         {"timeUnixNano":"5000000000","count":"10","sum":3,"scale":1,"zeroCount":"1",
                          "positive":{"offset":-1,"bucketCounts":["2","0","3"]},
                          "negative":{"offset":4,"bucketCounts":["4"]}}]})"))
                .stored,
            "size_bytes{job=\"shop\"} 5000=[int schema=1 sum=3 count=10 zero=1@1e-128 nspans=5+1 ndeltas=4 spans=0+3 "
            "deltas=2,-2,3]\n"
            "metadata size_bytes histogram bytes Help.\n");
  const Outcome coarse = Push(Json("size", "By",
                                   R"("exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[
                                      {"timeUnixNano":"5000000000","scale":-5}]})"));
  EXPECT_EQ(coarse.status, 400);
  EXPECT_THAT(coarse.message, HasSubstr("Scale must be >= -4, was -5"));
}

TEST(OtlpMetrics, ASummaryHasQuantilesSumAndCount) {
  EXPECT_EQ(Push(Json("rpc", "ms",
                      R"("summary":{"dataPoints":[{"timeUnixNano":"5000000000","count":"2","sum":3,
                         "quantileValues":[{"quantile":0.99,"value":2},{"quantile":1,"value":"NaN"}]}]})"))
                .stored,
            "rpc_milliseconds{job=\"shop\", quantile=\"0.99\"} 5000=2\n"
            "rpc_milliseconds{job=\"shop\", quantile=\"1\"} 5000=NaN:7ff8000000000000\n"
            "rpc_milliseconds_count{job=\"shop\"} 5000=2\n"
            "rpc_milliseconds_sum{job=\"shop\"} 5000=3\n"
            "metadata rpc_milliseconds summary milliseconds Help.\n");
}

TEST(OtlpMetrics, APointWithoutAValueIsAStaleMarker) {
  EXPECT_EQ(Push(Json("g", "", R"("gauge":{"dataPoints":[{"timeUnixNano":"5000000000","asInt":1,"flags":1}]})")).stored,
            "g{job=\"shop\"} 5000=NaN:7ff0000000000002\nmetadata g gauge  Help.\n");
}

TEST(OtlpMetrics, TellsTargetInfoFromTheEarliestPointToTheLatest) {
  const std::string resource =
      R"({"key":"service.name","value":{"stringValue":"shop"}},{"key":"service.namespace","value":{"stringValue":"prod"}},)"
      R"({"key":"service.instance.id","value":{"stringValue":"i-1"}},{"key":"host.name","value":{"stringValue":"h"}})";
  EXPECT_EQ(Push(Json("g", "",
                      R"("gauge":{"dataPoints":[{"timeUnixNano":"1000000000000","asInt":1},
                                               {"timeUnixNano":"1400000000000","asInt":2}]})",
                      resource))
                .stored,
            "g{instance=\"i-1\", job=\"prod/shop\"} 1000000=1 1400000=2\n"
            "target_info{host_name=\"h\", instance=\"i-1\", job=\"prod/shop\"} 1000000=1 1150000=1 1300000=1 1400000=1\n"
            "metadata g gauge  Help.\n"
            "metadata target_info gauge  Target metadata\n");
}

TEST(OtlpMetrics, PromotesWhatTheConfigurationNames) {
  OtlpMetricsConfig config;
  config.promote_resource_attributes = {"host.name"};
  config.promote_scope_metadata = true;
  const std::string resource = R"({"key":"host.name","value":{"stringValue":"h"}},{"key":"os","value":{"stringValue":"o"}})";
  EXPECT_EQ(Push(Json("g", "", R"("gauge":{"dataPoints":[{"timeUnixNano":"5000000000","asInt":1}]})", resource), config).stored,
            "g{host_name=\"h\", otel_scope_name=\"lib\", otel_scope_version=\"1\"} 5000=1\nmetadata g gauge  Help.\n");
}

TEST(OtlpMetrics, JoinsAttributesThatBecomeOneLabel) {
  EXPECT_EQ(Push(Json("g", "",
                      R"("gauge":{"dataPoints":[{"timeUnixNano":"5000000000","asInt":1,"attributes":[
                         {"key":"a_b","value":{"stringValue":"2"}},{"key":"a.b","value":{"stringValue":"1"}},
                         {"key":"__name__","value":{"stringValue":"evil"}}]}]})",
                      ""))
                .stored,
            "g{a_b=\"1;2\"} 5000=1\nmetadata g gauge  Help.\n");
}

TEST(OtlpMetrics, RefusesDeltasAndStoresTheRest) {
  const std::string good = R"({"name":"good","gauge":{"dataPoints":[{"timeUnixNano":"5000000000","asInt":1}]}})";
  const Outcome outcome =
      Push(Json("d", "", R"("sum":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"1","asInt":1}]}},)" + good +
                             R"(,{"name":"nothing")"));
  EXPECT_EQ(outcome.status, 400);
  EXPECT_THAT(outcome.message, HasSubstr("invalid temporality and type combination for metric \"d\"\n"));
  EXPECT_THAT(outcome.message, HasSubstr("unsupported metric type Empty\n"));
  EXPECT_EQ(outcome.stored, "good{job=\"shop\"} 5000=1\nmetadata good gauge  \n");
}

TEST(OtlpMetrics, ProtobufAndJsonMeanTheSame) {
  const auto attribute = [](const char* key, const char* value) {
    return ProtoWriter().Bytes(1, key).Bytes(2, ProtoWriter().Bytes(1, value).str()).str();
  };
  const std::string exemplar =
      ProtoWriter().Fixed64(2, 4'000'000'000).Double(3, 0.05).Bytes(5, std::string(16, '\1')).str();
  std::string counts;
  for (const uint64_t count : {1, 2}) PutFixed(&counts, count);
  std::string bounds;
  PutFixed(&bounds, 0.1);
  const std::string point = ProtoWriter()
                                .Bytes(9, attribute("k", "v"))
                                .Fixed64(2, 1'000'000'000)
                                .Fixed64(3, 5'000'000'000)
                                .Fixed64(4, 3)
                                .Double(5, 1.5)
                                .Bytes(6, counts)
                                .Bytes(7, bounds)
                                .Bytes(8, exemplar)
                                .str();
  const std::string metric = ProtoWriter()
                                 .Bytes(1, "m")
                                 .Bytes(9, ProtoWriter().Bytes(1, point).Number(2, 2).str())
                                 .Bytes(3, "s")
                                 .str();
  const std::string request =
      ProtoWriter()
          .Bytes(1, ProtoWriter()
                        .Bytes(2, ProtoWriter().Bytes(2, metric).str())
                        .Bytes(1, ProtoWriter().Bytes(1, attribute("service.name", "shop")).str())
                        .str())
          .str();
  MetricIngest ingest;
  EXPECT_EQ(ingest.Write(MetricWire::kOtlp, request, "application/x-protobuf", "").http_status, 204);
  EXPECT_EQ(ingest.Replayed(), ingest.Stored());
  EXPECT_EQ(ingest.Stored(),
            Push(R"({"resource_metrics":[{"scope_metrics":[{"metrics":[{"name":"m","unit":"s","histogram":{"data_points":[
                   {"attributes":[{"key":"k","value":{"string_value":"v"}}],"start_time_unix_nano":1000000000,
                    "time_unix_nano":5000000000,"count":3,"sum":1.5,"bucket_counts":[1,2],"explicit_bounds":[0.1],
                    "exemplars":[{"time_unix_nano":4000000000,"as_double":0.05,
                                  "trace_id":"01010101010101010101010101010101"}]}],"aggregation_temporality":2}}]}],
                   "resource":{"attributes":[{"key":"service.name","value":{"string_value":"shop"}}]}}]})")
                .stored);
}

TEST(OtlpMetrics, RefusesBodiesThatCannotBeRead) {
  for (const char* body : {"", "{", "[]", "{\"resourceMetrics\":1}", "{\"resourceMetrics\":[{\"scopeMetrics\":{}}]}", "{} x"}) {
    EXPECT_EQ(Push(body).status, 400) << body;
  }
  MetricIngest ingest;
  EXPECT_EQ(ingest.Write(MetricWire::kOtlp, "\xff", "application/x-protobuf", "").http_status, 400);
  EXPECT_EQ(ingest.Write(MetricWire::kOtlp, "", "application/x-protobuf", "").http_status, 204);
  EXPECT_EQ(ingest.Write(MetricWire::kOtlp, "{}", "text/plain", "").http_status, 400);
}

struct NameCase {
  const char* name;
  const char* unit;
  bool counter;
  bool gauge;
  const char* escaped;
  const char* unescaped;
};

TEST(OtlpMetricNames, FollowTheSpecification) {
  const NameCase cases[] = {
      {"system.io", "foo/bar", true, false, "system_io_foo_per_bar_total", "system.io_foo_per_bar_total"},
      {"http.server.duration", "s", false, false, "http_server_duration_seconds", "http.server.duration_seconds"},
      {"memory_bytes", "By", false, true, "memory_bytes", "memory_bytes"},
      {"active.connections", "{connection}", false, true, "active_connections", "active.connections"},
      {"2_queues", "1", false, true, "_2_queues_ratio", "2_queues_ratio"},
      {"total_requests", "1", true, false, "requests_total", "total_requests_total"},
      {"disk", "By/s", false, true, "disk_bytes_per_second", "disk_bytes_per_second"},
      {"a..b", "%", false, true, "a_b_percent", "a..b_percent"},
      {"temp", "°F", false, true, "temp_F", "temp_°F"},
      {"::", "", false, false, "::", "::"},
  };
  OtlpMetricsConfig unescaped;
  unescaped.translation_strategy = "NoUTF8EscapingWithSuffixes";
  OtlpMetricsConfig plain;
  plain.translation_strategy = "NoTranslation";
  for (const NameCase& c : cases) {
    EXPECT_EQ(OtlpMetricName(c.name, c.unit, c.counter, c.gauge, {}), c.escaped);
    EXPECT_EQ(OtlpMetricName(c.name, c.unit, c.counter, c.gauge, unescaped), c.unescaped);
    EXPECT_EQ(OtlpMetricName(c.name, c.unit, c.counter, c.gauge, plain), c.name);
  }
  EXPECT_EQ(OtlpMetricName("...", "", false, false, {}), "");
  EXPECT_EQ(OtlpUnitName("{req}/s"), "per_second");
}

TEST(OtlpLabelNames, AreEscapedAndMarkedWhereTheyBeginWrongly) {
  OtlpMetricsConfig config;
  EXPECT_EQ(OtlpLabelName("http.method", config), "http_method");
  EXPECT_EQ(OtlpLabelName("1st", config), "key_1st");
  EXPECT_EQ(OtlpLabelName("_a", config), "key_a");
  EXPECT_EQ(OtlpLabelName("__a__", config), "__a__");
  EXPECT_EQ(OtlpLabelName("a..b", config), "a__b");
  EXPECT_EQ(OtlpLabelName("ä", config), "key_");
  EXPECT_EQ(OtlpLabelName("ää", config), "");
  config.label_name_preserve_multiple_underscores = false;
  EXPECT_EQ(OtlpLabelName("a..b", config), "a_b");
  config.label_name_underscore_sanitization = false;
  EXPECT_EQ(OtlpLabelName("_a", config), "_a");
  config.translation_strategy = "NoTranslation";
  EXPECT_EQ(OtlpLabelName("a.b", config), "a.b");
}

TEST(OtlpBuckets, MergesNeighboursAndSkipsGaps) {
  std::vector<BucketSpan> spans;
  std::vector<int64_t> deltas;
  EXPECT_TRUE(MakeSpans({1, 2, 0, 0, 0, 0, 0, 5, 6}, -3, 0, 1, &spans, &deltas));
  EXPECT_EQ(spans, (std::vector<BucketSpan>{{-2, 2}, {5, 2}}));
  EXPECT_EQ(deltas, (std::vector<int64_t>{1, 1, 3, 1}));
  spans.clear();
  deltas.clear();
  EXPECT_TRUE(MakeSpans({1, 2, 3, 4}, -1, 1, 1, &spans, &deltas));  // -1 | 0 1 | 2
  EXPECT_EQ(spans, (std::vector<BucketSpan>{{0, 3}}));
  EXPECT_EQ(deltas, (std::vector<int64_t>{1, 4, -1}));
  EXPECT_FALSE(MakeSpans({UINT64_MAX, 1}, 0, 1, 1, &spans, &deltas));
  EXPECT_FALSE(MakeSpans({1}, INT32_MAX, 0, 1, &spans, &deltas));
}

TEST(OtlpMetricsConfig, SurvivesItsEncoding) {
  OtlpMetricsConfig config;
  EXPECT_EQ(EncodeOtlpMetricsConfig(config), "");
  config.promote_resource_attributes = {"a", "b"};
  config.ignore_resource_attributes = {"c"};
  config.promote_all_resource_attributes = true;
  config.translation_strategy = "NoTranslation";
  config.label_name_underscore_sanitization = false;
  OtlpMetricsConfig decoded;
  EXPECT_TRUE(DecodeOtlpMetricsConfig(EncodeOtlpMetricsConfig(config), &decoded));
  EXPECT_EQ(decoded, config);
  const std::string bytes = EncodeOtlpMetricsConfig(config);
  for (size_t i = 1; i < bytes.size(); ++i) EXPECT_FALSE(DecodeOtlpMetricsConfig(bytes.substr(0, i), &decoded));
}

}  // namespace
}  // namespace varve
