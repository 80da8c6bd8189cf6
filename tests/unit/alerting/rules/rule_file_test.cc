#include "alerting/rules/rule_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Rule MakeRule(std::string record, std::string alert, std::string expr) {
  Rule rule;
  rule.record = std::move(record);
  rule.alert = std::move(alert);
  rule.expr = std::move(expr);
  return rule;
}

constexpr std::string_view kFile = R"(groups:
- name: errors
  interval: 30s
  query_offset: 1m
  limit: 10
  labels: {team: web}
  rules:
  - record: job:errors:rate5m
    expr: sum by (job) (rate(errors_total[5m]))
    labels: {scope: job}
  - alert: ManyErrors
    expr: job:errors:rate5m > 1
    for: 1h30m
    keep_firing_for: 10m
    labels: {severity: page}
    annotations:
      summary: "{{ $labels.job }} has {{ $value }}"
  - alert: BruteForce
    expr: |
      sum by (ip) (count_over_time({job="ssh"} |= "Failed password" [5m])) >= 10
  - alert: Silent
    type: logql
    expr: sum(count_over_time({job="ssh"}[5m])) < 1
    alarm: {evaluation_periods: 3, datapoints_to_alarm: 2, treat_missing: breaching}
- name: empty
  rules: []
)";

TEST(RuleFile, ReadsWhatPrometheusReads) {
  const auto groups = ParseRuleFile(kFile, "r.yml", RuleLanguage::kPromql);
  ASSERT_OK(groups.status());
  ASSERT_EQ(groups->size(), 2U);
  const RuleGroup& group = groups.value()[0];
  EXPECT_EQ(group.name, "errors");
  EXPECT_EQ(group.file, "r.yml");
  EXPECT_EQ(group.interval_ms, 30'000);
  EXPECT_EQ(group.query_offset_ms, 60'000);
  EXPECT_EQ(group.limit, 10U);
  EXPECT_EQ(group.line, 2U);
  EXPECT_THAT(group.labels, ElementsAre(Pair("team", "web")));
  ASSERT_EQ(group.rules.size(), 4U);
  const Rule& recording = group.rules[0];
  EXPECT_TRUE(recording.recording());
  EXPECT_EQ(recording.name(), "job:errors:rate5m");
  EXPECT_EQ(recording.line, 8U);
  EXPECT_THAT(recording.labels, ElementsAre(Pair("scope", "job")));
  const Rule& alerting = group.rules[1];
  EXPECT_EQ(alerting.alert, "ManyErrors");
  EXPECT_EQ(alerting.for_ms, 90 * 60'000);
  EXPECT_EQ(alerting.keep_firing_for_ms, 600'000);
  EXPECT_THAT(alerting.annotations, ElementsAre(Pair("summary", "{{ $labels.job }} has {{ $value }}")));
  EXPECT_FALSE(groups.value()[1].interval_ms.has_value());
  EXPECT_TRUE(groups.value()[1].rules.empty());
}

TEST(RuleFile, ChoosesTheLanguageByWhatParses) {
  const auto groups = ParseRuleFile(kFile, "r.yml", RuleLanguage::kPromql);
  ASSERT_OK(groups.status());
  const std::vector<Rule>& rules = groups.value()[0].rules;
  EXPECT_EQ(rules[1].language, RuleLanguage::kPromql);
  EXPECT_EQ(rules[2].language, RuleLanguage::kLogql);
  EXPECT_FALSE(rules[2].language_given);
  EXPECT_EQ(rules[3].language, RuleLanguage::kLogql);
  EXPECT_TRUE(rules[3].language_given);
  // `up` is not LogQL, the second one is both.
  const auto both = ParseRuleFile("groups: [{name: g, rules: [{alert: A, expr: up}, {alert: B, "
                                  "expr: 'count_over_time({a=\"b\"}[5m]) > 1'}]}]",
                                  "r.yml", RuleLanguage::kLogql);
  ASSERT_OK(both.status());
  EXPECT_EQ(both.value()[0].rules[0].language, RuleLanguage::kPromql);
  EXPECT_EQ(both.value()[0].rules[1].language, RuleLanguage::kLogql);
}

TEST(RuleFile, TheTypeOfAGroupIsThatOfItsRules) {
  const auto groups = ParseRuleFile("groups:\n- name: g\n  type: logql\n  rules:\n"
                                    "  - {alert: A, expr: 'rate({a=\"b\"}[5m]) > 1'}\n"
                                    "  - {alert: B, type: promql, expr: 'rate({a=\"b\"}[5m]) > 1'}\n",
                                    "r.yml", RuleLanguage::kPromql);
  ASSERT_OK(groups.status());
  EXPECT_EQ(groups.value()[0].rules[0].language, RuleLanguage::kLogql);
  EXPECT_EQ(groups.value()[0].rules[1].language, RuleLanguage::kPromql);
}

TEST(RuleFile, ReadsAlarms) {
  const auto groups = ParseRuleFile(kFile, "r.yml", RuleLanguage::kPromql);
  ASSERT_OK(groups.status());
  const std::optional<AlarmSpec>& alarm = groups.value()[0].rules[3].alarm;
  ASSERT_TRUE(alarm.has_value());
  EXPECT_EQ(alarm->evaluation_periods, 3U);
  EXPECT_EQ(alarm->datapoints_to_alarm, 2U);
  EXPECT_EQ(alarm->treat_missing, TreatMissing::kBreaching);
  EXPECT_FALSE(alarm->notify_insufficient_data);
  const auto plain = ParseRuleFile("groups: [{name: g, rules: [{alert: A, expr: up, alarm: {evaluation_periods: 4}}]}]",
                                   "r.yml", RuleLanguage::kPromql);
  ASSERT_OK(plain.status());
  EXPECT_EQ(plain.value()[0].rules[0].alarm->datapoints_to_alarm, 4U);
}

TEST(RuleFile, TakesEmptyFilesAndNulls) {
  for (const char* text : {"", "groups:\n", "groups: []\n", "groups: [{name: g}]", "groups: [{name: g, rules: ~}]",
                           "groups: [{name: g, interval: , labels: , rules: [{record: a, expr: up, for: ~}]}]"}) {
    SCOPED_TRACE(text);
    EXPECT_OK(ParseRuleFile(text, "r.yml", RuleLanguage::kPromql));
  }
}

struct BadCase {
  const char* name;
  const char* text;
  const char* error;
};

class RuleFileErrors : public ::testing::TestWithParam<BadCase> {};

TEST_P(RuleFileErrors, NameFileLineGroupAndRule) {
  const auto groups = ParseRuleFile(GetParam().text, "r.yml", RuleLanguage::kPromql);
  EXPECT_THAT(groups.status().message(), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Shape, RuleFileErrors,
    ::testing::Values(
        BadCase{"TopLevel", "- a\n", "r.yml:1: a rule file must be a map, not a list"},
        BadCase{"UnknownTop", "groups: []\nrules: []\n", "r.yml:2: unknown key \"rules\""},
        BadCase{"UnknownInGroup", "groups:\n- name: g\n  intervall: 1m\n", "r.yml:3: group \"g\": unknown key \"intervall\""},
        BadCase{"UnknownInRule", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    anotations: {}\n",
                "r.yml:6: group \"g\", rule 1 \"A\": unknown key \"anotations\""},
        BadCase{"RemoteWrite", "groups:\n- name: g\n  remote_write: []\n", "key \"remote_write\" is not supported"},
        BadCase{"SourceTenants", "groups:\n- name: g\n  source_tenants: [a]\n", "key \"source_tenants\" is not supported"},
        BadCase{"NoName", "groups:\n- rules: []\n", "r.yml:2: Groupname must not be empty"},
        BadCase{"TwoOfOneName", "groups:\n- name: g\n- name: g\n",
                "r.yml:3: groupname: \"g\" is repeated in the same file, first in line 2"},
        BadCase{"Interval", "groups:\n- name: g\n  interval: 5\n", "r.yml:3: group \"g\": 'interval': not a valid duration"},
        BadCase{"Limit", "groups:\n- name: g\n  limit: many\n", "'limit' must be a whole number"},
        BadCase{"RulesAsMap", "groups:\n- name: g\n  rules: {a: b}\n", "'rules' must be a list, not a map"},
        BadCase{"Type", "groups:\n- name: g\n  type: sql\n", "'type' must be promql or logql"},
        BadCase{"UnquotedTemplate", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: {b: c}}}\n",
                "r.yml:4: group \"g\", rule 1 \"A\": 'labels.a' must be a text (one that begins with { needs quotes), not a map"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Content, RuleFileErrors,
    ::testing::Values(
        BadCase{"BothNames", "groups:\n- name: g\n  rules:\n  - {record: a, alert: b, expr: up}\n",
                "only one of 'record' and 'alert' must be set"},
        BadCase{"NoRuleName", "groups:\n- name: g\n  rules:\n  - {expr: up}\n",
                "r.yml:4: group \"g\", rule 1: one of 'record' or 'alert' must be set"},
        BadCase{"NoExpr", "groups:\n- name: g\n  rules:\n  - alert: A\n", "field 'expr' must be set in rule"},
        BadCase{"Promql", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(up\n",
                "r.yml:5: group \"g\", rule 1 \"A\": could not parse expression: 1:7: parse error: unclosed left parenthesis"},
        BadCase{"LogqlBeside", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: 'rate({a=\"b\"} | json [5m) > 1'\n",
                "; as LogQL: parse error at line 1"},
        BadCase{"NeitherReadsLogs", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: sum(1)}\n",
                "expected type instant vector in aggregation expression, got scalar"},
        BadCase{"GivenType", "groups:\n- name: g\n  rules:\n  - {alert: A, type: logql, expr: up}\n",
                "could not parse expression: parse error at line 1"},
        BadCase{"LogLines", "groups:\n- name: g\n  rules:\n  - {alert: A, type: logql, expr: '{a=\"b\"} |= \"x\"'}\n",
                "the expression gives log lines"},
        BadCase{"LogqlPipeline",
                "groups:\n- name: g\n  rules:\n  - {alert: A, type: logql, expr: 'rate({a=\"b\"} | line_format \"{{\" [5m])'}\n",
                "could not parse expression: "},
        BadCase{"LogqlInPromql", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'logql(\"{\") > 1'}\n",
                "could not parse expression: "},
        BadCase{"ForInRecording", "groups:\n- name: g\n  rules:\n  - {record: a, expr: up, for: 5m}\n",
                "invalid field 'for' in recording rule"},
        BadCase{"KeepInRecording", "groups:\n- name: g\n  rules:\n  - {record: a, expr: up, keep_firing_for: 5m}\n",
                "invalid field 'keep_firing_for' in recording rule"},
        BadCase{"AnnotationsInRecording", "groups:\n- name: g\n  rules:\n  - {record: a, expr: up, annotations: {a: b}}\n",
                "invalid field 'annotations' in recording rule"},
        BadCase{"AlarmInRecording", "groups:\n- name: g\n  rules:\n  - {record: a, expr: up, alarm: {}}\n",
                "invalid field 'alarm' in recording rule"},
        BadCase{"AlarmWithFor", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, for: 5m, alarm: {}}\n",
                "'alarm' goes with neither 'for' nor 'keep_firing_for'"},
        BadCase{"AlarmCounts",
                "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, alarm: {evaluation_periods: 2, datapoints_to_alarm: 3}}\n",
                "'datapoints_to_alarm' is more than 'evaluation_periods'"},
        BadCase{"AlarmMissing", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, alarm: {treat_missing: no}}\n",
                "'treat_missing' must be missing, ignore, breaching or not_breaching"},
        BadCase{"BracesInName", "groups:\n- name: g\n  rules:\n  - {record: 'a{b=\"c\"}', expr: up}\n",
                "braces present in the recording rule name"},
        BadCase{"NameLabel", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, labels: {__name__: b}}\n",
                "invalid label name: __name__"},
        BadCase{"GroupNameLabel", "groups:\n- name: g\n  labels: {__name__: b}\n", "invalid label name: __name__"},
        BadCase{"AnnotationTemplate", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, annotations: {b: '{{ $label.c }}'}}\n",
                "r.yml:4: group \"g\", rule 1 \"a\": annotation \"b\": "},
        BadCase{"LabelTemplate", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, labels: {b: '{{ if }}'}}\n",
                "r.yml:4: group \"g\", rule 1 \"a\": label \"b\": "},
        BadCase{"EmptyAnnotation", "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, annotations: {'': b}}\n",
                "invalid annotation name: "}),
    [](const auto& tested) { return tested.param.name; });

