// Documents: the three function sets, templates across files, data of Alertmanager's kinds.
#include "query/templates/template_set.h"

#include <gtest/gtest.h>

namespace varve::templates {
namespace {

Datum Strings(DatumKind kind, std::vector<std::pair<std::string, std::string>> pairs) {
  DatumFields fields;
  for (auto& [name, value] : pairs) fields.emplace_back(name, Datum{value});
  return {fields, kind};
}

Datum Alert(const std::string& status, const std::string& instance) {
  return {
      DatumFields{{"Status", Datum{status}},
                  {"Labels", Strings(DatumKind::kLabelSet, {{"alertname", "Down"}, {"instance", instance}})},
                  {"StartsAt", Datum{Datum::Time{1'793'494'800'000'000'000}}}},
      DatumKind::kAlert};
}

Datum Notification() {
  return {DatumFields{{"Receiver", Datum{"team"}},
                      {"Status", Datum{"firing"}},
                      {"Alerts",
                       Datum{DatumList{Alert("firing", "a"), Alert("resolved", "b"), Alert("firing", "<c>")},
                             DatumKind::kAlerts}},
                      {"GroupLabels", Strings(DatumKind::kLabelSet, {{"alertname", "Down"}})},
                      {"CommonLabels",
                       Strings(DatumKind::kLabelSet, {{"zone", "z"}, {"alertname", "Down"}, {"app", "x"}})},
                      {"ExternalURL", Datum{"http://am/"}}},
          DatumKind::kNotification};
}

TemplateMeans Means() {
  TemplateMeans means;
  means.external_url = "http://varve.example/prefix?x";
  means.now_ns = 1'793'494'830'123'000'000;  // 2026-11-01T01:00:30.123Z
  means.query = [](std::string_view query) -> Result<std::vector<QuerySample>> {
    if (query == "bad") return InvalidArgument("no such metric");
    if (query == "none") return std::vector<QuerySample>();
    return std::vector<QuerySample>{{{{"instance", "b"}, {"__value__", "2.5"}}, 2.5},
                                    {{{"instance", "a"}}, 1}};
  };
  return means;
}

std::string RunText(FunctionSet functions, const std::string& text, const Datum& dot,
                    Escape escape = Escape::kText) {
  Result<std::string> out = TemplateSet(functions).Execute("doc", text, dot, escape, Means());
  return out.ok() ? *out : out.status().message();
}

struct Case {
  const char* text;
  const char* result;
};

TEST(TemplateSet, KnowsAlertmanagersTypesAndFunctions) {
  const Case cases[] = {
      {"{{ .Status | toUpper }}{{ if eq .Status \"firing\" }}:{{ .Alerts.Firing | len }}{{ end }}",
       "FIRING:2"},
      {"{{ .GroupLabels.SortedPairs.Values | join \" \" }}", "Down"},
      {"{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }}",
       "alertname=Down;app=x;zone=z;"},
      {"{{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join \" \" }}{{ end }}", "x z"},
      {"{{ if gt (len .CommonLabels) (len .GroupLabels) }}more{{ end }}", "more"},
      {"{{ .CommonLabels }}|{{ .CommonLabels.Names }}|{{ .CommonLabels.Names.Join \",\" }}",
       "alertname=Down, app=x, zone=z|[alertname app zone]|alertname,app,zone"},
      {"{{ .CommonLabels.none }}|{{ index .CommonLabels \"app\" }}", "|x"},
      {"{{ range .Alerts.Resolved }}{{ .Labels.instance }} {{ .StartsAt.Format \"15:04\" }}{{ end }}",
       "b 01:00"},
      {"{{ range .Alerts }}{{ since .StartsAt | humanizeDuration }} {{ end }}", "30.12s 30.12s 30.12s "},
      {"{{ (index .Alerts 0).StartsAt | tz \"Asia/Seoul\" | date \"2006-01-02 15:04 MST\" }}",
       "2026-11-01 10:00 KST"},
      {"{{ now.UTC.Unix }}", "1793494830"},
      {"{{ title \"HELLO wORLD, don't\" }}", "Hello World, Don't"},
      {"{{ stringSlice \"a\" \"b\" | join \"-\" }}", "a-b"},
      {"{{ match \"^f\" .Status }} {{ reReplaceAll \"(f)i\" \"${1}o!\" .Status }}", "true fo!ring"},
      {"{{ toJson (index .Alerts 0) }}",
       R"({"status":"firing","labels":{"alertname":"Down","instance":"a"},"startsAt":"2026-11-01T01:00:00Z"})"},
      {"{{ (dict \"a\" 1 \"b\" (list 1 2)).b }} {{ append (list 1) 2 | len }}", "[1 2] 2"},
      {"{{ base64encode \"a?>\" }} {{ base64decode \"YT8-\" }} {{ urlUnescape \"a%20b\" }}", "YT8- a?> a b"},
      {"{{ .Receiver | urlquery }} {{ trimSpace \" x \" }}", "team x"},
      {"{{ .Nothing }}",
       "template: doc:1:3: executing \"doc\" at <.Nothing>: can't evaluate field Nothing in type "
       "*template.Data"},
      {"{{ range .Alerts }}{{ .Nothing }}{{ end }}",
       "template: doc:1:22: executing \"doc\" at <.Nothing>: can't evaluate field Nothing in type "
       "template.Alert"},
      {"{{ join \",\" .Status }}",
       "template: doc:1:12: executing \"doc\" at <.Status>: wrong type for value; expected []string; got "
       "string"},
      {"{{ humanize 1 }}", "template: doc:1: function \"humanize\" not defined"},
      {"{{ tz \"Nowhere\" now }}",
       "template: doc:1:3: executing \"doc\" at <tz \"Nowhere\" now>: error calling tz: unknown time zone "
       "Nowhere"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(RunText(FunctionSet::kAlertmanager, c.text, Notification()), c.result) << c.text;
}

TEST(TemplateSet, KnowsPrometheusFunctions) {
  const Case cases[] = {
      {"{{ query \"up\" | first | value }} {{ query \"up\" | first | label \"instance\" }}", "2.5 b"},
      {"{{ range query \"up\" | sortByLabel \"instance\" }}{{ .Labels.instance }}={{ .Value }} {{ end }}",
       "a=1 b=2.5 "},
      {"{{ query \"up\" | first | strvalue }}", "2.5"},
      {"{{ range query \"none\" }}{{ else }}nothing{{ end }}", "nothing"},
      {"{{ query \"none\" | first | value }}",
       "template: doc:1:18: executing \"doc\" at <first>: error calling first: first() called on vector with "
       "no elements"},
      {"{{ query \"bad\" }}",
       "template: doc:1:3: executing \"doc\" at <query \"bad\">: error calling query: no such metric"},
      {"{{ with args 1 \"x\" }}{{ .arg0 }}{{ .arg1 }}{{ end }}", "1x"},
      {"{{ externalURL }} {{ pathPrefix }}", "http://varve.example/prefix?x /prefix"},
      {"{{ graphLink \"up == 0\" }} {{ tableLink \"up\" }}",
       "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1"},
      {"{{ now }} {{ (toTime 1.5).UnixMilli }} {{ toDuration 90 }} {{ parseDuration \"1d2h\" }} {{ "
       "parseDuration \"-5ms\" }}",
       "1.793494830123e+09 1500 1m30s 93600 -0.005"},
      {"{{ parseDuration \"5\" }}",
       "template: doc:1:3: executing \"doc\" at <parseDuration \"5\">: error calling parseDuration: not a "
       "valid duration "
       "string: \"5\""},
      {"{{ \"a.b:80\" | stripPort }} {{ \"[::1]:80\" | stripPort }} {{ \"a.b\" | stripPort }} {{ \"::1\" | "
       "stripPort }}",
       "a.b ::1 a.b ::1"},
      {"{{ \"a.b:80\" | stripDomain }} {{ \"1.2.3.4:80\" | stripDomain }} {{ \"a.b.c\" | stripDomain }}",
       "a:80 1.2.3.4:80 a"},
      {"{{ humanize \"x\" }}",
       "template: doc:1:3: executing \"doc\" at <humanize \"x\">: error calling humanize: "
       "strconv.ParseFloat: parsing \"x\": "
       "invalid syntax"},
      {"{{ humanize true }}",
       "template: doc:1:3: executing \"doc\" at <humanize true>: error calling humanize: can't convert bool "
       "to float"},
      {"{{ reReplaceAll \"(\" \"\" \"\" }}",
       "template: doc:1:3: executing \"doc\" at <reReplaceAll \"(\" \"\" \"\">: error calling reReplaceAll: "
       "regexp: "
       "Compile(`(`): error parsing regexp: missing closing ): `(`"},
      {"{{ title \"heLLO world's end_x\" }} {{ toUpper \"a\" }} {{ urlQueryEscape \"a b\" }}",
       "HeLLO World's End_x A a+b"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(RunText(FunctionSet::kPrometheus, c.text, Datum()), c.result) << c.text;
}

TEST(TemplateSet, HumanizesAsPrometheusDoes) {
  const Case cases[] = {
      {"{{ humanize 0.0 }} {{ humanize 1.0 }} {{ humanize 1234567.0 }} {{ humanize .12 }}",
       "0 1 1.235M 120m"},
      {"{{ humanize -1234.0 }} {{ humanize 1e30 }} {{ humanize \"NaN\" }} {{ humanize \"+Inf\" }}",
       "-1.234k 1e+06Y NaN +Inf"},
      {"{{ humanize1024 0.0 }} {{ humanize1024 1048576.0 }} {{ humanize1024 .12 }}", "0 1Mi 0.12"},
      {"{{ humanizeDuration 0 }} {{ humanizeDuration 1 }} {{ humanizeDuration 60 }} {{ humanizeDuration 3600 "
       "}}",
       "0s 1s 1m 0s 1h 0m 0s"},
      {"{{ humanizeDuration 90061.5 }} {{ humanizeDuration -1 }} {{ humanizeDuration .0012345 }} {{ "
       "humanizeDuration 899.99 }}",
       "1d 1h 1m 1s -1s 1.234ms 14m 59s"},
      {"{{ humanizePercentage .1234567 }} {{ humanizePercentage \"2\" }}", "12.35% 200%"},
      {"{{ humanizeTimestamp 1435065584.128 }} {{ humanizeTimestamp \"NaN\" }}",
       "2015-06-23 13:19:44.128 +0000 UTC NaN"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(RunText(FunctionSet::kPrometheus, c.text, Datum()), c.result) << c.text;
}

TEST(TemplateSet, CountsAndFormatsInReports) {
  const Datum data{
      DatumFields{{"bytes", Datum{1536.0}}, {"n", Datum{int64_t{7}}}, {"rows", Datum{DatumList{}}}}};
  const Case cases[] = {
      {"{{ div .bytes 1024 }} {{ div .n 2 }} {{ div 8 2 }} {{ add .n 1 }} {{ sub .n 0.5 }} {{ mul .n 2 3 }}",
       "1.5 3.5 4 8 6.5 42"},
      {"{{ round 2.345 2 }} {{ round 2.5 }} {{ printf \"%.1f\" (round 3.14159 1) }}", "2.35 3 3.1"},
      {"{{ default \"none\" .missing }} {{ .missing }} {{ .rows | len }}", "none <no value> 0"},
      {"{{ json . }}", R"({"bytes":1536,"n":7,"rows":[]})"},
      {"{{ humanize1024 .bytes }}B {{ now.Year }} {{ title \"abc\" }}", "1.5kiB 2026 Abc"},
      {"{{ define \"x\" }}<{{ . }}>{{ end }}{{ tmpl \"x\" .n }}", "<7>"},
      {"{{ add .rows 1 }}",
       "template: doc:1:3: executing \"doc\" at <add .rows 1>: error calling add: can't convert []interface "
       "{} to float"},
      {"{{ tmpl \"y\" . }}",
       "template: doc:1:3: executing \"doc\" at <tmpl \"y\" .>: error calling tmpl: template: no template "
       "\"y\" in this document"},
  };
  for (const Case& c : cases) EXPECT_EQ(RunText(FunctionSet::kReport, c.text, data), c.result) << c.text;
}

TEST(TemplateSet, KeepsTemplatesOfSeveralFiles) {
  TemplateSet set(FunctionSet::kAlertmanager);
  ASSERT_TRUE(set.Parse("a.tmpl", "{{ define \"greet\" }}Hello {{ template \"who\" . }}{{ end }}").ok());
  ASSERT_TRUE(set.Parse("b.tmpl", "{{ define \"who\" }}{{ . }}{{ end }}body {{ . }}").ok());
  const auto run = [&](const std::string& text) {
    Result<std::string> out = set.Execute("", text, Datum{"you"}, Escape::kText, Means());
    return out.ok() ? *out : out.status().message();
  };
  EXPECT_EQ(run("{{ template \"greet\" . }}!"), "Hello you!");
  EXPECT_EQ(run("{{ template \"b.tmpl\" . }}"), "body you");
  // What the text defines itself comes first; later files replace.
  EXPECT_EQ(run("{{ define \"who\" }}me{{ end }}{{ template \"greet\" . }}"), "Hello me");
  ASSERT_TRUE(set.Parse("c.tmpl", "{{ define \"who\" }}all{{ end }}").ok());
  EXPECT_EQ(run("{{ template \"greet\" . }}"), "Hello all");
  EXPECT_EQ(run("{{ block \"own\" . }}<{{ . }}>{{ end }}"), "<you>");
  EXPECT_EQ(run("{{ template \"none\" }}"),
            "template: :1:12: executing \"\" at <{{template \"none\"}}>: template \"none\" not defined");
  ASSERT_TRUE(set.Parse("d.tmpl", "\n{{ define \"fails\" }}\n  {{ .x }}{{ end }}").ok());
  EXPECT_EQ(run("{{ template \"fails\" . }}"),
            "template: d.tmpl:3:5: executing \"fails\" at <.x>: can't evaluate field x in type string");
  EXPECT_EQ(set.Parse("e.tmpl", "\n{{ }").message(), "template: e.tmpl:2: unexpected \"}\" in command");
}

TEST(TemplateSet, TakesVariables) {
  const TemplateSet set(FunctionSet::kReport);
  Result<std::string> out =
      set.Execute("r", "{{ $name }} {{ with 1 }}{{ $rows.a }}{{ end }}", Datum(), Escape::kText, Means(),
                  {{"name", Datum{"x"}}, {"rows", Datum{DatumFields{{"a", Datum{2.5}}}}}});
  ASSERT_TRUE(out.ok()) << out.status().message();
  EXPECT_EQ(*out, "x 2.5");
  EXPECT_EQ(set.Check("r", "{{ $name }}").message(), "template: r:1: undefined variable \"$name\"");
}

TEST(TemplateSet, BoundsRecursionOutputAndData) {
  EXPECT_NE(RunText(FunctionSet::kAlertmanager,
                    "{{ define \"x\" }}{{ template \"x\" }}{{ end }}{{ template \"x\" }}", Datum())
                .find("exceeded template_depth_max"),
            std::string::npos);
  EXPECT_NE(RunText(FunctionSet::kReport, "{{ range 10000 }}{{ repeat 1000 \"x\" }}{{ end }}", Datum())
                .find("exceeded template_output_bytes_max"),
            std::string::npos);
  EXPECT_NE(RunText(FunctionSet::kReport, "{{ range 10000000 }}{{ end }}", Datum())
                .find("exceeded template_steps_max"),
            std::string::npos);
  EXPECT_NE(RunText(FunctionSet::kReport, "{{ define \"x\" }}{{ tmpl \"x\" . }}{{ end }}{{ tmpl \"x\" . }}",
                    Datum())
                .find("exceeded template_depth_max"),
            std::string::npos);
  Datum nested;
  for (int i = 0; i < 100; ++i) nested = Datum{DatumList{nested}};
  EXPECT_NE(RunText(FunctionSet::kReport, "x", nested).find("exceeded"), std::string::npos);
}

}  // namespace
}  // namespace varve::templates
