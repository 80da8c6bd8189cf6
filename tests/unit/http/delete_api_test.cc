#include "http/delete_api.h"

#include <gtest/gtest.h>

#include "handler_call.h"
#include "query/exec/delete_filter.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using testing::CallHandler;
using testing::MemoryEngine;
using testing::MemoryEngineOptions;
using testing::Query;

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr int64_t kNow = 1'700'000'000;

class FixedClock final : public Clock {
 public:
  int64_t NowNs() const override { return kNow * kNsPerSecond + 250 * kNsPerMs; }
};

class DeleteApiTest : public ::testing::Test {
 protected:
  DeleteApiTest() : engine_(Options(&clock_)) { Start("filter-and-delete"); }
  static MemoryEngineOptions Options(const Clock* clock) {
    MemoryEngineOptions options;
    options.engine.clock = clock;
    options.engine.row_filter_factory = CompileDeleteFilter;
    return options;
  }
  void Start(const std::string& mode) {
    ReadContext context;
    context.engine = &engine_;
    context.clock = &clock_;
    context.limits.deletion_mode = mode;
    router_ = std::make_unique<Router>();
    api_ = std::make_unique<DeleteApi>(context, 24 * kNsPerHour);
    api_->AddRoutes(router_.get());
  }
  HttpResponse Call(const std::string& method, const Pairs& params, const std::string& body = "") {
    return CallHandler(*router_, method, "/loki/api/v1/delete?" + Query(params), body,
                       {{"content-type", "application/x-www-form-urlencoded"}});
  }
  static std::string Header(const HttpResponse& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }
  std::string Generation() {
    return CallHandler(*router_, "GET", "/loki/api/v1/cache/generation_numbers").body;
  }

  FixedClock clock_;
  MemoryEngine engine_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<DeleteApi> api_;
};

TEST_F(DeleteApiTest, TakesListsAndCancelsRequests) {
  EXPECT_EQ(Generation(), "\"\"\n");
  const HttpResponse added = Call("POST", {{"query", "{a=\"b\"} |= `x`"}, {"start", "1699999000"}});
  EXPECT_EQ(added.status, 204);
  const std::string id = Header(added, "X-Delete-Request-ID");
  EXPECT_FALSE(id.empty());
  EXPECT_EQ(Call("PUT", {{"query", "{a=\"c\"}"}, {"start", "2023-11-14T22:00:00Z"}, {"end", "1699999999"}}).status,
            204);
  EXPECT_EQ(Call("GET", {}).body,
            "[{\"request_id\":\"" + id +
                "\",\"start_time\":1699999000,\"end_time\":1700000000.25,\"query\":\"{a=\\\"b\\\"} |= "
                "`x`\",\"status\":\"received\",\"created_at\":1700000000.25,\"user_id\":\"\"},{\"request_id\":"
                "\"delete2\",\"start_time\":1699999200,\"end_time\":1699999999,\"query\":\"{a=\\\"c\\\"}\","
                "\"status\":\"received\",\"created_at\":1700000000.25,\"user_id\":\"\"}]\n");
  EXPECT_EQ(Call("GET", {{"start", "1699999000"}, {"end", "1699999100"}}).body.find("delete2"), std::string::npos);
  const std::string generation = Generation();
  EXPECT_NE(generation, "\"\"\n");
  EXPECT_EQ(Call("DELETE", {{"request_id", id}}).status, 204);
  EXPECT_NE(Generation(), generation);
  EXPECT_EQ(Call("GET", {}).body.find(id), std::string::npos);
}

struct Refused {
  const char* name;
  const char* method;
  Pairs params;
  int status;
  const char* body;
};

class DeleteApiRefusals : public DeleteApiTest, public ::testing::WithParamInterface<Refused> {};

TEST_P(DeleteApiRefusals, SayWhyAndDeleteNothing) {
  const HttpResponse response = Call(GetParam().method, GetParam().params);
  EXPECT_EQ(response.status, GetParam().status);
  EXPECT_EQ(response.body, std::string(GetParam().body) + "\n");
  EXPECT_EQ(Call("GET", {}).body, "[]\n");
}

