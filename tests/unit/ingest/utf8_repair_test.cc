#include "ingest/utf8_repair.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(RepairUtf8, KeepsWhatIsValid) {
  for (const char* text :
       {"", "plain", "Zo\u00eb \u65e5\u672c \U0001F600", "\u0080\u07ff\u0800\uffff\U00010000\U0010ffff"}) {
    EXPECT_TRUE(IsValidUtf8(text));
    EXPECT_EQ(RepairedUtf8(text), text);
  }
}

TEST(RepairUtf8, ReplacesEachInvalidByte) {
  for (const auto& [text, repaired] : {std::pair{"\xff", "\uFFFD"},
                                       {"a\xc3", "a\uFFFD"},
                                       {"\xc0\xaf", "\uFFFD\uFFFD"},
                                       {"\xed\xa0\x80x", "\uFFFD\uFFFD\uFFFDx"},
                                       {"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
                                       {"\xe2\x82", "\uFFFD\uFFFD"},
                                       {"\x80\u00e9\x80", "\uFFFD\u00e9\uFFFD"}}) {
    EXPECT_FALSE(IsValidUtf8(text));
    EXPECT_EQ(RepairedUtf8(text), repaired);
    EXPECT_TRUE(IsValidUtf8(RepairedUtf8(text)));
  }
}

TEST(IsAscii, FindsAHighByteAnywhere) {
  for (size_t size = 0; size < 100; ++size) {
    std::string text(size, 'a');
    EXPECT_TRUE(IsAscii(text));
    for (size_t i = 0; i < size; ++i) {
      text[i] = '\x80';
      EXPECT_FALSE(IsAscii(text)) << i << " of " << size;
      text[i] = '\x7f';
    }
  }
}

}  // namespace
}  // namespace varve
