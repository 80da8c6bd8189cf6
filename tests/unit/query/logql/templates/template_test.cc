#include "query/logql/templates/template.h"

#include <gtest/gtest.h>

#include "tests/unit/query/logql/templates/template_case.h"

namespace varve::logql {
namespace {

TEST(Template, RendersTextFieldsAndTheLine) {
  const TemplateCase kCases[] = {
      {"plain", "plain"},
      {"{{.num}}-{{ .nosuch }}-{{ .name }}", "42--Hello World"},
      {"{{ __line__ }}!", "the line!"},
      {"a  {{- .num -}}  b {{- /* c */ -}} d", "a42bd"},
      {"{{/* c */}}x", "x"},
      {"{{ \"a\\tb\\u00e9\\x41\\101\" }}{{ `c\\t` }}",
       "a\tb\xC3\xA9"
       "AAc\\t"},
      {"{{.num | }}", "42"},
      {"{ {.num} }", "{ {.num} }"},
      {"{{ 3 -}} x", "3x"},
      {"{{ 'a' }} {{ 0x10 }} {{ 1_000 }} {{ 1e3 }} {{ true }}", "97 16 1000 1000 true"},
      {"", ""}};
  for (const auto& c : kCases) EXPECT_EQ(RenderText(c.action), c.result) << c.action;
}

TEST(Template, PrintsAllLabelsSorted) {
  EXPECT_EQ(RenderText("{{ len . }}"), "8");
  EXPECT_EQ(RenderText("{{ . }}").substr(0, 15), "map[csv:a,b,c j");
  EXPECT_EQ(RenderText("{{ index . \"name\" }}|{{ index $ \"nosuch\" }}|{{ $.num }}"), "Hello World||42");
  EXPECT_EQ(RenderText("{{ range $k, $v := . }}{{ if eq $k \"num\" }}{{ $v }}{{ end }}{{ end }}"), "42");
}

TEST(Template, RefusesInGosWords) {
  const TemplateCase kCases[] = {{"{{.a", "unclosed action"},
                                 {"{{", "unclosed action"},
                                 {"{{}}", "missing value for command"},
                                 {"{{nosuch .a}}", "function \"nosuch\" not defined"},
                                 {"{{if .a}}x", "unexpected EOF"},
                                 {"{{if}}x{{end}}", "missing value for if"},
                                 {"{{ $x }}", "undefined variable \"$x\""},
                                 {"{{ if .a }}{{ $y := 1 }}{{ end }}{{ $y }}", "undefined variable \"$y\""},
                                 {"{{ define \"d\" }}{{ $y }}{{ end }}", "undefined variable \"$y\""},
                                 {"{{/* x", "unclosed comment"},
                                 {"{{/* x */ .a}}", "comment ends before closing delimiter"},
                                 {"{{ \"x }}", "unterminated quoted string"},
                                 {"{{ `x }}", "unterminated raw quoted string"},
                                 {"{{end}}", "unexpected {{end}}"},
                                 {"{{else}}", "unexpected {{else}}"},
                                 {"{{if .a}}{{else}}{{else}}{{end}}", "expected end; found {{else}}"},
                                 {"{{.a-b}}", "bad character U+002D '-'"},
                                 {"{{ (.a }}", "unclosed left paren"},
                                 {"{{ .a) }}", "unexpected right paren"},
                                 {"{{ .a ! }}", "unexpected \"!\" in operand"},
                                 {"{{ 1a }}", "bad number syntax: \"1a\""},
                                 {"{{ 99999999999999999999 }}", "integer overflow: \"99999999999999999999\""},
                                 {"{{ .a | 1 }}", "non executable command in pipeline stage 2"},
                                 {"{{ \"x\".y }}", "unexpected . after term \"\\\"x\\\"\""},
                                 {"{{break}}", "{{break}} outside {{range}}"},
                                 {"{{ range $a, $b, $c := . }}{{end}}", "too many declarations in range"},
                                 {"{{ $a, $b := . }}", "too many declarations in command"},
                                 {"{{ template . }}", "unexpected \".\" in template clause"},
                                 {"{{ define \"x\" }}a{{ end }}{{ define \"x\" }}b{{ end }}",
                                  "template: multiple definition of template \"x\""}};
  for (const auto& c : kCases) {
    EXPECT_EQ(RenderText(c.action), std::string("refused: template: line:1: ") + c.result) << c.action;
  }
  EXPECT_EQ(RenderText("a\nb{{.a"), "refused: template: line:2: unclosed action");
}

TEST(Template, FailsInGosWords) {
  const std::string at = "template: line:1:3: executing \"line\" at <";
  const TemplateCase kCases[] = {
      {"div 1 0", "div 1 0>: error calling div: runtime error: integer divide by zero"},
      {"divf .num 0", "divf .num 0>: error calling divf: decimal division by 0"},
      {"duration \"x\"", "duration \"x\">: error calling duration: time: invalid duration \"x\""},
      {"eq 1 \"1\"", "eq 1 \"1\">: error calling eq: incompatible types for comparison: int and string"},
      {"gt .num 1", "gt .num 1>: error calling gt: incompatible types for comparison: string and int"},
      {"lower", "lower>: wrong number of args for lower: want 1 got 0"},
      {"repeat -1 \"x\"", "repeat -1 \"x\">: error calling repeat: strings: negative Repeat count"},
      {"nil", "nil>: nil is not a command"},
      {".name 1", ".name>: name is not a method but has arguments"},
      {"substr 5 2 .path",
       "substr 5 2 .path>: error calling substr: runtime error: slice bounds out of range [5:2]"},
      {"regexReplaceAll \"[\" \"x\" \"y\"",
       "regexReplaceAll \"[\" \"x\" \"y\">: error calling regexReplaceAll: error parsing regexp: missing "
       "closing ]: `[`"},
      {"urldecode \"%zz\"", "urldecode \"%zz\">: error calling urldecode: invalid URL escape \"%zz\""}};
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), at + c.result) << c.action;
  EXPECT_EQ(Render(".name.x"),
            "template: line:1:8: executing \"line\" at <.name.x>: can't evaluate field x in type string");
  EXPECT_EQ(Render("lower 1"), "template: line:1:9: executing \"line\" at <1>: expected string; found 1");
  EXPECT_EQ(Render("trunc (add 1 1) .name"),
            "template: line:1:16: executing \"line\" at <1>: wrong type for value; expected int; got int64");
  EXPECT_EQ(RenderText("a\n {{ div 1 0 }}").substr(0, 19), "template: line:2:4:");
  EXPECT_EQ(
      RenderText("{{ template \"nosuch\" }}"),
      "template: line:1:12: executing \"line\" at <{{template \"nosuch\"}}>: template \"nosuch\" not defined");
}

TEST(Template, TellsWhatItReads) {
  const struct {
    const char* text;
    std::vector<std::string> fields;
    bool all;
    bool line;
  } kCases[] = {{"{{.b}}{{.a}}{{.b}}", {"b", "a"}, false, false},
                {"{{ if eq .x (lower $.y) }}{{ __line__ }}{{ end }}", {"x", "y"}, false, true},
                {"{{ len . }}", {}, true, false},
                {"{{ with .a }}{{ . }}{{ end }}", {"a"}, false, false},
                {"{{ with .a }}{{ index $ . }}{{ end }}", {"a"}, true, false},
                {"{{ define \"d\" }}{{ .z }}{{ end }}{{ template \"d\" . }}", {"z"}, true, false}};
  for (const auto& c : kCases) {
    const auto parsed = Template::Parse("line", c.text);
    ASSERT_TRUE(parsed.ok()) << c.text;
    EXPECT_EQ(parsed->fields(), c.fields) << c.text;
    EXPECT_EQ(parsed->reads_all_labels(), c.all) << c.text;
    EXPECT_EQ(parsed->reads_line(), c.line) << c.text;
  }
}

}  // namespace
}  // namespace varve::logql
