// Control structures, variables, pipelines and named templates.
#include <gtest/gtest.h>

#include "tests/unit/query/logql/templates/template_case.h"

namespace varve::logql {
namespace {

TEST(TemplateControl, Branches) {
  const TemplateCase kCases[] = {
      {"{{ if .nosuch }}y{{ else }}n{{ end }}", "n"},
      {"{{ if .name }}y{{ end }}|{{ if not .name }}y{{ end }}", "y|"},
      {"{{ if eq .num \"1\" }}a{{ else if eq .num \"42\" }}b{{ else }}c{{ end }}", "b"},
      {"{{ if gt (int .num) 10 }}big{{ else }}small{{ end }}", "big"},
      {"{{ if and (hasPrefix \"H\" .name) (not (contains \"x\" .name)) }}ok{{ end }}", "ok"},
      {"{{ if or (eq .num \"9\") (gt (int .num) 40) }}ok{{ end }}", "ok"},
      {"{{ and 1 0 }}|{{ and 1 2 }}|{{ or 0 \"\" 3 }}|{{ or 0 false }}", "0|2|3|false"},
      {"{{ and false (div 1 0) }}|{{ or true (div 1 0) }}", "false|true"},
      {"{{ eq 1 2 3 1 }}|{{ ne .num \"1\" }}|{{ le 2.5 2.5 }}|{{ ge \"b\" \"a\" }}|{{ lt 1 2 }}",
       "true|true|true|true|true"},
      {"{{ with .name }}<{{ . }}>{{ end }}{{ with .nosuch }}x{{ else }}empty{{ end }}", "<Hello World>empty"},
      {"{{ with .nosuch }}x{{ else with .num }}{{ . }}{{ end }}", "42"},
      {"{{ with $x := .num }}{{ $x }}{{ $.name }}{{ end }}", "42Hello World"},
  };
  for (const auto& c : kCases) EXPECT_EQ(RenderText(c.action), c.result) << c.action;
}

TEST(TemplateControl, Loops) {
  const TemplateCase kCases[] = {
      {"{{ range $i, $x := (fromJson .json).a }}{{ $i }}={{ $x }};{{ end }}", "0=1;1=2;2=map[b:c];"},
      {"{{ range $k, $v := fromJson \"{\\\"b\\\":1,\\\"a\\\":2}\" }}{{ $k }}={{ $v }} {{ end }}", "a=2 b=1 "},
      {"{{ range fromJson \"[1,2,3,4]\" }}{{ if eq . 3.0 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "124"},
      {"{{ range fromJson \"[1,2,3,4]\" }}{{ if eq . 3.0 }}{{ break }}{{ end }}{{ . }}{{ end }}x", "12x"},
      {"{{ range fromJson \"[]\" }}x{{ else }}none{{ end }}", "none"},
      {"{{ range fromJson \"nonsense\" }}x{{ else }}none{{ end }}", "none"},
      {"{{ range 3 }}{{ . }}{{ end }}", "012"},
      {"{{ $n := 0 }}{{ range fromJson \"[1,2]\" }}{{ $n = add $n 1 }}{{ end }}{{ $n }}", "2"},
      {"{{ range $x := fromJson \"[1,null]\" }}{{ $x }};{{ end }}", "1;<no value>;"},
      {"{{ range . }}x{{ end }}", "xxxxxxxx"},
  };
  for (const auto& c : kCases) EXPECT_EQ(RenderText(c.action), c.result) << c.action;
  EXPECT_NE(RenderText("{{ range .name }}{{ end }}").find("range can't iterate over Hello World"),
            std::string::npos);
}

TEST(TemplateControl, VariablesHaveScopes) {
  const TemplateCase kCases[] = {
      {"{{ $x := .num }}{{ $x }}{{ $x = \"b\" }}{{ $x }}", "42b"},
      {"{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21"},
      {"{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"},
      {"{{ $x := fromJson .json }}{{ $x.n }}{{ $x.nosuch }}", "1.5<no value>"},
  };
  for (const auto& c : kCases) EXPECT_EQ(RenderText(c.action), c.result) << c.action;
}

TEST(TemplateControl, NamedTemplates) {
  const TemplateCase kCases[] = {
      {"{{ define \"x\" }}[{{ . }}]{{ end }}{{ template \"x\" .name }}", "[Hello World]"},
      {"{{ block \"b\" .num }}<{{ . }}>{{ end }}", "<42>"},
      {"{{ template \"x\" }}{{ define \"x\" }}[{{ . }}]{{ end }}", "[<no value>]"},
      {"{{ define \"x\" }}{{ .num }}{{ $.num }}{{ end }}{{ template \"x\" . }}", "4242"},
  };
  for (const auto& c : kCases) EXPECT_EQ(RenderText(c.action), c.result) << c.action;
}

TEST(TemplateControl, ValuesOfJson) {
  const TemplateCase kCases[] = {
      {"(fromJson .json).n", "1.5"},
      {"(fromJson .json).a", "[1 2 map[b:c]]"},
      {"(fromJson .json).s | html", "&lt;x&gt;"},
      {"index (fromJson .json).a 1", "2"},
      {"index (fromJson .json) \"a\" 2 \"b\"", "c"},
      {"(index (fromJson .json).a 2).b", "c"},
      {"slice (fromJson .json).a 1 2", "[2]"},
      {"len (fromJson .json).a", "3"},
      {"fromJson \"{\"", "<no value>"},
      {"fromJson \"[1,null,\\\"\\\\u00e9\\\\ud83d\\\\ude00\\\"]\"", "[1 <nil> \xC3\xA9\xF0\x9F\x98\x80]"},
      {"fromJson \"{\\\"a\\\":1,\\\"a\\\":2}\"", "map[a:2]"},
      {"fromJson \"12345678901234567890\"", "1.2345678901234567e+19"},
      {"fromJson \"01\"", "<no value>"},
      {"fromJson \"1e999\"", "<no value>"},
      {"fromJson \"x\" | default \"d\"", "d"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), c.result) << c.action;
  EXPECT_NE(Render("(fromJson .json).x.y").find("nil pointer evaluating interface {}.y"), std::string::npos);
}

}  // namespace
}  // namespace varve::logql
