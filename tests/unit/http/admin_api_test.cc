#include "http/admin_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "handler_call.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using testing::CallHandler;
using ::testing::HasSubstr;
using testing::MemoryEngine;

constexpr char kDefaults[] = "top: 1\na:\n  x: 1\n  y: 2\nb:\n  x: 1\n";
constexpr char kConfig[] = "top: 2\na:\n  x: 1\n  y: 3\nb:\n  x: 1\n";

class AdminApiTest : public ::testing::Test {
 protected:
  AdminApiTest()
      : writes_(&engine_, IngestLimits()),
        metrics_(&engine_, &writes_, "fake"),
        api_(&engine_, &metrics_, {[] { return std::string(kConfig); }, kDefaults, [this] { ++terminated_; }}) {
    api_.AddRoutes(&router_);
  }
  HttpResponse Get(const std::string& target) { return CallHandler(router_, "GET", target); }

  MemoryEngine engine_;
  WritePath writes_;
  Metrics metrics_;
  Router router_;
  AdminApi api_;
  int terminated_ = 0;
};

TEST_F(AdminApiTest, IsReadyOnlyWhileItRuns) {
  EXPECT_EQ(Get("/ready").status, 503);
  EXPECT_THAT(Get("/ready").body, HasSubstr("not ready"));
  api_.SetPhase(AdminApi::Phase::kRunning);
  EXPECT_EQ(Get("/ready").status, 200);
  EXPECT_EQ(Get("/ready").body, "ready\n");
  EXPECT_THAT(Get("/services").body, HasSubstr("engine => Running\n"));
  api_.SetPhase(AdminApi::Phase::kStopping);
  EXPECT_EQ(Get("/ready").status, 503);
  EXPECT_EQ(Get("/ready").body, "Application is stopping\n");
}

TEST_F(AdminApiTest, ShowsTheConfigurationAndWhatItChanges) {
  EXPECT_EQ(Get("/config").body, kConfig);
  EXPECT_EQ(Get("/config?mode=defaults").body, kDefaults);
  EXPECT_EQ(Get("/config?mode=diff").body, "top: 2\na:\n  y: 3\n");
}

TEST_F(AdminApiTest, ShutsDownOnlyWhenAskedTo) {
  EXPECT_EQ(CallHandler(router_, "POST", "/ingester/shutdown").status, 204);
  EXPECT_EQ(Get("/ingester/shutdown?flush=false&terminate=false").status, 204);
  EXPECT_EQ(terminated_, 0);
  EXPECT_EQ(Get("/ingester/shutdown?terminate=maybe").status, 400);
  EXPECT_EQ(terminated_, 0);
  EXPECT_EQ(CallHandler(router_, "POST", "/ingester/shutdown?terminate=true").status, 204);
  EXPECT_EQ(terminated_, 1);
}

TEST_F(AdminApiTest, RemembersThatAShutdownIsPrepared) {
  const std::string path = "/ingester/prepare_shutdown";
  EXPECT_EQ(Get(path).body, "unset");
  EXPECT_EQ(CallHandler(router_, "POST", path).status, 204);
  EXPECT_EQ(Get(path).body, "set");
  EXPECT_EQ(CallHandler(router_, "DELETE", path).status, 204);
  EXPECT_EQ(Get(path).body, "unset");
  EXPECT_EQ(Get("/ingester/prepare_partition_downscale").status, 405);
}

TEST_F(AdminApiTest, ClaimsALokiThatGrafanaKnows) {
  EXPECT_THAT(Get("/loki/api/v1/status/buildinfo").body, HasSubstr("{\"version\":\"3."));
}

TEST_F(AdminApiTest, SetsTheLogLevel) {
  const auto before = spdlog::get_level();
  EXPECT_EQ(CallHandler(router_, "POST", "/log_level?log_level=warn").body,
            "{\"status\":\"success\",\"message\":\"Log level set to warn\"}\n");
  EXPECT_EQ(Get("/log_level").body, "{\"message\":\"Current log level is warn\"}\n");
  const HttpResponse bad = CallHandler(router_, "POST", "/log_level?log_level=zz");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, "{\"status\":\"failed\",\"message\":\"unrecognized log level \\\"zz\\\"\"}\n");
  spdlog::set_level(before);
}

TEST_F(AdminApiTest, FlushesBeforeItAnswers) {
  const HttpResponse flushed = CallHandler(router_, "POST", "/flush");
  EXPECT_EQ(flushed.status, 204);
  EXPECT_EQ(flushed.body, "");
}

TEST_F(AdminApiTest, CountsRequestsUnderLokisName) {
  HttpRequest request;
  request.method = "GET";
  Route route;
  route.name = "loki_api_v1_query_range";
  RequestRecord record;
  record.request = &request;
  record.route = &route;
  record.status = 200;
  record.seconds = 0.02;
  metrics_.Observe(record);
  record.route = nullptr;
  record.status = 404;
  metrics_.Observe(record);
  const std::string text = Get("/metrics").body;
  EXPECT_THAT(
      text, HasSubstr("loki_request_duration_seconds_count{method=\"GET\",route=\"loki_api_v1_query_range\","
                      "status_code=\"200\",ws=\"false\"} 1"));
  EXPECT_THAT(text, HasSubstr("method=\"other\",route=\"other\",status_code=\"404\""));
}

TEST_F(AdminApiTest, ShowsWhatEngineAndIngestCount) {
  engine_.Add(Labels::FromUnsorted({{"job", "a"}}), 1, "12345");
  PushRequest push;
  push.content_type = "application/json";
  push.body = R"({"streams":[{"stream":{"job":"a"},"values":[["1793491200000000000","abc"]]}]})";
  ASSERT_TRUE(writes_.Push(push).status.ok());
  const std::string text = Get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("varve_engine_appended_entries_total 2"));
  EXPECT_THAT(text, HasSubstr("loki_distributor_lines_received_total{tenant=\"fake\"} 1"));
  EXPECT_THAT(text, HasSubstr("loki_discarded_samples_total{tenant=\"fake\",reason=\"line_too_long\"} 0"));
  EXPECT_THAT(text, HasSubstr("varve_build_info{version="));
}

}  // namespace
}  // namespace varve
