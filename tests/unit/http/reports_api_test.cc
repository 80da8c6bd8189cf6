#include "http/reports_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/reports/report_config.h"
#include "alerting/reports/reporter.h"
#include "handler_call.h"
#include "tests/support/memory_engine.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using testing::CallHandler;
using ::testing::AllOf;
using ::testing::HasSubstr;

class FixedClock final : public Clock {
 public:
  int64_t NowNs() const override { return 1'795'132'800LL * kNsPerSecond; }  // 2026-11-20T00:00:00Z
};

class ReportsApiTest : public ::testing::Test {
 protected:
  explicit ReportsApiTest(bool auth = false) : writes_(&engine_, IngestLimits()), api_(MakeReporter(), auth) {
    api_.AddRoutes(&router_);
  }
  Reporter* MakeReporter() {
    ReporterMeans means;
    means.engine = &engine_;
    means.writes = &writes_;
    means.promql = &promql_;
    means.query_limits = &limits_;
    means.clock = &clock_;
    reporter_ = std::make_unique<Reporter>(std::move(means));
    reporter_->Configure(*ParseReports(R"x([
        {name: day, schedule: '0 9 * * *', time_zone: Asia/Seoul, queries: [{name: n, query: 'count({a="b"})', type: promql}]},
        {name: theirs, tenant: team-b, schedule: '@monthly', queries: [{name: n, query: '1 +1', type: promql}]}])x",
                                       "f", 1, ""));
    return reporter_.get();
  }
  std::string Ask(const std::string& method, const std::string& target,
                  const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    const HttpResponse response = CallHandler(router_, method, target, "", headers);
    return std::to_string(response.status) + ": " + response.body;
  }

  FixedClock clock_;
  testing::MemoryEngine engine_;
  WritePath writes_;
  const promql::PromqlEngine promql_{promql::PromqlOptions()};
  PerTenant<QueryLimits> limits_;
  std::unique_ptr<Reporter> reporter_;
  Router router_;
  ReportsApi api_;
};

class TenantReportsTest : public ReportsApiTest {
 protected:
  TenantReportsTest() : ReportsApiTest(true) {}
};

TEST_F(ReportsApiTest, ListsReports) {
  EXPECT_THAT(Ask("GET", "/api/v1/reports"),
              AllOf(HasSubstr(R"({"name":"day","schedule":"0 9 * * *","timeZone":"Asia/Seoul","period":"day","receivers":[],)"
                              R"("nextRun":1795219200,"lastDate":"","lastError":"","attempts":0,"runsDue":0})"),
                    HasSubstr(R"("name":"theirs")")));
}

TEST_F(ReportsApiTest, RunsOne) {
  EXPECT_THAT(Ask("POST", "/api/v1/reports/day/run?date=2026-11-19&dry_run=true"),
              AllOf(HasSubstr("200: {\"status\":\"success\""), HasSubstr(R"("entry":{"metric_date":"2026-11-19","n":null,)"),
                    HasSubstr(R"("stored":false,"sent":false,"error":"")")));
  EXPECT_THAT(Ask("POST", "/prometheus/api/v1/reports/day/run?date=2026-11-19"), HasSubstr(R"("stored":true,"sent":false)"));
  EXPECT_THAT(Ask("POST", "/api/v1/reports/day/run?date=2026-11-19"), HasSubstr(R"("stored":false)"));
}

TEST_F(ReportsApiTest, SaysWhatIsWrong) {
  EXPECT_THAT(Ask("POST", "/api/v1/reports/none/run?date=2026-11-19"), HasSubstr("404: "));
  EXPECT_THAT(Ask("POST", "/api/v1/reports/day/run"), AllOf(HasSubstr("400: "), HasSubstr("is not a date")));
  EXPECT_THAT(Ask("POST", "/api/v1/reports/day/run?date=2026-11-20"), AllOf(HasSubstr("400: "), HasSubstr("is not over")));
  EXPECT_THAT(Ask("POST", "/api/v1/reports/day/run?date=2026-11-19&dry_run=maybe"), HasSubstr("neither true nor false"));
}

TEST_F(TenantReportsTest, ShowsEachTenantItsOwn) {
  EXPECT_THAT(Ask("GET", "/api/v1/reports", {{"x-scope-orgid", "team-b"}}),
              AllOf(HasSubstr("theirs"), ::testing::Not(HasSubstr("\"day\""))));
  EXPECT_THAT(Ask("POST", "/api/v1/reports/day/run?date=2026-11-19", {{"x-scope-orgid", "team-b"}}), HasSubstr("404: "));
  EXPECT_THAT(Ask("POST", "/api/v1/reports/theirs/run?date=2026-10-19", {{"x-scope-orgid", "team-b"}}),
              AllOf(HasSubstr("\"date\":\"2026-10-01\""), HasSubstr("\"n\":2")));
  EXPECT_THAT(Ask("GET", "/api/v1/reports"), HasSubstr("401: "));
}

TEST(ReportsApi, HasNoReportsWithoutAReporter) {
  Router router;
  ReportsApi api(nullptr, false);
  api.AddRoutes(&router);
  EXPECT_EQ(CallHandler(router, "GET", "/api/v1/reports", "", {}).body, R"({"status":"success","data":{"reports":[]}})");
  EXPECT_EQ(CallHandler(router, "POST", "/api/v1/reports/a/run", "", {}).status, 404);
}

}  // namespace
}  // namespace varve
