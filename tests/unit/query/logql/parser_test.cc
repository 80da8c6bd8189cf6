// What the parser makes of what it accepts. Trees are shown in their exact printed form, in which every
// operation has its parentheses.
#include "query/logql/parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "query/logql/printer.h"

namespace varve::logql {
namespace {

struct Case {
  std::string query;
  std::string tree;
};

void ExpectTrees(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Result<ExprPtr> parsed = ParseExpr(c.query);
    ASSERT_TRUE(parsed.ok()) << c.query << "\n" << parsed.status().message();
    EXPECT_EQ(Print(**parsed), c.tree) << c.query;
  }
}

ExprPtr Parse(const std::string& query) {
  Result<ExprPtr> parsed = ParseExpr(query);
  EXPECT_TRUE(parsed.ok()) << query << "\n" << parsed.status().message();
  return parsed.ok() ? *std::move(parsed) : nullptr;
}

// The stages of `{a="b"} <pipeline>`.
std::vector<Stage> Stages(const std::string& pipeline) {
  const ExprPtr expr = Parse("{a=\"b\"} " + pipeline);
  return expr == nullptr ? std::vector<Stage>() : std::get<LogSelector>(expr->node).stages;
}

// The label filter of `{a="b"} | <filter>`.
LabelFilterPtr Filter(const std::string& filter) {
  const std::vector<Stage> stages = Stages("| " + filter);
  EXPECT_EQ(stages.size(), 1u) << filter;
  return std::get<LabelFilterStage>(stages.at(0)).filter;
}

TEST(ParserTest, Selectors) {
  ExpectTrees({
      {"{a=\"b\"}", "{a=\"b\"}"},
      {"{a=`b`,c!=\"d\"}", "{a=\"b\", c!=\"d\"}"},
      {"{ a =~ \"b.*\" , a!~\"c\" }", "{a=~\"b.*\", a!~\"c\"}"},
      {"(({a=\"b\"}))", "{a=\"b\"}"},
      {"{sum=\"b\", count=~\"c\", ip!=\"\"}", "{sum=\"b\", count=~\"c\", ip!=\"\"}"},
      {"{日本=\"b\"}", "{日本=\"b\"}"},
  });
}

TEST(ParserTest, ADotMatchesANewlineOnlyInSelectors) {
  const ExprPtr expr = Parse("{a=~\"x.y\"} | b=~\"x.y\" | drop c=~\"x.y\"");
  const LogSelector& log = std::get<LogSelector>(expr->node);
  EXPECT_TRUE(log.matchers[0].Matches("x\ny"));
  const LabelFilter& filter = *std::get<LabelFilterStage>(log.stages[0]).filter;
  EXPECT_FALSE(std::get<StringLabelFilter>(filter.node).matcher.Matches("x\ny"));
  EXPECT_FALSE(std::get<DropLabels>(log.stages[1]).items[0].matcher->Matches("x\ny"));
}

TEST(ParserTest, LineFilters) {
  ExpectTrees({
      {"{a=\"b\"}|=\"x\"!=\"y\"|~\"z\"!~\"w\"|>\"<_>p\"!>\"q\"",
       "{a=\"b\"} |= \"x\" != \"y\" |~ \"z\" !~ \"w\" |> \"<_>p\" !> \"q\""},
      {"{a=\"b\"} |= \"x\" or \"y\" OR ip(\"10.0.0.0/8\")",
       "{a=\"b\"} |= \"x\" or \"y\" or ip(\"10.0.0.0/8\")"},
      {"{a=\"b\"} != `x` or `y`", "{a=\"b\"} != \"x\" or \"y\""},
      {"{a=\"b\"} | json != \"x\"", "{a=\"b\"} | json != \"x\""},
      {"{a=\"b\"} | x=\"1\" != \"y\" |= \"z\"", "{a=\"b\"} | x=\"1\" != \"y\" |= \"z\""},
  });
  const LineFilter filter = std::get<LineFilter>(Stages("!= \"x\" or ip(\"::1\")").at(0));
  EXPECT_EQ(filter.op, LineFilterOp::kNotContains);
  ASSERT_EQ(filter.terms.size(), 2u);
  EXPECT_FALSE(filter.terms[0].is_ip);
  EXPECT_TRUE(filter.terms[1].is_ip);
  EXPECT_EQ(filter.terms[1].text, "::1");
}

TEST(ParserTest, StagesKeepTheirArguments) {
  for (const std::string pipeline :
       {"| json", "| json x,y=\"a.b\",z=\"c[0]\"", "| logfmt", "| logfmt --strict",
        "| logfmt --strict --keep-empty x,y=\"z\"", "| regexp \"(?P<x>.)\"", "| pattern \"<x> <_>\"",
        "| unpack", "| line_format \"{{.x}}\"", "| label_format x=y,z=\"{{.w}}\"", "| decolorize",
        "| drop x,y=\"1\",z=~\"2\"", "| keep x,y!=\"1\",z!~\"2\""}) {
    ExpectTrees({{"{a=\"b\"} " + pipeline, "{a=\"b\"} " + pipeline}});
  }
  ExpectTrees({
      {"{a=\"b\"}|JSON x|Logfmt --keep-empty --strict|DROP y",
       "{a=\"b\"} | json x | logfmt --strict --keep-empty | drop y"},
      // What follows a bare name here is its matcher, not a line filter.
      {"{a=\"b\"} | keep x != \"y\"", "{a=\"b\"} | keep x!=\"y\""},
  });
}

TEST(ParserTest, CommaAndNothingTakeEverythingToTheirRight) {
  const std::vector<Case> cases = {
      {"x=1 and y=2 or z=3", "( ( x=1 , y=2 ) or z=3 )"},
      {"x=1 or y=2 and z=3", "( x=1 or ( y=2 , z=3 ) )"},
      {"x=1 and y=2 and z=3", "( ( x=1 , y=2 ) , z=3 )"},
      {"x=1 , y=2 or z=3", "( x=1 , ( y=2 or z=3 ) )"},
      {"x=1 y=2 or z=3", "( x=1 , ( y=2 or z=3 ) )"},
      {"x=1 or y=2, z=3", "( x=1 or ( y=2 , z=3 ) )"},
      {"x=1 and y=2, z=3 or w=4", "( x=1 , ( y=2 , ( z=3 or w=4 ) ) )"},
      {"x=1, y=2, z=3", "( x=1 , ( y=2 , z=3 ) )"},
      {"(x=1 or y=2) and z=3", "( ( x=1 or y=2 ) , z=3 )"},
      {"(x=1 or y=2) (z=3 or w=4)", "( ( x=1 or y=2 ) , ( z=3 or w=4 ) )"},
      {"((x=1))", "x=1"},
  };
  for (const Case& c : cases) EXPECT_EQ(Print(*Filter(c.query)), c.tree) << c.query;
}

TEST(ParserTest, LabelFiltersByTypeOfValue) {
  EXPECT_EQ(std::get<StringLabelFilter>(Filter("x != \"y\"")->node).matcher.ToString(), "x!=\"y\"");
  const auto number = std::get<NumberLabelFilter>(Filter("x >= -1.50")->node);
  EXPECT_EQ(number.op, CompareOp::kGe);
  EXPECT_EQ(number.value, -1.5);
  EXPECT_EQ(number.text, "-1.50");
  EXPECT_EQ(std::get<NumberLabelFilter>(Filter("x == +2")->node).op, CompareOp::kEq);
  EXPECT_EQ(std::get<NumberLabelFilter>(Filter("x = 2")->node).op, CompareOp::kEq);
  const auto duration = std::get<DurationLabelFilter>(Filter("duration < 1.5s")->node);
  EXPECT_EQ(duration.name, "duration");
  EXPECT_EQ(duration.value_ns, 1500 * kNsPerMs);
  EXPECT_EQ(std::get<DurationLabelFilter>(Filter("x > 1d12h")->node).value_ns, 36 * kNsPerHour);
  EXPECT_EQ(std::get<BytesLabelFilter>(Filter("bytes <= 1.5KiB")->node).value_bytes, 1536u);
  const auto ip = std::get<IpLabelFilter>(Filter("ip != ip(\"10.0.0.0/8\")")->node);
  EXPECT_EQ(ip.name, "ip");
  EXPECT_TRUE(ip.negated);
  EXPECT_EQ(ip.pattern, "10.0.0.0/8");
}

TEST(ParserTest, TheRangeStandsAfterTheSelectorOrAtTheEnd) {
  for (const std::string range :
       {"{a=\"b\"} | json | unwrap x[5m] offset 1h", "{a=\"b\"}[5m] offset 1h | json | unwrap x",
        "({a=\"b\"} | json | unwrap x [5m] offset 1h)", "({a=\"b\"} | json | unwrap x)[5m] offset 1h",
        "(({a=\"b\"}[5m] offset 60m | json | unwrap x))"}) {
    ExpectTrees({{"rate(" + range + ")", "rate({a=\"b\"} | json | unwrap x[5m] offset 1h0m0s)"}});
  }
  ExpectTrees({{"rate({a=\"b\"}[5m] |= \"x\")", "rate({a=\"b\"} |= \"x\"[5m])"},
               {"rate({a=\"b\"}[5m] offset -5m)", "rate({a=\"b\"}[5m] offset -5m0s)"},
               {"rate(({a=\"b\"})[5m] | unwrap x)", "rate({a=\"b\"} | unwrap x[5m])"}});
}

TEST(ParserTest, RangeAggregations) {
  for (const std::string query :
       {"count_over_time({a=\"b\"}[5m])", "rate({a=\"b\"}[1h30m])", "rate_counter({a=\"b\"} | unwrap x[5m])",
        "bytes_over_time({a=\"b\"}[1d])", "bytes_rate({a=\"b\"}[1w])", "absent_over_time({a=\"b\"}[5m])",
        "count_distinct_over_time({a=\"b\"} | unwrap x[5m]) by (y)",
        // A name like any other where no parenthesis follows.
        "sum by (count_distinct_over_time)(rate({count_distinct_over_time=\"b\"}[5m]))",
        "rate({a=\"b\"} | unwrap count_distinct_over_time[5m])",
        "sum_over_time({a=\"b\"} | unwrap duration(x)[5m])",
        "avg_over_time({a=\"b\"} | unwrap x[5m]) by (x,y)",
        "min_over_time({a=\"b\"} | unwrap bytes(x)[5m]) without (x)",
        "max_over_time({a=\"b\"} | unwrap x[5m]) by ()",
        "stddev_over_time({a=\"b\"} | unwrap duration_seconds(x)[5m])",
        "stdvar_over_time({a=\"b\"} | unwrap x[5m])", "first_over_time({a=\"b\"} | unwrap x[5m])",
        "last_over_time({a=\"b\"} | unwrap x | y=\"\" | z=1[5m])",
        "quantile_over_time(0.99,{a=\"b\"} | unwrap x[5m]) by (y)"}) {
    ExpectTrees({{query, query}});
  }
}

TEST(ParserTest, VectorAggregationsAndFunctions) {
  for (const std::string query :
       {"sum(vector(1))", "avg by (x,y)(vector(1))", "count without (x)(vector(1))", "max by ()(vector(1))",
        "min without ()(vector(1))", "stddev(vector(1))", "stdvar(vector(1))", "topk(5,vector(1))",
        "bottomk by (x)(1,vector(1))", "approx_topk(3,vector(1))", "sort(vector(1))", "sort_desc(vector(1))",
        "sum((2 * vector(1)))", "vector(0.5)", "label_replace(vector(1),\"x\",\"$1\",\"y\",\"(.*)\")"}) {
    ExpectTrees({{query, query}});
  }
  ExpectTrees({{"SUM(vector(1)) BY (x)", "sum by (x)(vector(1))"},
               {"sum(3)", "sum(3)"},
               {"sum without(count) (rate({a=\"b\"}[5m]))", "sum without (count)(rate({a=\"b\"}[5m]))"}});
}

TEST(ParserTest, OperatorPrecedence) {
  ExpectTrees({
      {"vector(1) + vector(2) * vector(3)", "(vector(1) + (vector(2) * vector(3)))"},
      {"vector(1) * vector(2) + vector(3)", "((vector(1) * vector(2)) + vector(3))"},
      {"vector(1) - vector(2) - vector(3)", "((vector(1) - vector(2)) - vector(3))"},
      {"vector(1) / vector(2) % vector(3)", "((vector(1) / vector(2)) % vector(3))"},
      {"vector(1) ^ vector(2) ^ vector(3)", "(vector(1) ^ (vector(2) ^ vector(3)))"},
      {"vector(1) > vector(2) + 3", "(vector(1) > (vector(2) + 3))"},
      {"vector(1) == vector(2) != 3", "((vector(1) == vector(2)) != 3)"},
      {"vector(1) or vector(2) and vector(3) > 0", "(vector(1) or (vector(2) and (vector(3) > 0)))"},
      {"vector(1) and vector(2) unless vector(3)", "((vector(1) and vector(2)) unless vector(3))"},
      {"vector(1) or vector(2) or vector(3)", "((vector(1) or vector(2)) or vector(3))"},
      {"(vector(1) + vector(2)) * vector(3)", "((vector(1) + vector(2)) * vector(3))"},
      {"vector(1) * -1", "(vector(1) * -1)"},
      {"vector(1) -1", "(vector(1) - 1)"},
      {"-2 ^ vector(2)", "(-2 ^ vector(2))"},
  });
}

TEST(ParserTest, OperatorModifiers) {
  ExpectTrees({
      {"vector(1) > bool 2", "(vector(1) > bool 2)"},
      {"vector(1) + on(x,y) vector(2)", "(vector(1) + on (x,y) vector(2))"},
      {"vector(1) + ignoring() vector(2)", "(vector(1) + ignoring () vector(2))"},
      {"vector(1) == bool on(x) group_left vector(2)", "(vector(1) == bool on (x) group_left () vector(2))"},
      {"vector(1) * ON (x) GROUP_RIGHT (y, z) vector(2)", "(vector(1) * on (x) group_right (y,z) vector(2))"},
      {"vector(1) and on() vector(2)", "(vector(1) and on () vector(2))"},
  });
}

TEST(ParserTest, ConstantsAreFolded) {
  const std::vector<std::pair<std::string, double>> cases = {
      {"1", 1},           {"-1", -1},     {"+1", 1},         {"1e3", 1000},       {"1 + 1", 2},
      {"-2^2", 4},        {"2^3^2", 512}, {"2 + 3 * 4", 14}, {"(2 + 3) * 4", 20}, {"10 - 4 - 3", 3},
      {"7 % 3", 1},       {"-7 % 3", -1}, {"1 > 2", 0},      {"2 > 1", 1},        {"1 == 1", 1},
      {"1 != bool 1", 0}, {"1 + -1", 0},  {"1 - -1", 2},     {"1 + + 1", 2},      {"5 >= 5 <= 0", 0},
  };
  for (const auto& [query, value] : cases) {
    const ExprPtr expr = Parse(query);
    ASSERT_TRUE(std::holds_alternative<LiteralNumber>(expr->node)) << query;
    EXPECT_EQ(std::get<LiteralNumber>(expr->node).value, value) << query;
  }
  for (const std::string query : {"1 / 0", "1 % 0", "0 / 0", "-1 / 0"}) {
    EXPECT_TRUE(std::isnan(std::get<LiteralNumber>(Parse(query)->node).value)) << query;
  }
}

TEST(ParserTest, CommentsAndBlanksMeanNothing) {
  ExpectTrees({
      {"# before\nsum( # inside\n rate( {a=\"b\"} /* here */ [5m] ) ) // after", "sum(rate({a=\"b\"}[5m]))"},
      {"{a=\"b\"}\n\t|=\r\n\"# text\"", "{a=\"b\"} |= \"# text\""},
  });
}

}  // namespace
}  // namespace varve::logql
