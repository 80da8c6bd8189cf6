// The canonical text of an expression, which is also how a tree is looked at here.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "query/promql/syntax/function_table.h"
#include "query/promql/syntax/parser.h"
#include "tests/support/status_matchers.h"

namespace varve::promql {
namespace {

struct Case {
  std::string query;
  std::string text;  // empty: the query itself
};

void ExpectTexts(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Result<ExprPtr> parsed = ParseExpr(c.query);
    ASSERT_TRUE(parsed.ok()) << c.query << ": " << parsed.status().message();
    const std::string text = ToString(**parsed);
    EXPECT_EQ(text, c.text.empty() ? c.query : c.text);
    const Result<ExprPtr> again = ParseExpr(text);
    ASSERT_TRUE(again.ok()) << text << ": " << again.status().message();
    EXPECT_EQ(ToString(**again), text);
  }
}

// A tree with every parenthesis, to see what binds to what.
std::string Tree(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kBinary: {
      const auto& binary = Cast<Binary>(expr);
      return "(" + Tree(*binary.lhs) + std::string(BinaryOpText(binary.op)) + Tree(*binary.rhs) + ")";
    }
    case ExprKind::kUnary: return "(-" + Tree(*Cast<Unary>(expr).expr) + ")";
    case ExprKind::kParen: return Tree(*Cast<Paren>(expr).expr);
    default: return ToString(expr);
  }
}

TEST(PromqlPrinter, ShowsWhatBindsToWhat) {
  const std::vector<Case> cases = {
      {"a + b * c ^ d", "(a+(b*(c^d)))"},
      {"2 ^ 3 ^ 2", "(2^(3^2))"},
      {"-a ^ b", "(-(a^b))"},
      {"-1 ^ 2", "(-(1^2))"},
      {"-a * b", "((-a)*b)"},
      {"a ^ -b * c", "((a^(-b))*c)"},
      {"a - b - c", "((a-b)-c)"},
      {"a or b and c unless d", "(a or((b and c)unless d))"},
      {"a < b == c", "((a<b)==c)"},
      {"a </ 5 + 1", "(a</(5+1))"},
      {"a atan2 b % c", "((a atan2 b)%c)"},
      {"a + b offset 5m", "(a+b offset 5m)"},
      {"foo offset 5m + 3", "(foo offset 5m+3)"},
      {"foo offset -2 ^ 2", "(foo offset -2s^2)"},
      {"foo offset -step() * 2", "(foo offset -step()*2)"},
  };
  for (const Case& c : cases) {
    const Result<ExprPtr> parsed = ParseExpr(c.query);
    ASSERT_TRUE(parsed.ok()) << c.query << ": " << parsed.status().message();
    std::string want = c.text;
    std::string got = Tree(**parsed);
    for (std::string* text : {&want, &got}) std::erase(*text, ' ');
    EXPECT_EQ(got, want) << c.query;
  }
}

TEST(PromqlPrinter, WritesNumbersAndStringsInOneForm) {
  ExpectTexts({
      {"010", "8"},         {"08", "8"},          {"0x1F", "31"},      {"1_000", "1000"}, {"1e3", "1000"},
      {"1e-7", "0.0000001"}, {"1e22", "10000000000000000000000"},       {".5", "0.5"},
  });
}

TEST(PromqlPrinter, WritesSelectors) {
  ExpectTexts({
      {"foo{}", "foo"},
      {"foo{b='c',a=\"d\"}", "foo{a=\"d\",b=\"c\"}"},
      {"{\"foo.bar\", 'a.b'=~`c`}", "{\"a.b\"=~\"c\",__name__=\"foo.bar\"}"},
      {"a:b:c", ""},
      {"sum", ""},
      {"fill + fill_left", ""},
      {"foo offset 1h30m", ""},
      {"foo offset -300", "foo offset -5m"},
      {"foo @ 1.5", "foo @ 1.500"},
      {"foo @ start() offset 1d", ""},
      {"foo offset 1w @ end()", "foo @ end() offset 1w"},
      {"foo[90d] anchored", ""},
      {"foo smoothed @ 5", "foo @ 5.000 smoothed"},
      {"foo[5m:]", ""},
      {"foo[365d:1m] @ end() offset 5m", "foo[1y:1m] @ end() offset 5m"},
  });
}

TEST(PromqlPrinter, WritesDurationExpressions) {
  ExpectTexts({
      {"foo[5m*2]", "foo[5m * 2]"},
      {"foo[(5m+3)*2:step()]", "foo[(5m + 3) * 2:step()]"},
      {"foo[max_of(1m,range()/2)]", "foo[max_of(1m, range() / 2)]"},
      {"foo offset (1h - 5m)", ""},
      {"foo offset -(5m)", ""},
      {"foo offset -min_of(step(), 5)", ""},
      {"foo offset (5m) * 2", "foo offset (5m) * 2"},
      {"foo[5m ^ 2 ^ 2 % 3]", ""},
      {"step() + range()", ""},
  });
}

