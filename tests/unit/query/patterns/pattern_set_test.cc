#include "query/patterns/pattern_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "query/patterns/shape_clusters.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Mines `lines`, counts them, and gives "lines pattern".
std::vector<std::string> Mined(const std::vector<std::string>& lines) {
  ShapeTable table(1000);
  std::vector<ShapeToken> tokens;
  for (const std::string& line : lines) {
    SplitLine(line, &tokens);
    table.Add(line, tokens);
  }
  const std::vector<Shape> shapes = table.Take();
  const PatternSet patterns = PatternSet::Mine(shapes, 1000);
  PatternAssigner assigner(patterns);
  std::map<std::string, int> counts;
  for (const std::string& line : lines) {
    const std::optional<uint32_t> pattern = assigner.Find(line);
    if (!pattern.has_value()) continue;
    EXPECT_TRUE(patterns.Matches(*pattern, line)) << line;
    ++counts[patterns.text(*pattern)];
  }
  std::vector<std::string> result;
  for (const auto& [text, count] : counts) result.push_back(std::to_string(count) + " " + text);
  return result;
}

std::string Name(int i) {
  return std::string(1, static_cast<char>('a' + i % 26)) + static_cast<char>('a' + i / 26);
}

// `count` lines, "{}" replaced by a word of its own in each.
std::vector<std::string> Lines(const std::string& text, int count, std::vector<std::string> lines = {}) {
  for (int i = 0; i < count; ++i) {
    std::string line = text;
    if (const size_t at = line.find("{}"); at != std::string::npos) line.replace(at, 2, Name(i));
    if (const size_t at = line.find("#"); at != std::string::npos)
      line.replace(at, 1, std::to_string(1000 + i));
    lines.push_back(line);
  }
  return lines;
}

TEST(PatternSet, TakesManyWordsInOnePlaceForAValue) {
  EXPECT_THAT(Mined(Lines("user {} logged in", 30)), ElementsAre("30 user <_> logged in"));
}

TEST(PatternSet, KeepsFewWordsInOnePlaceApart) {
  EXPECT_THAT(Mined(Lines("POST took #ms", 20, Lines("GET took #ms", 30))),
              ElementsAre("30 GET took <_>", "20 POST took <_>"));
}

TEST(PatternSet, KeepsMessagesOfEqualLengthApart) {
  auto lines = Lines("connection closed by #", 20);
  lines = Lines("listening on port #", 20, std::move(lines));
  lines = Lines("worker exited with #", 20, std::move(lines));
  EXPECT_THAT(Mined(lines), ElementsAre("20 connection closed by <_>", "20 listening on port <_>",
                                        "20 worker exited with <_>"));
}

TEST(PatternSet, DoesNotMultiplyPlacesWithFewWords) {
  std::vector<std::string> lines;
  for (const std::string method : {"GET", "PUT", "POST"}) {
    for (const std::string path : {"/a", "/b", "/c", "/d"}) {
      for (const std::string status : {"200", "404", "500"}) {
        lines = Lines(method + " " + path + " " + status + " #ms", 20, std::move(lines));
      }
    }
  }
  EXPECT_LE(Mined(lines).size(), kGroupPatternsMax);
}

TEST(PatternSet, ShowsWhatNeverChanges) {
  EXPECT_THAT(Mined(Lines("\"GET {} HTTP/1.1\" uid=0 at 10.0.0.1 #", 20)),
              ElementsAre("20 \"GET <_> HTTP/1.1\" uid=0 at <_>"));
  // Not for a few lines, for which it is no rule.
  EXPECT_THAT(Mined(Lines("uid=0 is # now", 3)), ElementsAre("3 uid=<_> is <_> now"));
}

TEST(PatternSet, DecidesTheFormatLineByLine) {
  auto lines = Lines("plain text about #", 20);
  lines = Lines("level=info msg=\"order # placed\"", 20, std::move(lines));
  lines = Lines("{\"level\":\"info\",\"msg\":\"order # placed\"}", 20, std::move(lines));
  EXPECT_THAT(Mined(lines),
              UnorderedElementsAre("20 plain text about <_>", "20 level=info msg=\"order <_> placed\"",
                                   "20 <_>\"msg\":\"order <_> placed\"<_>"));
}

TEST(PatternSet, WritesWhatThePatternFilterReads) {
  // <init> would be a capture with a name, which the filter refuses; bytes that JSON cannot carry never come
  // back.
  EXPECT_THAT(Mined(Lines("at Foo.<init>(Foo.java:#)", 20)), ElementsAre("20 at Foo.<_>(Foo.java:<_>)"));
  EXPECT_THAT(Mined(Lines("a \xff\xfe b #", 20)), ElementsAre("20 a <_> b <_>"));
  EXPECT_THAT(Mined(Lines("k=1 \xff=# c=d", 20)), ElementsAre("20 k=1<_> c=d"));
  EXPECT_THAT(Mined(Lines("#", 20)), ElementsAre("20 <_>"));
  EXPECT_THAT(Mined({"", "", ""}), ElementsAre("3 "));
  EXPECT_THAT(Mined({}), IsEmpty());
}

TEST(PatternSet, CountsNoLineThatThePatternDoesNotFind) {
  // The filter takes the first \"\" end\" it sees, and then the line goes on.
  auto lines = Lines("k=x a=\"some {}\" end", 20);
  lines.push_back("k=x a=\"some\\\" end of\" end");
  EXPECT_THAT(Mined(lines), ElementsAre("20 k=x a=\"<_>\" end"));
}

TEST(PatternSet, CountsLinesWhoseShapeWasNotMined) {
  ShapeTable table(1000);
  std::vector<ShapeToken> tokens;
  for (const std::string& line : Lines("user {} has # items", 30)) {
    SplitLine(line, &tokens);
    table.Add(line, tokens);
  }
  const std::vector<Shape> shapes = table.Take();
  const PatternSet patterns = PatternSet::Mine(shapes, 10);
  PatternAssigner assigner(patterns);
  for (int i = 0; i < 2; ++i) {  // the second time from memory
    EXPECT_TRUE(assigner.Find("user somebody has 7 items").has_value());
    EXPECT_FALSE(assigner.Find("user somebody had 7 items").has_value());
    EXPECT_FALSE(assigner.Find("another line").has_value());
  }
}

TEST(PatternSet, FallsBackWhereAConstantChangesAfterAll) {
  ShapeTable table(1000);
  std::vector<ShapeToken> tokens;
  for (const std::string& line : Lines("job # uid=0 done", 30)) {
    SplitLine(line, &tokens);
    table.Add(line, tokens);
  }
  const std::vector<Shape> shapes = table.Take();
  const PatternSet patterns = PatternSet::Mine(shapes, 10);
  PatternAssigner assigner(patterns);
  EXPECT_EQ(patterns.text(assigner.Find("job 5 uid=0 done").value()), "job <_> uid=0 done");
  EXPECT_EQ(patterns.text(assigner.Find("job 5 uid=1 done").value()), "job <_> uid=<_> done");
}

}  // namespace
}  // namespace varve
