#include "query/logql/line_match/line_filter.h"

#include <gtest/gtest.h>

namespace varve::logql {
namespace {

bool Matches(LineFilterOp op, const std::vector<std::string>& terms, std::string_view line, bool ip = false) {
  LineFilter filter{.op = op, .terms = {}};
  for (const std::string& term : terms) filter.terms.push_back({term, ip});
  const auto compiled = CompiledLineFilter::Compile(filter);
  EXPECT_TRUE(compiled.ok()) << compiled.status().message();
  return compiled.ok() && compiled->Matches(line);
}

std::string CompileError(LineFilterOp op, const std::string& term, bool ip = false) {
  const auto compiled = CompiledLineFilter::Compile({.op = op, .terms = {{term, ip}}});
  return compiled.ok() ? "ok" : compiled.status().message();
}

using Op = LineFilterOp;

TEST(LineFilter, ContainsIsBytesAndCaseSensitive) {
  EXPECT_TRUE(Matches(Op::kContains, {"foo"}, "xfoox"));
  EXPECT_FALSE(Matches(Op::kContains, {"foo"}, "FOO"));
  EXPECT_TRUE(Matches(Op::kContains, {""}, ""));
  EXPECT_FALSE(Matches(Op::kNotContains, {""}, "x"));
  EXPECT_TRUE(Matches(Op::kNotContains, {"foo"}, "bar"));
}

TEST(LineFilter, OrAlternatives) {
  EXPECT_TRUE(Matches(Op::kContains, {"foo", "bar"}, "a bar"));
  EXPECT_FALSE(Matches(Op::kNotContains, {"zz", "bar"}, "Foo bar baz"));
  EXPECT_TRUE(Matches(Op::kNotContains, {"zz", "yy"}, "Foo bar baz"));
  EXPECT_FALSE(Matches(Op::kContains, {"a", ""}, "xyz"));  // the empty one is ignored
  EXPECT_FALSE(Matches(Op::kNotContains, {"a", ""}, "xyz"));
  EXPECT_TRUE(Matches(Op::kRegex, {"foo.*", "^bar"}, "barx"));
}

TEST(LineFilter, RegexIsUnanchoredAndFoldsByUnicode) {
  EXPECT_TRUE(Matches(Op::kRegex, {"(?i)kelvin k"}, "kelvin \xE2\x84\xAA"));
  EXPECT_TRUE(Matches(Op::kRegex, {"(?i)\xC3\xA0"}, "\xC3\x80"));
  EXPECT_TRUE(Matches(Op::kRegex, {"(?i)miss"}, "MI\xC5\xBFS"));
  EXPECT_FALSE(Matches(Op::kRegex, {"one.two"}, "one\ntwo"));
  EXPECT_TRUE(Matches(Op::kRegex, {"(?s)one.two"}, "one\ntwo"));
  EXPECT_FALSE(Matches(Op::kRegex, {"newline$"}, "newline\n"));
  EXPECT_TRUE(Matches(Op::kRegex, {"(?m)^two$"}, "one\ntwo\nthree"));
  EXPECT_TRUE(Matches(Op::kNotRegex, {"^foo"}, "xfoo"));
  EXPECT_EQ(CompileError(Op::kRegex, "["), "error parsing regexp: missing closing ]: `[`");
}

TEST(LineFilter, PatternsAreAnchoredAtTheEndAndCapturesAreNeverEmpty) {
  const struct {
    const char* pattern;
    const char* line;
    bool matches;
  } kCases[] = {{"<_>foo", "foo", false},
                {"<_>foo", "xfoo", true},
                {"foo", "xfoo", true},
                {"foo", "foo bar", false},
                {"foo <_>", "foo bar", true},
                {"<_>foo<_>", "xfoo", false},
                {"a<_>b", "a.b", true},
                {"a<_>b", "ab", false},
                {"a<_>b", "axbxb", false},
                {"", "", true},
                {"", "x", false},
                {"<_>", "x", true},
                {"<_>", "", false},
                {"<tag <_>>", "<tag x>", true},
                {"a=1<_>Foo", "a=1 x Foo end", false},
                {"a=1<_>Foo<_>", "a=1 x Foo end", true}};
  for (const auto& c : kCases) {
    EXPECT_EQ(Matches(Op::kPattern, {c.pattern}, c.line), c.matches) << c.pattern << " on " << c.line;
    EXPECT_EQ(Matches(Op::kNotPattern, {c.pattern}, c.line), !c.matches) << c.pattern << " on " << c.line;
  }
  EXPECT_EQ(CompileError(Op::kPattern, "<name>x"), "named captures are not allowed: found '<name>'");
  EXPECT_EQ(CompileError(Op::kPattern, "<_><_>"), "found consecutive capture '<_><_>': invalid expression");
}

TEST(LineFilter, IpStandsAlsoBesideOtherAlternatives) {
  EXPECT_TRUE(Matches(Op::kContains, {"10.0.0.0/8"}, "client 10.0.0.1 x", true));
  EXPECT_FALSE(Matches(Op::kNotContains, {"10.0.0.0/8"}, "client 10.0.0.1 x", true));
  const auto mixed =
      CompiledLineFilter::Compile({.op = Op::kContains, .terms = {{"10.0.0.0/8", true}, {"needle", false}}});
  ASSERT_TRUE(mixed.ok());
  EXPECT_TRUE(mixed->Matches("10.1.1.1"));
  EXPECT_TRUE(mixed->Matches("a needle"));
  EXPECT_FALSE(mixed->Matches("11.0.0.1 neither"));
  EXPECT_EQ(CompileError(Op::kRegex, "10.0.0.1", true), "ip: invalid operation");
  EXPECT_EQ(CompileError(Op::kContains, "hello", true), "ip: invalid pattern: \"hello\"");
}

}  // namespace
}  // namespace varve::logql
