#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "alerting/notify/notify_config.h"

namespace varve {
namespace {

std::string Read(std::string_view text) {
  const auto matchers = ParseAlertMatchers(text);
  if (!matchers.ok()) return "error: " + matchers.status().message();
  std::string out;
  for (const Matcher& matcher : *matchers) out += (out.empty() ? "" : " ") + matcher.ToString();
  return out;
}

TEST(AlertMatchersTest, ReadBothGrammars) {
  const std::vector<std::pair<const char*, const char*>> kCases = {
      {"", ""},
      {"{}", ""},
      {"a=b", R"(a="b")"},
      {R"({a="b", c!="d",e=~"f|g" , h!~i,})", R"(a="b" c!="d" e=~"f|g" h!~"i")"},
      {"  a  =  b  ", R"(a="b")"},
      {"a=", R"(a="")"},                                        // the older grammar's
      {"a=b c", R"(a="b c")"},                                  // likewise
      {R"(a="b,c")", R"(a="b,c")"},
      {R"(a="b\"c\\d\n")", "a=\"b\\\"c\\\\d\\n\""},
      {R"(a=b\d)", R"(a="b\\d")"},                              // a backslash for itself
      {R"(a=~"5..")", R"(a=~"5..")"},
      {R"("größe"=klein)", R"(größe="klein")"},                 // the newer one's
      {R"({"a b"="c", d=🙂})", R"(a b="c" d="🙂")"},
      {"größe=klein", R"(größe="klein")"},
      {R"(a="\u00fc")", R"(a="\\u00fc")"},                      // both take it; the older reading counts
      {"a:b=c", R"(a:b="c")"},
  };
  for (const auto& [text, expected] : kCases) EXPECT_EQ(expected, Read(text)) << text;
}

TEST(AlertMatchersTest, RefuseWhatNeitherTakes) {
  for (const char* text : {"a", "=b", "a=b,,c=d", "a=\"b", "a=b\"c", "a=~(", "a=~\"(\"", "1a", "\"a\"", ",", "a=b c=d\"",
                           "{{a=b}}"}) {
    EXPECT_EQ(0U, Read(text).find("error: ")) << text << " → " << Read(text);
  }
}

TEST(AlertMatchersTest, AreLenientWhereTheOlderGrammarIs) {
  EXPECT_EQ(R"(a="b")", Read("{a=b"));
  EXPECT_EQ(R"(a="=b")", Read("a==b"));
}

TEST(AlertMatchersTest, MatchAsAlertmanagerDoes) {
  const auto matchers = ParseAlertMatchers(R"(a=~"x.*", b!="")");
  ASSERT_TRUE(matchers.ok());
  EXPECT_TRUE((*matchers)[0].Matches("xyz"));
  EXPECT_FALSE((*matchers)[0].Matches("zxyz"));  // anchored
  EXPECT_FALSE((*matchers)[0].Matches("x\ny"));  // . is no line feed
  EXPECT_FALSE((*matchers)[1].MatchesEmpty());
}

}  // namespace
}  // namespace varve
