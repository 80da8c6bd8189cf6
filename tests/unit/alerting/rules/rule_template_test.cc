// What promtool 2.42 gave for the same texts, where nothing else is said.
#include "alerting/rules/rule_template.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

RuleTemplateData Data() {
  RuleTemplateData data;
  data.labels = {{"instance", "host-1.example.org:9100"}, {"job", "node"}};
  data.external_labels = {{"region", "eu"}};
  data.external_url = "http://prom.example/p";
  data.value = 1234.5678;
  return data;
}

std::string Expand(const std::string& text) {
  templates::TemplateMeans means;
  means.external_url = Data().external_url;
  means.now_ns = 1'700'000'000'000'000'000;
  return ExpandRuleTemplate("__alert_Test", text, Data(), means, nullptr);
}

struct Case {
  const char* text;
  const char* result;
};

TEST(RuleTemplate, ExpandsLabelsAndValues) {
  const Case cases[] = {
      {"plain text }}", "plain text }}"},
      {"{{ $labels.instance }} of {{ .Labels.job }}", "host-1.example.org:9100 of node"},
      {"{{ $labels.none }}|{{ .Labels.none }}|{{ index $labels \"none\" }}", "||"},
      {"{{ $value }} {{ .Value }} {{ $value | humanize }}", "1234.5678 1234.5678 1.235k"},
      {"{{ $value | printf \"%.2f\" }} {{ printf \"%d\" 5 }}", "1234.57 5"},
      {"{{ if gt $value 1000.0 }}high{{ else }}low{{ end }}", "high"},
      {"{{ $externalLabels.region }} {{ .ExternalLabels.region }} {{ $externalURL }}{{ .ExternalURL }}",
       "eu eu http://prom.example/phttp://prom.example/p"},
      {"{{ range $k, $v := $labels }}{{ $k }}={{ $v }} {{ end }}",
       "instance=host-1.example.org:9100 job=node "},
      {"{{ $labels }}", "map[instance:host-1.example.org:9100 job:node]"},
      {"{{ $labels.instance | stripPort }} {{ $labels.instance | stripDomain }}",
       "host-1.example.org host-1:9100"},
      {"{{- /* nothing */ -}} x", "x"},
  };
  for (const Case& c : cases) EXPECT_EQ(Expand(c.text), c.result) << c.text;
}

TEST(RuleTemplate, ShowsErrorsInThePlaceOfTheText) {
  const Case cases[] = {
      {"{{ .Nope }}",
       "<error expanding template: error executing template __alert_Test: template: __alert_Test:1:115: "
       "executing "
       "\"__alert_Test\" at <.Nope>: can't evaluate field Nope in type struct { Labels map[string]string; "
       "ExternalLabels "
       "map[string]string; ExternalURL string; Value float64 }>"},
      {"{{ $labels.instance",
       "<error expanding template: error parsing template __alert_Test: template: __alert_Test:1: unclosed "
       "action>"},
      {"{{ nothere }}",
       "<error expanding template: error parsing template __alert_Test: template: __alert_Test:1: function "
       "\"nothere\" "
       "not defined>"},
      {"{{ humanize \"x\" }}",
       "<error expanding template: error executing template __alert_Test: template: __alert_Test:1:115: "
       "executing "
       "\"__alert_Test\" at <humanize \"x\">: error calling humanize: strconv.ParseFloat: parsing \"x\": "
       "invalid syntax>"},
  };
  for (const Case& c : cases) EXPECT_EQ(Expand(c.text), c.result) << c.text;
}

TEST(RuleTemplate, IsParsedOnce) {
  const Result<RuleTemplate> parsed = RuleTemplate::Parse("__alert_Test", "{{ $labels.job }} {{ $value }}");
  ASSERT_TRUE(parsed.ok());
  EXPECT_FALSE(parsed->constant());
  RuleTemplateData data = Data();
  std::string error;
  EXPECT_EQ(parsed->Expand(data, {}, &error), "node 1234.5678");
  data.value = 1;
  EXPECT_EQ(parsed->Expand(data, {}, &error), "node 1");
  EXPECT_EQ(error, "");
  const Result<RuleTemplate> plain = RuleTemplate::Parse("__alert_Test", "as it is");
  ASSERT_TRUE(plain.ok());
  EXPECT_TRUE(plain->constant());
  EXPECT_EQ(plain->Expand(data, {}, nullptr), "as it is");
  EXPECT_EQ(RuleTemplate().Expand(data, {}, nullptr), "");
}

TEST(RuleTemplate, TellsWhatDoesNotParse) {
  EXPECT_EQ(CheckRuleTemplate("__alert_Test", "\n{{ end }}").message(),
            "template: __alert_Test:2: unexpected {{end}}");
  EXPECT_TRUE(CheckRuleTemplate("__alert_Test", "{{ $value }}").ok());
  std::string error;
  ExpandRuleTemplate("__alert_Test", "{{ $nope }}", Data(), {}, &error);
  EXPECT_EQ(error,
            "error parsing template __alert_Test: template: __alert_Test:1: undefined variable \"$nope\"");
}

TEST(RuleTemplate, AsksTheQueryFunction) {
  templates::TemplateMeans means;
  std::string asked;
  means.query = [&](std::string_view query) -> Result<std::vector<templates::QuerySample>> {
    asked = query;
    return std::vector<templates::QuerySample>{{{{"job", "a"}}, 3}};
  };
  EXPECT_EQ(ExpandRuleTemplate(
                "n", "{{ with query (printf \"up{job='%s'}\" $labels.job) }}{{ . | first | value }}{{ end }}",
                Data(), means, nullptr),
            "3");
  EXPECT_EQ(asked, "up{job='node'}");
}

}  // namespace
}  // namespace varve
