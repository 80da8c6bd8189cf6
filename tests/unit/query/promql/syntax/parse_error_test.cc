// What the parser refuses, where, and in which words.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "query/promql/syntax/parser.h"

namespace varve::promql {
namespace {

struct Case {
  std::string query;
  std::string error;  // `1:5 text`
};

void ExpectErrors(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const size_t space = c.error.find(' ');
    const Result<ExprPtr> parsed = ParseExpr(c.query);
    ASSERT_FALSE(parsed.ok()) << c.query;
    EXPECT_EQ(parsed.status().code(), Code::kInvalidArgument);
    EXPECT_EQ(parsed.status().message(), c.error.substr(0, space) + ": parse error: " + c.error.substr(space + 1))
        << c.query;
  }
}

TEST(PromqlParseError, NothingAtAllHasNoPosition) {
  const Result<ExprPtr> parsed = ParseExpr("");
  EXPECT_EQ(parsed.status().message(), "unknown position: parse error: no expression found in input");
}

TEST(PromqlParseError, NamesTheInnermostConstructThatDoesNotGoOn) {
  ExpectErrors({
      {"  ", "1:1 no expression found in input"},
      {"up up", "1:4 unexpected identifier \"up\""},
      {"sum(up up)", "1:8 unexpected identifier \"up\" in aggregation"},
      {"sum(rate(up 5))", "1:13 unexpected number \"5\" in aggregation"},
      {"rate(up 5)", "1:9 unexpected number \"5\""},
      {"sum(up) up", "1:9 unexpected identifier \"up\""},
      {"sum by (a) up", "1:12 unexpected identifier \"up\" in aggregation"},
      {"sum by a", "1:8 unexpected identifier \"a\" in grouping opts, expected \"(\""},
      {"sum by (a b) (up)", "1:11 unexpected identifier \"b\" in grouping opts, expected \",\" or \")\""},
      {"sum by (5) (up)", "1:9 unexpected number \"5\" in grouping opts, expected label"},
      {"sum by (\"\") (up)", "1:9 invalid label name for grouping: \"\""},
      {"a + on (x) group_left == b", "1:23 unexpected <op:==> in grouping opts, expected \"(\""},
      {"a + group_left b", "1:5 unexpected <group_left>"},
      {"up offset 'x'", "1:11 unexpected string \"'x'\" in offset, expected number, duration, step(), or range()"},
      {"up @ x", "1:6 unexpected identifier \"x\" in @, expected timestamp"},
      {"up @ end", "1:9 unexpected end of input in @, expected timestamp"},
      {"up[]", "1:4 unexpected \"]\" in subquery or range selector, expected number, duration, step(), or range()"},
      {"up[5m)", "1:7 unexpected right parenthesis ')'"},
      {"(up[5m)", "1:7 unexpected \")\" in subquery or range, expected \":\" or \"]\""},
      {"up[5m:1m 2m]", "1:10 unexpected duration \"2m\" in subquery selector, expected \"]\""},
      {"up{a}", "1:5 unexpected \"}\" in label matching, expected label matching operator"},
      {"up{a=}", "1:6 unexpected \"}\" in label matching, expected string"},
      {"up{,}", "1:4 unexpected \",\" in label matching, expected identifier or \"}\""},
      {"up{a='b' c='d'}", "1:10 unexpected identifier \"c\" in label matching, expected \",\" or \"}\""},
      {"rate(up,)", "1:8 trailing commas not allowed in function call args"},
      {"bool", "1:1 unexpected <bool>"},
      {"\n\nup\n  up", "4:3 unexpected identifier \"up\""},
  });
}

TEST(PromqlParseError, TellsWhatTheLexerDidNotExpect) {
  ExpectErrors({
      {"up{", "1:4 unexpected end of input inside braces"},
      {"up)", "1:4 unexpected right parenthesis ')'"},
      {"(up", "1:4 unclosed left parenthesis"},
      {"up[5m", "1:6 unclosed left bracket"},
      {"up $", "1:4 unexpected character: '$'"},
      {"up =~ 'a'", "1:4 unexpected character after '=': '~'"},
      {"!", "1:1 unexpected character after '!': '\xef\xbf\xbd'"},
      {"up{a-b='c'}", "1:5 unexpected character inside braces: '-'"},
      {"up[:1m]", "1:5 unexpected colon before duration in duration expression"},
      {"up[5m:1m:1m]", "1:9 unexpected colon ':'"},
      {"up[x]", "1:4 unexpected character in duration expression: 'x'"},
      {"up[5m foo]", "1:7 unexpected character: 'f', expected ':'"},
      {"1__0", "1:1 bad number or duration syntax: \"1__\""},
      {"5mm", "1:1 bad number or duration syntax: \"5mm\""},
      {"'abc", "1:1 unterminated quoted string"},
      {"`abc", "1:1 unterminated raw string"},
      {"\"\\q\"", "1:1 unknown escape sequence U+0071 'q'"},
      {"\"\\xz\"", "1:1 illegal character U+007A 'z' in escape sequence"},
      {"\"\\ud800\"", "1:1 escape sequence is an invalid Unicode code point"},
  });
}

TEST(PromqlParseError, RefusesNumbersAndDurationsThatDoNotFit) {
  ExpectErrors({
      {"1e309", "1:1 error parsing number: strconv.ParseFloat: parsing \"1e309\": value out of range"},
      {"0x", "1:1 error parsing number: strconv.ParseFloat: parsing \"0x\": invalid syntax"},
      {"5m1h", "1:1 not a valid duration string: \"5m1h\""},
      {"up[0]", "1:4 duration must be greater than 0"},
      {"up[-5m]", "1:4 duration must be greater than 0"},
      {"up[300y]", "1:4 duration out of range"},
      {"up[1e20]", "1:4 duration out of range"},
      {"up[5m / 0]", "1:7 division by zero"},
      {"up[5m % 0]", "1:7 modulo by zero"},
      {"up offset 1.5m", "1:11 unknown unit \".\" in duration \"1.5m\""},
      {"up @ -Inf", "1:1 timestamp out of bounds for @ modifier: -Inf"},
  });
}

TEST(PromqlParseError, RefusesModifiersInTheWrongPlace) {
  ExpectErrors({
      {"(up)[5m]", "1:5 ranges only allowed for vector selectors"},
      {"up offset 1m [5m]", "1:14 no offset modifiers allowed before range"},
      {"up @ 1 [5m]", "1:8 no @ modifiers allowed before range"},
      {"up offset 1m offset 1m", "1:1 offset may not be set multiple times"},
      {"up @ 1 @ 2", "1:1 @ <timestamp> may not be set multiple times"},
      {"1 offset 5m",
       "1:1 offset modifier must be preceded by an instant vector selector or range vector selector or a subquery"},
      {"rate(up[5m]) @ 1",
       "1:1 @ modifier must be preceded by an instant vector selector or range vector selector or a subquery"},
      {"up anchored smoothed", "1:1 anchored and smoothed modifiers cannot be used together"},
      {"up[5m:1m] anchored", "1:1 anchored modifier is not supported for subqueries"},
      {"sum(up) smoothed", "1:1 smoothed modifier not implemented"},
  });
}

TEST(PromqlParseError, ChecksTypes) {
  ExpectErrors({
      {"nofunc(up)", "1:1 unknown function with name \"nofunc\""},
      {"rate(up)", "1:6 expected type range vector in call to function \"rate\", got instant vector"},
      {"rate()", "1:1 expected 1 argument(s) in call to \"rate\", got 0"},
      {"round()", "1:1 expected at least 1 argument(s) in call to \"round\", got 0"},
      {"round(up, 1, 2)", "1:1 expected at most 2 argument(s) in call to \"round\", got 3"},
      {"sort_by_label(up, 'a', 5)", "1:24 expected type string in call to function \"sort_by_label\", got scalar"},
      {"sum(5)", "1:5 expected type instant vector in aggregation expression, got scalar"},
      {"sum()", "1:1 no arguments for aggregate expression provided"},
      {"topk(up)", "1:1 wrong number of arguments for aggregate expression provided, expected 2, got 1"},
      {"topk('1', up)", "1:6 expected type scalar in aggregation parameter, got string"},
      {"count_values(1, up)", "1:14 expected type string in aggregation parameter, got scalar"},
      {"1 == 2", "1:3 comparisons between scalars must use BOOL modifier"},
      {"up + bool up", "1:4 bool modifier can only be used on comparison operators"},
      {"1 and up", "1:1 set operator \"and\" not allowed in binary scalar expression"},
      {"up[5m] + 1", "1:1 binary expression must contain only scalar and instant vector types"},
      {"up + on (a) 1", "1:1 vector matching only allowed between instant vectors"},
      {"up + fill (1) 1", "1:1 filling in missing series only allowed between instant vectors"},
      {"up and fill (1) up", "1:1 filling in missing series not allowed for set operators"},
      {"up and on (a) group_left up", "1:1 no grouping allowed for \"and\" operation"},
      {"up + on (a) group_left (a) up", "1:4 label \"a\" must not occur in ON and GROUP clause at once"},
      {"-up[5m]",
       "1:1 unary expression only allowed on expressions of type scalar or instant vector, got \"range vector\""},
      {"up[5m][5m:]", "1:1 subquery is only allowed on instant vector, got matrix instead"},
      {"{}", "1:1 vector selector must contain at least one non-empty matcher"},
      {"{a=~'.*'}", "1:1 vector selector must contain at least one non-empty matcher"},
      {"up{'up'}", "1:1 metric name must not be set twice: \"up\" or \"up\""},
      {"up{a=~'('}", "1:4 error parsing regexp: missing closing ): `(`"},
      {"up{a=~'(?<=1)'}", "1:4 error parsing regexp: invalid named capture: `(?<=1)`"},
      {"info(up, up)", "1:10 expected label selectors only, got vector selector instead"},
  });
}

TEST(PromqlParseError, TakesOneLiteralAsLogql) {
  ExpectErrors({
      {"logql()", "1:1 expected 1 argument(s) in call to \"logql\", got 0"},
      {"logql(up)", "1:7 expected a string literal in call to function \"logql\""},
      {"logql(('a'))", "1:7 expected a string literal in call to function \"logql\""},
      {"rate(logql('a')[5m])", "1:16 ranges only allowed for vector selectors"},
  });
}

TEST(PromqlParseError, BoundsDepthAndSize) {
  const std::string open(100'000, '(');
  const std::string close(100'000, ')');
  std::string chain = "1";
  for (int i = 0; i < 100'000; ++i) chain += "+1";
  std::string subqueries = "up";
  for (int i = 0; i < 10'000; ++i) subqueries += "[5m:]";
  const std::string durations = "up[" + open + "5m" + close + "]";
  for (const std::string& deep : {open + "1" + close, std::string(100'000, '-') + "up", chain, subqueries, durations}) {
    const Result<ExprPtr> parsed = ParseExpr(deep);
    ASSERT_FALSE(parsed.ok());
    EXPECT_NE(parsed.status().message().find("nested deeper than 500 levels"), std::string::npos)
        << parsed.status().message();
  }
  EXPECT_FALSE(ParseExpr(std::string(kQueryBytesMax + 1, ' ')).ok());
}

}  // namespace
}  // namespace varve::promql
