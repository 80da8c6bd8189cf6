#include "http/remote_write_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"
#include "tests/support/metric_ingest.h"

namespace varve {
namespace {

using testing::CallHandler;
using ::testing::Contains;
using testing::kIngestNowMs;
using testing::MetricIngest;
using ::testing::Pair;
using testing::RemoteWrite1Body;
using testing::RemoteWrite2Body;
using testing::Snapped;

constexpr int64_t kT = kIngestNowMs;
constexpr const char* kSamplesWritten = "X-Prometheus-Remote-Write-Samples-Written";

class RemoteWriteApiTest : public ::testing::Test {
 protected:
  explicit RemoteWriteApiTest(IngestLimits limits = {}) : ingest_(std::move(limits)) { api_.AddRoutes(&router_); }
  HttpResponse Post(const std::string& body, const std::string& path = "/api/v1/write",
                    const std::string& type = "application/x-protobuf") {
    return CallHandler(router_, "POST", path, body, {{"content-type", type}, {"content-encoding", "snappy"}});
  }
  MetricIngest ingest_;
  Router router_;
  RemoteWriteApi api_{ingest_.path.metrics(), false};
};

TEST_F(RemoteWriteApiTest, AnswersNoContentAndTheCountsOfWhatWasWritten) {
  const std::string one = Snapped(RemoteWrite1Body({{{{"__name__", "m"}}, {{kT, 1}, {kT - 1, 2}}}}));
  const std::string two = Snapped(RemoteWrite2Body({{{{"__name__", "n"}}, {{kT, 1}, {kT - 1, 2}}}}));
  for (const char* path : {"/api/v1/write", "/api/v1/push", "/prometheus/api/v1/write"}) {
    const HttpResponse first = Post(one, path);
    const HttpResponse second = Post(two, path, "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    for (const HttpResponse* response : {&first, &second}) {
      EXPECT_EQ(response->status, 204);
      EXPECT_EQ(response->body, "");
      EXPECT_THAT(response->headers, Contains(Pair(kSamplesWritten, "2")));
      EXPECT_THAT(response->headers, Contains(Pair("X-Prometheus-Remote-Write-Histograms-Written", "0")));
      EXPECT_THAT(response->headers, Contains(Pair("X-Prometheus-Remote-Write-Exemplars-Written", "0")));
    }
  }
  EXPECT_EQ(ingest_.Stored(), "m 1794999999999=2 1795000000000=1\nn 1794999999999=2 1795000000000=1\n");
}

TEST_F(RemoteWriteApiTest, CountsWhatWasWrittenBesideAnError) {
  const HttpResponse response =
      Post(Snapped(RemoteWrite1Body({{{{"a", "m"}}, {{kT, 1}}}, {{{"__name__", "n"}}, {{kT, 1}}}})));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(response.body, "invalid metric name or labels, got {a=\"m\"}: there is no __name__\n");
  EXPECT_THAT(response.headers, Contains(Pair(kSamplesWritten, "1")));
}

TEST_F(RemoteWriteApiTest, TellsSendersWhenToComeBack) {
  EXPECT_EQ(Post("", "/api/v1/write", "text/plain").status, 415);
  const Route* const route = router_.Find("POST", "/api/v1/write").route;
  ASSERT_NE(route, nullptr);
  const HttpResponse shed = route->refusal_form(ResourceExhausted("no room"));
  EXPECT_EQ(shed.status, 503);
  EXPECT_THAT(shed.headers, Contains(Pair("Retry-After", "1")));
  EXPECT_THAT(shed.headers, Contains(Pair(kSamplesWritten, "0")));
  EXPECT_EQ(route->refusal_form(TooLarge("much")).status, 413);
}

TEST_F(RemoteWriteApiTest, TakesOtlpAndImports) {
  const HttpResponse otlp = CallHandler(
      router_, "POST", "/otlp/v1/metrics",
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","gauge":{"dataPoints":[{"asInt":1}]}}]}]}]})",
      {{"content-type", "application/json"}});
  EXPECT_EQ(otlp.status, 200);
  EXPECT_EQ(otlp.body, "{}");
  const HttpResponse lines =
      CallHandler(router_, "POST", "/api/v1/import", R"({"metric":{"__name__":"j"},"values":[1],"timestamps":[1]})");
  EXPECT_EQ(lines.status, 204);
  EXPECT_EQ(CallHandler(router_, "POST", "/api/v1/import/prometheus", "p 1 1\n").status, 204);
  const HttpResponse bad = CallHandler(router_, "POST", "/api/v1/import/prometheus", "p 2 2\nbad\n");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, "line 2: \"\" is no value\n");
  EXPECT_THAT(bad.headers, Contains(Pair(kSamplesWritten, "1")));
  EXPECT_EQ(ingest_.Stored(), "g 0=1\nj 1=1\np 1=1 2=2\nmetadata g gauge  \n");
}

IngestLimits OneSeries() {
  IngestLimits limits;
  limits.max_global_series_per_user = 1;
  return limits;
}

class LimitedRemoteWriteApiTest : public RemoteWriteApiTest {
 protected:
  LimitedRemoteWriteApiTest() : RemoteWriteApiTest(OneSeries()) {}
};

TEST_F(LimitedRemoteWriteApiTest, AnswersTooManyRequestsBeyondAQuota) {
  const HttpResponse response =
      Post(Snapped(RemoteWrite1Body({{{{"__name__", "m"}}, {{kT, 1}}}, {{{"__name__", "n"}}, {{kT, 1}}}})));
  EXPECT_EQ(response.status, 429);
  EXPECT_THAT(response.headers, Contains(Pair("Retry-After", "1")));
  EXPECT_THAT(response.headers, Contains(Pair(kSamplesWritten, "1")));
}

}  // namespace
}  // namespace varve
