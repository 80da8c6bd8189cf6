#include "alerting/reports/report_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::string_view kWhole = R"(- name: ssh
  tenant: team-a
  schedule: "0 9 * * *"
  time_zone: Asia/Seoul
  period: day
  queries:
    - name: total_logs
      query: sum(count_over_time({job="sshd"}[$window]))
      default: 0
    - name: hours
      query: sum(count_over_time({job="sshd"}[1h]))
      step: 1h
      fields:
        peak_hour: max_hour
        peak_hour_logs: max
    - name: ips
      query: topk(3, sum by (ip) (count_over_time({job="sshd"} | ip!="" [$window])))
      fields: {top_ip_list: {top: 3, label: ip}, names: {labels: ip, limit: 5}, worst: {max_label: ip}}
    - name: cpu
      type: promql
      query: avg_over_time(cpu[$window])
      field: {table: [host, zone], column: cpu}
    - name: errors
      query: '{job="sshd"} |= "error"'
      field: {lines: 5}
  compute:
    verdict: '{{ if gt .total_logs 100 }}busy{{ else }}calm{{ end }}'
    cpu: {risk: '{{ .cpu }}!'}
  subject: 'SSH {{ .metric_date }}'
  text: '{{ .total_logs }} lines'
  html: '<b>{{ .total_logs }}</b>'
  receivers: [ops, boss]
  failure_receivers: [ops]
  retry: {attempts: 2, delay: 90s}
  make_up_max: 5
  max_rows: 10
)";

TEST(ReportConfig, ReadsEveryKey) {
  const Result<std::vector<ReportConfig>> read = ParseReports(kWhole, "varve.yaml", 1, ".");
  ASSERT_OK(read);
  ASSERT_THAT(*read, SizeIs(1));
  const ReportConfig& report = (*read)[0];
  EXPECT_EQ(report.name, "ssh");
  EXPECT_EQ(report.tenant, "team-a");
  EXPECT_EQ(report.schedule.text(), "0 9 * * *");
  EXPECT_EQ(report.calendar.zone(), "Asia/Seoul");
  EXPECT_EQ(report.period, PeriodUnit::kDay);
  EXPECT_THAT(report.receivers, ElementsAre("ops", "boss"));
  EXPECT_THAT(report.failure_receivers, ElementsAre("ops"));
  EXPECT_EQ(report.retry_attempts, 2u);
  EXPECT_EQ(report.retry_delay_ms, 90'000);
  EXPECT_EQ(report.make_up_max, 5u);
  EXPECT_EQ(report.max_rows, 10u);
  EXPECT_EQ(report.templates.title, "SSH {{ .metric_date }}");
  ASSERT_THAT(report.queries, SizeIs(5));
  EXPECT_EQ(report.queries[0].language, ReportLanguage::kLogql);
  EXPECT_EQ(report.queries[0].default_value, 0.0);
  ASSERT_THAT(report.queries[0].fields, SizeIs(1));
  EXPECT_EQ(report.queries[0].fields[0].name, "total_logs");
  EXPECT_EQ(report.queries[0].fields[0].kind, FieldKind::kValue);
  EXPECT_EQ(report.queries[1].step_ms, 3'600'000);
  EXPECT_EQ(report.queries[1].fields[0].kind, FieldKind::kMaxTime);
  EXPECT_EQ(report.queries[1].fields[1].kind, FieldKind::kMax);
  EXPECT_EQ(report.queries[2].fields[0].limit, 3u);
  EXPECT_EQ(report.queries[2].fields[1].kind, FieldKind::kLabels);
  EXPECT_EQ(report.queries[2].fields[2].kind, FieldKind::kMaxLabel);
  EXPECT_EQ(report.queries[3].language, ReportLanguage::kPromql);
  EXPECT_THAT(report.queries[3].fields[0].labels, ElementsAre("host", "zone"));
  EXPECT_EQ(report.queries[4].fields[0].kind, FieldKind::kLogLines);
  ASSERT_THAT(report.computed, SizeIs(2));
  EXPECT_EQ(report.computed[1].table, "cpu");
}

TEST(ReportConfig, GuessesLanguageAndPeriod) {
  const Result<std::vector<ReportConfig>> read = ParseReports(R"([{name: a, schedule: "@monthly", queries: [
    {name: a, query: 'sum(count_over_time({a="b"}[$window]))'}, {name: b, query: 'sum(rate(b[$window]))'},
    {name: c, query: 'sum({__name__="c"})'}]}])", "f", 1, "");
  ASSERT_OK(read);
  EXPECT_EQ((*read)[0].period, PeriodUnit::kMonth);
  EXPECT_EQ((*read)[0].queries[0].language, ReportLanguage::kLogql);
  EXPECT_EQ((*read)[0].queries[1].language, ReportLanguage::kPromql);
  EXPECT_EQ((*read)[0].queries[2].language, ReportLanguage::kPromql);
  EXPECT_EQ((*read)[0].retry_attempts, 1u);
  EXPECT_EQ((*read)[0].retry_delay_ms, 300'000);
}

struct Wrong {
  const char* name;
  const char* from;  // in kWhole
  const char* to;
  const char* error;
};

class ReportConfigErrors : public ::testing::TestWithParam<Wrong> {};

TEST_P(ReportConfigErrors, NameFileLineAndReport) {
  std::string text(kWhole);
  const size_t at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string_view(GetParam().from).size(), GetParam().to);
  const Status status = ParseReports(text, "varve.yaml", 31, ".").status();
  EXPECT_THAT(status.ToString(), AllOf(StartsWith("invalid argument: varve.yaml:"), HasSubstr(GetParam().error)));
}

