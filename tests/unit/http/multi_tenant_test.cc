#include "http/multi_tenant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"
#include "http/index_api.h"
#include "http/loki_api.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using testing::CallHandler;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MemoryEngine;
using testing::MemoryEngineOptions;
using ::testing::Not;
using testing::Query;

constexpr int64_t kBegin = 1'793'491'200LL * kNsPerSecond;

class MultiTenantTest : public ::testing::Test {
 protected:
  MultiTenantTest()
      : context_{.engine = &engine_, .auth_enabled = true}, loki_(Several()), index_(Several()) {
    loki_.AddRoutes(&router_);
    index_.AddRoutes(&router_);
    Add("a", {{"app", "web"}}, 0, "one");
    Add("a", {{"app", "web"}}, 2, "three");
    Add("b", {{"app", "web"}}, 1, "two");
    Add("b", {{"__tenant_id__", "own"}, {"app", "db"}}, 3, "four");
    engine_.Seal();
    // A duplicate in a later source, and one of another tenant's entries, which is none.
    Add("a", {{"app", "web"}}, 2, "three");
    Add("b", {{"app", "web"}}, 2, "three");
    Add("c", {{"app", "web"}}, 0, "not asked for");
  }
  static MemoryEngineOptions SmallSources() {
    MemoryEngineOptions options;
    options.rows_per_source = 1;
    return options;
  }
  ReadContext Several() const {
    ReadContext context = context_;
    context.multi_tenant_queries = true;
    return context;
  }
  void Add(const char* tenant, std::vector<Label> labels, int64_t second, const char* line) {
    engine_.Add(Labels::FromUnsorted(std::move(labels)), kBegin + second * kNsPerSecond, line, {}, tenant);
  }
  HttpResponse Ask(const std::string& path, std::vector<std::pair<std::string, std::string>> params,
                   const std::string& tenants = "b|a|b|unseen") {
    params.emplace_back("start", "1793491200");
    params.emplace_back("end", "1793491210");
    return CallHandler(router_, "GET", path + "?" + Query(params), "", {{"x-scope-orgid", tenants}});
  }
  std::string Lines(const std::string& query) {
    const HttpResponse response =
        Ask("/loki/api/v1/query_range", {{"query", query}, {"direction", "forward"}});
    const size_t begin = response.body.find("\"result\":");
    const size_t end = response.body.find(",\"stats\"");
    return begin == std::string::npos ? response.body : response.body.substr(begin + 9, end - begin - 9);
  }

  MemoryEngine engine_{SmallSources()};
  ReadContext context_;
  Router router_;
  LokiApi loki_;
  IndexApi index_;
};

TEST_F(MultiTenantTest, EveryStreamSaysWhoseItIs) {
  EXPECT_EQ(
      Lines(R"({app=~".+"})"),
      R"([{"stream":{"__tenant_id__":"a","app":"web"},"values":[["1793491200000000000","one"],["1793491202000000000","three"]]},)"
      R"({"stream":{"__tenant_id__":"b","app":"db","original___tenant_id__":"own"},"values":[["1793491203000000000","four"]]},)"
      R"({"stream":{"__tenant_id__":"b","app":"web"},"values":[["1793491201000000000","two"],["1793491202000000000","three"]]}])");
}

TEST_F(MultiTenantTest, SelectorsChooseAmongTenants) {
  EXPECT_EQ(
      Lines(R"({__tenant_id__="b",app="web"})"),
      R"([{"stream":{"__tenant_id__":"b","app":"web"},"values":[["1793491201000000000","two"],["1793491202000000000","three"]]}])");
  EXPECT_EQ(
      Lines(R"({app="web",__tenant_id__!~"b|c"})"),
      R"([{"stream":{"__tenant_id__":"a","app":"web"},"values":[["1793491200000000000","one"],["1793491202000000000","three"]]}])");
  EXPECT_EQ(
      Lines(R"({original___tenant_id__="own"})"),
      R"([{"stream":{"__tenant_id__":"b","app":"db","original___tenant_id__":"own"},"values":[["1793491203000000000","four"]]}])");
  EXPECT_EQ(Lines(R"({__tenant_id__="c"})"), "[]");
}

TEST_F(MultiTenantTest, MetricsAreTakenOverAllOfThem) {
  const auto vector = [&](const std::string& query) {
    const HttpResponse response =
        CallHandler(router_, "GET", "/loki/api/v1/query?" + Query({{"query", query}, {"time", "1793491210"}}),
                    "", {{"x-scope-orgid", "a|b"}});
    const size_t begin = response.body.find("\"result\":");
    return response.body.substr(begin + 9, response.body.find(",\"stats\"") - begin - 9);
  };
  EXPECT_EQ(vector(R"(sum(count_over_time({app="web"}[1m])))"),
            R"([{"metric":{},"value":[1793491210,"4"]}])");
  EXPECT_EQ(vector(R"(sum by (__tenant_id__) (count_over_time({app=~".+"}[1m])))"),
            R"([{"metric":{"__tenant_id__":"a"},"value":[1793491210,"2"]},)"
            R"({"metric":{"__tenant_id__":"b"},"value":[1793491210,"3"]}])");
}

TEST_F(MultiTenantTest, ListsAreTakenOverAllOfThem) {
  EXPECT_EQ(Ask("/loki/api/v1/labels", {}).body,
            R"({"status":"success","data":["__tenant_id__","app","original___tenant_id__"]})"
            "\n");
  EXPECT_EQ(Ask("/loki/api/v1/label/__tenant_id__/values", {}).body,
            R"({"status":"success","data":["a","b"]})"
            "\n");
  EXPECT_EQ(
      Ask("/loki/api/v1/series", {{"match[]", R"({app="web"})"}}).body,
      R"({"status":"success","data":[{"__tenant_id__":"a","app":"web"},{"__tenant_id__":"b","app":"web"}]})"
      "\n");
  EXPECT_THAT(Ask("/loki/api/v1/index/stats", {{"query", R"({app="web"})"}}).body,
              HasSubstr(R"("streams":2,)"));
}

TEST_F(MultiTenantTest, NamesAreChecked) {
  const HttpResponse bad = Ask("/loki/api/v1/labels", {}, "a|b/c");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, "tenant ID 'b/c' contains unsupported character '/'\n");
  EXPECT_EQ(Ask("/loki/api/v1/labels", {}, "a|").status, 400);
  std::string many = "t";
  for (int i = 0; i < 300; ++i) many += "|t" + std::to_string(i);
  EXPECT_EQ(Ask("/loki/api/v1/labels", {}, many).body, "too many tenant IDs present. max: 256 actual: 301\n");
}

TEST_F(MultiTenantTest, ItMustBeSwitchedOn) {
  Router router;
  LokiApi single(context_);
  single.AddRoutes(&router);
  EXPECT_EQ(CallHandler(router, "GET", "/loki/api/v1/labels", "", {{"x-scope-orgid", "a|b"}}).status, 400);
}

TEST(MultiTenantEngine, IsNotWrittenTo) {
  MemoryEngine engine;
  MultiTenantEngine several(&engine, {"a", "b"});
  EXPECT_EQ(several.Append({}, "").code(), Code::kInternal);
  EXPECT_EQ(several.InternTenant("c").status().code(), Code::kInternal);
  EXPECT_EQ(several.DataGeneration({0, 1}), std::nullopt);
}

}  // namespace
}  // namespace varve
