#include "ingest/metric_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/metric_ingest.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::MetricIngest;

struct Outcome {
  int status;
  std::string message;
  std::string stored;
};

Outcome Import(MetricWire wire, std::string_view body, std::string_view type = {}) {
  MetricIngest ingest;
  const MetricWriteOutcome outcome = ingest.Write(wire, body, type, "");
  EXPECT_EQ(ingest.Replayed(), ingest.Stored());
  return {outcome.http_status, outcome.message, ingest.Stored()};
}
Outcome Json(std::string_view body) { return Import(MetricWire::kImportJson, body); }
Outcome Text(std::string_view body, std::string_view type = "text/plain") {
  return Import(MetricWire::kImportOpenMetrics, body, type);
}
Outcome OpenMetrics(std::string_view body) {
  return Text(body, "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

TEST(ImportJson, TakesASeriesALine) {
  const Outcome outcome = Json(
      "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"values\":[1,null,\"NaN\",\"-Infinity\",\"StaleNaN\",2.5e3],"
      "\"timestamps\":[1000,2000,3000,4000,5000,6000]}\n"
      "\n"
      "{\"timestamps\":[1],\"extra\":{\"x\":[]},\"values\":[7],\"metric\":{\"__name__\":\"b\\u00fc\"}}\r\n");
  EXPECT_EQ(outcome.status, 204) << outcome.message;
  EXPECT_EQ(outcome.stored,
            "{\"bü\"} 1=7\n"
            "up{job=\"a\"} 1000=1 2000=NaN:7ff8000000000001 3000=NaN:7ff8000000000001 4000=-inf "
            "5000=NaN:7ff0000000000002 6000=2500\n");
}

TEST(ImportJson, NamesTheLineThatCannotBeReadAndStoresTheOthers) {
  struct Case {
    const char* line;
    const char* text;
  };
  const Case cases[] = {
      {R"({"metric":{"__name__":"x"},"values":[1,2],"timestamps":[1]})", "line 2: 2 values and 1 timestamps\n"},
      {R"({"metric":{"__name__":"x"},"values":["one"],"timestamps":[1]})", "line 2: "},
      {R"({"metric":{"__name__":"x"},"values":[1],"timestamps":[1.5]})", "line 2: "},
      {R"({"values":[1],"timestamps":[1]})", "line 2: there is no metric\n"},
      {R"({"metric":{"__name__":"x"},"values":[1],"timestamps":[1]} x)", "line 2: "},
      {R"({"metric":)", "line 2: "},
      {"nonsense", "line 2: "},
  };
  const std::string good = R"({"metric":{"__name__":"good"},"values":[1],"timestamps":[1]})";
  for (const Case& c : cases) {
    SCOPED_TRACE(c.line);
    const Outcome outcome = Json(good + "\n" + c.line + "\n" + R"({"metric":{"__name__":"too"},"values":[1],"timestamps":[1]})");
    EXPECT_EQ(outcome.status, 400);
    EXPECT_THAT(outcome.message, HasSubstr(c.text));
    EXPECT_EQ(outcome.stored, "good 1=1\ntoo 1=1\n");
  }
}

TEST(ImportText, TakesPrometheusTextWithMilliseconds) {
  const Outcome outcome = Text(
      "# HELP http_total Requests,\\n\\\\ all of them.\n"
      "# TYPE http_total counter\n"
      "http_total{code=\"200\",path=\"a\\\"b\\\\c\\nd\"} 1027 1395066363000\n"
      "http_total { code = \"400\" , } 3 1395066363000\n"
      "# a comment\n"
      "\n"
      "now 1\n"
      "{\"with.dots\",\"a b\"=\"c\"} +Inf 5\r\n");
  EXPECT_EQ(outcome.status, 204) << outcome.message;
  EXPECT_EQ(outcome.stored,
            "http_total{code=\"200\", path=\"a\\\"b\\\\c\\nd\"} 1395066363000=1027\n"
            "http_total{code=\"400\"} 1395066363000=3\n"
            "now 1795000000000=1\n"
            "{\"with.dots\", \"a b\"=\"c\"} 5=inf\n"
            "metadata http_total counter  Requests,\n\\ all of them.\n");
}

TEST(ImportText, TakesOpenMetricsWithExemplarsAndCreationTimes) {
  const std::string body =
      "# TYPE rpc histogram\n"
      "# UNIT rpc seconds\n"
      "# HELP rpc Calls.\n"
      "rpc_bucket{job=\"a\",le=\"1\"} 2 1700000000.5 # {trace_id=\"t\"} 0.25 1700000000.25\n"
      "rpc_bucket{job=\"a\",le=\"+Inf\"} 3 1700000000.5\n"
      "rpc_count{job=\"a\"} 3 1700000000.5\n"
      "rpc_created{job=\"a\"} 1600000000\n"
      "rpc_sum{job=\"a\"} 1 1700000000.5\n"
      "rpc_count{job=\"b\"} 9 1700000000.5\n"
      "# TYPE other gauge\n"
      "other_created 5 1700000000\n"
      "# EOF\n"
      "after 1\n";
  const std::string stored =
      "other_created 1700000000000=5\n"
      "rpc_bucket{job=\"a\", le=\"+Inf\"} 1700000000500=3<1600000000000\n"
      "rpc_bucket{job=\"a\", le=\"1\"} 1700000000500=2<1600000000000\n"
      "rpc_count{job=\"a\"} 1700000000500=3<1600000000000\n"
      "rpc_count{job=\"b\"} 1700000000500=9\n"
      "rpc_sum{job=\"a\"} 1700000000500=1<1600000000000\n"
      "exemplar rpc_bucket{job=\"a\", le=\"1\"} {trace_id=\"t\"} 1700000000250=0.25\n"
      "metadata other gauge  \n"
      "metadata rpc histogram seconds Calls.\n";
  const Outcome outcome = OpenMetrics(body);
  EXPECT_EQ(outcome.status, 204) << outcome.message;
  EXPECT_EQ(outcome.stored, stored);
  // Without a type, a last line of # EOF says what it is.
  EXPECT_EQ(Text(body.substr(0, body.find("after")), "").stored, stored);
}

TEST(ImportText, PutsSamplesOfOneSeriesTogether) {
  EXPECT_EQ(OpenMetrics("a 1 1\na 2 2\na 3 3\nb 1 1\na 4 4\n").stored, "a 1000=1 2000=2 3000=3 4000=4\nb 1000=1\n");
}

TEST(ImportText, NamesTheLineThatCannotBeReadAndStoresTheOthers) {
  struct Case {
    const char* line;
    const char* text;
  };
  const Case cases[] = {
      {"x", "line 2: \"\" is no value\n"},
      {"x one", "line 2: \"one\" is no value\n"},
      {"x 1 soon", "line 2: \"soon\" is no time\n"},
      {"x 1 2 3", "line 2: expected the end of the line\n"},
      {"x{a} 1", "line 2: expected = behind the name of a label\n"},
      {"x{a=b} 1", "line 2: expected the value of a label in quotes\n"},
      {"x{a=\"b} 1", "line 2: a string does not end\n"},
      {"x{a=\"b\" c=\"d\"} 1", "line 2: expected , or } behind a label\n"},
      {"{a=\"b\"} 1", "line 2: expected the name of a metric\n"},
      {"1x 1", "line 2: expected the name of a metric\n"},
      {"x{a=\"1\",a=\"2\"} 1", "duplicated label a\n"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.line);
    const Outcome outcome = Text(std::string("good 1 1\n") + c.line + "\ntoo 1 1\n");
    EXPECT_EQ(outcome.status, 400);
    EXPECT_THAT(outcome.message, HasSubstr(c.text));
    EXPECT_EQ(outcome.stored, "good 1=1\ntoo 1=1\n");
  }
}

TEST(ImportedNumbers, AreGoFloats) {
  double value = 0;
  for (const char* text : {"", "+", "-", "x", "1x", "0x1", "--1", "+-1", "infinit", "1e999", " 1"}) {
    EXPECT_FALSE(ParseImportedNumber(text, &value)) << text;
  }
  EXPECT_TRUE(ParseImportedNumber("-0", &value) && std::signbit(value));
  EXPECT_TRUE(ParseImportedNumber("+1.5e-3", &value) && value == 0.0015);
  EXPECT_TRUE(ParseImportedNumber("nAn", &value) && std::bit_cast<uint64_t>(value) == kNormalNanBits);
  EXPECT_TRUE(ParseImportedNumber("-inf", &value) && value == -INFINITY);
  EXPECT_TRUE(ParseImportedNumber("1e-999", &value) && value == 0);
}

}  // namespace
}  // namespace varve