TEST(PromqlPrinter, WritesOperatorsAndAggregations) {
  ExpectTexts({
      {"sum(a)by(b)", "sum by (b) (a)"},
      {"sum without () (a)", ""},
      {"sum by () (a)", "sum(a)"},
      {"topk by (\"a.b\", c) (5, a)", ""},
      {"a == bool on (x) group_left (y) b", ""},
      {"a * ignoring (x) group_right b", "a * ignoring (x) group_right () b"},
      {"a + on () b", ""},
      {"a + ignoring () b", "a + b"},
      {"a + fill(0x10) b", "a + fill (16) b"},
      {"a + fill(123456) b", "a + fill (123456) b"},
      {"a + fill(1234567) b", "a + fill (1.234567e+06) b"},
      {"a + on (x) fill_right(-1) fill_left(2) b", "a + on (x) fill_left (2) fill_right (-1) b"},
      {"by + without", ""},
      {"logql(`sum(rate({a=\"b\"}[5m]))`) + 1", "logql(\"sum(rate({a=\\\"b\\\"}[5m]))\") + 1"},
  });
}

TEST(PromqlPrinter, BreaksWhatIsLongerThanALine) {
  const std::string selector = "a_metric_with_a_long_name{label_one=\"value one\",label_two=\"value two\"}";
  const Result<ExprPtr> parsed =
      ParseExpr("-(sum by (x) (rate(" + selector + "[5m])) / topk(5, " + selector + "))");
  ASSERT_OK(parsed);
  EXPECT_EQ(Prettify(**parsed),
            "-(\n"
            "    sum by (x) (rate(" + selector + "[5m]))\n"
            "  /\n"
            "    topk(5, " + selector + ")\n"
            ")");
}

TEST(PromqlAstJson, ShowsNewThingsOnlyWhereTheyAreUsed) {
  const Result<ExprPtr> plain = ParseExpr("foo[5m] @ end()");
  ASSERT_OK(plain);
  EXPECT_EQ(ToAstJson(**plain),
            "{\"matchers\":[{\"name\":\"__name__\",\"type\":\"=\",\"value\":\"foo\"}],\"name\":\"foo\",\"offset\":0,"
            "\"startOrEnd\":\"end\",\"timestamp\":null,\"range\":300000,\"type\":\"matrixSelector\"}");
  const Result<ExprPtr> expr = ParseExpr("foo[step()] anchored");
  ASSERT_OK(expr);
  EXPECT_EQ(ToAstJson(**expr),
            "{\"matchers\":[{\"name\":\"__name__\",\"type\":\"=\",\"value\":\"foo\"}],\"name\":\"foo\",\"offset\":0,"
            "\"startOrEnd\":null,\"timestamp\":null,\"anchored\":true,\"range\":0,\"rangeExpr\":{\"lhs\":null,"
            "\"op\":\"step\",\"rhs\":null,\"type\":\"durationExpr\",\"wrapped\":false},\"type\":\"matrixSelector\"}");
}

TEST(PromqlParser, ReadsSelectorsOfMatchParameters) {
  const auto matchers = ParseSelector("up{a!=\"b\"}");
  ASSERT_OK(matchers);
  ASSERT_EQ(matchers->size(), 2U);
  EXPECT_EQ((*matchers)[0].ToString(), "a!=\"b\"");
  EXPECT_EQ((*matchers)[1].ToString(), "__name__=\"up\"");
  EXPECT_EQ(ParseSelector("{a=\"\"}").status().message(), "match[] must contain at least one non-empty matcher");
  EXPECT_EQ(ParseSelector("up[5m]").status().message(), "1:3: parse error: unexpected \"[\"");
  EXPECT_EQ(ParseSelector("1").status().message(), "1:1: parse error: unexpected number \"1\"");
}

TEST(PromqlParser, ReadsMetrics) {
  const auto metric = ParseMetric("up{\"a.b\"=\"c\", d='e',}");
  ASSERT_OK(metric);
  EXPECT_EQ(metric->ToString(), "up{\"a.b\"=\"c\", d=\"e\"}");
  EXPECT_EQ(ParseMetric("{'m', a=\"\"}")->ToString(), "m");
  EXPECT_EQ(ParseMetric("up{a}").status().message(),
            "1:5: parse error: unexpected \"}\" in label set, expected \"=\"");
  EXPECT_FALSE(ParseMetric("up{a=\"b\",a=\"c\"}").ok());
}

TEST(PromqlParser, ReadsDurationsInMilliseconds) {
  EXPECT_EQ(*ParseDuration("1h30m"), 5'400'000);
  EXPECT_EQ(*ParseDuration("0.5"), 500);
  EXPECT_EQ(*ParseDuration("60"), 60'000);
  EXPECT_EQ(ParseDuration("5x").status().message(), "unknown unit \"x\" in duration \"5x\"");
}

TEST(PromqlFunctions, AreFoundByName) {
  std::string_view before;
  for (const FunctionSignature& function : AllFunctions()) {
    EXPECT_LT(before, function.name);
    before = function.name;
    EXPECT_EQ(FindFunction(function.name), &function);
  }
  EXPECT_EQ(FindFunction("Rate"), nullptr);
  EXPECT_EQ(FindFunction("histogram_quantiles")->variadic, 9);
}

}  // namespace
}  // namespace varve::promql
