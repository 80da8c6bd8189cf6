// What html/template gives, place by place: `amtool template render` (Go 1.19) said the same, but for what
// later versions of Go do (ZgotmplZ for an empty value without quotes) and for comments of scripts, which Go
// leaves out.
#include <gtest/gtest.h>

#include "query/templates/template_set.h"

namespace varve::templates {
namespace {

std::string Render(const std::string& text, const Datum& dot) {
  Result<std::string> out =
      TemplateSet(FunctionSet::kReport).Execute("page", text, dot, Escape::kHtml, TemplateMeans());
  return out.ok() ? *out : out.status().message();
}

struct Case {
  const char* text;
  const char* value;
  const char* result;
};

TEST(HtmlEscaper, EscapesByPlace) {
  const Case cases[] = {
      {"<b>{{ . }}</b>", "<a & 'b' \"c\" 1+1>", "<b>&lt;a &amp; &#39;b&#39; &#34;c&#34; 1&#43;1&gt;</b>"},
      {"1 < 2 {{ . }} <!DOCTYPE html>", "x", "1 &lt; 2 x <!DOCTYPE html>"},
      {"a<!-- {{ . }} -->b", "x", "ab"},
      {"<title>{{ . }}</title>{{ . }}", "</title>", "<title>&lt;/title&gt;</title>&lt;/title&gt;"},
      {"<p title=\"{{ . }}\">", "a\"b<", "<p title=\"a&#34;b&lt;\">"},
      {"<p title='{{ . }}'>", "a'b", "<p title='a&#39;b'>"},
      {"<p title={{ . }}>", "a b=`c`", "<p title=a&#32;b&#61;&#96;c&#96;>"},
      {"<p title={{ . }}>", "", "<p title=ZgotmplZ>"},
      {"<p {{ . }}=\"x\">", "data", "<p ZgotmplZ=\"x\">"},
      {"<p {{ . }}=\"x\">", "Title", "<p title=\"x\">"},
      {"<p {{ . }}=\"x\">", "onclick", "<p ZgotmplZ=\"x\">"},
      {"<a href=\"{{ . }}\">", "javascript:alert(1)", "<a href=\"#ZgotmplZ\">"},
      {"<a href=\"{{ . }}\">", "HTTPS://x/a b?c=\"d\"&e", "<a href=\"HTTPS://x/a%20b?c=%22d%22&amp;e\">"},
      {"<a href=\"/x/{{ . }}\">", "javascript:a%20/b c", "<a href=\"/x/javascript:a%20/b%20c\">"},
      {"<a href=\"/x?q={{ . }}\">", "a&b=c/d", "<a href=\"/x?q=a%26b%3dc%2fd\">"},
      {"<a href=\"/x?q={{ . | urlquery }}\">", "a b&c", "<a href=\"/x?q=a&#43;b%26c\">"},
      {"<a href=\"{{ . | safeUrl }}\">", "javascript:x", "<a href=\"javascript:x\">"},
      {"<img src={{ . }}>", "data:x", "<img src=#ZgotmplZ>"},
      {"<p style=\"color: {{ . }}\">", "red", "<p style=\"color: red\">"},
      {"<p style=\"color: {{ . }}\">", "expression(alert(1))", "<p style=\"color: ZgotmplZ\">"},
      {"<style>p { color: {{ . }} }</style>{{ . }}", "</style>",
       "<style>p { color: ZgotmplZ }</style>&lt;/style&gt;"},
      {"<script>var x = {{ . }};</script>{{ . }}", "</script>\"",
       "<script>var x = \"\\u003c/script\\u003e\\\"\";</script>&lt;/script&gt;&#34;"},
      {"<script>var x = '{{ . }}';</script>", "'</script>",
       "<script>var x = '\\u0027\\u003c\\/script\\u003e';</script>"},
      {"<script>// it's\nvar x = {{ . }}</script>", "a", "<script>// it's\nvar x = \"a\"</script>"},
      {"<script>/* \" */ f({{ . }})</script>", "a", "<script>/* \" */ f(\"a\")</script>"},
      {"<p onclick=\"f({{ . }})\">", "a'b", "<p onclick=\"f(&#34;a&#39;b&#34;)\">"},
      {"<b>{{ . | safeHtml }}</b>", "<i>", "<b><i></b>"},
      {"<b>{{ . | html }}</b>", "<i>", "<b>&lt;i&gt;</b>"},
      {"<b title=\"{{ . | safeHtml }}\">", "&lt;\"", "<b title=\"&lt;&#34;\">"},
      {"{{ define \"row\" }}<td>{{ . }}</td>{{ end }}<tr>{{ template \"row\" . }}{{ tmpl \"row\" . }}</tr>",
       "<", "<tr><td>&lt;</td><td>&lt;</td></tr>"},
      {"{{ define \"link\" }}?x={{ . }}{{ end }}<a href=\"/{{ template \"link\" . }}\">", "&",
       "<a href=\"/?x=%26\">"},
  };
  for (const Case& c : cases) EXPECT_EQ(Render(c.text, Datum{c.value}), c.result) << c.text;
}

TEST(HtmlEscaper, WritesValuesOfScriptsAsJson) {
  const Datum data{DatumFields{{"n", Datum{1.5}}, {"list", Datum{DatumList{Datum{"<"}, Datum{int64_t{2}}}}}}};
  EXPECT_EQ(Render("<script>f({{ .n }}, {{ .list }}, {{ .none }})</script>", data),
            "<script>f( 1.5 , [\"\\u003c\",2],  null )</script>");
  EXPECT_EQ(Render("<p>{{ .none }}{{ .n }}</p>", data), "<p>1.5</p>");
}

TEST(HtmlEscaper, RefusesPlacesThatCannotBeTold) {
  EXPECT_EQ(Render("<script>`{{ . }}`</script>", Datum{"x"}),
            "template: page:1:12: executing \"page\" at <.>: {{.}} appears in a JS template literal");
  EXPECT_NE(Render("<script>var r = /\"/; f({{ . }})</script>", Datum{"x"})
                .find("'/' could start a division or regexp"),
            std::string::npos);
  EXPECT_NE(Render("<p onclick=\"f(&quot;{{ . }}\">", Datum{"x"}).find("'/' could start"), std::string::npos);
  EXPECT_EQ(Render("<p title=\"{{ . }}", Datum{"x"}), "html/template:page: ends in a non-text context");
  EXPECT_EQ(Render("<script>{{ . }}", Datum{"x"}), "html/template:page: ends in a non-text context");
}

}  // namespace
}  // namespace varve::templates
