#include "query/logql/stages/label_filter.h"

#include <gtest/gtest.h>

#include "tests/support/pipeline_case.h"

namespace varve::logql {
namespace {

bool Passes(const std::string& filter, const std::string& line) {
  return RunPipeline("| logfmt | " + filter + " | line_format `kept`", line).starts_with("kept");
}

TEST(LabelFilter, StringsSeeMissingLabelsAsEmpty) {
  EXPECT_TRUE(Passes("a=``", "b=1"));
  EXPECT_TRUE(Passes("a!=`x`", "b=1"));
  EXPECT_FALSE(Passes("a=`x`", "b=1"));
  EXPECT_TRUE(Passes("a=~`1|2`", "a=2"));
  EXPECT_FALSE(Passes("a=~`1|2`", "a=23"));  // anchored
  EXPECT_TRUE(Passes("a!~`1|2`", "a=23"));
  EXPECT_FALSE(Passes("a=~`x.y`", "a=\"x\\ny\""));  // . does not match a newline
  EXPECT_TRUE(Passes("app=`q`", ""));
}

TEST(LabelFilter, NumbersCompare) {
  EXPECT_TRUE(Passes("a > 1", "a=1.5"));
  EXPECT_FALSE(Passes("a > 1", "a=1"));
  EXPECT_TRUE(Passes("a >= 1", "a=1"));
  EXPECT_TRUE(Passes("a < 0", "a=-1e3"));
  EXPECT_TRUE(Passes("a <= 16", "a=16"));
  EXPECT_TRUE(Passes("a == 1000", "a=1_000"));
  EXPECT_TRUE(Passes("a = 1000", "a=1e3"));
  EXPECT_TRUE(Passes("a != 0", "a=NaN"));
  EXPECT_FALSE(Passes("a == 0", "a=NaN"));
  EXPECT_FALSE(Passes("a != 1", "b=1"));  // missing
}

TEST(LabelFilter, DurationsAndByteSizesCompareExactly) {
  EXPECT_TRUE(Passes("a > 1s", "a=1s1ns"));
  EXPECT_TRUE(Passes("a = 90s", "a=1m30s"));
  EXPECT_TRUE(Passes("a < 1d", "a=23h59m"));
  EXPECT_TRUE(Passes("a = 1024B", "a=1KiB"));
  EXPECT_TRUE(Passes("a = 1MiB", "a=1Mi"));
  EXPECT_FALSE(Passes("a > 1235000B", "a=1235000"));
  EXPECT_TRUE(Passes("a > 1234999B", "a=1235000"));
}

TEST(LabelFilter, KeepsWhatDoesNotConvertWithAnError) {
  EXPECT_EQ(RunPipeline("| logfmt | a > 1", "a=abc"),
            "{__error__=LabelFilterErr, __error_details__=strconv.ParseFloat: parsing \"abc\": invalid "
            "syntax, a=abc}");
  EXPECT_EQ(
      RunPipeline("| logfmt | a > 1s", "a=1d"),
      "{__error__=LabelFilterErr, __error_details__=time: unknown unit \"d\" in duration \"1d\", a=1d}");
  EXPECT_EQ(RunPipeline("| logfmt | a > 1KB", "a=1e3"),
            "{__error__=LabelFilterErr, __error_details__=unhandled size name: e3, a=1e3}");
  EXPECT_EQ(RunPipeline("| logfmt | a > 1", "b=1"), "dropped");
}

TEST(LabelFilter, RowsWithAnErrorStillAnswerLaterComparisons) {
  EXPECT_FALSE(Passes("a > 1 | b > 5", "a=abc b=1"));
  EXPECT_TRUE(Passes("a > 1 | b > 5", "a=abc b=6"));
  EXPECT_FALSE(Passes("a > 1 | c > 5", "a=abc b=1"));
  EXPECT_FALSE(Passes("a > 1s and b < 1MB", "a=oops b=3MB"));
  // The first error stays.
  EXPECT_EQ(
      RunPipeline("| logfmt | a > 1 | b > 1s", "a=x b=y"),
      "{__error__=LabelFilterErr, __error_details__=strconv.ParseFloat: parsing \"x\": invalid syntax, a=x, "
      "b=y}");
  EXPECT_FALSE(Passes("a > 1 | b=`2`", "a=abc b=1"));  // strings still decide
  // ip filters pass every row that has an error, even without their label.
  EXPECT_TRUE(Passes("a > 1 | b=ip(`1.1.1.1`)", "a=abc b=1"));
  EXPECT_TRUE(Passes("a > 1 | c=ip(`1.1.1.1`)", "a=abc b=1"));
  EXPECT_FALSE(Passes("a > 1 | __error__=``", "a=abc"));
  EXPECT_TRUE(Passes("a > 1 | __error__=`LabelFilterErr` | __error_details__=~`strconv.*`", "a=abc"));
}

TEST(LabelFilter, AnOperandOfAnAndInsideAnOrLeavesItsErrorWhenTheOtherFailed) {
  const std::string error =
      "{__error__=LabelFilterErr, __error_details__=strconv.ParseFloat: parsing \"x\": invalid syntax, a=x, "
      "b=1}";
  EXPECT_EQ(RunPipeline("| logfmt | (b = `2` and a > 1) or b = `1`", "a=x b=1"), error);
  EXPECT_EQ(RunPipeline("| logfmt | b = `1` or (b = `2` and a > 1)", "a=x b=1"), "{a=x, b=1}");
  EXPECT_EQ(RunPipeline("| logfmt | b = `2` and a > 1", "a=x b=1"), "dropped");
}

TEST(LabelFilter, IpFindsAddressesInTheValue) {
  EXPECT_TRUE(Passes("a=ip(`10.0.0.1`)", "a=\"10.0.0.2, 10.0.0.1\""));
  EXPECT_FALSE(Passes("a!=ip(`10.0.0.1`)", "a=10.0.0.1"));
  EXPECT_TRUE(Passes("a!=ip(`10.0.0.1`)", "a=notanip"));
  EXPECT_FALSE(Passes("a!=ip(`10.0.0.1`)", "b=1"));
  EXPECT_EQ(RunPipeline("| a=ip(`10.0.0.300`)", ""),
            "error: parse error : stage '| a=ip(\"10.0.0.300\")' : ip: invalid pattern: \"10.0.0.300\"");
}

TEST(LabelFilter, AndOrAndComma) {
  EXPECT_TRUE(Passes("a=`1` and b=`1` or c=`1`", "c=1"));
  EXPECT_FALSE(Passes("a=`1`, b=`1` or c=`1`", "c=1"));
  EXPECT_TRUE(Passes("a=`1`, b=`1` or c=`1`", "a=1 c=1"));
  EXPECT_TRUE(Passes("(a=`1` or b=`1`) and c=`1`", "b=1 c=1"));
  EXPECT_FALSE(Passes("(a=`1` or b=`1`) and c=`1`", "b=1"));
  // The right side of `or` is not looked at when the left one holds: no error from it.
  EXPECT_EQ(RunPipeline("| logfmt | a=`1` or b > 1", "a=1 b=x"), "{a=1, b=x}");
}

TEST(LabelFilter, LongChainsDoNotRecurse) {
  std::string filter = "a=`1`";
  for (int i = 0; i < 500; ++i) filter += " or a=`" + std::to_string(i) + "`";
  EXPECT_TRUE(Passes(filter, "a=499"));
  EXPECT_FALSE(Passes(filter, "a=500"));
}

}  // namespace
}  // namespace varve::logql
