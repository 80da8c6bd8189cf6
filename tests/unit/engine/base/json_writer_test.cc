#include "engine/base/json_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace varve {
namespace {

using namespace std::string_view_literals;

TEST(JsonString, IsEscapedAsGoDoesWithHtmlEscaping) {
  struct Case {
    std::string_view text, expected;
  };
  const Case cases[] = {
      {"", R"("")"},
      {"plain", R"("plain")"},
      {"<a href=\"x\">&", R"("\u003ca href=\"x\"\u003e\u0026")"},
      {"back\\slash", R"("back\\slash")"},
      {"a\nb\rc\td", R"("a\nb\rc\td")"},
      {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
      {"\0x"sv, R"("\u0000x")"},
      {"häß €", R"("häß €")"},
      {"\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\""},
      {"\xE2\x80\xA8\xE2\x80\xA9", R"("\u2028\u2029")"},
      {"a\xFFz", R"("a\ufffdz")"},
      {"\xC3", R"("\ufffd")"},                      // cut short
      {"\xC0\x80", R"("\ufffd\ufffd")"},            // overlong
      {"\xE0\x80\x80", R"("\ufffd\ufffd\ufffd")"},  // overlong
      {"\xED\xA0\x80", R"("\ufffd\ufffd\ufffd")"},  // surrogate
      {"\xF4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},
      {"\xE2\x82x", R"("\ufffd\ufffdx")"},
  };
  for (const Case& c : cases) {
    std::string out;
    AppendJsonString(&out, c.text);
    EXPECT_EQ(out, c.expected);
  }
}

TEST(GoFloat, IsTheShortestDecimalWithoutExponent) {
  struct Case {
    double value;
    std::string expected;
  };
  const Case cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {-17, "-17"},
      {1.0 / 3, "0.3333333333333333"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e21, "1000000000000000000000"},
      {1e23, "100000000000000000000000"},
      {9007199254740993e3, "9007199254740993000"},
      {18014398509481984.0, "18014398509481984"},
      {1e-7, "0.0000001"},
      {-2.5e-3, "-0.0025"},
      {123.456, "123.456"},
      {1.5e300, "15" + std::string(299, '0')},
      {std::nan(""), "NaN"},
      {std::numeric_limits<double>::infinity(), "+Inf"},
      {-std::numeric_limits<double>::infinity(), "-Inf"},
  };
  for (const Case& c : cases) {
    std::string out;
    AppendGoFloat(&out, c.value);
    EXPECT_EQ(out, c.expected);
  }
}

TEST(GoFloat, ReadsBackAsTheSameValue) {
  for (double value = 1.2345678901234567e-300; value < 1e300; value *= 7.77e5) {
    std::string out;
    AppendGoFloat(&out, value);
    EXPECT_EQ(std::stod(out), value) << out;
  }
  for (const double value : {std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()}) {
    std::string out;
    AppendGoFloat(&out, value);
    EXPECT_EQ(std::strtod(out.c_str(), nullptr), value) << out;
  }
}

TEST(JsonNumber, NeverWritesWhatJsonCannotRead) {
  std::string out;
  AppendJsonNumber(&out, std::nan(""));
  AppendJsonNumber(&out, std::numeric_limits<double>::infinity());
  AppendJsonNumber(&out, 2.5);
  EXPECT_EQ(out, "002.5");
}

TEST(MillisAsSeconds, DropTrailingZeros) {
  struct Case {
    int64_t millis;
    std::string_view expected;
  };
  const Case cases[] = {
      {0, "0"},       {1000, "1"},     {1500, "1.5"},
      {1050, "1.05"}, {1005, "1.005"}, {1793494800250, "1793494800.25"},
      {-1, "-0.001"}, {-1500, "-1.5"}, {std::numeric_limits<int64_t>::min(), "-9223372036854775.808"}};
  for (const Case& c : cases) {
    std::string out;
    AppendMillisAsSeconds(&out, c.millis);
    EXPECT_EQ(out, c.expected);
  }
}

}  // namespace
}  // namespace varve
