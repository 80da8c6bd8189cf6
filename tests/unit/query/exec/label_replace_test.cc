#include "query/exec/label_replace.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

LabelPairs Replace(const LabelPairs& labels, const std::string& destination, const std::string& replacement,
                   const std::string& source, const std::string& pattern) {
  logql::LabelReplace replace;
  replace.destination = destination;
  replace.replacement = replacement;
  replace.source = source;
  replace.regex = *CompileRegex(pattern, {.anchored = true});
  SeriesSet set;
  set.push_back({labels, {{0, 1}}});
  return ApplyLabelReplace(replace, std::move(set))[0].labels;
}

TEST(LabelReplace, ExpandsGroupsAsGoDoes) {
  const LabelPairs service = {{"service", "cart"}};
  struct Case {
    const char* replacement;
    const char* pattern;
    const char* expected;  // the value of n, "" when it is not set
  };
  const Case kCases[] = {
      {"$1", "(ca.t)", "cart"},  {"$2-$1", "(.)(.*)", "art-c"},
      {"$9", "(.*)", ""},        {"const", "cart", "const"},
      {"const", "car", ""},      {"${1}x", "(c).*", "cx"},
      {"$1x", "(c).*", ""},      {"$$1", "(.*)", "$1"},
      {"$x", "(?P<x>c).*", "c"}, {"${x}y", "(?P<x>c).*", "cy"},
      {"a$", ".*", "a$"},        {"$0", "c(.*)", "cart"},
      {"${1", "(.*)", "${1"},    {"$1", "(z)?cart", ""},
  };
  for (const Case& c : kCases) {
    const LabelPairs labels = Replace(service, "n", c.replacement, "service", c.pattern);
    EXPECT_EQ(LabelValue(labels, "n"), c.expected) << c.replacement << " " << c.pattern;
  }
}

TEST(LabelReplace, ReadsAMissingLabelAsEmptyAndRemovesOnEmptyResult) {
  EXPECT_EQ(Replace({{"a", "1"}}, "n", "was empty", "nosuch", ""),
            (LabelPairs{{"a", "1"}, {"n", "was empty"}}));
  EXPECT_EQ(Replace({{"a", "1"}}, "a", "", "a", ".*"), LabelPairs());
  EXPECT_EQ(Replace({{"b", "1"}}, "a", "$1", "b", "(.*)"), (LabelPairs{{"a", "1"}, {"b", "1"}}));
}

}  // namespace
}  // namespace varve
