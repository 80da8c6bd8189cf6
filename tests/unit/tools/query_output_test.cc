#include "tools/query_output.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace varve {
namespace {

constexpr int64_t kT = 1'793'514'600'000'000'000;  // 2026-11-01T06:30:00Z

class QueryOutput : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }

  static QueryResult Logs() {
    Streams streams;
    streams.streams.push_back({{{"detected_level", "error"}, {"job", "a"}},
                               {{kT + 3, "three, \"3\"", {}, {}}, {kT + 1, "one\r", {}, {}}}});
    streams.streams.push_back({{{"detected_level", "info"}, {"job", "a"}}, {{kT + 2, "two\x1b[2J", {}, {}}}});
    QueryResult result;
    result.data = std::move(streams);
    return result;
  }
  static QueryResult Vector() {
    QueryResult result;
    result.data = VectorResult{
        {{{{"ip", "1.2.3.4"}}, {{1000, 12}}}, {{{"host", "h"}, {"ip", "10.0.0.1"}}, {{1000, 0.5}}}}};
    return result;
  }
  static QueryResult Matrix() {
    QueryResult result;
    result.data = MatrixResult{{{{{"a", "x"}}, {{1000, 1}, {2000, 2}}}, {{{"a", "y"}}, {{2000, 30}}}}};
    return result;
  }
  static QueryResult Scalar() {
    QueryResult result;
    result.data = ScalarResult{1500, 2};
    return result;
  }
};

TEST_F(QueryOutput, GivesAPipeTheBareLines) {
  EXPECT_EQ("three, \"3\"\ntwo\x1b[2J\none\r\n", FormatQueryResult(Logs(), {}));
  OutputOptions forward;
  forward.direction = Direction::kForward;
  EXPECT_EQ("one\r\ntwo\x1b[2J\nthree, \"3\"\n", FormatQueryResult(Logs(), forward));
}

TEST_F(QueryOutput, GivesATerminalTimeLabelsAndHarmlessLines) {
  OutputOptions options;
  options.terminal = true;
  options.width = 100;
  EXPECT_EQ(
      "all lines: {job=\"a\"}\n"
      "2026-11-01 06:30:00.000  {detected_level=\"error\"}  three, \"3\"\n"
      "2026-11-01 06:30:00.000  {detected_level=\"info\"}   two\\x1b[2J\n"
      "2026-11-01 06:30:00.000  {detected_level=\"error\"}  one\n",
      FormatQueryResult(Logs(), options));
  options.style.colour = true;
  EXPECT_NE(std::string::npos, FormatQueryResult(Logs(), options).find("\x1b[31mone\x1b[0m"));
}

TEST_F(QueryOutput, WritesJsonLines) {
  OutputOptions json;
  json.format = OutputFormat::kJson;
  EXPECT_TRUE(
      FormatQueryResult(Logs(), json)
          .starts_with(
              R"({"ts":"1793514600000000003","labels":{"detected_level":"error","job":"a"},"line":"three, \"3\""})"
              "\n"));
  EXPECT_EQ(R"({"labels":{"ip":"1.2.3.4"},"t":1,"value":"12"})"
            "\n"
            R"({"labels":{"host":"h","ip":"10.0.0.1"},"t":1,"value":"0.5"})"
            "\n",
            FormatQueryResult(Vector(), json));
  EXPECT_EQ(R"({"labels":{"a":"x"},"values":[[1,"1"],[2,"2"]]})"
            "\n"
            R"({"labels":{"a":"y"},"values":[[2,"30"]]})"
            "\n",
            FormatQueryResult(Matrix(), json));
  EXPECT_EQ("{\"t\":1.5,\"value\":\"2\"}\n", FormatQueryResult(Scalar(), json));
}

TEST_F(QueryOutput, WritesCsv) {
  OutputOptions csv;
  csv.format = OutputFormat::kCsv;
  EXPECT_TRUE(FormatQueryResult(Logs(), csv)
                  .starts_with("time,labels,line\n2026-11-01T06:30:00.000000003Z,\"{detected_level="
                               "\"\"error\"\", job=\"\"a\"\"}\",\"three, \"\"3\"\"\"\n"));
  EXPECT_EQ(
      "time,host,ip,value\n1970-01-01T00:00:01.000000000Z,,1.2.3.4,12\n1970-01-01T00:00:01.000000000Z,h,10.0."
      "0.1,0.5\n",
      FormatQueryResult(Vector(), csv));
  EXPECT_EQ("time,value\n1970-01-01T00:00:01.500000000Z,2\n", FormatQueryResult(Scalar(), csv));
}

TEST_F(QueryOutput, AlignsTablesOnATerminal) {
  OutputOptions options;
  options.terminal = true;
  EXPECT_EQ(
      "host  ip        value\n"
      "      1.2.3.4      12\n"
      "h     10.0.0.1    0.5\n",
      FormatQueryResult(Vector(), options));
  EXPECT_EQ(
      "time                     {a=\"x\"}  {a=\"y\"}\n"
      "1970-01-01 00:00:01.000        1\n"
      "1970-01-01 00:00:02.000        2       30\n",
      FormatQueryResult(Matrix(), options));
  options.width = 40;  // too narrow for a column a series
  EXPECT_EQ(
      "time                     series   value\n"
      "1970-01-01 00:00:01.000  {a=\"x\"}      1\n"
      "1970-01-01 00:00:02.000  {a=\"x\"}      2\n"
      "1970-01-01 00:00:02.000  {a=\"y\"}     30\n",
      FormatQueryResult(Matrix(), options));
  EXPECT_EQ("2\n", FormatQueryResult(Scalar(), options));
}

TEST_F(QueryOutput, GivesAPipeNumbersWithTheirLabels) {
  EXPECT_EQ("{ip=\"1.2.3.4\"} 12\n{host=\"h\", ip=\"10.0.0.1\"} 0.5\n", FormatQueryResult(Vector(), {}));
  EXPECT_EQ(
      "1970-01-01T00:00:01.000000000Z {a=\"x\"} 1\n"
      "1970-01-01T00:00:02.000000000Z {a=\"x\"} 2\n"
      "1970-01-01T00:00:02.000000000Z {a=\"y\"} 30\n",
      FormatQueryResult(Matrix(), {}));
}

}  // namespace
}  // namespace varve
