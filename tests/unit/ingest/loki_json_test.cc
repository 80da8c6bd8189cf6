#include "ingest/loki_json.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

class LokiJson : public ::testing::Test {
 protected:
  Status Decode(std::string_view body, bool legacy = false) {
    decoded_.Clear();
    arena_.Reset(&memory_);
    return DecodeLokiJson(body, legacy, &decoded_, &arena_, &memory_);
  }

  MemoryBudget budget_{"test", 1 << 20};
  DecodeMemory memory_{&budget_, DecodeMemory::Mode::kMayRefuse};
  ByteArena arena_;
  DecodedPush decoded_;
};

TEST_F(LokiJson, CopiesOnlyStringsWithEscapes) {
  const std::string body =
      R"({"streams":[{"stream":{"a":"b"},"values":[["1","plain"],["2","tab\there",{"k\n":"v\""}]]}]})";
  ASSERT_TRUE(Decode(body).ok());
  ASSERT_EQ(decoded_.entries.size(), 2u);
  EXPECT_EQ(decoded_.entries[0].line.data(), body.data() + body.find("plain"));
  EXPECT_EQ(decoded_.entries[1].line, "tab\there");
  EXPECT_EQ(decoded_.pairs[0], MetadataPair("k\n", "v\""));
  EXPECT_EQ(decoded_.streams[0].form, LabelForm::kJson);
  EXPECT_EQ(decoded_.streams[0].labels, R"({"a":"b"})");
}

TEST_F(LokiJson, DecodesEveryEscape) {
  const std::string body =
      R"({"streams":[{"stream":{},"values":[["1","\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00"],["2","\ud800x\udc00\ud800\u0041"]]}]})";
  ASSERT_TRUE(Decode(body).ok());
  EXPECT_EQ(decoded_.entries[0].line, "\"\\/\b\f\n\r\tA\u00e9\u20AC\U0001F600");
  EXPECT_EQ(decoded_.entries[1].line,
            "\uFFFDx\uFFFD\uFFFD"
            "A");  // lone surrogates
}

TEST_F(LokiJson, FindsTheEndOfLongStrings) {
  for (size_t size = 0; size < 70; ++size) {
    const std::string line(size, 'x');
    const std::string body = R"({"streams":[{"values":[["1",")" + line + R"("],["2",")" + line + R"(\n"]]}]})";
    ASSERT_TRUE(Decode(body).ok());
    EXPECT_EQ(decoded_.entries[0].line, line);
    EXPECT_EQ(decoded_.entries[1].line, line + "\n");
  }
}

TEST_F(LokiJson, MatchesTheStreamsKeyWithoutCase) {
  ASSERT_TRUE(Decode(R"({"Streams":[{"stream":{},"values":[["1","x"]]}]})").ok());
  EXPECT_EQ(decoded_.entries.size(), 1u);
}

TEST_F(LokiJson, BoundsTheDepthOfWhatItSkips) {
  const auto nested = [](int depth) {
    return R"({"x":)" + std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']') + "}";
  };
  EXPECT_TRUE(Decode(nested(1024)).ok());
  EXPECT_EQ(Decode(nested(1025)).code(), Code::kInvalidArgument);
  EXPECT_EQ(Decode(R"({"x":)" + std::string(100'000, '[')).code(), Code::kInvalidArgument);
}

TEST_F(LokiJson, SkipsOnlyWhatIsJson) {
  for (const char* value : {"1", "-1.5e3", "true", "null", "\"a\\\"b\"", "[]", "{}", R"([1,{"a":[]},"b"])",
                            R"({"a":{},"b":[{}]})"}) {
    EXPECT_TRUE(Decode(R"({"x":)" + std::string(value) + "}").ok()) << value;
  }
  for (const char* value :
       {"nope", "", "[1,]", "{\"a\"}", "{\"a\":1,}", "[1 2]", "{]", "[}", "\"a", "[\"a\":1]", "'a'"}) {
    EXPECT_FALSE(Decode(R"({"x":)" + std::string(value) + "}").ok()) << value;
  }
}

TEST_F(LokiJson, CutShortAnywhereIsAnError) {
  const std::string body = R"({"streams":[{"stream":{"a":"b\n"},"values":[["1","x",{"k":"v"}]]}],"z":[1]})";
  ASSERT_TRUE(Decode(body).ok());
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_EQ(Decode(body.substr(0, size)).code(), Code::kInvalidArgument) << size;
  }
}

TEST_F(LokiJson, TakesTheLastOfEqualLabelNames) {
  const Result<std::vector<Label>> labels = ParseJsonLabels(R"({"b":"1","a":"2","b":"3","a":"4"})", &arena_);
  ASSERT_TRUE(labels.ok());
  EXPECT_EQ(*labels, (std::vector<Label>{{"a", "4"}, {"b", "3"}}));
}

TEST(Rfc3339, ReadsTimesWithZonesAndFractions) {
  struct Case {
    const char* text;
    int64_t ns;
  };
  for (const Case& c : {Case{"1970-01-01T00:00:00Z", 0},
                        {"1970-01-01T00:00:00.000000001Z", 1},
                        {"1970-01-01T01:00:00.5+01:00", 500'000'000},
                        {"1969-12-31T23:59:59.9Z", -100'000'000},
                        {"2026-11-01T00:00:00Z", 1'793'491'200'000'000'000},
                        {"2024-02-29T12:00:00-05:30", 1'709'227'800'000'000'000},
                        {"2000-01-01T00:00:00.1234567899Z", 946'684'800'123'456'789}}) {
    int64_t ns = -7;
    EXPECT_TRUE(ParseRfc3339(c.text, &ns)) << c.text;
    EXPECT_EQ(ns, c.ns) << c.text;
  }
  for (const char* bad : {"", "2026", "2026-11-01", "2026-11-01T00:00:00", "2026-13-01T00:00:00Z",
                          "2023-02-29T00:00:00Z", "2026-11-01T24:00:00Z", "2026-11-01T00:60:00Z",
                          "2026-11-01T00:00:00.Z", "2026-11-01 00:00:00Z", "2026-11-01T00:00:00Zx",
                          "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "2026-11-01T00:00:00+1:00"}) {
    int64_t ns = 0;
    EXPECT_FALSE(ParseRfc3339(bad, &ns)) << bad;
  }
}

}  // namespace
}  // namespace varve
