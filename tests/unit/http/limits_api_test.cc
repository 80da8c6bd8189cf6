#include "http/limits_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using testing::CallHandler;
using ::testing::HasSubstr;
using testing::MemoryEngine;
using Headers = std::vector<std::pair<std::string, std::string>>;

class FakeSource final : public LimitsSource {
 public:
  Status Reload() override { return reload.Clone(); }
  std::string TenantYaml(std::string_view tenant) const override {
    return "of: " + std::string(tenant) + "\n";
  }
  std::string ConfigYaml() const override { return ""; }
  Stats stats() const override { return {}; }
  Status reload;
};

class LimitsApiTest : public ::testing::Test {
 protected:
  LimitsApiTest() : api_({.engine = &engine_, .query = &query_, .ingest = &ingest_, .source = &source_}) {
    api_.AddRoutes(&router_);
  }
  HttpResponse Get(const std::string& path, const Headers& headers) {
    return CallHandler(router_, "GET", path, "", headers);
  }
  MemoryEngine engine_;
  PerTenant<QueryLimits> query_;
  PerTenant<IngestLimits> ingest_;
  FakeSource source_;
  Router router_;
  LimitsApi api_;
};

TEST_F(LimitsApiTest, WantsATenantEvenWithoutAuthentication) {
  for (const char* path : {"/loki/api/v1/drilldown-limits", "/config/tenant/v1/limits"}) {
    const HttpResponse refused = Get(path, {});
    EXPECT_EQ(refused.status, 401) << path;
    EXPECT_EQ(refused.body, "no org id\n") << path;
    EXPECT_EQ(Get(path, {{"x-scope-orgid", "a"}}).status, 200) << path;
    EXPECT_EQ(Get(path, {{"x-scope-orgid", "a/b"}}).status, 400) << path;
  }
  EXPECT_EQ(Get("/config/tenant/v1/limits", {{"x-scope-orgid", "a"}}).body, "of: a\n");
}

TEST_F(LimitsApiTest, TellsDrilldownTheLimitsOfTheTenant) {
  QueryLimits own;
  own.max_query_series = 7;
  own.max_query_bytes_read = 3LL << 30;
  own.volume_enabled = false;
  PerTenant<QueryLimits>::Overrides overrides;
  overrides["a"] = std::make_shared<const QueryLimits>(own);
  query_.Replace(QueryLimits(), std::move(overrides));
  const std::string of_a = Get("/loki/api/v1/drilldown-limits", {{"x-scope-orgid", "a"}}).body;
  EXPECT_THAT(of_a, HasSubstr(R"("max_query_series":7,)"));
  EXPECT_THAT(of_a, HasSubstr(R"("max_query_bytes_read":"3GB","max_query_length":"30d1h",)"));
  EXPECT_THAT(of_a, HasSubstr(R"("volume_enabled":false,)"));
  EXPECT_THAT(of_a, HasSubstr(R"("otlp_config":{"resource_attributes":{"attributes_config":[{"action":)"
                              R"("index_label","attributes":["service.name","service.namespace",)"));
  const std::string of_b = Get("/loki/api/v1/drilldown-limits", {{"x-scope-orgid", "b"}}).body;
  EXPECT_THAT(of_b, HasSubstr(R"("max_query_bytes_read":"0B",)"));
  EXPECT_THAT(of_b, HasSubstr(R"("query_timeout":"1m","retention_period":"0s","volume_enabled":true,)"));
  EXPECT_THAT(of_b, HasSubstr(R"("pattern_ingester_enabled":true,"version":"3.7.6"})"));
}

TEST_F(LimitsApiTest, SaysWhyAReloadFailed) {
  EXPECT_EQ(CallHandler(router_, "POST", "/-/reload").status, 204);
  source_.reload = InvalidArgument("f:2: unknown key");
  const HttpResponse failed = CallHandler(router_, "POST", "/-/reload");
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.body, "failed to reload the configuration: f:2: unknown key\n");
}

}  // namespace
}  // namespace varve
