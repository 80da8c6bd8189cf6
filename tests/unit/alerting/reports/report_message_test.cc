#include "alerting/reports/report_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/reports/report_fields.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const ReportPeriod kDay{"2026-11-19", 1'795'014'000, 1'795'100'400};

class ReportMessages : public ::testing::Test {
 protected:
  ReportMessages() {
    report_.name = "ssh";
    report_.calendar = *LocalCalendar::Load("Asia/Seoul");
  }
  Result<ReportText> Render(const char* entry) { return RenderReport(report_, kDay, *ParseEntry(entry), "http://v"); }

  ReportConfig report_;
};

TEST_F(ReportMessages, HaveATableOfFieldsUnlessToldOtherwise) {
  const Result<ReportText> text = Render(R"x({"metric_date":"2026-11-19","total":1234567,"top":"a <b> (3)","none":null})x");
  ASSERT_OK(text);
  EXPECT_EQ(text->title, "ssh: 2026-11-19");
  EXPECT_THAT(text->text, AllOf(HasSubstr("total: 1234567\n"), HasSubstr("top: a <b> (3)\n"), HasSubstr("none: –\n")));
  EXPECT_THAT(text->html, AllOf(HasSubstr("<b>1234567</b>"), HasSubstr("a &lt;b&gt; (3)"), Not(HasSubstr("<b> (3)"))));
}

TEST_F(ReportMessages, FollowTheirTemplates) {
  report_.templates = {"SSH {{ .metric_date }}", "{{ .Report }} {{ .Date }} {{ .TimeZone }} {{ .Period }} {{ .total }}",
                       "<p>{{ range .rows }}{{ .ip }}={{ .n }};{{ end }}</p>"};
  const Result<ReportText> text = Render(R"({"metric_date":"2026-11-19","total":7,"rows":[{"ip":"<1>","n":2}]})");
  ASSERT_OK(text);
  EXPECT_EQ(text->title, "SSH 2026-11-19");
  EXPECT_EQ(text->text, "ssh 2026-11-19 Asia/Seoul day 7");
  EXPECT_EQ(text->html, "<p>&lt;1&gt;=2;</p>");
}

TEST_F(ReportMessages, AreTextAloneWhereThatIsAllThereIs) {
  report_.templates.text = "only text";
  EXPECT_THAT(Render("{}")->html, IsEmpty());
}

TEST_F(ReportMessages, ComputeFieldsAndColumns) {
  report_.computed = {{"", "verdict", "{{ if gt .total 5 }}busy{{ else }}calm{{ end }}"},
                      {"rows", "risk", "{{ if le (toFloat .days) 7.0 }}high{{ else }}low{{ end }}"},
                      {"", "both", "{{ .verdict }}, {{ len .rows }}"}};
  templates::DatumFields fields = *ParseEntry(R"({"total":7,"rows":[{"days":3},{"days":30.5}]})");
  ASSERT_OK(ComputeFields(report_, kDay, &fields));
  EXPECT_EQ(EntryJson(fields), R"({"total":7,"rows":[{"days":3,"risk":"high"},{"days":30.5,"risk":"low"}],)"
                               R"("verdict":"busy","both":"busy, 2"})");
}

TEST_F(ReportMessages, AreToldApartByReportAndDate) {
  const Message message = ReportMessage(report_, kDay, R"({"total":7})", {"a \"title\"", "text", "html"});
  EXPECT_EQ(message.id, "report/ssh/2026-11-19");
  EXPECT_EQ(message.json, R"({"report":"ssh","date":"2026-11-19","title":"a \"title\"","entry":{"total":7}})");
  EXPECT_EQ(message.severity, "info");
}

TEST_F(ReportMessages, TellOfFailures) {
  const Message message = FailureMessage(report_, kDay, "query \"total\": <oh> no", 2);
  EXPECT_EQ(message.title, "ssh: 2026-11-19 failed");
  EXPECT_THAT(message.text, AllOf(HasSubstr("failed 2 times"), HasSubstr("query \"total\": <oh> no")));
  EXPECT_THAT(message.html, AllOf(HasSubstr("&lt;oh&gt; no"), Not(HasSubstr("<oh>"))));
  EXPECT_EQ(message.severity, "error");
  EXPECT_EQ(message.id, "report/ssh/2026-11-19/failed");
  EXPECT_THAT(message.json, HasSubstr(R"("attempts":2,"error":"query \"total\")"));
}

TEST_F(ReportMessages, CheckTemplates) {
  EXPECT_OK(CheckTemplate("text", "{{ .a | json }}"));
  EXPECT_THAT(CheckTemplate("text", "{{ .a").message(), HasSubstr("template: text:1"));
}

}  // namespace
}  // namespace varve