TEST(RuleFile, TellsAllErrorsAtOnceInTheirOrder) {
  const auto groups = ParseRuleFile("groups:\n- name: g\n  rules:\n  - {alert: A, expr: sum(}\n  - {alert: B}\n"
                                    "- name: g\n  colour: red\n",
                                    "r.yml", RuleLanguage::kPromql);
  const std::string& text = groups.status().message();
  const std::vector<std::string> parts = {"r.yml:4: ", "\nr.yml:5: ", "\nr.yml:6: ", "\nr.yml:7: "};
  size_t at = 0;
  for (const std::string& part : parts) {
    const size_t found = text.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << " in\n" << text;
    at = found;
  }
}

TEST(RuleFile, NamesMayBeAnyUtf8) {
  EXPECT_OK(ParseRuleFile("groups: [{name: g, rules: [{record: 'http.요청', expr: up, labels: {'a.b': c}}]}]", "r.yml",
                          RuleLanguage::kPromql));
}

TEST(RuleFiles, AreFoundByPatternsEachOnce) {
  const TempDir dir;
  for (const std::string name : {"a", "b"}) {
    std::ofstream(dir.path() + "/" + name + ".yml") << "groups: [{name: " << name << "}]";
  }
  const auto groups = ReadRuleFiles({dir.path() + "/b.yml", dir.path() + "/*.yml", dir.path() + "/none*"},
                                    RuleLanguage::kPromql);
  ASSERT_OK(groups.status());
  ASSERT_EQ(groups->size(), 2U);
  EXPECT_EQ(groups.value()[0].name, "b");
  EXPECT_EQ(groups.value()[1].file, dir.path() + "/a.yml");
  std::ofstream(dir.path() + "/c.yml") << "groupz: []";
  const auto bad = ReadRuleFiles({dir.path() + "/*.yml", dir.path() + "/gone.yml"}, RuleLanguage::kPromql);
  EXPECT_THAT(bad.status().message(), HasSubstr("c.yml:1: unknown key \"groupz\""));
  EXPECT_THAT(bad.status().message(), HasSubstr("gone.yml: no such file"));
}

