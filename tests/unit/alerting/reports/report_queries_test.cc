#include "alerting/reports/report_queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "alerting/reports/report_fields.h"
#include "tests/support/metric_ingest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNs = 1'000'000'000;
// A day of Seoul within what the standing clock takes.
const ReportPeriod kDay{"2026-11-17", 1'794'841'200, 1'794'927'600};

class ReportQueries : public ::testing::Test {
 protected:
  // The JSON of the fields of reports that this YAML is the list of queries of.
  std::string Ask(const std::string& queries, const std::string& more = "") {
    const Result<std::vector<ReportConfig>> report = ParseReports(
        "[{name: r, schedule: '0 9 * * *', time_zone: Asia/Seoul, " + more + "queries: [" + queries + "]}]", "f", 1, "");
    if (!report.ok()) return report.status().ToString();
    const Result<templates::DatumFields> fields = AskQueries((*report)[0], kDay, Means());
    return fields.ok() ? EntryJson(*fields) : fields.status().ToString();
  }
  ReportQueryMeans Means() { return {&ingest_.engine, &promql_, &limits_, &cancel_}; }
  void Log(int64_t ts_ns, std::string_view line, const char* job = "sshd") {
    ingest_.engine.Add(Labels::FromUnsorted({{"job", job}}), ts_ns, line);
  }

  testing::MetricIngest ingest_;
  const promql::PromqlEngine promql_{promql::PromqlOptions()};
  QueryLimits limits_;
  CancelToken cancel_;
};

TEST_F(ReportQueries, ReplaceTheirVariables) {
  EXPECT_EQ(ReplaceVariables("a[$window] @ $end $start_ms $end_ns$date $windows $ $$start", kDay),
            "a[86400s] @ 1794927600 1794841200000 17949276000000000002026-11-17 $windows $ $1794841200");
}

TEST_F(ReportQueries, CoverThePeriodAndNothingElse) {
  Log(kDay.begin_s * kNs - 1, "before");
  Log(kDay.begin_s * kNs, "first");
  Log(kDay.end_s * kNs - 1, "last");
  Log(kDay.end_s * kNs, "behind");
  EXPECT_EQ(Ask(R"x({name: n, query: 'sum(count_over_time({job="sshd"}[$window]))'})x"), R"({"n":2})");
  EXPECT_EQ(Ask(R"({name: n, query: '{job="sshd"}', field: {lines: 9}})"), R"({"n":["first","last"]})");
  EXPECT_EQ(Ask(R"({name: n, query: '{job="sshd"}', field: {lines: 1}})"), R"({"n":["first"]})");
}

TEST_F(ReportQueries, FindTheHour) {
  for (int i = 0; i < 3; ++i) Log((kDay.begin_s + 13 * 3600 + i) * kNs, "a" + std::to_string(i));
  Log((kDay.begin_s + 14 * 3600) * kNs, "on the hour");
  Log((kDay.end_s - 1) * kNs, "late");
  EXPECT_EQ(Ask(R"x({name: n, query: 'sum(count_over_time({job="sshd"}[1h]))', step: 1h,
                    fields: {hour: max_hour, at: max_time, most: max, total: sum}})x"),
            R"({"hour":13,"at":"2026-11-17 13:00","most":3,"total":5})");
}

TEST_F(ReportQueries, CountEachLineInOneStep) {
  Log((kDay.begin_s - 1) * kNs, "the day before");
  Log(kDay.begin_s * kNs - 1, "just before");
  for (int64_t hour = 0; hour < 24; ++hour) {
    Log((kDay.begin_s + hour * 3600) * kNs, "first of hour");
    Log((kDay.begin_s + (hour + 1) * 3600) * kNs - 1, "last of hour");
  }
  Log(kDay.end_s * kNs, "the day after");
  // Seven hours: neither the day nor the time since 1970 is a multiple; three whole steps of 14 lines.
  for (const char* step : {"1h", "7h", "1d", "2d"}) {
    const std::string query = std::string("{name: n, query: '-1 * -1 * sum(count_over_time({job=\"sshd\"}[") + step +
                              "]))', step: " + step + ", fields: {most: max, least: min, total: sum, at: max_time}}";
    const std::map<std::string_view, std::string> expected = {
        {"1h", R"({"most":2,"least":2,"total":48,"at":"2026-11-17 00:00"})"},
        {"7h", R"({"most":14,"least":14,"total":42,"at":"2026-11-17 00:00"})"},
        {"1d", R"({"most":48,"least":48,"total":48,"at":"2026-11-17 00:00"})"},
        {"2d", R"({"most":49,"least":49,"total":49,"at":"2026-11-17 00:00"})"}};
    EXPECT_EQ(Ask(query), expected.at(step));
  }
}

