#include "alerting/yaml_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

TEST(YamlDocument, KeepsKindsAndLines) {
  const Result<YamlDocument> document = ParseYaml("a: 1\nb:\n  - x\n  - \"~\"\n  - ~\nc: {d: e}\n", "f.yml");
  ASSERT_OK(document.status());
  const YamlNode& root = document->root;
  ASSERT_TRUE(root.is_map());
  EXPECT_EQ(root.Find("a")->text, "1");
  const YamlNode* list = root.Find("b");
  ASSERT_TRUE(list->is_sequence());
  ASSERT_EQ(list->items.size(), 3U);
  EXPECT_EQ(list->items[0].line, 3U);
  EXPECT_TRUE(list->items[0].plain);
  EXPECT_TRUE(list->items[1].is_scalar());
  EXPECT_FALSE(list->items[1].plain);
  EXPECT_TRUE(list->items[2].is_null());
  EXPECT_EQ(root.Find("c")->Find("d")->line, 6U);
  EXPECT_EQ(root.Find("e"), nullptr);
  EXPECT_FALSE(document->more_documents);
}

TEST(YamlDocument, AnEmptyTextIsNull) {
  EXPECT_TRUE(ParseYaml("", "f.yml")->root.is_null());
  EXPECT_TRUE(ParseYaml("# nothing\n", "f.yml")->root.is_null());
}

TEST(YamlDocument, SaysWhetherThereAreMoreDocuments) {
  EXPECT_FALSE(ParseYaml("a: 1\n---\n", "f.yml")->more_documents);
  EXPECT_TRUE(ParseYaml("a: 1\n---\nb: 2\n", "f.yml")->more_documents);
  EXPECT_TRUE(ParseYaml("a: 1\n---\nb: [2\n", "f.yml")->more_documents);
}

TEST(YamlDocument, ExpandsAliasesAndMerges) {
  const Result<YamlDocument> document =
      ParseYaml("base: &base {a: 1, b: 2}\nother: &other {c: 3, a: 9}\none:\n  <<: *base\n  b: own\n"
                "two:\n  <<: [*base, *other]\n",
                "f.yml");
  ASSERT_OK(document.status());
  const YamlNode* one = document->root.Find("one");
  EXPECT_EQ(one->Find("a")->text, "1");
  EXPECT_EQ(one->Find("b")->text, "own");
  const YamlNode* two = document->root.Find("two");
  EXPECT_EQ(two->Find("a")->text, "1");
  EXPECT_EQ(two->Find("c")->text, "3");
}

TEST(YamlDocument, CountsLinesFromTheGivenOne) {
  EXPECT_EQ(ParseYaml("a: 1\nb: 2\n", "f.yml", 40)->root.Find("b")->line, 41U);
  EXPECT_THAT(ParseYaml("a: 1\na: 2\n", "f.yml", 40).status().message(), HasSubstr("f.yml:41: "));
}

struct BadCase {
  const char* name;
  std::string text;
  const char* error;
};

std::string Repeated(std::string_view part, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += part;
  return text;
}

std::string Laughs() {
  std::string text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + Repeated(", " + last, 9) + "]\n";
  }
  return text;
}

class YamlDocumentErrors : public ::testing::TestWithParam<BadCase> {};

TEST_P(YamlDocumentErrors, NameFileAndLine) {
  EXPECT_THAT(ParseYaml(GetParam().text, "f.yml").status().message(), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, YamlDocumentErrors,
    ::testing::Values(BadCase{"Syntax", "a: 1\nb: [1\n", "f.yml:3: not valid YAML: "},
                      BadCase{"DuplicateKey", "a: 1\nb: 2\na: 3\n", "f.yml:3: key \"a\" is given twice, first in line 1"},
                      BadCase{"MapAsKey", "a: 1\n? {b: c}\n: d\n", "f.yml:2: a key must be plain text"},
                      BadCase{"NotUtf8", "a: 1\nb: \xff\n", "f.yml:2: bytes that are not UTF-8"},
                      BadCase{"ZeroByte", std::string("a: b\0c\n", 7), "f.yml:1: a zero byte"},
                      BadCase{"Deep", Repeated("[", 100) + Repeated("]", 100), "nested deeper than 64 levels"},
                      BadCase{"VeryDeep", Repeated("[", 100'000), "nested deeper than 64 levels"},
                      BadCase{"VeryDeepBlocks", Repeated("- ", 100'000), "nested deeper than 64 levels"},
                      BadCase{"ManyBrackets", Repeated("[", 500'001), "f.yml:1: more than 500000 brackets, braces and commas"},
                      BadCase{"AliasBomb", Laughs(), "too large with its aliases expanded"},
                      BadCase{"AliasInItself", "a: &a [1, *a]\n", "f.yml:1: an alias inside of what it stands for"},
                      BadCase{"UnknownAlias", "a: *b\n", "f.yml:1: not valid YAML: "},
                      BadCase{"MergeOfText", "a:\n  <<: b\n", "f.yml:2: << stands for maps only"}),
    [](const auto& tested) { return tested.param.name; });

TEST(YamlDocument, RefusesTextsThatAreTooLong) {
  EXPECT_THAT(ParseYaml(std::string(kYamlBytesMax + 1, 'a'), "f.yml").status().message(), HasSubstr("larger than 16 MiB"));
}

}  // namespace
}  // namespace varve
