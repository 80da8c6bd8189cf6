// Whatever a template asks for, a row stays bounded, and the error names the limit.
#include "query/templates/template_limits.h"

#include <gtest/gtest.h>

#include "tests/unit/query/logql/templates/template_case.h"

namespace varve::logql {
namespace {

void ExpectLimit(const std::string& text, const std::string& limit) {
  EXPECT_NE(RenderText(text).find("exceeded " + limit), std::string::npos) << text.substr(0, 100) << "\n"
                                                                           << RenderText(text).substr(0, 300);
}

std::string Repeated(const std::string& part, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += part;
  return all;
}

TEST(TemplateLimits, BoundMemory) {
  for (const char* action : {"repeat 1000000000 .name", "repeat 1000 (repeat 1000 (repeat 1000 .name))",
                             "alignLeft 1000000000 \"x\"", "indent 1000000000 \"x\"",
                             "regexReplaceAll \"\" (repeat 100000 \"x\") (repeat 1000 \"y\")"}) {
    ExpectLimit("{{ " + std::string(action) + " }}", "template_memory_bytes_max");
  }
}

TEST(TemplateLimits, BoundPrintf) {
  const std::string list = "(fromJson (printf \"[%s1]\" (repeat 20000 \"1,\")))";
  ExpectLimit("{{ printf \"%9000v\" " + list + " }}", "template_memory_bytes_max");
  ExpectLimit("{{ printf (repeat 2000 \"%9000[1]d\") 1 }}", "template_memory_bytes_max");
}

TEST(TemplateLimits, BoundOutput) {
  ExpectLimit("{{ $x := repeat 100000 \"x\" }}" + Repeated("{{ $x }}", 11), "template_output_bytes_max");
  EXPECT_EQ(RenderText("{{ repeat 1000000 \"x\" }}").size(), 1000000u);
}

TEST(TemplateLimits, BoundSteps) {
  ExpectLimit("{{ range 1000000 }}{{ end }}", "template_steps_max");
  ExpectLimit("{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}", "template_steps_max");
  ExpectLimit("{{ $x := repeat 1000000 \"x\" }}{{ range 100 }}{{ if contains \"y\" $x }}{{ end }}{{ end }}",
              "template_steps_max");
}

TEST(TemplateLimits, BoundNesting) {
  const std::string parentheses = "{{ " + Repeated("(", 200) + ".name" + Repeated(")", 200) + " }}";
  EXPECT_EQ(RenderText(parentheses), "refused: template: line:1: exceeded template_nesting_max (100)");
  ExpectLimit(Repeated("{{ if true }}", 200) + Repeated("{{ end }}", 200), "template_nesting_max");
  ExpectLimit("{{ if false }}" + Repeated("{{ else if false }}", 200) + "{{ end }}", "template_nesting_max");
  const std::string fine = "{{ " + Repeated("(", 90) + ".num" + Repeated(")", 90) + " }}";
  EXPECT_EQ(RenderText(fine), "42");
}

TEST(TemplateLimits, BoundRecursion) {
  ExpectLimit("{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}",
              "template_depth_max");
  ExpectLimit("{{ template \"line\" . }}", "template_depth_max");
}

TEST(TemplateLimits, BoundVariables) {
  ExpectLimit(Repeated("{{ $x := 1 }}", 1001), "template_variables_max");
}

TEST(TemplateLimits, BoundJson) {
  ExpectLimit("{{ fromJson \"" + Repeated("[", 100) + Repeated("]", 100) + "\" }}",
              "template_json_depth_max");
  ExpectLimit("{{ fromJson (repeat 1000000 \"[\") }}", "template_json_depth_max");
}

TEST(TemplateLimits, BoundRegexes) {
  ExpectLimit("{{ count (repeat 5000 \"a\") .name }}", "template_regex_bytes_max");
  ExpectLimit("{{ range 3000 }}{{ count (print .) \"7\" }}{{ end }}", "template_memory_bytes_max");
  EXPECT_EQ(RenderText("{{ range 300 }}{{ count (print .) \"7\" }}{{ end }}").size(), 300u);
}

TEST(TemplateLimits, BoundDecimals) {
  std::string product = "{{ mulf";
  for (int i = 0; i < 400; ++i) product += " 1.2345678901234567";
  ExpectLimit(product + " }}", "template_decimal_digits_max");
}

}  // namespace
}  // namespace varve::logql
