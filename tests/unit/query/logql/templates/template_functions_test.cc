// The functions of templates: tables of calls over a row of labels.
#include <gtest/gtest.h>

#include "tests/unit/query/logql/templates/template_case.h"

namespace varve::logql {
namespace {

TEST(TemplateFunctions, Text) {
  const TemplateCase kCases[] = {{".name | lower", "hello world"},
                                 {".name | upper | trunc 5 | lower", "hello"},
                                 {"(upper .name) | lower", "hello world"},
                                 {"ToUpper .uni", "ZO\xC3\x8B \xE6\x97\xA5"},
                                 {"ToLower \"\xD0\x96\xCE\xA3\"", "\xD0\xB6\xCF\x83"},
                                 {"title \"hello wORLD-foo_bar's\"", "Hello WORLD-Foo_bar'S"},
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
                                 {"default \"d\" .num", "42"},
                                 {"default \"d\" 0", "d"},
                                 {"index \"abc\" 1", "98"},
                                 {"slice .path 1 4", "api"},
                                 {"slice .path 5", "v1/users"}};
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), c.result) << c.action;
}

TEST(TemplateFunctions, Encodings) {
  const TemplateCase kCases[] = {{"b64enc \"hello\"", "aGVsbG8="},
                                 {"b64dec \"aGVsbG8=\"", "hello"},
                                 {"b64dec \"aGVsbG8\"", "hello"},
                                 {"b64dec \"***\"", "illegal base64 data at input byte 0"},
                                 {"b64enc \"\"", ""},
                                 {"urlencode \"a b&c=\xC3\xA9\"", "a+b%26c%3D%C3%A9"},
                                 {"urldecode \"a+b%2f%20\"", "a b/ "},
                                 {"html \"<a b='c'>\"", "&lt;a b=&#39;c&#39;&gt;"},
                                 {"js \"it's\\n<b>\"", "it\\'s\\u000A\\u003Cb\\u003E"},
                                 {"urlquery \"a b\" 1", "a+b1"},
                                 {"print \"a\" 1 2 \"b\"", "a1 2b"},
                                 {"print 1 2", "1 2"},
                                 {"println \"a\" 1", "a 1\n"}};
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), c.result) << c.action;
}

TEST(TemplateFunctions, Numbers) {
  const TemplateCase kCases[] = {{"add .num 1", "43"},
                                 {"add 1 2 3", "6"},
                                 {"add \"1.5\" 1", "2"},
                                 {"add \"0x10\" \"010\" \"abc\" \"\"", "24"},
                                 {"add 9223372036854775807 1", "-9223372036854775808"},
                                 {"sub 1 .num", "-41"},
                                 {"mul 6 7", "42"},
                                 {"div 7 -2", "-3"},
                                 {"mod -7 3", "-1"},
                                 {"div \"-9223372036854775808\" -1", "-9223372036854775808"},
                                 {"max 1 .num 3", "42"},
                                 {"min 1 .num 3", "1"},
                                 {"maxf 1.5 .num", "42"},
                                 {"minf 1.5 .num", "1.5"},
                                 {"int \"1.5\"", "1"},
                                 {"int 7.9", "7"},
                                 {"float64 \"1.50\"", "1.5"},
                                 {"float64 \"abc\"", "0"},
                                 {"float64 \"Inf\"", "+Inf"},
                                 {"ceil 123.001", "124"},
                                 {"floor -1.5", "-2"},
                                 {"round 123.5555 3", "123.556"},
                                 {"round 2.5 0", "3"},
                                 {"round \"-1.5\" 0", "-2"},
                                 {"addf 0.1 0.2", "0.3"},
                                 {"subf 5.5 2 1.5", "2"},
                                 {"mulf 1.1 1.1", "1.21"},
                                 {"divf 1 3", "0.3333333333333333"},
                                 {"divf 10 2 4", "1.25"},
                                 {"duration \"1m30.5s\"", "90.5"},
                                 {"duration_seconds \"10ms\"", "0.01"},
                                 {"bytes \"12KB\"", "12000"},
                                 {"bytes \"1.5 MB\"", "1.5e+06"},
                                 {"float64 \"1e21\"", "1e+21"},
                                 {"1.5", "1.5"},
                                 {"true", "true"}};
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), c.result) << c.action;
}

