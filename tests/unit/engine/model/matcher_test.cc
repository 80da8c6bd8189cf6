#include "engine/model/matcher.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

Matcher Make(MatchOp op, const char* value) { return std::move(*Matcher::Create("a", op, value)); }

TEST(Matcher, RegexesAreAnchored) {
  EXPECT_TRUE(Make(MatchOp::kRegexMatch, "fo+").Matches("foo"));
  EXPECT_FALSE(Make(MatchOp::kRegexMatch, "fo+").Matches("xfoo"));
  EXPECT_TRUE(Make(MatchOp::kRegexMatch, "(?m)a$").Matches("a"));
  EXPECT_FALSE(Make(MatchOp::kRegexMatch, "(?m)a$").Matches("a\nb"));
  EXPECT_TRUE(Make(MatchOp::kRegexNotMatch, "x|y").Matches("z"));
}

TEST(Matcher, AlternationsOfLiteralsAreKnown) {
  EXPECT_EQ(Make(MatchOp::kRegexMatch, "a|b||c").literals(), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_TRUE(Make(MatchOp::kRegexMatch, "a|b|").MatchesEmpty());
  EXPECT_TRUE(Make(MatchOp::kRegexMatch, "a|b.").literals().empty());
}

TEST(Matcher, ReportsBadRegexesInGoWords) {
  EXPECT_EQ(Matcher::Create("a", MatchOp::kRegexMatch, "[a").status().message(),
            "error parsing regexp: missing closing ]: `[a`");
}

}  // namespace
}  // namespace varve
