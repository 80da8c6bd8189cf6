#include "query/logql/ip_match.h"

#include <gtest/gtest.h>

namespace varve::logql {
namespace {

bool Finds(const std::string& pattern, std::string_view text) {
  const auto matcher = IpMatcher::Create(pattern);
  EXPECT_TRUE(matcher.ok()) << pattern;
  return matcher.ok() && matcher->MatchesAny(text);
}

TEST(IpMatch, FindsAddressesAmongOtherText) {
  for (const char* text : {"client 10.0.0.1 connected", "x10.0.0.1y", "10.0.0.1/24", "10.0.0.1,10.0.0.2",
                           "[10.0.0.1]:80", "port10.0.0.1", "10.0.0.1", "12:10.0.0.1"}) {
    EXPECT_TRUE(Finds("10.0.0.1", text)) << text;
  }
  for (const char* text : {"10.0.0.10", "110.0.0.1", "10.0.0.1.5", "10.0.0.1.", "010.0.0.1", "256.0.0.1",
                           "1.2.3", "::ffff:10.0.0.1", ""}) {
    EXPECT_FALSE(Finds("10.0.0.1", text)) << text;
  }
}

TEST(IpMatch, FindsIpv6AlsoAtTheEndOfTheText) {
  EXPECT_TRUE(Finds("2001:db8::/32", "ipv6 2001:db8::1 up"));
  EXPECT_TRUE(Finds("2001:db8::/32", "[2001:db8:0:0:0:0:0:1]:443"));
  EXPECT_TRUE(Finds("2001:db8::/32", "2001:DB8::A"));
  EXPECT_TRUE(Finds("fe80::/10", "fe80::1%eth0"));
  EXPECT_TRUE(Finds("::1", "::1"));
  EXPECT_TRUE(Finds("::1", "from ::1"));
  EXPECT_TRUE(Finds("::ffff:10.0.0.1", "::ffff:10.0.0.1 mapped"));
  EXPECT_FALSE(Finds("::/0", "mac aa:bb:cc:dd:ee:ff"));
  EXPECT_FALSE(Finds("::/0", "time 12:34:56"));
}

TEST(IpMatch, RangesAndPrefixes) {
  EXPECT_TRUE(Finds("10.0.0.5-10.0.0.9", "10.0.0.9"));
  EXPECT_FALSE(Finds("10.0.0.5-10.0.0.9", "10.0.0.10"));
  EXPECT_TRUE(Finds("10.1.2.3/8", "10.255.255.255"));
  EXPECT_FALSE(Finds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(Finds("0.0.0.0/0", "255.255.255.255"));
  EXPECT_FALSE(Finds("0.0.0.0/0", "::1"));
}

TEST(IpMatch, RefusesWhatIsNoPattern) {
  for (const char* pattern :
       {"", "hello", "10.0.0.300", "10.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "::/129",
        "10.0.0.9-10.0.0.5", "10.0.0.1-::1", "1::2::3", "12345::", "::1%eth0", "1:2:3:4:5:6:7:8:9"}) {
    const auto matcher = IpMatcher::Create(pattern);
    ASSERT_FALSE(matcher.ok()) << pattern;
    EXPECT_EQ(matcher.status().message(), "ip: invalid pattern: \"" + std::string(pattern) + "\"");
  }
}

}  // namespace
}  // namespace varve::logql