TEST(TemplateFunctions, Regexes) {
  const TemplateCase kCases[] = {
      {"regexReplaceAll \"(a*)bc\" \"aabcabc\" \"${1}x\"", "aaxax"},
      {"regexReplaceAll \"o\" .name \"0\"", "Hell0 W0rld"},
      {".name | regexReplaceAll \"l\" \"L\"", "L"},
      {"regexReplaceAll \"(?P<first>\\\\w+) (\\\\w+)\" .name \"$2 ${first}\"", "World Hello"},
      {"regexReplaceAll \"$\" \"abc\" \"!\"", "abc!"},
      {"regexReplaceAll \"a\" \"banana\" \"$0$0\"", "baanaanaa"},
      {"regexReplaceAll \"a\" \"banana\" \"$1x\"", "bnn"},
      {"regexReplaceAll \"a\" \"banana\" \"$$\"", "b$n$n$"},
      {"regexReplaceAll \"a\" \"banana\" \"${\"", "b${n${n${"},
      {"regexReplaceAll \"x*\" \"ab\" \"-\"", "-a-b-"},
      {"regexReplaceAll \"b*\" \"abc\" \"-\"", "-a-c-"},
      {"regexReplaceAll .num \"x42y\" \"-\"", "x-y"},
      {"regexReplaceAllLiteral \"a\" \"banana\" \"$1\"", "b$1n$1n$1"},
      {"count \"a|b\" \"abab\"", "4"},
      {"count \"\" \"abc\"", "4"}};
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), c.result) << c.action;
}

TEST(TemplateFunctions, Times) {
  const TemplateCase kCases[] = {
      {"__timestamp__", "2026-11-01 01:00:00.123456021 +0000 UTC"},
      {"__timestamp__ | date \"Mon, 02 Jan 2006 15:04:05 MST\"", "Sun, 01 Nov 2026 01:00:00 UTC"},
      {"date \"3:04PM\" __timestamp__", "1:00AM"},
      {"date \"2006-01-02\" 86400", "1970-01-02"},
      {"__timestamp__ | unixEpoch", "1793494800"},
      {"__timestamp__ | unixEpochMillis", "1793494800123"},
      {"__timestamp__ | unixEpochNanos", "1793494800123456021"},
      {"toDate \"2006-01-02\" \"2026-11-01\" | unixEpoch", "1793491200"},
      {"toDate \"2006-01-02\" \"garbage\" | unixEpoch", "-62135596800"},
      {"toDateInZone \"2006-01-02 15:04\" \"America/New_York\" \"2026-11-01 02:03\" | unixEpoch",
       "1793516580"},
      {"toDateInZone \"2006-01-02\" \"No/Such\" \"2026-11-01\" | unixEpoch", "1793491200"},
      {"unixToTime \"1793491200\" | date \"2006-01-02\"", "2026-11-01"},
      {"unixToTime \"20758\" | date \"2006-01-02\"", "2026-11-01"},
      {"unixToTime \"1793491200123456\" | unixEpochNanos", "1793491200123456000"},
      {"unixToTime \"1793491200123\" | unixEpochNanos", "1793491200123000000"},
      {"__timestamp__.Unix", "1793494800"},
      {"__timestamp__.UTC.Hour", "1"},
      {"__timestamp__.Month", "November"},
      {"__timestamp__.Weekday", "Sunday"},
      {"printf \"%d\" __timestamp__.Month", "11"},
      {"__timestamp__.Format \"2006\"", "2026"},
      {"__timestamp__.Sub (unixToTime \"1793494799\")", "1.123456021s"},
      {"(__timestamp__.AddDate 0 1 -1).Day", "30"},
      {"gt (now | unixEpoch | int) 1500000000", "true"},
      {"__timestamp__.Nosuch",
       "template: line:1:3: executing \"line\" at <__timestamp__>: can't evaluate field Nosuch in "
       "type time.Time"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), c.result) << c.action;
  EXPECT_NE(Render("unixToTime \"12\"").find("unable to parse time '12'"), std::string::npos);
}

}  // namespace
}  // namespace varve::logql
