// The functions of templates: tables of calls over a row of labels.
#include <gtest/gtest.h>

#include "query/logql/templates/letter_case.h"
#include "query/logql/templates/template.h"

namespace varve::logql {
namespace {

std::string Render(const std::string& action) {
  const auto parsed = Template::Parse("line", "{{ " + action + " }}");
  if (!parsed.ok()) return "refused: " + parsed.status().message();
  Row row;
  const Labels stream = Labels::FromUnsorted({{"name", "Hello World"},
                                              {"path", "/api/v1/users"},
                                              {"uni", "Zo\xC3\xAB \xE6\x97\xA5"},
                                              {"num", "42"},
                                              {"multi", "l1\nl2"},
                                              {"s", "  padded  "}});
  row.labels.Reset(stream, {});
  row.line = "the line";
  std::string out;
  std::string error;
  return parsed->Execute(&row, &out, &error) ? out : error;
}

TEST(TemplateFunctions, Text) {
  const struct {
    const char* action;
    const char* result;
  } kCases[] = {{".name | lower", "hello world"},
                {".name | upper | trunc 5 | lower", "hello"},
                {"(upper .name) | lower", "hello world"},
                {"ToUpper .uni", "ZO\xC3\x8B \xE6\x97\xA5"},
                {"ToLower \"\xD0\x96\xCE\xA3\"", "\xD0\xB6\xCF\x83"},
                {".path | trunc 5", "/api/"},
                {".path | trunc -5", "users"},
                {".path | trunc 0", ""},
                {".path | trunc -100", "/api/v1/users"},
                {".path | substr 0 4", "/api"},
                {".path | substr -1 3", "/ap"},
                {".path | substr 3 -1", "i/v1/users"},
                {".path | substr 5 100", "v1/users"},
                {"len .path", "13"},
                {"__line__ | len", "8"},
                {"len .nosuch", "0"},
                {".s | trim", "padded"},
                {"trimAll \"/\" \"/a/b/\"", "a/b"},
                {"trimPrefix \"/\" .path", "api/v1/users"},
                {"trimSuffix \"users\" .path", "/api/v1/"},
                {"Trim \"xxhixx\" \"x\"", "hi"},
                {"TrimLeft \"xxhix\" \"x\"", "hix"},
                {"TrimRight \"xhixx\" \"x\"", "xhi"},
                {"TrimPrefix \"xhi\" \"x\"", "hi"},
                {"TrimSuffix \"hix\" \"x\"", "hi"},
                {"TrimSpace \"\\ta \"", "a"},
                {"Replace .name \"o\" \"0\" 1", "Hell0 World"},
                {"Replace .name \"o\" \"0\" -1", "Hell0 W0rld"},
                {"replace \"o\" \"\" .name", "Hell Wrld"},
                {"replace \"\" \"-\" \"ab\"", "-a-b-"},
                {"repeat 3 \"ab\"", "ababab"},
                {"repeat 0 \"ab\"", ""},
                {"contains \"World\" .name", "true"},
                {"hasPrefix \"Hello\" .name", "true"},
                {"hasSuffix \"x\" .name", "false"},
                {"indent 2 .multi", "  l1\n  l2"},
                {"nindent 2 .multi", "\n  l1\n  l2"},
                {"alignLeft 8 \"hi\"", "hi      "},
                {"alignRight 8 \"hi\"", "      hi"},
                {"alignRight 3 \"hello\"", "llo"},
                {"alignLeft 4 .uni", "Zo\xC3\xAB "},
                {"alignLeft -1 \"x\"", "x"},
                {"default \"d\" .nosuch", "d"},
                {"default \"d\" .num", "42"}};
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), c.result) << c.action;
}

TEST(TemplateFunctions, Numbers) {
  const struct {
    const char* action;
    const char* result;
  } kCases[] = {{"add .num 1", "43"},
                {"add 1 2 3", "6"},
                {"add \"1.5\" 1", "2"},
                {"add \"0x10\" \"010\" \"abc\" \"\"", "24"},
                {"sub 1 .num", "-41"},
                {"mul 6 7", "42"},
                {"div 7 -2", "-3"},
                {"mod -7 3", "-1"},
                {"div \"-9223372036854775808\" -1", "-9223372036854775808"},
                {"max 1 .num 3", "42"},
                {"min 1 .num 3", "1"},
                {"int \"1.5\"", "1"},
                {"float64 \"1.50\"", "1.5"},
                {"duration \"1m30.5s\"", "90.5"},
                {"duration_seconds \"10ms\"", "0.01"},
                {"bytes \"12KB\"", "12000"},
                {"float64 \"1e21\"", "1e+21"},
                {"1.5", "1.5"},
                {"true", "true"}};
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), c.result) << c.action;
}

TEST(TemplateFunctions, FailInGosWords) {
  EXPECT_EQ(Render("div 1 0"),
            "template: line:1:3: executing \"line\" at <div 1 0>: error calling div: runtime error: integer divide by zero");
  EXPECT_EQ(Render("duration \"x\""), "template: line:1:3: executing \"line\" at <duration \"x\">: error calling "
                                      "duration: time: invalid duration \"x\"");
  EXPECT_NE(Render("lower 1").find("expected string; got int"), std::string::npos);
  EXPECT_NE(Render("lower").find("wrong number of args for lower: want 1 got 0"), std::string::npos);
  EXPECT_NE(Render("repeat -1 \"x\"").find("negative Repeat count"), std::string::npos);
  EXPECT_NE(Render("substr 5 2 .path").find("slice bounds out of range"), std::string::npos);
}

TEST(TemplateFunctions, StayBounded) {
  EXPECT_NE(Render("repeat 1000000000 .name").find("too long"), std::string::npos);
  EXPECT_NE(Render("repeat 1000 (repeat 1000 (repeat 1000 .name))").find("too long"), std::string::npos);
  EXPECT_NE(Render("alignLeft 1000000000 \"x\"").find("too long"), std::string::npos);
  EXPECT_NE(Render("indent 1000000000 \"x\"").find("too long"), std::string::npos);
  std::string nested = ".name";
  for (int i = 0; i < 200; ++i) nested = "(" + nested + ")";
  EXPECT_NE(Render(nested).find("depth"), std::string::npos);
}

TEST(LetterCase, LeadsThereAndBack) {
  for (uint32_t rune : {0x41u, 0xC4u, 0x100u, 0x139u, 0x178u, 0x391u, 0x3A3u, 0x401u, 0x416u, 0x531u, 0x1E00u}) {
    EXPECT_NE(ToLowerRune(rune), rune) << rune;
    EXPECT_EQ(ToUpperRune(ToLowerRune(rune)), rune) << rune;
  }
  EXPECT_EQ(ToUpperRune(0xDF), 0xDFu);  // ß has no single capital
  EXPECT_EQ(ToUpperRune(0xF7), 0xF7u);  // ÷ is no letter
  EXPECT_EQ(ToUpperRune(0x3C2), 0x3A3u);
}

}  // namespace
}  // namespace varve::logql
