#include "ingest/label_text.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

struct TextCase {
  const char* text;
  const char* result;  // name=value, … or the error
};

class LabelText : public ::testing::TestWithParam<TextCase> {};

TEST_P(LabelText, IsReadAsPrometheusReadsIt) {
  const Result<std::vector<Label>> labels = ParseLabelText(GetParam().text);
  std::string result;
  if (!labels.ok()) {
    result = labels.status().message();
  } else {
    for (const Label& label : *labels)
      result += (result.empty() ? "" : ", ") + label.name + "=" + label.value;
  }
  EXPECT_EQ(result, GetParam().result) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Good, LabelText,
    ::testing::Values(TextCase{R"({a="b", c="d"})", "a=b, c=d"}, TextCase{R"({a="b",c="d",})", "a=b, c=d"},
                      TextCase{R"( { a = 'b' } # comment)", "a=b"}, TextCase{"{a=`x\\y\"z`}", "a=x\\y\"z"},
                      TextCase{"{}", ""}, TextCase{"", ""}, TextCase{R"({a="1", a="2"})", "a=1, a=2"},
                      TextCase{R"({a=""})", "a="}, TextCase{R"(up{a="b"})", "__name__=up, a=b"},
                      TextCase{"a:b", "__name__=a:b"},
                      TextCase{R"({a="\n\t\\\"\x41\101\u00e9\U0001F600"})", "a=\n\t\\\"AA\u00e9\U0001F600"},
                      TextCase{R"({a='it\'s "so"'})", "a=it's \"so\""},
                      TextCase{"{a=\"\u65e5\u672c\"}", "a=\u65e5\u672c"},
                      TextCase{R"({by="x", sum="y"})", "by=x, sum=y"}));

INSTANTIATE_TEST_SUITE_P(
    Bad, LabelText,
    ::testing::Values(
        TextCase{R"({a-b="c"})", "1:3: parse error: unexpected character inside braces: '-'"},
        TextCase{"{\n a.b=\"c\"}", "2:3: parse error: unexpected character inside braces: '.'"},
        TextCase{"{\u00e9=\"c\"}", "1:2: parse error: unexpected character inside braces: '\u00e9'"},
        TextCase{R"({1a="c"})", "1:2: parse error: unexpected character inside braces: '1'"},
        TextCase{R"({a="b")", "1:7: parse error: unexpected end of input inside braces"},
        TextCase{"{", "1:2: parse error: unexpected end of input inside braces"},
        TextCase{R"({a})", "1:3: parse error: unexpected \"}\" in label set, expected \"=\""},
        TextCase{R"({a=b})", "1:4: parse error: unexpected identifier \"b\" in label set, expected string"},
        TextCase{R"({a!="b"})", "1:3: parse error: unexpected <op:!=> in label set, expected \"=\""},
        TextCase{R"({a=~"b"})", "1:3: parse error: unexpected <op:=~> in label set, expected \"=\""},
        TextCase{R"({a!"b"})", "1:3: parse error: unexpected character after '!' inside braces: '\"'"},
        TextCase{R"({a="b" c="d"})",
                 "1:8: parse error: unexpected identifier \"c\" in label set, expected \",\" or \"}\""},
        TextCase{R"({,})", "1:2: parse error: unexpected \",\" in label set, expected identifier or \"}\""},
        TextCase{
            R"({"a"="b"})",
            "1:2: parse error: unexpected string \"\\\"a\\\"\" in label set, expected identifier or \"}\""},
        TextCase{R"({a="b)", "1:4: parse error: unterminated quoted string"},
        TextCase{"{a=\"b\n\"}", "1:4: parse error: unterminated quoted string"},
        TextCase{"{a=`b", "1:4: parse error: unterminated raw string"},
        TextCase{R"({a="\d"})", "1:4: parse error: unknown escape sequence U+0064 'd'"},
        TextCase{R"({a="\)", "1:4: parse error: escape sequence not terminated"},
        TextCase{R"({a="\xg0"})", "1:4: parse error: illegal character U+0067 'g' in escape sequence"},
        TextCase{R"({a="\777"})", "1:4: parse error: escape sequence is an invalid Unicode code point"},
        TextCase{R"({a="\ud800"})", "1:4: parse error: escape sequence is an invalid Unicode code point"},
        TextCase{"{a=\"\xff\"}", "1:4: parse error: invalid UTF-8 rune"},
        TextCase{R"({a="b"}{)", "1:8: parse error: unexpected \"{\""},
        TextCase{R"({a="b"} x)", "1:9: parse error: unexpected identifier \"x\""},
        TextCase{R"({{)", "1:2: parse error: unexpected left brace '{'"},
        TextCase{R"(job="x")", "1:4: parse error: unexpected <op:=>"},
        TextCase{"}", "1:1: parse error: unexpected right brace '}'"},
        TextCase{"%", "1:1: parse error: unexpected character: '%'"}));

}  // namespace
}  // namespace varve
