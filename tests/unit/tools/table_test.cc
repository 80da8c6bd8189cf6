#include "tools/table.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(Table, AlignsTextLeftAndNumbersRight) {
  Table table({"name", "n"}, 1);
  table.Add({"grün", "1"});
  table.Add({"x", "1000"});
  EXPECT_EQ("name     n\ngrün     1\nx     1000\n", table.Print({}));
  EXPECT_EQ(10u, table.width());
}

TEST(Table, PadsShortRowsAndLeavesNoTrailingSpace) {
  Table table({"a", "b"}, 2);
  table.Add({"long cell"});
  EXPECT_EQ("a          b\nlong cell\n", table.Print({}));
}

}  // namespace
}  // namespace varve