TEST(RuleGroupByApi, IsReadAlone) {
  const auto group = ParseRuleGroup("name: g\ninterval: 1m\nrules:\n- {alert: A, expr: 'rate({a=\"b\"}[1m]) > 1'}\n", "ns",
                                    RuleLanguage::kLogql);
  ASSERT_OK(group.status());
  EXPECT_EQ(group->file, "ns");
  EXPECT_EQ(group->rules[0].language, RuleLanguage::kLogql);
}

struct ApiCase {
  const char* name;
  RuleLanguage language;
  const char* text;
  const char* error;
};

class RuleGroupApiErrors : public ::testing::TestWithParam<ApiCase> {};

TEST_P(RuleGroupApiErrors, AreWordedAsInLokiAndMimir) {
  const auto group = ParseRuleGroup(GetParam().text, "ns", GetParam().language);
  EXPECT_THAT(group.status().message(), HasSubstr(GetParam().error));
}

constexpr RuleLanguage kLoki = RuleLanguage::kLogql;
constexpr RuleLanguage kMimir = RuleLanguage::kPromql;

INSTANTIATE_TEST_SUITE_P(
    Cases, RuleGroupApiErrors,
    ::testing::Values(
        ApiCase{"LokiYaml", kLoki, "name: [", "unable to decoded rule group: line 1: not valid YAML"},
        ApiCase{"LokiKey", kLoki, "name: g\ncolour: red\n", "unable to decoded rule group: line 2: unknown key \"colour\""},
        ApiCase{"LokiName", kLoki, "rules: []", "group 0: Groupname must not be empty"},
        ApiCase{"LokiEmpty", kLoki, "", "group 0: Groupname must not be empty"},
        ApiCase{"LokiExpr", kLoki, "{name: g, rules: [{alert: x, expr: 'rate('}]}",
                "could not parse expression for alert 'x' in group 'g': parse error"},
        ApiCase{"LokiRecord", kLoki, "{name: g, rules: [{record: x, expr: 'rate('}]}",
                "could not parse expression for record 'x' in group 'g': parse error"},
        ApiCase{"LokiRecordName", kLoki, "{name: g, rules: [{record: x-y, expr: 'rate({a=\"b\"}[1m])'}]}",
                "invalid recording rule name: x-y"},
        ApiCase{"LokiBoth", kLoki, "{name: g, rules: [{record: x, alert: y, expr: 'rate({a=\"b\"}[1m])'}]}",
                "only one of 'record' and 'alert' must be set"},
        ApiCase{"MimirName", kMimir, "rules: []", "invalid rules config: rule group name must not be empty"},
        ApiCase{"MimirNoRules", kMimir, "name: g", "invalid rules config: rule group 'g' has no rules"},
        ApiCase{"MimirExpr", kMimir, "{name: g, rules: [{alert: x, expr: 'rate('}]}",
                "group \"g\", rule 0, \"x\": could not parse expression: 1:6: parse error"}),
    [](const auto& tested) { return tested.param.name; });