TEST_F(ReportQueries, AskForMetricsAndForLogsInPromql) {
  const int64_t end_ms = kDay.end_s * 1000;
  std::vector<testing::RwSeries> series(2);
  series[0] = {.labels = {{"__name__", "days"}, {"domain", "a"}}, .samples = {{end_ms - 60'000, 3}}};
  series[1] = {.labels = {{"__name__", "days"}, {"domain", "b"}}, .samples = {{end_ms - 60'000, 40.5}, {end_ms, 9}}};
  ASSERT_EQ(ingest_.Write1(series).samples_written, 3u);
  Log((kDay.end_s - 5) * kNs, "x");
  const std::string queries = R"yaml({name: d, query: 'sort(days)', field: {table: [domain], column: days}},
      {name: u, query: 'days * 2', fields: {d: {table: [domain], column: twice}}},
      {name: l, type: promql, query: 'sum(logql("sum(count_over_time({job=\"sshd\"}[1m]))"))'},
      {name: s, type: promql, query: 'scalar(max(days))'})yaml";
  EXPECT_EQ(Ask(queries), R"({"d":[{"domain":"a","days":3,"twice":6},{"domain":"b","days":40.5,"twice":81}],"l":1,"s":40.5})");
}

TEST_F(ReportQueries, NameTheQueryThatFails) {
  Log(kDay.begin_s * kNs, "x");
  limits_.max_query_range_ns = kNs;
  EXPECT_THAT(Ask(R"x({name: total, query: 'sum(count_over_time({job="sshd"} |= "x" [$window]))'})x"),
              HasSubstr("query \"total\": "));
  EXPECT_THAT(Ask(R"x({name: many, type: promql, query: 'a + on () group_left b'}, {name: x, query: '1 +'})x"),
              HasSubstr("query \"x\""));
}

TEST_F(ReportQueries, TakeNoLimitOfMemoryForNone) {
  limits_.max_query_memory_bytes = 0;
  const std::vector<testing::RwSeries> series = {
      {.labels = {{"__name__", "days"}, {"domain", "a"}}, .samples = {{kDay.end_s * 1000 - 60'000, 3}}}};
  ASSERT_EQ(ingest_.Write1(series).samples_written, 1u);
  EXPECT_EQ(Ask(R"({name: d, type: promql, query: 'max_over_time(days[1h]) + 1'})"), R"({"d":4})");
}

TEST_F(ReportQueries, AnswerOfATenantThatIsNotThereIsEmpty) {
  EXPECT_EQ(Ask(R"x({name: n, query: 'sum(count_over_time({job="sshd"}[$window]))', default: 0})x", "tenant: nobody, "),
            R"({"n":0})");
}

TEST_F(ReportQueries, FindAStoredEntry) {
  ReportConfig report;
  report.name = "ssh";
  EXPECT_EQ(*FindStoredEntry(report, kDay, Means()), "");
  ingest_.engine.Add(Labels::FromUnsorted({{"job", "varve-report"}, {"report", "ssh"}}), kDay.end_s * kNs, "{\"a\":1}");
  ingest_.engine.Add(Labels::FromUnsorted({{"job", "varve-report"}, {"report", "other"}}), kDay.end_s * kNs, "{\"a\":2}");
  EXPECT_EQ(*FindStoredEntry(report, kDay, Means()), "{\"a\":1}");
  report.tenant = "nobody";
  EXPECT_EQ(*FindStoredEntry(report, kDay, Means()), "");
}

}  // namespace
}  // namespace varve
