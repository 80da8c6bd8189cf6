// printf, as Go's fmt.
#include <gtest/gtest.h>

#include "tests/unit/query/logql/templates/template_case.h"

namespace varve::logql {
namespace {

TEST(TemplatePrintf, Verbs) {
  const TemplateCase kCases[] = {
      {"printf \"%d %5.2f %t %c %U %%\" 42 3.14159 true 65 65", "42  3.14 true A U+0041 %"},
      {"printf \"%s-%s\" .num .name", "42-Hello World"},
      {"printf \"%5s|%-5s|%05d|%+d|% d|%x|%X|%#x|%o|%b\" \"ab\" \"ab\" 42 7 7 255 255 255 8 5",
       "   ab|ab   |00042|+7| 7|ff|FF|0xff|10|101"},
      {"printf \"%q %q %.2s %x\" \"a\\\"b\" 'x' \"h\\u00e9llo\" \"hi\"", "\"a\\\"b\" 'x' h\xC3\xA9 6869"},
      {"printf \"%v %v %v %v\" 1 1.5 \"s\" true", "1 1.5 s true"},
      {"printf \"%T %T %T %T\" 1 1.5 \"s\" (add 1 1)", "int float64 string int64"},
      {"printf \"%e %.3e %g %G %6.1f|%-8.2f|%08.3f\" 1234.5678 1234.5678 1e21 1e-7 2.25 2.255 -3.14159",
       "1.234568e+03 1.235e+03 1e+21 1E-07    2.2|2.25    |-003.142"},
      {"printf \"%[2]d %[1]d\" 1 2", "2 1"},
      {"printf \"%*d|%-*d|\" 5 42 4 7", "   42|7   |"},
      {"printf \"%.*f\" 2 3.14159", "3.14"},
      {"printf \"%v %s\" (fromJson \"[1,\\\"a\\\",null]\") (fromJson \"{\\\"k\\\":\\\"v\\\"}\")",
       "[1 a <nil>] map[k:v]"},
      {"printf \"%v\" nil", "<nil>"},
      {"printf \"%.4f\" (divf \"12.986\" 1000)", "0.0130"},
      {"printf \"%6.2f%%\" 12.5", " 12.50%"},
      {"printf \"%t\" 1", "%!t(int=1)"},
      {"printf \"%d\" \"x\"", "%!d(string=x)"},
      {"printf \"%d\" 1.5", "%!d(float64=1.5)"},
      {"printf \"%s\" 5", "%!s(int=5)"},
      {"printf \"%s\"", "%!s(MISSING)"},
      {"printf \"x\" .num", "x%!(EXTRA string=42)"},
      {"printf \"%!\" 1", "%!!(int=1)"},
      {"printf \"%\"", "%!(NOVERB)"},
      {"printf \"%[5]d\" 1", "%!d(BADINDEX)"},
      {"printf \"%z\" 1", "%!z(int=1)"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), c.result) << c.action;
}

TEST(TemplatePrintf, FloatsPrintTheirShortestDigits) {
  const TemplateCase kCases[] = {{"0.1", "0.1"},
                                 {"100000.0", "100000"},
                                 {"1000000.0", "1e+06"},
                                 {"0.0001", "0.0001"},
                                 {"0.00001", "1e-05"},
                                 {"-2.50", "-2.5"},
                                 {"123456789.0", "1.23456789e+08"},
                                 {"0.0", "0"}};
  for (const auto& c : kCases) EXPECT_EQ(Render(c.action), c.result) << c.action;
}

}  // namespace
}  // namespace varve::logql