TEST(RuleGroupByApi, LokiAcceptsLogQueriesAndGroupsWithoutRules) {
  EXPECT_OK(ParseRuleGroup("{name: g, rules: [{alert: A, expr: '{a=\"b\"}'}]}", "ns", kLoki));
  EXPECT_OK(ParseRuleGroup("{name: g}", "ns", kLoki));
}

TEST(RulePrinting, IsReadBackTheSame) {
  const auto groups = ParseRuleFile(kFile, "ns", RuleLanguage::kPromql);
  ASSERT_OK(groups.status());
  const RuleGroup& group = groups.value()[0];
  const std::string printed = PrintRuleGroup(group);
  const auto again = ParseRuleGroup(printed, "ns", RuleLanguage::kPromql);
  ASSERT_OK(again.status());
  EXPECT_EQ(again->interval_ms, group.interval_ms);
  EXPECT_EQ(again->query_offset_ms, group.query_offset_ms);
  EXPECT_EQ(again->limit, group.limit);
  EXPECT_TRUE(again->labels.empty());
  ASSERT_EQ(again->rules.size(), group.rules.size());
  for (size_t i = 0; i < group.rules.size(); ++i) {
    Rule rule = group.rules[i];
    rule.labels.emplace("team", "web");  // the group's
    EXPECT_TRUE(again->rules[i].SameAs(rule)) << printed;
  }
  EXPECT_EQ(PrintRuleGroup(again.value()), printed);
}

