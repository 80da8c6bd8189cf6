#include "http/loki_responses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ResultEntry Entry(int64_t ts_ns, std::string line, LabelPairs metadata = {}, LabelPairs parsed = {}) {
  return {ts_ns, std::move(line), std::move(metadata), std::move(parsed)};
}

QueryResult Of(decltype(QueryResult::data) data) {
  QueryResult result;
  result.data = std::move(data);
  return result;
}

// The answer up to the statistics.
std::string Head(const QueryResult& result, std::string_view flags = {}) {
  const std::string json = LokiQueryJson(result, EncodingFlags::Parse(flags));
  return json.substr(0, json.find(",\"stats\":"));
}

Streams TwoStreams() {
  Streams streams;
  streams.streams.push_back({{{"app", "x"}},
                             {Entry(30, "c", {{"level", "info"}}, {{"k", "<&>"}}), Entry(20, "b"),
                              Entry(10, "a", {{"level", "info"}}, {{"k", "<&>"}})}});
  streams.streams.push_back({{{"app", "y"}}, {Entry(25, "d", {}, {{"__error__", "JSONParserErr"}})}});
  return streams;
}

TEST(LokiQueryJson, PutsCategoriesInAThirdElementWhenAsked) {
  EXPECT_EQ(
      Head(Of(TwoStreams()), "categorize-labels"),
      R"({"status":"success","data":{"resultType":"streams","encodingFlags":["categorize-labels"],"result":[)"
      R"({"stream":{"app":"x"},"values":[)"
      R"(["30","c",{"structuredMetadata":{"level":"info"},"parsed":{"k":"\u003c\u0026\u003e"}}],)"
      R"(["20","b",{}],)"
      R"(["10","a",{"structuredMetadata":{"level":"info"},"parsed":{"k":"\u003c\u0026\u003e"}}]]},)"
      R"({"stream":{"app":"y"},"values":[["25","d",{"parsed":{"__error__":"JSONParserErr"}}]]}])");
}

TEST(LokiQueryJson, MergesCategoriesIntoTheStreamOtherwise) {
  EXPECT_EQ(
      Head(Of(TwoStreams())),
      R"({"status":"success","data":{"resultType":"streams","result":[)"
      R"({"stream":{"__error__":"JSONParserErr","app":"y"},"values":[["25","d"]]},)"
      R"({"stream":{"app":"x"},"values":[["20","b"]]},)"
      R"({"stream":{"app":"x","k":"\u003c\u0026\u003e","level":"info"},"values":[["30","c"],["10","a"]]}])");
}

TEST(LokiQueryJson, EchoesUnknownFlagsAsTheyCame) {
  EXPECT_THAT(Head(Of(Streams()), "nosuch, x"),
              HasSubstr(R"("resultType":"streams","encodingFlags":["nosuch"," x"],"result":[])"));
  EXPECT_THAT(Head(Of(TwoStreams()), "nosuch"), HasSubstr(R"(["20","b"])"));  // not categorised
}

TEST(LokiQueryJson, WritesMetrics) {
  MatrixResult matrix;
  matrix.series.push_back({{{"a", "1"}}, {{1500, 0.5}, {2000, 1e21}}});
  matrix.series.push_back({{}, {}});
  EXPECT_EQ(
      Head(Of(std::move(matrix)), "categorize-labels"),
      R"({"status":"success","data":{"resultType":"matrix","result":[)"
      R"({"metric":{"a":"1"},"values":[[1.5,"0.5"],[2,"1000000000000000000000"]]},{"metric":{},"values":[]}])");
  VectorResult vector;
  vector.series.push_back({{}, {{4000000000000, 2}}});
  EXPECT_EQ(
      Head(Of(std::move(vector))),
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[4000000000,"2"]}])");
  EXPECT_EQ(Head(Of(ScalarResult{1250, -0.5})),
            R"({"status":"success","data":{"resultType":"scalar","result":[1.25,"-0.5"])");
}

TEST(LokiQueryJson, PutsWarningsInFrontOfData) {
  QueryResult result = Of(VectorResult());
  result.warnings = {"partial \"x\""};
  EXPECT_THAT(
      LokiQueryJson(result, {}),
      StartsWith(
          R"({"status":"success","warnings":["partial \"x\""],"data":{"resultType":"vector","result":[])"));
}

TEST(LokiQueryJson, EndsWithTheStatisticsAndANewline) {
  QueryResult result = Of(Streams());
  result.stats.bytes_processed = 1000;
  result.stats.lines_processed = 10;
  result.stats.exec_seconds = 0.5;
  const std::string json = LokiQueryJson(result, {});
  EXPECT_THAT(json,
              HasSubstr(R"("stats":{"summary":{"bytesProcessedPerSecond":2000,"linesProcessedPerSecond":20,)"
                        R"("totalBytesProcessed":1000,"totalLinesProcessed":10,"execTime":0.5,)"));
  EXPECT_THAT(json, ::testing::EndsWith("}}}\n"));
  EXPECT_EQ(std::count(json.begin(), json.end(), '{'), std::count(json.begin(), json.end(), '}'));
}

TEST(EstimateJsonBytes, IsNotFarFromTheAnswer) {
  Streams streams;
  ResultStream& stream = streams.streams.emplace_back();
  for (int i = 0; i < 1000; ++i)
    stream.entries.push_back(Entry(1'793'491'200'000'000'000 + i, std::string(200, 'x')));
  const QueryResult result = Of(std::move(streams));
  const size_t actual = LokiQueryJson(result, {}).size();
  EXPECT_GE(EstimateJsonBytes(result), actual);
  EXPECT_LE(EstimateJsonBytes(result), 2 * actual);
}

TEST(MergeCategories, KeepsTimeOrderWhereStreamsMeet) {
  Streams streams;
  streams.streams.push_back(
      {{{"a", "1"}}, {Entry(30, "x", {}, {{"b", "2"}}), Entry(10, "z", {}, {{"b", "2"}})}});
  streams.streams.push_back({{{"a", "1"}, {"b", "2"}}, {Entry(20, "y")}});
  const std::vector<MergedStream> merged = MergeCategories(streams);
  ASSERT_EQ(merged.size(), 1U);
  std::vector<std::string> lines;
  for (const ResultEntry* entry : merged[0].entries) lines.push_back(entry->line);
  EXPECT_THAT(lines, ElementsAre("x", "y", "z"));
}

TEST(MergeCategories, LetsParsedLabelsWin) {
  Streams streams;
  streams.streams.push_back({{{"a", "stream"}}, {Entry(1, "x", {{"a", "meta"}}, {{"a", "parsed"}})}});
  EXPECT_EQ(MergeCategories(streams)[0].labels, (LabelPairs{{"a", "parsed"}}));
}

}  // namespace
}  // namespace varve