const Wrong kWrong[] = {
    {"NeverComes", "0 9 * * *", "0 9 30 2 *", "33: report \"ssh\": schedule \"0 9 30 2 *\" never comes"},
    {"NoSuchZone", "Asia/Seoul", "Asia/Soul", "34: report \"ssh\": time zone \"Asia/Soul\" does not exist"},
    {"UnknownKey", "max_rows", "rows_max", "report \"ssh\": unknown key \"rows_max\""},
    {"UnknownQueryKey", "step:", "steps:", "42: report \"ssh\": unknown key \"steps\""},
    {"NoSchedule", "schedule: \"0 9 * * *\"", "period: day", "period"},
    {"BadLogql", "sum(count_over_time({job=\"sshd\"}[$window]))", "sum(count_over_time({job=\"sshd\"[$window]))",
     "38: report \"ssh\": query \"total_logs\": 1:32: parse error"},
    {"BadPromql", "avg_over_time(cpu[$window])", "avg_over_time(cpu[$window)", "query \"cpu\": 1:"},
    {"BadType", "type: promql", "type: sql", "type is neither logql nor promql"},
    {"BadPeriod", "period: day", "period: decade", "period is neither hour, day, week nor month"},
    {"BadTemplate", "{{ .total_logs }} lines", "{{ .total_logs", "template: text"},
    {"BadHtml", "<b>{{ .total_logs }}</b>", "<b>{{ if }}</b>", "template: html"},
    {"BadCompute", "{{ .cpu }}!", "{{ nosuch .cpu }}", "nosuch"},
    {"BadFunction", "SSH {{ .metric_date }}", "SSH {{ frob .metric_date }}", "frob"},
    {"BadField", "peak_hour: max_hour", "peak_hour: max_moon", "\"max_moon\" is none of"},
    {"BadFieldName", "peak_hour: max_hour", "Peak: max_hour", "\"Peak\" is no name for a field"},
    {"TwoFields", "peak_hour_logs: max", "total_logs: max", "two fields are called \"total_logs\""},
    {"ReservedField", "peak_hour_logs: max", "created_at: max", "two fields are called \"created_at\""},
    {"TwoQueries", "name: hours", "name: total_logs", "two queries are called \"total_logs\""},
    {"NoKind", "{lines: 5}", "{limit: 5}", "needs one of top, labels, max_label, table, lines"},
    {"BadLabel", "labels: ip", "labels: 'i-p'", "\"i-p\" is no label"},
    {"BadDuration", "delay: 90s", "delay: soon", "delay is not a duration"},
    {"BadCount", "attempts: 2", "attempts: -2", "attempts is not a number from 0 to 100"},
    {"BadDefault", "default: 0", "default: none", "default is not a number"},
    {"BadReceivers", "[ops, boss]", "ops", "receivers is not a list of texts"},
    {"BadName", "name: ssh", "name: 'ssh report'", "name is not 1 to 100 letters"},
    {"NoTable", "cpu: {risk", "gpu: {risk", "no query fills a table \"gpu\""},
    {"BothTextAndFile", "text: '{{ .total_logs }} lines'", "text: 'a'\n  text_file: b", "has both text and text_file"},
    {"MissingFile", "text: '{{ .total_logs }} lines'", "text_file: not/there.txt", "not/there.txt: cannot be read"},
    {"TwiceAKey", "tenant: team-a", "name: again", "name"},
    {"NotYaml", "receivers: [ops, boss]", "receivers: [ops, boss", "varve.yaml"},
};

INSTANTIATE_TEST_SUITE_P(Each, ReportConfigErrors, ::testing::ValuesIn(kWrong),
                         [](const auto& given) { return std::string(given.param.name); });

TEST(ReportConfig, TellsEveryErrorAtOnce) {
  const Status status = ParseReports("[{name: a, schedule: x, time_zone: y, queries: []}, 5]", "f", 1, "").status();
  EXPECT_THAT(status.message(), AllOf(HasSubstr("schedule \"x\""), HasSubstr("time zone \"y\""), HasSubstr("queries is not"),
                                      HasSubstr("not a map")));
}

TEST(ReportConfig, ReadsFilesAndTheTemplatesBesideThem) {
  const TempDir folder;
  const std::string& base = folder.path();
  std::ofstream(base + "/a.yml") << "reports:\n- name: a\n  schedule: '@daily'\n  html_file: a.html\n"
                                    "  queries: [{name: up, query: sum(up)}]\n";
  std::ofstream(base + "/a.html") << "<p>{{ .up }}</p>";
  std::ofstream(base + "/b.yml") << "";
  const Result<std::vector<ReportConfig>> read = ReadReportFiles({base + "/*.yml"});
  ASSERT_OK(read);
  ASSERT_THAT(*read, SizeIs(1));
  EXPECT_EQ((*read)[0].templates.html, "<p>{{ .up }}</p>");
  EXPECT_THAT(*ReadReportFiles({base + "/none*.yml"}), IsEmpty());
  EXPECT_THAT(ReadReportFiles({base + "/none.yml"}).status().message(), HasSubstr("none.yml is not there"));
  std::ofstream(base + "/c.yml") << "report: []";
  EXPECT_THAT(ReadReportFiles({base + "/c.yml"}).status().message(), HasSubstr("c.yml:1: unknown key \"report\""));
}

TEST(ReportConfig, KnowsReceiversAndNames) {
  ReportConfig a;
  a.name = "a";
  a.receivers = {"ops"};
  EXPECT_OK(CheckReports({a}, {"ops"}));
  EXPECT_THAT(CheckReports({a}, {"boss"}).message(), HasSubstr("report \"a\": there is no receiver \"ops\""));
  EXPECT_THAT(CheckReports({a, a}, {"ops"}).message(), HasSubstr("two reports are called \"a\""));
}

}  // namespace
}  // namespace varve
