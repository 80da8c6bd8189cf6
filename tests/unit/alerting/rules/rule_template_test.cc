// What promtool 2.42 gave for the same texts, but that Go since 1.20 names the types that cannot be compared.
#include "alerting/rules/rule_template.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

RuleTemplateData Data() {
  RuleTemplateData data;
  data.labels = {{"__name__", "m"}, {"instance", "host-1.example.org:9100"}, {"job", "node"}};
  data.external_labels = {{"region", "eu"}};
  data.external_url = "http://prom.example/p";
  data.value = 1234.5678;
  return data;
}

std::string Expand(const std::string& text) {
  templates::TemplateMeans means;
  means.external_url = Data().external_url;
  means.now_ns = 1'700'000'000'000'000'000;
  means.query = [](std::string_view query) -> Result<std::vector<templates::QuerySample>> {
    if (query == "m") return std::vector<templates::QuerySample>{{{{"instance", "b"}}, 2}};
    if (query == "sum(nope") return InvalidArgument("1:9: parse error: unclosed left parenthesis");
    return std::vector<templates::QuerySample>();
  };
  return ExpandRuleTemplate("__alert_Test", text, Data(), means, nullptr);
}

struct Case {
  const char* text;
  const char* result;
};

TEST(RuleTemplate, ExpandsAsPromtoolDoes) {
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
       "__name__=m instance=host-1.example.org:9100 job=node "},
      {"{{ $labels }}", "map[__name__:m instance:host-1.example.org:9100 job:node]"},
      {"{{ $labels.instance | stripPort }} {{ $labels.instance | stripDomain }}",
       "host-1.example.org host-1:9100"},
      {"{{- /* nothing */ -}} x", "x"},
      {"{{ query \"up\" }}", "[]"},
      {"{{ args 1 \"x\" }}", "map[arg0:1 arg1:x]"},
      {"{{ $value | humanizeDuration }} {{ 0.0012 | humanizeDuration }} {{ humanizeDuration \"3601\" }}",
       "20m 34s 1.2ms 1h 0m 1s"},
      {"{{ $value | humanize1024 }} {{ $value | humanizePercentage }} {{ $value | humanizeTimestamp }}",
       "1.206ki 1.235e+05% 1970-01-01 00:20:34.567 +0000 UTC"},
      {"{{ toTime 1.5 }} {{ (toTime $value).Year }}", "1970-01-01 00:00:01.5 +0000 UTC 1970"},
      {"{{ graphLink \"a + b\" }} {{ tableLink \"a\" }}",
       "/graph?g0.expr=a+%2B+b&g0.tab=0 /graph?g0.expr=a&g0.tab=1"},
      {"{{ $x := 5 }}{{ $x }} {{ len $labels }} {{ printf \"%v %T\" $labels $value }}",
       "5 3 map[__name__:m instance:host-1.example.org:9100 job:node] float64"},
      {"{{ define \"x\" }}[{{ . }}]{{ end }}{{ template \"x\" $value }}", "[1234.5678]"},
      {"{{ safeHtml \"<b>\" }} {{ html \"<b>\" }} {{ js \"'\" }} {{ urlquery \"a b\" }}",
       "<b> &lt;b&gt; \\' a+b"},
      {"{{ printf \"%.3g\" 1234.5 }} {{ printf \"%8.2f|%-8s|%q\" 1.5 \"a\" \"b\" }}",
       "1.23e+03     1.50|a       |\"b\""},
      {"{{ slice \"abcdef\" 1 3 }} {{ index \"abc\" 1 }}", "bc 98"},
      {"{{ strvalue (query \"m\" | first) }}", ""},
      {"{{ and true false }} {{ or 0 \"x\" }} {{ not true }}", "false x false"},
      {"{{ $value | toTime | printf \"%v\" }}", "1970-01-01 00:20:34.567 +0000 UTC"},
      {"{{ \"a\" | toUpper | toLower | title }}", "A"},
      {"{{ .Labels.instance | reReplaceAll \"host-([0-9]+).*\" \"$1\" }}", "1"},
      {"{{ humanize 9.99999e-30 }} {{ humanize 999999 }} {{ humanize1024 -2048 }} {{humanizeDuration 1e10}} "
       "{{humanizeDuration -0.5}}",
       "1e-05y 1000k -2ki 115740d 17h 46m 40s -500ms"},
  };
  for (const Case& c : cases) EXPECT_EQ(Expand(c.text), c.result) << c.text;
}

