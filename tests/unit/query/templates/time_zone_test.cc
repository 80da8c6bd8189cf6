#include "query/templates/time_zone.h"

#include <gtest/gtest.h>

namespace varve::templates {
namespace {

void Append(int64_t value, int bytes, std::string* out) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

void AppendHeader(int transitions, int types, int name_bytes, std::string* out) {
  *out += "TZif2" + std::string(15, '\0');
  for (const int count : {0, 0, 0, transitions, types, name_bytes}) Append(count, 4, out);
}

// One transition at 1000, from LMT (+90) to EST; the closing rule as given.
std::string ZoneFile(const std::string& rule) {
  std::string file;
  AppendHeader(0, 1, 1, &file);
  Append(0, 6, &file);
  file.push_back('\0');
  AppendHeader(1, 2, 8, &file);
  Append(1000, 8, &file);
  file.push_back('\1');
  Append(90, 4, &file);
  Append(0, 2, &file);
  Append(-18000, 4, &file);
  Append(4, 2, &file);
  file += std::string("LMT\0EST\0", 8);
  return file + "\n" + rule + "\n";
}

TEST(TimeZone, FollowsTransitionsAndThenTheRule) {
  const auto zone = TimeZone::Parse(ZoneFile("EST5EDT,M3.2.0,M11.1.0"));
  ASSERT_NE(zone, nullptr);
  EXPECT_EQ(zone->At(0).offset_seconds, 90);
  EXPECT_EQ(zone->At(0).name, "LMT");
  EXPECT_EQ(zone->At(0).end, 1000);
  EXPECT_EQ(zone->At(1000).name, "EST");
  // 2026: summer time from March 8, 07:00 UTC to November 1, 06:00 UTC.
  EXPECT_EQ(zone->At(1772953199).name, "EST");
  EXPECT_EQ(zone->At(1772953200).name, "EDT");
  EXPECT_EQ(zone->At(1793512799).offset_seconds, -14400);
  EXPECT_EQ(zone->At(1793512800).offset_seconds, -18000);
  EXPECT_EQ(zone->At(1793512799).end, 1793512800);
  int32_t offset = 0;
  EXPECT_TRUE(zone->FindName("EST", 1793512800, &offset));
  EXPECT_EQ(offset, -18000);
  EXPECT_FALSE(zone->FindName("CET", 0, &offset));
}

TEST(TimeZone, ReadsOtherRules) {
  EXPECT_EQ(TimeZone::Parse(ZoneFile("<+0530>-5:30"))->At(1'000'000).offset_seconds, 19800);
  EXPECT_EQ(TimeZone::Parse(ZoneFile("CET-1CEST,J60/0,J300/0"))->At(15'000'000).name, "CEST");
  EXPECT_EQ(TimeZone::Parse(ZoneFile("AEST-10AEDT,M10.1.0,M4.1.0/3"))->At(1'000'000).name, "AEDT");
  // A rule that makes no sense is left out; the last transition then stays in force.
  EXPECT_EQ(TimeZone::Parse(ZoneFile("EST5EDT,M13.2.0,M11.1.0"))->At(1772953200).name, "EST");
}

TEST(TimeZone, RefusesDamagedFiles) {
  const std::string file = ZoneFile("EST5");
  EXPECT_NE(TimeZone::Parse(file), nullptr);
  for (size_t size = 0; size + 7 < file.size(); ++size)
    EXPECT_EQ(TimeZone::Parse(file.substr(0, size)), nullptr) << size;
  EXPECT_EQ(TimeZone::Parse("not a zone"), nullptr);
}

TEST(TimeZone, LoadsOnlyPlainNames) {
  EXPECT_EQ(TimeZone::Load("../../../etc/passwd"), nullptr);
  EXPECT_EQ(TimeZone::Load("/etc/localtime"), nullptr);
  EXPECT_EQ(TimeZone::Load("No/Such"), nullptr);
  EXPECT_EQ(TimeZone::Load(""), nullptr);
}

}  // namespace
}  // namespace varve::templates
