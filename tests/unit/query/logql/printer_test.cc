#include "query/logql/printer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "query/logql/parser.h"

namespace varve::logql {
namespace {

std::string Pretty(const std::string& query) {
  const Result<ExprPtr> parsed = ParseExpr(query);
  EXPECT_TRUE(parsed.ok()) << query << "\n" << parsed.status().message();
  return parsed.ok() ? PrintPretty(**parsed) : "";
}

TEST(PrettyPrinterTest, ShortQueriesStayOnOneLineInLokisSpelling) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{a=`b`,c!=\"d\"}", "{a=\"b\", c!=\"d\"}"},
      {"{a=\"b\"} |= `say \"x\"` or `y`", "{a=\"b\"} |= \"say \\\"x\\\"\" or \"y\""},
      {"{a=\"b\"} !~ \"x\" or \"y\"", "{a=\"b\"} !~ \"x\" !~ \"y\""},
      {"{a=\"b\"}|json x,y=\"z\"", "{a=\"b\"} | json x=\"x\",y=\"z\""},
      {"{a=\"b\"}|x=\"1\" and (y>2 or z<=3.50)", "{a=\"b\"} | ( x=\"1\" , ( y>2 or z<=3.5 ) )"},
      {"{a=\"b\"}|x>1KiB", "{a=\"b\"} | x>1.0kB"},
      {"{a=\"b\"}|x>90m", "{a=\"b\"} | x>1h30m0s"},
      {"rate({a=\"b\"}[60s])", "rate({a=\"b\"}[1m])"},
      {"rate({a=\"b\"}[90m] offset 90m)", "rate({a=\"b\"}[1h30m] offset 1h30m0s)"},
      {"max_over_time({a=\"b\"}|unwrap x|y=\"\"[5m]) by (z,w)",
       "max_over_time({a=\"b\"} | unwrap x | y=\"\"[5m]) by (z,w)"},
      {"sum(rate({a=\"b\"}[5m])) by (x, y)", "sum by (x,y)(rate({a=\"b\"}[5m]))"},
      {"vector(1)>bool 1e6", "(vector(1.000000) > bool 1e+06)"},
      {"vector(1)*on(x)group_left(y)vector(2)",
       "(vector(1.000000) * on (x) group_left (y) vector(2.000000))"},
      {"vector(1)*on(x)group_left()vector(2)", "(vector(1.000000) * on (x) group_left vector(2.000000))"},
      {"vector(1)*on(x)group_left()(vector(2)+1)",
       "(vector(1.000000) * on (x) group_left () (vector(2.000000) + 1))"},
      {"vector(1)*ignoring()vector(2)", "(vector(1.000000) * vector(2.000000))"},
      {"vector(1)*on(x)vector(2)", "(vector(1.000000) * on (x)  vector(2.000000))"},
      {"sum by () (vector(1))", "sum(vector(1.000000))"},
      {"sum without () (vector(1))", "sum without ()(vector(1.000000))"},
      {"1+1", "2"},
  };
  for (const auto& [query, text] : cases) EXPECT_EQ(Pretty(query), text) << query;
}

TEST(PrettyPrinterTest, AHundredBytesFitOnALine) {
  const std::string filler(100 - std::string("{a=\"\"}").size(), 'x');
  EXPECT_EQ(Pretty("{a=\"" + filler + "\"}"), "{a=\"" + filler + "\"}");
  // A selector is never broken, its stages are.
  EXPECT_EQ(Pretty("{a=\"" + filler + "\"} | json"), "{a=\"" + filler + "\"}\n  | json");
}

// Long enough that no line that holds it has room for much else.
const char kLongFilter[] =
    "a filter of some length, so that whatever has it in it is more than a line of text";

TEST(PrettyPrinterTest, APipelineHasAStageALineAndItsLineFiltersOnOne) {
  EXPECT_EQ(Pretty(std::string("{a=\"b\"} |= \"x\" != \"") + kLongFilter +
                   "\" | json | y=1 or z=2 |~ \"w\" | unpack"),
            std::string("{a=\"b\"}\n"
                        "  |= \"x\" != \"") +
                kLongFilter +
                "\"\n"
                "  | json\n"
                "  | ( y=1 or z=2 )\n"
                "  |~ \"w\"\n"
                "  | unpack");
}

TEST(PrettyPrinterTest, LineFiltersBeyondALineHaveTheirOwn) {
  const std::string x(40, 'x');
  EXPECT_EQ(Pretty("{a=\"b\"} |= \"" + x + "\" |= \"" + x + "\" != \"" + x + "\" |~ \"y\" | json"),
            "{a=\"b\"}\n  |= \"" + x + "\" |= \"" + x + "\"\n  != \"" + x + "\"\n  |~ \"y\"\n  | json");
}

