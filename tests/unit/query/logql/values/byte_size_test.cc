#include "query/logql/values/byte_size.h"

#include <gtest/gtest.h>

namespace varve::logql {
namespace {

TEST(ByteSize, ReadsDecimalAndBinaryUnits) {
  const struct {
    const char* text;
    uint64_t bytes;
  } kCases[] = {{"100", 100},         {"1B", 1},        {"12KB", 12000},        {"12kb", 12000},
                {"1KiB", 1024},       {"1Ki", 1024},    {"1K", 1000},           {"1k", 1000},
                {"3g", 3000000000},   {"0", 0},         {"1.5MiB", 1572864},    {"1.5 KB", 1500},
                {"4 MB", 4000000},    {"1,000B", 1000}, {"1TB", 1000000000000}, {"2PB", 2000000000000000},
                {"1EiB", 1ULL << 60}, {"0.5", 0}};
  for (const auto& c : kCases) {
    uint64_t bytes = 77;
    std::string error;
    EXPECT_TRUE(ParseByteSize(c.text, &bytes, &error)) << c.text << ": " << error;
    EXPECT_EQ(bytes, c.bytes) << c.text;
  }
}

TEST(ByteSize, RefusesInHumanizesWords) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {{"", "strconv.ParseFloat: parsing \"\": invalid syntax"},
                {"abc", "strconv.ParseFloat: parsing \"\": invalid syntax"},
                {"-5KB", "strconv.ParseFloat: parsing \"\": invalid syntax"},
                {"1.2.3KB", "strconv.ParseFloat: parsing \"1.2.3\": invalid syntax"},
                {"1e3", "unhandled size name: e3"},
                {"1 Kx", "unhandled size name: kx"},
                {"1bk", "unhandled size name: bk"},
                {"20EB", "too large: 20EB"}};
  for (const auto& c : kCases) {
    uint64_t bytes = 0;
    std::string error;
    EXPECT_FALSE(ParseByteSize(c.text, &bytes, &error)) << c.text;
    EXPECT_EQ(error, c.error);
  }
}

}  // namespace
}  // namespace varve::logql
