// What the parser refuses, and in which words.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "query/logql/parser.h"

namespace varve::logql {
namespace {

struct Case {
  std::string query;
  std::string message;
};

void ExpectErrors(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Result<ExprPtr> parsed = ParseExpr(c.query);
    ASSERT_FALSE(parsed.ok()) << c.query;
    EXPECT_EQ(parsed.status().code(), Code::kInvalidArgument);
    EXPECT_EQ(parsed.status().message(), c.message) << c.query;
  }
}

// Cases whose message is a syntax error: position, what was found, what would have been right.
void ExpectSyntaxErrors(const std::vector<Case>& cases) {
  std::vector<Case> full;
  for (const Case& c : cases) {
    const size_t space = c.message.find(' ');
    full.push_back({c.query, "parse error at line 1, col " + c.message.substr(0, space) +
                                 ": syntax error: unexpected " + c.message.substr(space + 1)});
  }
  ExpectErrors(full);
}

TEST(ParseErrorTest, Selectors) {
  ExpectSyntaxErrors({
      {"{", "2 $end, expecting IDENTIFIER or }"},
      {"{{a=\"b\"}}", "2 {, expecting IDENTIFIER or }"},
      {"{a}", "3 }, expecting = or =~ or !~ or !="},
      {"{a==\"b\"}", "3 ==, expecting = or =~ or !~ or !="},
      {"{a=}", "4 }, expecting STRING"},
      {"{a=b}", "4 IDENTIFIER, expecting STRING"},
      {"{a=\"b\" c=\"d\"}", "8 IDENTIFIER, expecting } or ,"},
      {"{a=\"b\",,}", "8 ,, expecting IDENTIFIER"},
      {"{a=\"b\",}", "8 }, expecting IDENTIFIER"},
      {"{a=\"b\",", "8 $end, expecting IDENTIFIER"},
      {"{\"a\"=\"b\"}", "2 STRING, expecting IDENTIFIER or }"},
      {"{offset=\"b\"}", "2 offset, expecting IDENTIFIER or }"},
      {"{a=\"b\"} {c=\"d\"}", "9 {"},
      {"a", "1 IDENTIFIER"},
      {"]", "1 ]"},
  });
}

TEST(ParseErrorTest, LineFilters) {
  ExpectSyntaxErrors({
      {"{a=\"b\"} |=", "11 $end, expecting STRING or ip"},
      {"{a=\"b\"} |~ c", "12 IDENTIFIER, expecting STRING or ip"},
      {"{a=\"b\"} != 5", "12 NUMBER, expecting STRING or ip"},
      {"{a=\"b\"} |= \"x\" or", "18 $end, expecting STRING or ip"},
      {"{a=\"b\"} |= ip(1)", "15 NUMBER, expecting STRING"},
      {"{a=\"b\"} |= ip(\"1\"", "18 $end, expecting )"},
      {"{a=\"b\"} |= \"x\" and \"y\"", "20 STRING"},
  });
}

TEST(ParseErrorTest, Stages) {
  ExpectSyntaxErrors({
      {"{a=\"b\"} |", "10 $end"},
      {"{a=\"b\"} | json |", "17 $end"},
      {"{a=\"b\"} | json --strict", "16 FUNCTION_FLAG"},
      {"{a=\"b\"} | json x=y", "18 IDENTIFIER, expecting STRING"},
      {"{a=\"b\"} | json x,", "18 $end, expecting IDENTIFIER"},
      {"{a=\"b\"} | logfmt --nope", "20 IDENTIFIER, expecting NUMBER"},
      {"{a=\"b\"} | regexp", "17 $end, expecting STRING"},
      {"{a=\"b\"} | pattern x", "19 IDENTIFIER, expecting STRING"},
      {"{a=\"b\"} | line_format", "22 $end, expecting STRING"},
      {"{a=\"b\"} | label_format x", "25 $end, expecting ="},
      {"{a=\"b\"} | label_format x=5", "26 NUMBER, expecting IDENTIFIER or STRING"},
      {"{a=\"b\"} | label_format x=y,", "28 $end, expecting IDENTIFIER"},
      {"{a=\"b\"} | drop", "15 $end, expecting IDENTIFIER"},
      {"{a=\"b\"} | keep x,5", "18 NUMBER, expecting IDENTIFIER"},
      {"{a=\"b\"} | drop x=5", "18 NUMBER, expecting STRING"},
      {"{a=\"b\"} | decolorize x", "22 IDENTIFIER"},
      {"{a=\"b\"} | unwrap x", "11 unwrap"},
      {"({a=\"b\"}) | json", "11 |"},
  });
}

TEST(ParseErrorTest, LabelFilters) {
  ExpectSyntaxErrors({
      {"{a=\"b\"} | x", "12 $end"},
      {"{a=\"b\"} | x >", "14 $end"},
      {"{a=\"b\"} | x > \"y\"", "15 STRING"},
      {"{a=\"b\"} | x == \"y\"", "16 STRING"},
      {"{a=\"b\"} | x =~ 5", "16 NUMBER, expecting STRING"},
      {"{a=\"b\"} | x > -y", "16 IDENTIFIER, expecting NUMBER"},
      {"{a=\"b\"} | x < ip(\"1.1.1.1\")", "15 ip"},
      {"{a=\"b\"} | x=\"y\" and", "20 $end, expecting IDENTIFIER or ("},
      {"{a=\"b\"} | x=\"y\" , or", "19 or, expecting IDENTIFIER or ("},
      {"{a=\"b\"} | (x=\"y\"", "17 $end"},
      {"{a=\"b\"} | ()", "12 ), expecting IDENTIFIER or ("},
      {"{a=\"b\"} | x > 5MBB", "19 $end"},
  });
}

TEST(ParseErrorTest, RangeAggregations) {
  ExpectSyntaxErrors({
      {"rate()", "6 ), expecting NUMBER or { or ("},
      {"rate(sum(x))", "6 SUM, expecting NUMBER or { or ("},
      {"rate(5", "7 $end, expecting ,"},
      {"rate(5,6", "8 NUMBER, expecting { or ("},
      {"rate({a=\"b\"})", "13 )"},
      {"rate({a=\"b\"} | json)", "20 )"},
      {"rate(({a=\"b\"}))", "15 ), expecting RANGE"},
      {"rate({a=\"b\"}[5m]", "17 $end, expecting )"},
      {"rate({a=\"b\"}[5m] offset)", "24 ), expecting DURATION"},
      {"rate({a=\"b\"}[5m]) offset 5m", "19 offset"},
      {"rate({a=\"b\"}[5m]) by", "21 $end, expecting ("},
      {"rate({a=\"b\"}[5m]) by (x", "24 $end, expecting , or )"},
      {"rate({a=\"b\"}[5m]) by (x,)", "25 ), expecting IDENTIFIER"},
      {"rate by (x) ({a=\"b\"}[5m])", "6 by, expecting ("},
      {"{a=\"b\"}[5m]", "8 RANGE"},
      {"sum_over_time({a=\"b\"} | unwrap)",
       "31 ), expecting IDENTIFIER or BYTES_CONV or DURATION_CONV or DURATION_SECONDS_CONV"},
      {"sum_over_time({a=\"b\"} | unwrap x)", "33 ), expecting RANGE or |"},
      {"sum_over_time({a=\"b\"} | unwrap bytes(x) | json [5m])", "43 json, expecting IDENTIFIER or ("},
  });
}

TEST(ParseErrorTest, VectorAggregationsAndFunctions) {
  ExpectSyntaxErrors({
      {"sum()", "5 )"},
      {"sum({a=\"b\"})", "12 )"},
      {"sum({a=\"b\"}[5m])", "12 RANGE"},
      {"sum(by (x) rate({a=\"b\"}[5m]))", "5 by"},
      {"sum by x (rate({a=\"b\"}[5m]))", "1 IDENTIFIER"},
      {"topk(-1, rate({a=\"b\"}[5m]))", "8 ,"},
      {"vector(-1)", "8 -, expecting NUMBER"},
      {"vector(1", "9 $end, expecting )"},
      {"label_replace({a=\"b\"}, \"x\")", "22 ,"},
      {"label_replace(vector(1), x)", "26 IDENTIFIER, expecting STRING"},
      {"label_replace(vector(1), \"x\")", "29 ), expecting ,"},
      {"increase({a=\"b\"}[5m])", "1 IDENTIFIER"},
      {"histogram_quantile(0.5, vector(1))", "1 IDENTIFIER"},
      {"NaN", "1 IDENTIFIER"},
  });
}

TEST(ParseErrorTest, Operators) {
  ExpectSyntaxErrors({
      {"1 +", "4 $end"},
      {"+", "2 $end, expecting NUMBER"},
      {"-vector(1)", "2 VECTOR, expecting NUMBER"},
      {"1 +* 2", "4 *"},
      {"1 ** 2", "4 *"},
      {"vector(1) = 1", "11 ="},
      {"vector(1) =~ 1", "11 =~"},
      {"vector(1) + group_left vector(1)", "13 group_left"},
      {"vector(1) + on(a) ignoring(b) vector(1)", "19 ignoring"},
      {"vector(1) + on vector(1)", "16 VECTOR, expecting ("},
      {"vector(1) + on(a) bool vector(1)", "19 bool"},
      {"vector(1) @ 5", "11 IDENTIFIER"},
      {"(1", "3 $end"},
      {"1)", "2 )"},
      {"5m", "1 DURATION"},
      {"\"x\"", "1 STRING"},
  });
}

TEST(ParseErrorTest, PositionsCountLines) {
  ExpectErrors({
      {"", "parse error : syntax error: unexpected $end"},
      {" ", "parse error at line 1, col 2: syntax error: unexpected $end"},
      {"# nothing\n", "parse error at line 2, col 1: syntax error: unexpected $end"},
      {"sum(\n  rate({a=\"b\"}[5m])\n) 5", "parse error at line 3, col 3: syntax error: unexpected NUMBER"},
  });
}

TEST(ParseErrorTest, MeaningIsCheckedAfterTheGrammar) {
  ExpectErrors({
      {"topk(0, vector(1))", "parse error : invalid parameter (must be greater than 0) topk(0"},
      {"topk(0, vector(1)) 5", "parse error at line 1, col 20: syntax error: unexpected NUMBER"},
      // The one that starts first, the outer one of two that start together.
      {"topk(0, vector(1)) + topk(-0, vector(1))",
       "parse error at line 1, col 29: syntax error: unexpected ,"},
      {"topk(0, vector(1)) + bottomk(0, vector(1))",
       "parse error : invalid parameter (must be greater than 0) topk(0"},
      {"sum(1, topk(0, vector(1)))", "parse error : unsupported parameter for operation sum(1,"},
      {"topk(0, vector(1)) and 5",
       "parse error : unexpected literal for right leg of logical/set binary operation (and): 5.000000"},
  });
}

TEST(ParseErrorTest, OperandsOfTheWrongType) {
  ExpectErrors({
      {"{a=\"b\"} + 1",
       "parse error : unexpected type for left leg of binary operation (+): *syntax.MatchersExpr"},
      {"{a=\"b\"} | json > 1",
       "parse error : unexpected type for left leg of binary operation (>): *syntax.PipelineExpr"},
      {"1 or {a=\"b\"}",
       "parse error : unexpected type for right leg of binary operation (or): *syntax.MatchersExpr"},
      {"1 unless vector(1)",
       "parse error : unexpected literal for left leg of logical/set binary operation (unless): 1.000000"},
  });
}

TEST(ParseErrorTest, Aggregations) {
  ExpectErrors({
      {"topk(vector(1))", "parse error : parameter required for operation topk"},
      {"topk(1.5, vector(1))", "parse error : invalid parameter topk(1.5,"},
      {"avg(2, vector(1))", "parse error : unsupported parameter for operation avg(2,"},
      {"sort(vector(1)) by (x)", "parse error : sort and sort_desc doesn't allow grouping by"},
      {"approx_topk by (x) (1, vector(1))", "parse error : grouping not allowed for approx_topk aggregation"},
      {"quantile_over_time({a=\"b\"} | unwrap x [5m])",
       "parse error : parameter required for operation quantile_over_time"},
      {"rate(0.5, {a=\"b\"}[5m])", "parse error : parameter 0.5 not supported for operation rate"},
      {"count_over_time({a=\"b\"}[5m]) by (x)",
       "parse error : grouping not allowed for count_over_time aggregation"},
      {"sum_over_time({a=\"b\"} | unwrap x [5m]) by (x)",
       "parse error : grouping not allowed for sum_over_time aggregation"},
      {"bytes_rate({a=\"b\"} | unwrap x [5m])", "parse error : invalid aggregation bytes_rate with unwrap"},
      {"rate_counter({a=\"b\"}[5m])", "parse error : invalid aggregation rate_counter without unwrap"},
      {"count_distinct_over_time({a=\"b\"}[5m])",
       "parse error : invalid aggregation count_distinct_over_time without unwrap"},
      {"count_distinct_over_time({a=\"b\"} | unwrap bytes(x) [5m])",
       "parse error : invalid aggregation count_distinct_over_time with unwrap conversion bytes"},
      {"count_distinct_over_time(2, {a=\"b\"} | unwrap x [5m])",
       "parse error : parameter 2 not supported for operation count_distinct_over_time"},
  });
}

TEST(ParseErrorTest, RegularExpressions) {
  ExpectErrors({
      {"{a=~\"[\"}", "parse error : error parsing regexp: missing closing ]: `[`"},
      {"{a=\"b\"} | x=~\"(\"", "parse error : error parsing regexp: missing closing ): `(`"},
      {"{a=\"b\"} | drop x=~\"(\"", "parse error : error parsing regexp: missing closing ): `(`"},
      {"{a=\"b\"} |~ \"x\" or \"[\"",
       "parse error : stage '|~ \"x\" or \"[\"' : error parsing regexp: missing closing ]: `[`"},
      {"label_replace(vector(1), \"a\", \"b\", \"c\", \"[\")",
       "parse error : invalid regex in label_replace: error parsing regexp: missing closing ]: `[)$`"},
  });
}

TEST(ParseErrorTest, IpNeedsASubstringFilter) {
  ExpectErrors({
      {"{a=\"b\"} |~ ip(\"10.0.0.1\")", "parse error : stage '|~ ip(\"10.0.0.1\")' : ip: invalid operation"},
      {"{a=\"b\"} !> \"x\" or ip(\"10.0.0.1\")",
       "parse error : stage '!> \"x\" or ip(\"10.0.0.1\")' : ip: invalid operation"},
  });
}

TEST(ParseErrorTest, Numbers) {
  ExpectErrors({
      {"0x10",
       "parse error : unable to parse literal as a float: strconv.ParseFloat: parsing \"0x10\": invalid "
       "syntax"},
      {"vector(1e999)",
       "parse error : unable to parse vectorExpr as a float: strconv.ParseFloat: parsing \"1e999\": value "
       "out of "
       "range"},
      {"{a=\"b\"} | x > 0x10",
       "parse error : unable to parse literal as a float: strconv.ParseFloat: parsing \"0x10\": invalid "
       "syntax"},
  });
}

TEST(ParseErrorTest, SelectorsThatMatchEverything) {
  const std::string message =
      "parse error : queries require at least one regexp or equality matcher that does not have an "
      "empty-compatible "
      "value. For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will";
  for (const std::string query :
       {"{}", "{a=\"\"}", "{a=~\".*\"}", "{a!=\"b\"}", "{a!~\"b\", c=~\"d|\"}", "sum(rate({a!=\"b\"}[5m]))",
        "vector(1) or rate({a!=\"b\"}[5m])", "label_replace(rate({}[5m]), \"a\", \"b\", \"c\", \"d\")"}) {
    ExpectErrors({{query, message}});
    EXPECT_TRUE(ParseExprWithoutValidation(query).ok()) << query;
  }
}

TEST(ParseErrorTest, WhatLokiHasSwitchedOffIsRefusedByName) {
  ExpectErrors({{"variants(rate({a=\"b\"}[5m])) of ({a=\"b\"}[5m])",
                 "multi variant queries are disabled for this instance"}});
}

TEST(ParseErrorTest, TextAndNestingAreBounded) {
  ExpectErrors(
      {{std::string(kQueryBytesMax + 1, ' '), "parse error : input size too long (131073 > 131072)"}});
  const auto repeat = [](std::string_view piece, size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += piece;
    return text;
  };
  const std::string too_deep = "nesting too deep (more than 1000 levels)";
  // Each of these is shallow enough with a tenth of the repetitions.
  for (const size_t count : {size_t{100}, size_t{1001}, size_t{10000}}) {
    const std::vector<std::string> queries = {
        repeat("(", count) + "1" + repeat(")", count),
        repeat("sum(", count) + "vector(1)" + repeat(")", count),
        repeat("2^", count) + "vector(1)",
        "vector(1)" + repeat(" + vector(1)", count),
        "rate(" + repeat("(", count) + "{a=\"b\"}[5m]" + repeat(")", count) + ")",
        "{a=\"b\"} | " + repeat("(", count) + "x=1" + repeat(")", count),
        "{a=\"b\"} | x=1" + repeat(" or x=1", count),
        "{a=\"b\"} | x=1" + repeat(",x=1", count),
    };
    for (const std::string& query : queries) {
      const Result<ExprPtr> parsed = ParseExpr(query);
      if (count == 100) {
        EXPECT_TRUE(parsed.ok()) << query << parsed.status().message();
      } else {
        ASSERT_FALSE(parsed.ok()) << query.substr(0, 50);
        EXPECT_NE(parsed.status().message().find(too_deep), std::string::npos) << parsed.status().message();
      }
    }
  }
}

TEST(ParseErrorTest, RegularExpressionsAreBoundedTogether) {
  const std::string message =
      "parse error : too many or too large regular expressions (more than 1000000 instructions in all)";
  std::string matchers;
  for (int i = 0; i < 999; ++i) matchers += "x=~\"y.*\",";
  EXPECT_TRUE(ParseExpr("{" + matchers + "a=\"b\"}").ok());
  ExpectErrors({{"{" + matchers + matchers + "a=\"b\"}", message}});
  // Nine of 119,304 instructions are too many, eight are not: every place that takes one must count.
  const std::string huge = "\"(?P<x>\\\\pL{100})\"";
  ExpectErrors({{"label_replace(label_replace(rate({a=~" + huge + ",b=~" + huge + ",c=~" + huge + "} |~ " +
                     huge + " or " + huge + " | regexp " + huge + " | regexp " + huge +
                     " [5m]),\"d\",\"e\",\"f\"," + huge + "),\"d\",\"e\",\"f\"," + huge + ")",
                 message}});
}

TEST(ParseMatchersTest, TakesABareSelector) {
  const Result<std::vector<Matcher>> matchers = ParseMatchers(" ({a=\"b\", c!~\"d.*\"}) # yes");
  ASSERT_TRUE(matchers.ok()) << matchers.status().message();
  ASSERT_EQ(matchers->size(), 2u);
  EXPECT_EQ((*matchers)[0].ToString(), "a=\"b\"");
  EXPECT_EQ((*matchers)[1].ToString(), "c!~\"d.*\"");
  const Result<std::vector<Matcher>> none = ParseMatchers("{}");
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
}

TEST(ParseMatchersTest, RefusesEverythingElse) {
  const std::vector<Case> cases = {
      {"{a=\"b\"} |= \"x\"", "only label matchers are supported"},
      {"{a=\"b\"} | json", "only label matchers are supported"},
      {"sum(rate({a=\"b\"}[5m]))", "only label matchers are supported"},
      {"1", "only label matchers are supported"},
      {"a", "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER"},
      {"", "parse error : syntax error: unexpected $end"},
  };
  for (const Case& c : cases) EXPECT_EQ(ParseMatchers(c.query).status().message(), c.message) << c.query;
  EXPECT_EQ(ParseMatchers("{a=~\".*\"}").status().message(), ValidateMatchers({}).message());
}

}  // namespace
}  // namespace varve::logql
