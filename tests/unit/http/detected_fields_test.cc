#include "http/detected_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;

ResultEntry Line(std::string line, LabelPairs metadata = {}, LabelPairs parsed = {}) {
  return {0, std::move(line), std::move(metadata), std::move(parsed)};
}

TEST(DetectFieldType, TakesTheNarrowest) {
  struct Case {
    const char* value;
    FieldType type;
  };
  const Case cases[] = {{"1", FieldType::kInt},
                        {"-1", FieldType::kInt},
                        {"+7", FieldType::kInt},
                        {"1.5", FieldType::kFloat},
                        {"1e3", FieldType::kFloat},
                        {"NaN", FieldType::kFloat},
                        {"12345678901234567890", FieldType::kFloat},
                        {"true", FieldType::kBoolean},
                        {"1s", FieldType::kDuration},
                        {"10ms", FieldType::kDuration},
                        {"1KB", FieldType::kBytes},
                        {"5MB", FieldType::kBytes},
                        {"0x1", FieldType::kString},
                        {"2026-11-01", FieldType::kString},
                        {"", FieldType::kString},
                        {"n/a", FieldType::kString}};
  for (const Case& c : cases) EXPECT_EQ(DetectFieldType(c.value), c.type) << c.value;
}

TEST(FieldDetector, ReadsJsonWithItsPaths) {
  FieldDetector detector(1000);
  detector.Add(
      {}, Line(R"({"a":{"b c":"x","n":1.50},"ok":true,"none":null,"list":[1],"a":2,"s":"q\"x"} trailing)"));
  const auto& fields = detector.fields();
  EXPECT_THAT(fields, ElementsAre(Key("a"), Key("a_b_c"), Key("a_n"), Key("ok"), Key("s")));
  EXPECT_THAT(fields.at("a_b_c").json_path, ElementsAre("a", "b c"));
  EXPECT_THAT(fields.at("a_b_c").parsers, ElementsAre("json"));
  EXPECT_THAT(fields.at("a_n").values, ElementsAre("1.50"));
  EXPECT_THAT(fields.at("s").values, ElementsAre("q\"x"));
  EXPECT_EQ(fields.at("ok").type, FieldType::kBoolean);
}

TEST(FieldDetector, ReadsLogfmtWhereThereIsNoJson) {
  FieldDetector detector(1000);
  detector.Add({}, Line(R"(level=info msg="two words" empty= bare took=1.5s)"));
  EXPECT_THAT(detector.fields(), ElementsAre(Key("level"), Key("msg"), Key("took")));
  EXPECT_THAT(detector.fields().at("msg").parsers, ElementsAre("logfmt"));
  EXPECT_THAT(detector.fields().at("msg").json_path, IsEmpty());
}

TEST(FieldDetector, ShowsMetadataWithoutAParser) {
  FieldDetector detector(1000);
  detector.Add({}, Line("plain text", {{"trace_id", "t"}}));
  detector.Add({}, Line("trace_id=u", {}));
  EXPECT_THAT(detector.fields(), ElementsAre(Key("trace_id")));
  EXPECT_THAT(detector.fields().at("trace_id").parsers, ElementsAre("logfmt"));  // some line has it too
  EXPECT_THAT(detector.fields().at("trace_id").values, ElementsAre("t", "u"));
}

TEST(FieldDetector, RenamesWhatTheStreamHasAlready) {
  FieldDetector detector(1000);
  detector.Add({{"app", "x"}}, Line("app=y"));
  EXPECT_THAT(detector.fields(), ElementsAre(Key("app_extracted")));
}

TEST(FieldDetector, WidensTypes) {
  FieldDetector detector(1000);
  for (const char* line : {"n=1 size=12KB d=1s", "n=2.5 size=1.5MiB d=n/a", "n=3 size=12kB d=2s"})
    detector.Add({}, Line(line));
  EXPECT_EQ(detector.fields().at("n").type, FieldType::kFloat);
  EXPECT_EQ(detector.fields().at("d").type, FieldType::kString);
  EXPECT_EQ(detector.fields().at("size").type, FieldType::kBytes);
  EXPECT_THAT(detector.fields().at("size").values, ElementsAre("1.5MiB", "12KB", "12kB"));
}

TEST(QueryableValue, RewritesByteSizesOnly) {
  struct Case {
    const char *value, *expected;
  };
  const Case cases[] = {{"12KB", "12kB"}, {"1.5MiB", "1.6MB"}, {"big", "big"}, {"12", "12"}, {"1m", "1m"}};
  for (const Case& c : cases) EXPECT_EQ(QueryableValue(c.value), c.expected);
}

TEST(FieldDetector, AddsWhatOnlyTheQuerySees) {
  FieldDetector detector(1000);
  detector.Add({}, Line("GET /x 200", {}, {{"__error__", "E"}, {"verb", "GET"}}));
  EXPECT_THAT(detector.fields(), ElementsAre(Key("verb")));
}

TEST(FieldDetector, StopsAtItsLimitAndAtDeepNesting) {
  FieldDetector few(2);
  few.Add({}, Line("a=1 b=2 c=3"));
  EXPECT_EQ(few.fields().size(), 2U);
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "{\"a\":";
  deep += "1" + std::string(10'000, '}');
  FieldDetector detector(1000);
  detector.Add({}, Line(deep));
  EXPECT_THAT(detector.fields(), IsEmpty());
}

}  // namespace
}  // namespace varve
