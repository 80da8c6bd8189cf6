#include "engine/model/labels.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(Labels, AreSortedAndLoseEmptyValues) {
  const Labels labels = Labels::FromUnsorted({{"b", "2"}, {"a", "1"}, {"c", ""}});
  EXPECT_EQ(labels.ToString(), R"({a="1", b="2"})");
  EXPECT_EQ(labels.Get("c"), "");
}

TEST(Labels, CanonicalBytesRoundTrip) {
  const Labels labels = Labels::FromUnsorted({{"b", "2\n"}, {"a", std::string(300, 'x')}});
  Labels back;
  ASSERT_TRUE(Labels::FromCanonical(labels.Canonical(), &back));
  EXPECT_EQ(back, labels);
  EXPECT_FALSE(Labels::FromCanonical(labels.Canonical().substr(1), &back));
}

TEST(GoQuoted, EscapesAsGoDoes) {
  EXPECT_EQ(GoQuoted("a\"b\\c\n\x01\x7f"), R"("a\"b\\c\n\x01\x7f")");
  EXPECT_EQ(GoQuoted("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"");
  EXPECT_EQ(GoQuoted("\xff"), R"("\xff")");
  EXPECT_EQ(GoQuoted("\xc2\xa0"), R"("\u00a0")");
}

}  // namespace
}  // namespace varve