TEST(PrettyPrinterTest, DecolorizeIsNotIndented) {
  const std::string x(100, 'x');
  EXPECT_EQ(Pretty("{a=\"b\"} |= \"" + x + "\" | decolorize | json"),
            "{a=\"b\"}\n  |= \"" + x + "\"\n| decolorize\n  | json");
}

TEST(PrettyPrinterTest, AggregationsIndentWhatTheyHold) {
  EXPECT_EQ(Pretty(std::string("topk by (x, y) (5, quantile_over_time(0.5, {a=\"b\"} |= \"") + kLongFilter +
                   "\" | unwrap bytes(z) | z!=\"\" [1h] offset 5m) by (w, v))"),
            std::string("topk by (x, y)(\n"
                        "  5,\n"
                        "  quantile_over_time(\n"
                        "    0.5,\n"
                        "    {a=\"b\"} |= \"") +
                kLongFilter +
                "\"\n"
                "      | unwrap bytes(z)\n"
                "      | z!=\"\" [1h] offset 5m\n"
                "  ) by (w, v)\n"
                ")");
}

TEST(PrettyPrinterTest, OperatorsStandAloneBetweenTheirOperands) {
  const std::string rate = std::string("rate({a=\"b\"} |= \"") + kLongFilter + "\"[5m])";
  EXPECT_EQ(Pretty(rate + " / on (x) group_right (y) vector(1) > bool 2"),
            std::string("    rate(\n"
                        "      {a=\"b\"} |= \"") +
                kLongFilter +
                "\" [5m]\n"
                "    )\n"
                "  / on (x) group_right (y)\n"
                "    vector(1.000000)\n"
                "> bool\n"
                "  2");
}

TEST(PrettyPrinterTest, BrokenOperandsKeepTheirParenthesesWhereTheyNeedThem) {
  const std::string rate = std::string("rate({a=\"b\"} |= \"") + kLongFilter + "\"[5m])";
  for (const std::string& query : std::vector<std::string>{
           "(" + rate + " + 1) * 2",
           "2 - (" + rate + " - 1)",
           "(" + rate + " ^ 2) ^ 3",
           "2 ^ " + rate + " ^ 3",
           "vector(1) and (" + rate + " or vector(2))",
           "2 * on (x) group_left ("
           ") (" +
               rate + " + 1)",
       }) {
    const std::string pretty = Pretty(query);
    const Result<ExprPtr> original = ParseExpr(query);
    const Result<ExprPtr> again = ParseExpr(pretty);
    ASSERT_TRUE(original.ok()) << query;
    ASSERT_TRUE(again.ok()) << pretty << "\n" << again.status().message();
    EXPECT_EQ(Print(**again), Print(**original)) << pretty;
  }
}

TEST(PrettyPrinterTest, LabelReplaceHasAnArgumentALine) {
  const std::string argument(90, 'x');
  EXPECT_EQ(Pretty("label_replace(vector(1), \"" + argument + "\", \"$1\", \"src\", \"(.*)\")"),
            "label_replace(\n"
            "  vector(1.000000),\n"
            "  \"" +
                argument +
                "\",\n"
                "  \"$1\",\n"
                "  \"src\",\n"
                "  \"(.*)\"\n"
                ")");
}

TEST(PrinterTest, StagesAndFiltersPrintAloneToo) {
  EXPECT_EQ(Print(Stage(LineFormat{"{{.x}}"})), "| line_format \"{{.x}}\"");
  EXPECT_EQ(Print(Stage(LineFilter{LineFilterOp::kNotPattern, {{"<_>", false}}})), "!> \"<_>\"");
  EXPECT_EQ(Print(LabelFilter{BytesLabelFilter{"x", CompareOp::kLt, 1536}}), "x<1536B");
}

TEST(PrinterTest, WhatHasNoLiteralPrintsAsAConstantThatFoldsToIt) {
  for (const std::string text : {"(0 / 0)", "(10 ^ 309)", "(-10 ^ 309)"}) {
    const Result<ExprPtr> parsed = ParseExpr(text);
    ASSERT_TRUE(parsed.ok());
    ASSERT_TRUE(std::holds_alternative<LiteralNumber>((*parsed)->node));
    EXPECT_EQ(Print(**parsed), text);
  }
}

}  // namespace
}  // namespace varve::logql
