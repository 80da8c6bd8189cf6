#include "query/logql/values/number.h"

#include <cmath>

#include <gtest/gtest.h>

namespace varve::logql {
namespace {

TEST(Number, ReadsWhatGoReads) {
  const struct {
    const char* text;
    double value;
  } kCases[] = {
      {"0", 0},        {"-1", -1},       {"+7", 7},        {".5", 0.5},
      {"5.", 5},       {"1e3", 1000},    {"1E-2", 0.01},   {"007", 7},
      {"1_000", 1000}, {"0x1p-2", 0.25}, {"0X1.8P1", 3},   {"1e-400", 0},
      {"0.1", 0.1},    {"-0", 0},        {"1e308", 1e308}, {"99999999999999999999", 99999999999999999999.0}};
  for (const auto& c : kCases) {
    double value = -12345;
    std::string error;
    EXPECT_TRUE(ParseGoFloat(c.text, &value, &error)) << c.text << ": " << error;
    EXPECT_EQ(value, c.value) << c.text;
  }
}

TEST(Number, ReadsInfinitiesAndNanInAnyCase) {
  double value = 0;
  for (const char* text : {"Inf", "+inf", "infinity", "INFINITY"}) {
    ASSERT_TRUE(ParseGoFloat(text, &value, nullptr)) << text;
    EXPECT_TRUE(std::isinf(value) && value > 0) << text;
  }
  ASSERT_TRUE(ParseGoFloat("-Inf", &value, nullptr));
  EXPECT_TRUE(std::isinf(value) && value < 0);
  ASSERT_TRUE(ParseGoFloat("nan", &value, nullptr));
  EXPECT_TRUE(std::isnan(value));
}

TEST(Number, RefusesInGosWords) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {{"", "strconv.ParseFloat: parsing \"\": invalid syntax"},
                {"abc", "strconv.ParseFloat: parsing \"abc\": invalid syntax"},
                {"1e400", "strconv.ParseFloat: parsing \"1e400\": value out of range"},
                {"-1e400", "strconv.ParseFloat: parsing \"-1e400\": value out of range"},
                {"0x10", "strconv.ParseFloat: parsing \"0x10\": invalid syntax"},
                {"1 2", "strconv.ParseFloat: parsing \"1 2\": invalid syntax"},
                {" 3", "strconv.ParseFloat: parsing \" 3\": invalid syntax"},
                {"1__0", "strconv.ParseFloat: parsing \"1__0\": invalid syntax"},
                {"_1", "strconv.ParseFloat: parsing \"_1\": invalid syntax"},
                {"1_", "strconv.ParseFloat: parsing \"1_\": invalid syntax"},
                {"1e", "strconv.ParseFloat: parsing \"1e\": invalid syntax"},
                {"1e+", "strconv.ParseFloat: parsing \"1e+\": invalid syntax"},
                {"--1", "strconv.ParseFloat: parsing \"--1\": invalid syntax"},
                {".", "strconv.ParseFloat: parsing \".\": invalid syntax"},
                {"+nan", "strconv.ParseFloat: parsing \"+nan\": invalid syntax"},
                {"0b11", "strconv.ParseFloat: parsing \"0b11\": invalid syntax"},
                {"a\"b", "strconv.ParseFloat: parsing \"a\\\"b\": invalid syntax"}};
  for (const auto& c : kCases) {
    double value = 0;
    std::string error;
    EXPECT_FALSE(ParseGoFloat(c.text, &value, &error)) << c.text;
    EXPECT_EQ(error, c.error);
  }
}

}  // namespace
}  // namespace varve::logql