TEST(RuleTemplate, FailsAsPromtoolDoes) {
  const std::string before =
      "<error expanding template: error executing template __alert_Test: template: __alert_Test:1:";
  const Case cases[] = {
      {"{{ .Nope }}",
       "115: executing \"__alert_Test\" at <.Nope>: can't evaluate field Nope in type struct { Labels "
       "map[string]string; ExternalLabels map[string]string; ExternalURL string; Value float64 }"},
      {"{{ humanize \"x\" }}",
       "115: executing \"__alert_Test\" at <humanize \"x\">: error calling humanize: strconv.ParseFloat: "
       "parsing \"x\": invalid syntax"},
      {"{{ reReplaceAll \"(\" \"\" \"\" }}",
       "115: executing \"__alert_Test\" at <reReplaceAll \"(\" \"\" \"\">: error calling reReplaceAll: "
       "regexp: Compile(`(`): error parsing regexp: missing closing ): `(`"},
      {"{{ match \"(\" \"\" }}",
       "115: executing \"__alert_Test\" at <match \"(\" \"\">: error calling match: error parsing regexp: "
       "missing closing ): `(`"},
      {"{{ query \"none\" | first | value }}",
       "130: executing \"__alert_Test\" at <first>: error calling first: first() called on vector with no "
       "elements"},
      {"{{ query \"sum(nope\" }}",
       "115: executing \"__alert_Test\" at <query \"sum(nope\">: error calling query: 1:9: parse error: "
       "unclosed left parenthesis"},
      {"{{ humanizeTimestamp \"1e30\" }}",
       "115: executing \"__alert_Test\" at <humanizeTimestamp \"1e30\">: error calling humanizeTimestamp: "
       "1e+30 cannot be represented as a nanoseconds timestamp since it overflows int64"},
      {"{{ humanize true }}",
       "115: executing \"__alert_Test\" at <humanize true>: error calling humanize: can't convert bool to "
       "float"},
      {"{{ parseDuration \"5\" }}",
       "115: executing \"__alert_Test\" at <parseDuration \"5\">: error calling parseDuration: not a valid "
       "duration string: \"5\""},
      {"{{ $labels.instance.foo }}",
       "122: executing \"__alert_Test\" at <$labels.instance.foo>: can't evaluate field foo in type string"},
      {"{{ $value.foo }}",
       "121: executing \"__alert_Test\" at <$value.foo>: can't evaluate field foo in type float64"},
      {"{{ if eq $value 5 }}{{ end }}",
       "118: executing \"__alert_Test\" at <eq $value 5>: error calling eq: incompatible types for "
       "comparison: float64 and int"},
      {"{{ lt 1 $value }}",
       "115: executing \"__alert_Test\" at <lt 1 $value>: error calling lt: incompatible types for "
       "comparison: int and float64"},
      {"{{ template \"x\" }}",
       "124: executing \"__alert_Test\" at <{{template \"x\"}}>: template \"x\" not defined"},
      {"{{ nil }}", "115: executing \"__alert_Test\" at <nil>: nil is not a command"},
      {"{{ call 1 }}",
       "115: executing \"__alert_Test\" at <call 1>: error calling call: non-function of type int"},
      {"{{ first 5 }}",
       "121: executing \"__alert_Test\" at <5>: can't handle 5 for arg of type template.queryResult"},
      {"{{ value \"x\" }}",
       "121: executing \"__alert_Test\" at <\"x\">: can't handle \"x\" for arg of type *template.sample"},
      {"{{ label \"x\" }}",
       "115: executing \"__alert_Test\" at <label>: wrong number of args for label: want 2 got 1"},
      {"{{ humanize }}",
       "115: executing \"__alert_Test\" at <humanize>: wrong number of args for humanize: want 1 got 0"},
      {"{{ humanize 1 2 }}",
       "115: executing \"__alert_Test\" at <humanize>: wrong number of args for humanize: want 1 got 2"},
      {"{{ range \"x\" }}{{ end }}",
       "121: executing \"__alert_Test\" at <\"x\">: range can't iterate over x"},
  };
  for (const Case& c : cases) EXPECT_EQ(Expand(c.text), before + c.result + ">") << c.text;
}

TEST(RuleTemplate, ShowsWhatDoesNotParseInThePlaceOfTheText) {
  const std::string before =
      "<error expanding template: error parsing template __alert_Test: template: __alert_Test:1: ";
  EXPECT_EQ(Expand("{{ $labels.instance"), before + "unclosed action>");
  EXPECT_EQ(Expand("{{ nothere }}"), before + "function \"nothere\" not defined>");
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

TEST(RuleTemplate, KeepsNoDataOfTextsThatComeOften) {
  RuleTemplateData data = Data();
  for (int i = 0; i < 200; ++i) {
    const std::string number = std::to_string(i % 70);
    data.value = i;
    EXPECT_EQ(ExpandRuleTemplate("__alert_Test", "{{ $value }} of " + number, data, {}, nullptr),
              std::to_string(i) + " of " + number);
    EXPECT_NE(ExpandRuleTemplate("__alert_" + number, "{{ .Nope }}", data, {}, nullptr)
                  .find("__alert_" + number + ":1:"),
              std::string::npos);
  }
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
