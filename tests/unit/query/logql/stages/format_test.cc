// line_format, label_format, drop, keep, decolorize, unwrap.
#include <gtest/gtest.h>

#include "query/logql/stages/decolorize.h"
#include "query/logql/stages/unwrap.h"
#include "tests/support/pipeline_case.h"

namespace varve::logql {
namespace {

struct Case {
  const char* stages;
  const char* line;
  const char* result;
};

void Check(const std::vector<Case>& cases, const PipelineCase& in = {}) {
  for (const Case& c : cases)
    EXPECT_EQ(RunPipeline(c.stages, c.line, in), c.result) << c.stages << " on " << c.line;
}

TEST(LineFormat, ReplacesTheLine) {
  Check({
      {"| logfmt | line_format `{{.a}}-{{.zz}}`", "a=1 b=hello", "1- {a=1, b=hello}"},
      {"| line_format `{{.app}}: {{ __line__ }}`", "x", "q: x {}"},
      {"| logfmt | line_format `{{- .a -}}   x   {{- .b -}}`", "a=1 b=2", "1x2 {a=1, b=2}"},
      {"| line_format `{{/* nothing */}}x`", "y", "x {}"},
      {"| logfmt | line_format `{{.a}}` |= `1`", "a=1", "1 {a=1}"},
      {"| logfmt | line_format `{{.a}}` |= `a`", "a=1", "dropped"},
      {"| line_format ``", "x", " {}"},
      {"| json | line_format `{{.__error__}}`", "x",
       "JSONParserErr {__error__=JSONParserErr, __error_details__=Value looks like object, but can't find "
       "closing '}' "
       "symbol}"},
  });
}

TEST(LabelFormat, RenamesAndRendersFromOneSnapshot) {
  Check({
      {"| logfmt | label_format c=a", "a=1 b=hello", "{b=hello, c=1}"},
      {"| logfmt | label_format a=`{{.b}}`, b=`{{.a}}`", "a=1 b=hello", "{a=hello, b=1}"},
      {"| logfmt | label_format q=nope", "a=1", "{a=1}"},
      {"| logfmt | label_format a=a", "a=1 b=2", "{b=2}"},
      {"| logfmt | label_format n=`const`, m=`{{.n}}`", "a=1", "{a=1, m=, n=const}"},
      {"| logfmt | label_format c=a, m=`{{.c}}{{.a}}`", "a=1", "{c=1, m=1}"},
      {"| logfmt | label_format m=`{{.c}}`, c=a", "a=1", "{c=1, m=}"},
      {"| label_format app=`x{{.app}}`", "", "{app=xq}"},
      {"| label_format other=app", "", "{-app=, stream:other=q}"},
      {"| label_format a=x, a=y", "",
       "error: parse error : stage '| label_format a=x,a=y' : multiple label name 'a' not allowed in a "
       "single format "
       "operation"},
      {"| label_format a=`{{.id`", "",
       "error: parse error : stage '| label_format a=\"{{.id\"' : invalid template for label 'a': template: "
       "label:1: "
       "unclosed action"},
  });
  EXPECT_NE(RunPipeline("| label_format __error__=`x`", "").find("__error__ cannot be formatted"),
            std::string::npos);
}

TEST(DropKeep, RemoveLabelsOfEveryCategory) {
  PipelineCase in;
  in.metadata = {{"trace", "t"}};
  Check({{"| logfmt | drop a, app, trace", "a=1 b=2", "{-app=, b=2}"},
         {"| logfmt | drop a=`1`, b=`nope`", "a=1 b=2", "{b=2, sm:trace=t}"},
         {"| logfmt | drop missing=``", "a=1", "{a=1, sm:trace=t}"},
         {"| logfmt | keep a", "a=1 b=2", "{-app=, a=1}"},
         {"| logfmt | keep a=`2`", "a=1 b=2", "{-app=}"},
         {"| logfmt | keep app, a=~`1`, b!=`2`", "a=1 b=2", "{a=1}"},
         {"| keep trace", "", "{-app=, sm:trace=t}"}},
        in);
}

TEST(DropKeep, TreatErrorsApart) {
  constexpr char kError[] = "Value looks like object, but can't find closing '}' symbol";
  const std::string details = std::string("__error_details__=") + kError;
  EXPECT_EQ(RunPipeline("| json | drop __error__", "x"), "{" + details + "}");
  EXPECT_EQ(RunPipeline("| json | drop __error__, __error_details__", "x"), "{}");
  EXPECT_EQ(RunPipeline("| json | drop __error__=`Other`", "x"),
            "{__error__=JSONParserErr, " + details + "}");
  EXPECT_EQ(RunPipeline("| json | drop __error__=~`JSON.*`", "x"), "{" + details + "}");
  EXPECT_EQ(RunPipeline("| json | keep app", "x"), "{__error__=JSONParserErr, " + details + "}");
  EXPECT_EQ(RunPipeline("| json | keep app", R"({"__error__":"injected"})"), "{__error__=injected}");
}

TEST(Decolorize, TakesOutEscapeSequences) {
  const struct {
    const char* line;
    const char* result;
  } kCases[] = {{"\x1B[31mred\x1B[0m", "red"},
                {"\x1B[1;31;40mx\x1B[K", "x"},
                {"\x1B[38;5;196mx", "x"},
                {"\x1B]0;title\ax", "x"},
                {"\xC2\x9B"
                 "31mx",
                 "x"},
                {"plain", "plain"},
                {"bell\a", "bell\a"},
                {"\x1B", "\x1B"},
                {"\x1B[", "\x1B["},
                {"\x1B[?25lx", "x"},
                {"a\x1B[12", "a"},
                {"\xC2\xA0x", "\xC2\xA0x"}};
  for (const auto& c : kCases) {
    Row row;
    row.line = c.line;
    DecolorizeStage().Apply(&row);
    EXPECT_EQ(row.line, c.result) << c.line;
  }
}

TEST(Decolorize, StandsBetweenLineFilters) {
  EXPECT_EQ(RunPipeline("| decolorize |= `red`", "\x1B[31mre\x1B[0md"), "red {}");
  EXPECT_EQ(RunPipeline("|= `red` | decolorize", "\x1B[31mre\x1B[0md"), "dropped");
}

struct Sample {
  bool kept = false;
  double value = 0;
  std::string row;
};

Sample RunUnwrap(const std::string& query, const std::string& line, const LabelNeeds& needs = {}) {
  Sample sample;
  const auto expr = ParseExpr("sum_over_time({app=\"q\"} " + query + " [1m])");
  EXPECT_TRUE(expr.ok()) << expr.status().message();
  const LogRange& range = std::get<RangeAggregation>((*expr)->node).range;
  const auto pipeline = Pipeline::Compile(range.selector.stages, range.unwrap, needs);
  EXPECT_TRUE(pipeline.ok()) << pipeline.status().message();
  const Labels stream = Labels::FromUnsorted({{"app", "q"}});
  PipelineRunner runner(**pipeline);
  runner.SetStream(stream);
  sample.kept = runner.Process(0, line, {});
  if (!sample.kept) return sample;
  sample.value = runner.value();
  sample.row = ShowRow(runner, line, stream);
  return sample;
}

TEST(Unwrap, ConvertsAndRemovesTheLabel) {
  EXPECT_EQ(RunUnwrap("| logfmt | unwrap v", "v=1.5 w=2").value, 1.5);
  EXPECT_EQ(RunUnwrap("| logfmt | unwrap v", "v=1.5 w=2").row, "{w=2}");
  EXPECT_EQ(RunUnwrap("| logfmt | unwrap duration(v)", "v=1m30.5s").value, 90.5);
  EXPECT_EQ(RunUnwrap("| logfmt | unwrap duration_seconds(v)", "v=250ms").value, 0.25);
  EXPECT_EQ(RunUnwrap("| logfmt | unwrap bytes(v)", "v=1KiB").value, 1024);
}

TEST(Unwrap, SkipsRowsWithoutAValue) {
  EXPECT_FALSE(RunUnwrap("| logfmt | unwrap v", "w=2").kept);
  EXPECT_FALSE(RunUnwrap("| logfmt --keep-empty | unwrap v", "v=").kept);
}

TEST(Unwrap, BadValuesAreErrorsThatPostFiltersMaySkip) {
  EXPECT_EQ(RunUnwrap("| logfmt | unwrap v", "v=abc").row,
            "{__error__=SampleExtractionErr, __error_details__=strconv.ParseFloat: parsing \"abc\": invalid "
            "syntax}");
  EXPECT_FALSE(RunUnwrap("| logfmt | unwrap v | __error__=``", "v=abc").kept);
  EXPECT_TRUE(RunUnwrap("| logfmt | unwrap v | __error__=``", "v=1").kept);
  EXPECT_FALSE(RunUnwrap("| logfmt | unwrap v | v > 1", "v=1").kept);  // still sees the label
}

TEST(Unwrap, TheLabelStaysWhenItIsGroupedBy) {
  const LabelNeeds by_v = {.all = false, .names = {"v"}};
  EXPECT_EQ(RunUnwrap("| logfmt | unwrap v", "v=1 w=2", by_v).row, "{v=1}");
  const LabelNeeds by_w = {.all = false, .names = {"w"}};
  EXPECT_EQ(RunUnwrap("| logfmt | unwrap v", "v=1 w=2 x=3", by_w).row, "{w=2}");
}

}  // namespace
}  // namespace varve::logql
