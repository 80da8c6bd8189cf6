#include "query/patterns/line_shape.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

// The shape with variables as '*' and codes and words in parentheses, so that the cuts show.
std::string Cuts(std::string_view line) {
  std::vector<ShapeToken> tokens;
  SplitLine(line, &tokens);
  std::string text;
  size_t at = 0;
  for (const ShapeToken& token : tokens) {
    text += line.substr(at, token.begin - at);
    text += token.is_variable() ? "*" : "(" + std::string(token.In(line)) + ")";
    at = token.end;
  }
  return text.append(line.substr(at));
}

struct Case {
  const char* name;
  const char* line;
  const char* cuts;
};

class SplitLineTest : public ::testing::TestWithParam<Case> {};

TEST_P(SplitLineTest, Cuts) { EXPECT_EQ(Cuts(GetParam().line), GetParam().cuts); }

INSTANTIATE_TEST_SUITE_P(
    Lines, SplitLineTest,
    ::testing::Values(
        Case{"Syslog",
             "Dec 10 06:55:46 LabSZ sshd[24200]: Failed password for root from 1.2.3.4 port 22 ssh2",
             "* * * (LabSZ) (sshd)[*]: (Failed) (password) (for) (root) (from) * (port) * *"},
        Case{"AccessLog",
             "1.2.3.4 - - [01/Nov/2026:00:00:03 +0000] \"GET /a/b?x=1 HTTP/1.1\" 304 0 \"-\" \"curl/8.5.0\"",
             "* * * [* *] \"(GET) * *\" (304) * \"*\" \"*\""},
        Case{"UserAgentsAreOneValue", "x \"Mozilla/5.0 (X11; Linux) Gecko\" y", "(x) \"*\" (y)"},
        Case{"StatusesAreKeptApart", "code 503 of 612", "(code) (503) (of) *"},
        Case{"NumbersInBracketsAreNoStatuses", "nginx[445]: up", "(nginx)[*]: (up)"},
        Case{"PlacesInFiles", "handler.go:12 failed", "(handler.go):* (failed)"},
        Case{"Apostrophes", "can't 'quote' o'brien", "(can't) '(quote)' (o'brien)"},
        Case{"PathsKeepTheirQuery", "GET /find?a=b&c=d end", "(GET) (/find?a=b&c=d) (end)"},
        Case{"Urls", "see https://example.com/x now", "(see) * (now)"},
        Case{"Logfmt",
             "level=info msg=\"order 9 \\\"x\\\" placed\" user=bob note=\"two words\" empty= took=5ms",
             "level=(info) msg=\"(order) * \\\"(x)\\\" (placed)\" user=(bob) note=\"*\" empty= took=*"},
        Case{"LogfmtOnlyWhenItStartsAsSuch", "failed; user=bob tty=ssh",
             "(failed); (user)=(bob) (tty)=(ssh)"},
        Case{"JsonWithMessage", R"x({"ts":"2026","msg":"user bob has 3 items","k":1})x",
             R"x(*"msg":"(user) (bob) (has) * (items)"*)x"},
        Case{"JsonPrefersLogOverMessage", R"x({"message":"a","log":"b"})x", R"x(*"log":"(b)"*)x"},
        Case{"JsonMessagesInObjectsDoNotCount", R"x({"e":{"msg":"hi"}})x", R"x({"e":{"msg":"(hi)"}})x"},
        Case{"JsonWithoutMessage",
             R"x({"a":{"b":true,"c":[1,"x",{}]},"d":"two words","e":"one","f":200,"g":7})x",
             R"x({"a":{"b":(true),"c":*},"d":"*","e":"(one)","f":(200),"g":*})x"},
        Case{"BrokenJsonIsText", R"x({"a":1,"b")x", R"x({"(a)":*,"(b)")x"},
        Case{"TrailingGarbageIsText", R"x({"a":"b"}})x", R"x({"(a)":"(b)"}})x"},
        Case{"OnlyTheFirstRow", "java.lang.Error: boom\n  at x.y\n", "(java.lang.Error): (boom)*"},
        Case{"TerminalColours", "\x1b[31mred\x1b[0m 5", "\x1b[31m(red)\x1b[0m *"},
        Case{"NotUtf8", "a \xff\xfe b", "(a) * (b)"}, Case{"Utf8", "caf\xc3\xa9 ok", "(caf\xc3\xa9) (ok)"},
        Case{"ControlCharacters", "a x\x01y b", "(a) * (b)"}, Case{"Empty", "", ""},
        Case{"Blank", "  ", "  "}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(SplitLine, BoundsTokensAndBytes) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "word ";
  std::vector<ShapeToken> tokens;
  SplitLine(many, &tokens);
  EXPECT_EQ(tokens.size(), kTokensMax);
  EXPECT_EQ(tokens.back().end, many.size());
  EXPECT_TRUE(tokens.back().is_variable());

  const std::string large = "start " + std::string(2 * kShapedBytesMax, 'x') + " end";
  SplitLine(large, &tokens);
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[1].begin, 5U);
  EXPECT_EQ(tokens[1].end, large.size());

  const std::string json = "{\"msg\":\"" + std::string(2 * kShapedBytesMax, 'y') + "\"}";
  SplitLine(json, &tokens);
  EXPECT_EQ(tokens.back().end, json.size());
  SplitLine(std::string(100'000, '{') + std::string(100'000, '}'), &tokens);  // no recursion
}

TEST(ShapeOf, ReplacesVariablesByOneByte) {
  std::vector<ShapeToken> tokens;
  const std::string_view line = "took 5ms for 200";
  SplitLine(line, &tokens);
  std::string shape;
  ShapeOf(line, tokens, &shape);
  EXPECT_EQ(shape, std::string("took ") + kVariableMark + " for 200");
}

}  // namespace
}  // namespace varve
