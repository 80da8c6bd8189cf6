#include "query/patterns/shape_table.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

void Add(ShapeTable* table, const std::string& line) {
  std::vector<ShapeToken> tokens;
  SplitLine(line, &tokens);
  table->Add(line, tokens);
}

TEST(ShapeTable, CountsLinesAndKeepsWhatTheyShare) {
  ShapeTable table(10);
  Add(&table, "GET HTTP/1.1 7ms");
  Add(&table, "GET HTTP/1.1 8ms");
  Add(&table, "PUT HTTP/1.1 8ms");
  const std::vector<Shape> shapes = table.Take();
  ASSERT_EQ(shapes.size(), 2U);
  EXPECT_EQ(shapes[0].lines, 2U);
  EXPECT_EQ(shapes[0].constants, (std::vector<std::string>{"", "HTTP/1.1", ""}));
  EXPECT_EQ(shapes[0].tokens[0].In(shapes[0].text), "GET");
  EXPECT_EQ(shapes[1].constants, (std::vector<std::string>{"", "HTTP/1.1", "8ms"}));
  EXPECT_EQ(shapes[0].Skeleton(), shapes[1].Skeleton());
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.MemoryBytes(), 0);
}

TEST(ShapeTable, MergingIsTheSameAsAdding) {
  ShapeTable all(100), left(100), right(100);
  for (int i = 0; i < 20; ++i) {
    const std::string line = std::string(i % 3 == 0 ? "stop" : "start") + " v" + std::to_string(i % 4);
    Add(&all, line);
    Add(i % 2 == 0 ? &left : &right, line);
  }
  EXPECT_EQ(left.MemoryBytes(), all.MemoryBytes());
  left.Merge(std::move(right));
  const std::vector<Shape> expected = all.Take(), merged = left.Take();
  ASSERT_EQ(expected.size(), merged.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(expected[i].text, merged[i].text);
    EXPECT_EQ(expected[i].lines, merged[i].lines);
    EXPECT_EQ(expected[i].constants, merged[i].constants);
  }
}

TEST(ShapeTable, KeepsTheFrequentWhenItOverflows) {
  ShapeTable table(8);
  const auto name = [](int i) { return std::string(1, static_cast<char>('a' + i)) + "x"; };
  for (int i = 0; i < 3; ++i) Add(&table, "often");
  for (int i = 0; i < 8; ++i) Add(&table, name(i));
  EXPECT_EQ(table.size(), 4U);
  bool often = false;
  for (const Shape& shape : table.Take()) often = often || shape.text == "often";
  EXPECT_TRUE(often);
}

}  // namespace
}  // namespace varve
