#include "tools/terminal.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(Terminal, ShowsControlCharactersInsteadOfObeyingThem) {
  EXPECT_EQ("a\tb", Printable("a\tb"));
  EXPECT_EQ("\\x1b[31mred\\x07", Printable("\x1b[31mred\x07"));
  EXPECT_EQ("two\\nlines\\r", Printable("two\nlines\r"));
  EXPECT_EQ("\\u009b31m", Printable("\xC2\x9B"
                                    "31m"));
  EXPECT_EQ("grün 日本", Printable("grün 日本"));
}

TEST(Terminal, CountsColumns) {
  EXPECT_EQ(0u, DisplayWidth(""));
  EXPECT_EQ(4u, DisplayWidth("grün"));
  EXPECT_EQ(4u, DisplayWidth("日本"));
  EXPECT_EQ(1u, DisplayWidth("e\xCC\x81"));  // e and a combining accent
}

TEST(Terminal, ColoursOnlyWhenAsked) {
  EXPECT_EQ("x", Style{}.Red("x"));
  EXPECT_EQ("\x1b[31mx\x1b[0m", Style{.colour = true}.Red("x"));
}

}  // namespace
}  // namespace varve
