#include "tools/query_answer.h"

#include <gtest/gtest.h>

#include <cmath>

namespace varve {
namespace {

TEST(QueryAnswer, ReadsStreams) {
  auto result = ParseQueryAnswer(R"({"status":"success","data":{"resultType":"streams","result":[
    {"stream":{"job":"a","app":"b"},"values":[["1793514600000000001","x \"y\""],["2","z",{}]]}],"stats":{}},
    "warnings":["slow"]})");
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  const auto& streams = std::get<Streams>(result->data).streams;
  ASSERT_EQ(1u, streams.size());
  EXPECT_EQ((LabelPairs{{"app", "b"}, {"job", "a"}}), streams[0].labels);
  ASSERT_EQ(2u, streams[0].entries.size());
  EXPECT_EQ(1793514600000000001, streams[0].entries[0].ts_ns);
  EXPECT_EQ("x \"y\"", streams[0].entries[0].line);
  EXPECT_EQ(std::vector<std::string>{"slow"}, result->warnings);
}

TEST(QueryAnswer, ReadsNumbers) {
  auto vector = ParseQueryAnswer(R"({"data":{"resultType":"vector","result":[
    {"metric":{"ip":"1.2.3.4"},"value":[1793514600.5,"12"]},{"metric":{},"value":[1,"+Inf"]}]}})");
  ASSERT_TRUE(vector.ok()) << vector.status().ToString();
  const auto& series = std::get<VectorResult>(vector->data).series;
  EXPECT_EQ(1793514600500, series[0].points[0].t_ms);
  EXPECT_EQ(12, series[0].points[0].value);
  EXPECT_TRUE(std::isinf(series[1].points[0].value));

  auto matrix = ParseQueryAnswer(R"({"data":{"resultType":"matrix","result":[
    {"metric":{},"values":[[1,"0.5"],[2,"NaN"]]}]}})");
  ASSERT_TRUE(matrix.ok());
  EXPECT_EQ(2u, std::get<MatrixResult>(matrix->data).series[0].points.size());

  auto scalar = ParseQueryAnswer(R"({"data":{"resultType":"scalar","result":[4,"2"]}})");
  ASSERT_TRUE(scalar.ok());
  EXPECT_EQ(2, std::get<ScalarResult>(scalar->data).value);
}

TEST(QueryAnswer, RefusesWhatTheApiDoesNotPromise) {
  for (const char* json : {
           "",
           "<html>",
           "{}",
           R"({"data":{}})",
           R"({"data":{"resultType":"string","result":[]}})",
           R"({"data":{"resultType":"streams","result":{}}})",
           R"({"data":{"resultType":"streams","result":[{"stream":{}}]}})",
           R"({"data":{"resultType":"streams","result":[{"stream":{},"values":[["x","y"]]}]}})",
           R"({"data":{"resultType":"streams","result":[{"stream":{"a":1},"values":[]}]}})",
           R"({"data":{"resultType":"vector","result":[{"metric":{}}]}})",
           R"({"data":{"resultType":"vector","result":[{"metric":{},"value":[1,2]}]}})",
           R"({"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}})",
           R"({"data":{"resultType":"matrix","result":[{"metric":{},"values":[[1e300,"1"]]}]}})",
       }) {
    auto result = ParseQueryAnswer(json);
    EXPECT_EQ(Code::kCorruption, result.status().code()) << json;
  }
}

TEST(QueryAnswer, ReadsLists) {
  EXPECT_EQ((std::vector<std::string>{"a", "b"}),
            *ParseTextListAnswer(R"({"status":"success","data":["a","b"]})"));
  EXPECT_TRUE(ParseTextListAnswer(R"({"status":"success"})")->empty());
  EXPECT_TRUE(ParseTextListAnswer(R"({"data":null})")->empty());
  EXPECT_FALSE(ParseTextListAnswer(R"({"data":[1]})").ok());
  EXPECT_EQ((std::vector<LabelPairs>{{{"a", "1"}, {"b", "2"}}}),
            *ParseLabelSetsAnswer(R"({"data":[{"b":"2","a":"1"}]})"));
  EXPECT_FALSE(ParseLabelSetsAnswer(R"({"data":["a"]})").ok());
}

TEST(QueryAnswer, ReadsAMessageOfALiveTail) {
  const auto frame = ParseTailFrame(
      R"({"streams":[{"stream":{"b":"2","a":"1"},"values":[["5","line"],["6","next"]]}],)"
      R"("dropped_entries":[{"timestamp":"1","labels":{}}]})");
  ASSERT_TRUE(frame.ok());
  ASSERT_EQ(frame->streams.streams.size(), 1u);
  EXPECT_EQ(frame->streams.streams[0].labels, (LabelPairs{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(frame->streams.streams[0].entries[1].line, "next");
  EXPECT_EQ(frame->dropped, 1u);
  EXPECT_EQ(ParseTailFrame(R"({"streams":[],"dropped_entries":null})")->dropped, 0u);
  EXPECT_FALSE(ParseTailFrame("no").ok());
  EXPECT_FALSE(ParseTailFrame(R"({"streams":[{"stream":{},"values":[[5,"line"]]}]})").ok());
}

}  // namespace
}  // namespace varve
