#include "http/tenant.h"

#include <gtest/gtest.h>

#include <string>

namespace varve {
namespace {

HttpRequest From(std::string org_id) {
  HttpRequest request;
  if (!org_id.empty()) request.headers.emplace_back("x-scope-orgid", std::move(org_id));
  return request;
}

TEST(ResolveTenant, IgnoresTheHeaderWhileAuthenticationIsOff) {
  for (const char* id : {"", "team-a", "a/b", "a|b"}) {
    const TenantLookup lookup = ResolveTenant(From(id), false, true);
    EXPECT_FALSE(lookup.refusal.has_value());
    EXPECT_EQ(lookup.name, "fake");
  }
}

TEST(ResolveTenant, TakesTheHeaderOtherwise) {
  const TenantLookup lookup = ResolveTenant(From("Team-1!_.*'()"), true, true);
  EXPECT_FALSE(lookup.refusal.has_value());
  EXPECT_EQ(lookup.name, "Team-1!_.*'()");
}

TEST(ResolveTenant, RefusesWithLokisTexts) {
  struct Case {
    std::string id;
    bool for_write;
    int status;
    std::string body;
  };
  const Case cases[] = {
      {"", true, 401, "no org id\n"},
      {"", false, 401, "no org id\n"},
      {"a/b", true, 400, "tenant ID 'a/b' contains unsupported character '/'\n"},
      {"a|b", true, 400, "multiple org IDs present\n"},
      {"a|b", false, 400, "tenant ID 'a|b' contains unsupported character '|'\n"},
      {"..", false, 400, "tenant ID is '.' or '..'\n"},
      {std::string(151, 'x'), true, 400, "tenant ID is too long: max 150 characters\n"},
  };
  for (const Case& c : cases) {
    const TenantLookup lookup = ResolveTenant(From(c.id), true, c.for_write);
    ASSERT_TRUE(lookup.refusal.has_value()) << c.id;
    EXPECT_EQ(lookup.refusal->status, c.status);
    EXPECT_EQ(lookup.refusal->body, c.body);
  }
}

TEST(ValidateTenantName, AllowsTheLongestName) {
  EXPECT_TRUE(ValidateTenantName(std::string(150, 'x')).ok());
}

}  // namespace
}  // namespace varve
