#include "query/logql/templates/template.h"

#include <gtest/gtest.h>

namespace varve::logql {
namespace {

std::string Render(std::string_view text) {
  const auto parsed = Template::Parse("line", text);
  if (!parsed.ok()) {
    return (parsed.status().code() == Code::kUnimplemented ? "unimplemented: " : "error: ") + parsed.status().message();
  }
  Row row;
  const Labels stream = Labels::FromUnsorted({{"app", "q"}, {"name", "Hello World"}, {"num", "42"}});
  row.labels.Reset(stream, {});
  row.line = "the line";
  std::string out;
  std::string error;
  return parsed->Execute(&row, &out, &error) ? out : "failed: " + error;
}

TEST(Template, RendersTextFieldsAndTheLine) {
  EXPECT_EQ(Render("plain"), "plain");
  EXPECT_EQ(Render("{{.app}}-{{ .nosuch }}-{{ .name }}"), "q--Hello World");
  EXPECT_EQ(Render("{{ __line__ }}!"), "the line!");
  EXPECT_EQ(Render("a  {{- .app -}}  b {{- /* c */ -}} d"), "aqbd");
  EXPECT_EQ(Render("{{/* c */}}x"), "x");
  EXPECT_EQ(Render("{{ \"a\\tb\" }}{{ `c` }}"), "a\tbc");
  EXPECT_EQ(Render("{{.app | }}"), "q");
  EXPECT_EQ(Render("{ {.app} }"), "{ {.app} }");
  EXPECT_EQ(Render(""), "");
}

TEST(Template, RefusesInGosWords) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {{"{{.a", "unclosed action"},
                {"{{", "unclosed action"},
                {"{{}}", "missing value for command"},
                {"{{nosuch .a}}", "function \"nosuch\" not defined"},
                {"{{if .a}}x", "unexpected EOF"},
                {"{{ $x }}", "undefined variable \"$x\""},
                {"{{/* x", "unclosed comment"},
                {"{{/* x */ .a}}", "comment ends before closing delimiter"},
                {"{{ \"x }}", "unterminated quoted string"},
                {"{{end}}", "unexpected {{end}}"},
                {"{{.a-b}}", "bad character U+002D '-'"},
                {"{{ (.a }}", "unclosed left paren"}};
  for (const auto& c : kCases) EXPECT_EQ(Render(c.text), std::string("error: template: line:1: ") + c.error) << c.text;
  EXPECT_EQ(Render("a\nb{{.a"), "error: template: line:2: unclosed action");
}

TEST(Template, NamesWhatIsNotSupportedYet) {
  EXPECT_EQ(Render("{{ regexReplaceAll \"a\" .app \"b\" }}"),
            "unimplemented: template function 'regexReplaceAll' is not supported yet");
  EXPECT_EQ(Render("{{ if .a }}x{{ end }}"), "unimplemented: template action 'if' is not supported yet");
  EXPECT_EQ(Render("{{ range $i, $x := fromJson .a }}{{ $i }}{{ end }}"),
            "unimplemented: template action 'range' is not supported yet");
}

TEST(Template, TellsTheFieldsItReads) {
  const auto parsed = Template::Parse("line", "{{.b}}{{.a}}{{.b}}");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->fields(), (std::vector<std::string>{"b", "a"}));
}

}  // namespace
}  // namespace varve::logql
