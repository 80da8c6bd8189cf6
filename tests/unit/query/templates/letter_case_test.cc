#include "query/templates/letter_case.h"

#include <gtest/gtest.h>

namespace varve::templates {
namespace {

TEST(LetterCase, LeadsThereAndBack) {
  for (uint32_t rune :
       {0x41u, 0xC4u, 0x100u, 0x139u, 0x178u, 0x391u, 0x3A3u, 0x401u, 0x416u, 0x531u, 0x1E00u}) {
    EXPECT_NE(ToLowerRune(rune), rune) << rune;
    EXPECT_EQ(ToUpperRune(ToLowerRune(rune)), rune) << rune;
  }
  EXPECT_EQ(ToUpperRune(0xDF), 0xDFu);  // ß has no single capital
  EXPECT_EQ(ToUpperRune(0xF7), 0xF7u);  // ÷ is no letter
  EXPECT_EQ(ToUpperRune(0x3C2), 0x3A3u);
}

}  // namespace
}  // namespace varve::templates
