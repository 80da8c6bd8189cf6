#include "ingest/mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace varve {
namespace {

using ::testing::HasSubstr;

constexpr size_t kNoLimit = 1 << 20;

std::string Masked(std::vector<MaskRule> rules, std::string_view text, uint64_t* replaced = nullptr) {
  auto mask = LineMask::Compile(std::move(rules));
  EXPECT_TRUE(mask.ok()) << mask.status().ToString();
  std::string out;
  const auto count = (*mask)->Replace(text, kNoLimit, &out);
  EXPECT_TRUE(count.has_value());
  EXPECT_TRUE((*mask)->MayChange(text) || *count == 0) << text;
  if (replaced != nullptr) *replaced = *count;
  return out;
}

struct Case {
  const char* name;
  std::vector<MaskRule> rules;
  const char* text;
  const char* masked;
  uint64_t replaced;
};

class MaskCases : public ::testing::TestWithParam<Case> {};

TEST_P(MaskCases, Replaces) {
  uint64_t replaced = 0;
  EXPECT_EQ(GetParam().masked, Masked(GetParam().rules, GetParam().text, &replaced));
  EXPECT_EQ(GetParam().replaced, replaced);
}

INSTANTIATE_TEST_SUITE_P(
    Mask, MaskCases,
    ::testing::Values(
        Case{"Nothing", {{"password=\\S+", "x"}}, "all well", "all well", 0},
        Case{"DefaultReplacement", {{"hunter\\d"}}, "pw hunter2 hunter3", "pw **** ****", 2},
        Case{"Groups", {{"(password|token)=(\\S+)", "$1=****"}}, "token=a password=b.", "token=**** password=****", 2},
        Case{"NamedGroup", {{"(?P<key>\\w+)_secret=\\S+", "${key}_secret=?"}}, "my_secret=1", "my_secret=?", 1},
        Case{"GoNamedGroup", {{"(?<key>\\w+)=\\S+", "$key=?"}}, "a=1", "a=?", 1},
        Case{"GroupThatDidNotMatch", {{"a(x)?b", "[$1]"}}, "ab axb", "[] [x]", 2},
        Case{"Dollar", {{"\\d+", "$$"}}, "costs 5", "costs $", 1},
        Case{"Removed", {{"; key=\\w+", ""}}, "a; key=b c", "a c", 1},
        Case{"CaseFolded", {{"(?i)bearer \\S+", "Bearer ****"}}, "BEARER abc", "Bearer ****", 1},
        Case{"RulesInOrder", {{"a", "b"}, {"b+", "c"}}, "xaab", "xc", 3},
        Case{"ALaterRuleSeesWhatAnEarlierOneLeft", {{"one", "two"}, {"two", "three"}}, "one", "three", 2},
        Case{"EmptyMatchesHideNothing", {{"\\b|x", "-"}}, "a x b", "a x b", 0},
        Case{"AtTheStartOnly", {{"^a", "b"}}, "aaa", "baa", 1},
        Case{"ManyLines", {{"(?m)^key: .*$", "key: ?"}}, "key: a\nb\nkey: c", "key: ?\nb\nkey: ?", 2},
        Case{"Runes", {{"é.", "?"}}, "aé€b", "a?b", 1}),
    [](const auto& param) { return param.param.name; });

TEST(Mask, NamesWhatIsWrongWithARule) {
  const struct {
    MaskRule rule;
    const char* error;
  } cases[] = {
      {{"", "x"}, "regex: is empty"},
      {{"[a", "x"}, "regex: error parsing regexp: missing closing ]: `[a`"},
      {{"a*", "x"}, "regex: a* matches the empty text"},
      {{"(a)", "$2"}, "replacement: the regex has no group 2"},
      {{"(a)", "$1x"}, "replacement: the regex has no group 1x"},
      {{"(a)", "${b}"}, "replacement: the regex has no group b"},
      {{"(a)", "costs $"}, "replacement: a dollar sign is written $$, a group $1 or ${name}"},
      {{"(a)", "${1"}, "replacement: a dollar sign is written $$, a group $1 or ${name}"},
      {{std::string(5000, 'a'), "x"}, "regex: longer than 4096 bytes"},
      {{"a", std::string(1025, 'x')}, "replacement: longer than 1024 bytes"},
  };
  for (const auto& c : cases) {
    const auto mask = LineMask::Compile({c.rule});
    ASSERT_FALSE(mask.ok()) << c.rule.regex;
    EXPECT_EQ(c.error, mask.status().message());
  }
  EXPECT_FALSE(LineMask::Compile(std::vector<MaskRule>(101, MaskRule{"a", "b"})).ok());
  std::string groups;
  for (int i = 0; i < 32; ++i) groups += "(a)";
  EXPECT_THAT(LineMask::Compile({{groups, "x"}}).status().message(), HasSubstr("31 groups"));
}

TEST(Mask, BoundsWhatATextBecomes) {
  const auto mask = LineMask::Compile({{"a", std::string(1000, 'b')}});
  ASSERT_TRUE(mask.ok());
  std::string out;
  EXPECT_TRUE((*mask)->Replace("aa", 2000, &out).has_value());
  EXPECT_FALSE((*mask)->Replace("aaa", 2000, &out).has_value());
}

TEST(Mask, SaysThatNothingCanChangeWithoutLookingTwice) {
  const auto mask = LineMask::Compile({{"password=\\S+"}, {"token=\\S+"}});
  ASSERT_TRUE(mask.ok());
  EXPECT_FALSE((*mask)->MayChange("GET /index.html 200"));
  EXPECT_TRUE((*mask)->MayChange("GET /?token=x 200"));
}

}  // namespace
}  // namespace varve
