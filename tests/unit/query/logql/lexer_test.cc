#include "query/logql/lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace varve::logql {
namespace {

// The names of all tokens with spaces between, or the error.
std::string Names(std::string_view text) {
  Lexer lexer(text);
  std::string names;
  Token token;
  while (true) {
    const Status status = lexer.Next(&token);
    if (!status.ok()) return status.message();
    if (token.kind == TokenKind::kEnd) return names;
    if (!names.empty()) names += ' ';
    names += TokenName(token);
  }
}

Token First(std::string_view text) {
  Lexer lexer(text);
  Token token;
  const Status status = lexer.Next(&token);
  EXPECT_TRUE(status.ok()) << text << ": " << status.message();
  return token;
}

TEST(LexerTest, NamesTokensAsLokiDoes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ""},
      {"{a=~\"b\"}", "{ IDENTIFIER =~ STRING }"},
      {"|= |~ |> != !~ !> | =", "|= |~ |> != !~ !> | ="},
      {"== > >= < <= + - * / % ^", "== > >= < <= + - * / % ^"},
      {"( ) , . ]", "( ) , . ]"},
      {"[5m]", "RANGE"},
      {"|==", "|= ="},
      {"=!", "= IDENTIFIER"},
      {"logfmt --strict --keep-empty", "logfmt FUNCTION_FLAG FUNCTION_FLAG"},
      {"--other", "- - IDENTIFIER"},
      {"by WITHOUT On unless", "by without on unless"},
      {"; @ & ~ $", "IDENTIFIER IDENTIFIER IDENTIFIER IDENTIFIER IDENTIFIER"},
      {"'x'", "IDENTIFIER"},
      {"日本_1 label", "IDENTIFIER IDENTIFIER"},
  };
  for (const auto& [text, names] : cases) EXPECT_EQ(Names(text), names) << text;
}

TEST(LexerTest, AFunctionIsOneOnlyBeforeAParenthesis) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"sum(", "SUM ("},
      {"SUM (", "SUM ("},
      {"sum by (", "SUM by ("},
      {"Sum WITHOUT(", "SUM without ("},
      {"sum /* all */ by # of it\n (", "SUM by ("},
      {"sum", "IDENTIFIER"},
      {"sum by x", "IDENTIFIER by IDENTIFIER"},
      {"count > 5", "IDENTIFIER > NUMBER"},
      {"duration(x)", "DURATION_CONV ( IDENTIFIER )"},
      {"duration_seconds(bytes)", "DURATION_SECONDS_CONV ( IDENTIFIER )"},
      {"ip = ip(", "IDENTIFIER = ip ("},
      {"label_replace(vector(", "label_replace ( VECTOR ("},
      {"increase(", "IDENTIFIER ("},
  };
  for (const auto& [text, names] : cases) EXPECT_EQ(Names(text), names) << text;
}

TEST(LexerTest, TellsNumbersDurationsAndSizesApart) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"5 .5 5. 1e3 1E-3 1_000 0x1F 0b1 0o17",
       "NUMBER NUMBER NUMBER NUMBER NUMBER NUMBER NUMBER NUMBER NUMBER"},
      {"5m 1h30m 1.5s 300us 7\u00b5s -5m 1d 0s",
       "DURATION DURATION DURATION DURATION DURATION DURATION DURATION DURATION"},
      {"0x1p3 0X1.8P-3 0x.8p1 0x1_Fp0", "NUMBER NUMBER NUMBER NUMBER"},
      {"5KB 1.5MiB 12B 5k 0B 2PiB", "BYTES BYTES BYTES BYTES BYTES BYTES"},
      {"5MBB", "NUMBER IDENTIFIER"},
      {"1x", "NUMBER IDENTIFIER"},
      {"5mb", "DURATION IDENTIFIER"},
      {"1.5d", "NUMBER IDENTIFIER"},
      {"-0 -5", "- NUMBER - NUMBER"},
      {"10.0.0.1", "NUMBER NUMBER NUMBER"},
      {"1..2", "NUMBER NUMBER"},
  };
  for (const auto& [text, names] : cases) EXPECT_EQ(Names(text), names) << text;
}