const Refused kRefusals[] = {
    {"no_query", "POST", {{"start", "1"}}, 400, "query not set"},
    {"empty_selector", "POST", {{"query", "{}"}, {"start", "1600000000"}}, 400, "invalid query expression"},
    {"malformed", "POST", {{"query", "{a="}, {"start", "1600000000"}}, 400, "invalid query expression"},
    {"metric", "POST", {{"query", "rate({a=\"b\"}[5m])"}}, 400, "invalid query expression"},
    {"no_start", "POST", {{"query", "{a=\"b\"}"}}, 400, "start time not set"},
    {"short_start", "POST", {{"query", "{a=\"b\"}"}, {"start", "17"}}, 400,
     "invalid start time: require unix seconds or RFC3339 format"},
    {"text_start", "POST", {{"query", "{a=\"b\"}"}, {"start", "yesterday"}}, 400,
     "invalid start time: require unix seconds or RFC3339 format"},
    {"nanoseconds", "POST", {{"query", "{a=\"b\"}"}, {"start", "1600000000000000000"}}, 400,
     "invalid start time: require unix seconds or RFC3339 format"},
    {"text_end", "POST", {{"query", "{a=\"b\"}"}, {"start", "1600000000"}, {"end", "x"}}, 400,
     "invalid end time: require unix seconds or RFC3339 format"},
    {"future", "POST", {{"query", "{a=\"b\"}"}, {"start", "1600000000"}, {"end", "1700000001"}}, 400,
     "deletes in the future are not allowed"},
    {"backwards", "POST", {{"query", "{a=\"b\"}"}, {"start", "1600000001"}, {"end", "1600000001"}}, 400,
     "start time can't be greater than or equal to end time"},
    {"interval_unit", "POST", {{"query", "{a=\"b\"} |= `x`"}, {"start", "1600000000"}, {"max_interval", "3d"}}, 400,
     "invalid max_interval: valid time units are 's', 'm', 'h'"},
    {"interval_too_long", "POST", {{"query", "{a=\"b\"} |= `x`"}, {"start", "1600000000"}, {"max_interval", "25h"}},
     400, "max_interval can't be greater than 24h0m0s"},
    {"interval_beyond_range", "POST",
     {{"query", "{a=\"b\"} |= `x`"}, {"start", "1600000000"}, {"end", "1600000090"}, {"max_interval", "2m"}}, 400,
     "max_interval can't be greater than the interval to be deleted (1m30s)"},
    {"cancel_unknown", "DELETE", {{"request_id", "nosuch"}}, 404, "could not find delete request with given id"},
    {"cancel_empty", "DELETE", {{"request_id", ""}}, 400, "request_id not set"},
    {"cancel_none", "DELETE", {}, 400, "request_id not set"},
};

INSTANTIATE_TEST_SUITE_P(Cases, DeleteApiRefusals, ::testing::ValuesIn(kRefusals),
                         [](const auto& refused) { return std::string(refused.param.name); });

TEST_F(DeleteApiTest, TakesParametersFromTheUrlAlone) {
  EXPECT_EQ(Call("POST", {}, "query=%7Ba%3D%22b%22%7D&start=1600000000").body, "query not set\n");
}

TEST_F(DeleteApiTest, SaysInAHeaderWhatIsWrongWithAQuery) {
  const HttpResponse response = Call("POST", {{"query", "{}"}, {"start", "1600000000"}});
  EXPECT_NE(Header(response, "X-Varve-Reason").find("queries require at least one"), std::string::npos);
}

TEST_F(DeleteApiTest, IsForbiddenWhereDeletesAreDisabled) {
  Start("disabled");
  for (const char* method : {"POST", "PUT", "GET", "DELETE"}) {
    const HttpResponse response = Call(method, {{"query", "{a=\"b\"}"}, {"start", "1600000000"}});
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.body, "deletion is not available for this tenant\n");
  }
}

}  // namespace
}  // namespace varve