TEST(RulePrinting, WritesOptionalKeysOnlyWhenSet) {
  RuleGroup group;
  group.name = "g";
  group.interval_ms = 90'000;
  group.rules.push_back(MakeRule("", "A", "up == 0"));
  group.rules[0].for_ms = 300'000;
  EXPECT_EQ(PrintRuleGroup(group),
            "name: g\ninterval: 1m30s\nrules:\n  - alert: A\n    expr: up == 0\n    for: 5m\n");
}

TEST(RulePrinting, NamesTheLanguageOnlyWhereItCouldBeTheOther) {
  RuleGroup group;
  group.name = "g";
  for (const char* expr : {"sum(rate({a=\"b\"} |= \"x\" [1m]))", "sum(rate({a=\"b\"}[1m]))"}) {
    group.rules.push_back(MakeRule("r", "", expr));
    group.rules.back().language = RuleLanguage::kLogql;
    group.rules.back().language_given = true;
  }
  const std::string printed = PrintRuleGroup(group);
  EXPECT_EQ(printed.find("type: logql"), printed.rfind("type: logql"));
  const auto again = ParseRuleGroup(printed, "ns", RuleLanguage::kPromql);
  ASSERT_OK(again);
  for (const Rule& rule : again->rules) EXPECT_EQ(rule.language, RuleLanguage::kLogql) << printed;
}

TEST(RulePrinting, KeepsEveryText) {
  const char* texts[] = {"", " ", "a b", "a: b", "a #b", "# a", "true", "Null", "~", "12", "1e3", "- a", "a\nb", "a\nb\n",
                         "a\n\n", "\na", " a\nb", "a \nb", "a\tb\n", "\"q\"", "it's", "{a}", "[a]", "&a", "*a", "!a", "|",
                         "%a", "@a", "`a`", "\u2028", "한글\n글", "\x01", "a:", "a\r\nb", "? a", "<<", "=", "a\n  b\n"};
  for (const char* text : texts) {
    RuleGroup group;
    group.name = "g";
    Rule rule = MakeRule("", "A", "up");
    rule.annotations[text[0] == '\0' ? "empty" : text] = text;
    group.rules.push_back(rule);
    const std::string printed = PrintRuleNamespaces({group});
    const auto again = ParseRuleGroup(PrintRuleGroup(group), "ns", RuleLanguage::kPromql);
    SCOPED_TRACE(printed);
    ASSERT_OK(again.status());
    EXPECT_EQ(again->rules[0].annotations, rule.annotations) << printed;
  }
}

TEST(RulePrinting, PutsGroupsUnderTheirNamespaces) {
  RuleGroup a, b, c;
  a.name = "a";
  b.name = "b";
  c.name = "c";
  a.file = c.file = "x y/z";
  b.file = "1";
  for (RuleGroup* group : {&a, &b, &c}) group->rules.push_back(MakeRule("r", "", "up"));
  EXPECT_EQ(PrintRuleNamespaces({a, b, c}),
            "\"1\":\n    - name: b\n      rules:\n        - record: r\n          expr: up\n"
            "x y/z:\n    - name: a\n      rules:\n        - record: r\n          expr: up\n"
            "    - name: c\n      rules:\n        - record: r\n          expr: up\n");
  EXPECT_EQ(PrintRuleNamespaces({}), "{}\n");
}

}  // namespace
}  // namespace varve