TEST(LexerTest, DecodesStrings) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("plain")", "plain"},
      {R"("\a\b\f\n\r\t\v\\\"")", "\a\b\f\n\r\t\v\\\""},
      {R"("\x41\101\u00e9\U0001F600")", "AA\u00e9\U0001F600"},
      {R"("\xff")", "\xff"},
      {"`raw \\n \"`", "raw \\n \""},
      {"`two\nlines`", "two\nlines"},
      {"\"# no comment /* either */\"", "# no comment /* either */"},
  };
  for (const auto& [text, value] : cases) {
    const Token token = First(text);
    EXPECT_EQ(token.kind, TokenKind::kString) << text;
    EXPECT_EQ(token.text, value) << text;
  }
}

TEST(LexerTest, SaysWhatIsWrongAndWhere) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{a=\"x", "parse error at line 1, col 4: literal not terminated"},
      {"\"a\nb\"", "parse error at line 1, col 1: literal not terminated"},
      {"\n  `raw", "parse error at line 2, col 3: literal not terminated"},
      {"'long'", "parse error at line 1, col 1: invalid char literal"},
      {"'open", "parse error at line 1, col 1: literal not terminated"},
      {R"("\d")", "parse error at line 1, col 1: invalid char escape"},
      {R"("\x4")", "parse error at line 1, col 1: invalid char escape"},
      {R"("\ud800")", "parse error at line 1, col 1: invalid syntax"},
      {R"("\777")", "parse error at line 1, col 1: invalid syntax"},
      {"/* open", "parse error at line 1, col 1: comment not terminated"},
      {"[5m", "parse error at line 1, col 1: missing closing ']' in duration"},
      {"[]", "parse error at line 1, col 1: empty duration string"},
      {"a [x]", "parse error at line 1, col 3: not a valid duration string: \"x\""},
      {"1e", "parse error at line 1, col 1: exponent has no digits"},
      {"089", "parse error at line 1, col 1: invalid digit '8' in octal literal"},
      {"1__0", "parse error at line 1, col 1: '_' must separate successive digits"},
      {"0x", "parse error at line 1, col 1: hexadecimal literal has no digits"},
      {"0x.p1", "parse error at line 1, col 1: hexadecimal literal has no digits"},
      {"0x1.8", "parse error at line 1, col 1: hexadecimal mantissa requires a 'p' exponent"},
      {"0x1p", "parse error at line 1, col 1: exponent has no digits"},
      {"0b1.1", "parse error at line 1, col 1: invalid radix point in binary literal"},
      {"0o7e1", "parse error at line 1, col 1: 'e' exponent requires decimal mantissa"},
      {"\xff", "parse error at line 1, col 1: invalid UTF-8 encoding"},
      {"\"\xed\xa0\x80\"", "parse error at line 1, col 1: invalid UTF-8 encoding"},
      {std::string("a \0", 3), "parse error at line 1, col 3: invalid character NUL"},
  };
  for (const auto& [text, message] : cases) EXPECT_EQ(Names(text), message) << text;
}

TEST(LexerTest, CountsColumnsInCharacters) {
  Lexer lexer("\"日本\" x\n# comment ü\n y");
  Token token;
  const std::vector<std::pair<uint32_t, uint32_t>> positions = {{1, 1}, {1, 6}, {3, 2}, {3, 3}, {3, 3}};
  for (const auto& [line, column] : positions) {
    ASSERT_TRUE(lexer.Next(&token).ok());
    EXPECT_EQ(token.line, line);
    EXPECT_EQ(token.column, column);
  }
  EXPECT_EQ(token.kind, TokenKind::kEnd);
}

}  // namespace
}  // namespace varve::logql
