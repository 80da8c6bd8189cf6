#include "engine/retention_policy.h"

#include <gtest/gtest.h>

#include "engine/base/time.h"

namespace varve {
namespace {

Matcher Equal(const char* name, const char* value) {
  return std::move(Matcher::Create(name, MatchOp::kEqual, value)).value();
}
RetentionStream Rule(Matcher matcher, int64_t priority, int64_t hours) {
  RetentionStream rule;
  rule.matchers.push_back(std::move(matcher));
  rule.priority = priority;
  rule.period_ns = hours * kNsPerHour;
  return rule;
}
Labels With(const char* name, const char* value) {
  return Labels::FromUnsorted({{name, value}, {"env", "p"}});
}

// Hours; the rules for all name {app="a"} (24 h) and everything in env p with less priority where they say
// so.
RetentionPolicy Example() {
  RetentionPolicy::Tenants tenants;
  tenants["periods"].period_ns = 100 * kNsPerHour;
  tenants["rules"].streams = {Rule(Equal("env", "p"), 1, 5), Rule(Equal("app", "b"), 7, 6),
                              Rule(Equal("app", "b"), 7, 7)};
  tenants["both"].period_ns = 100 * kNsPerHour;
  tenants["both"].streams = {Rule(Equal("app", "c"), 0, 8)};
  return RetentionPolicy(1000 * kNsPerHour, {Rule(Equal("app", "a"), 1, 24), Rule(Equal("app", "a"), 2, 25)},
                         std::move(tenants));
}

TEST(RetentionPolicy, FollowsLokisPrecedence) {
  const RetentionPolicy policy = Example();
  const struct {
    const char* what;
    const char* tenant;
    Labels labels;
    int64_t hours;
  } cases[] = {
      {"the period for all", "other", With("app", "z"), 1000},
      {"a rule for all, by priority", "other", With("app", "a"), 25},
      {"the tenant's period", "periods", With("app", "z"), 100},
      {"a rule for all before the tenant's period", "periods", With("app", "a"), 25},
      {"the tenant's rule before the rules for all", "rules", With("app", "a"), 5},
      {"the tenant's rule of highest priority, the first of equals", "rules", With("app", "b"), 6},
      {"the tenant's rule", "both", With("app", "c"), 8},
      {"a rule for all where the tenant's do not match", "both", With("app", "a"), 25},
      {"the tenant's period where no rule matches", "both", With("app", "z"), 100},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(c.hours * kNsPerHour, policy.PeriodNs(c.tenant, c.labels)) << c.what;
  }
}

TEST(RetentionPolicy, KnowsItsBounds) {
  const RetentionPolicy policy = Example();
  EXPECT_EQ(5 * kNsPerHour, policy.shortest_period_ns());
  EXPECT_EQ(1000 * kNsPerHour, policy.longest_period_ns());
  EXPECT_FALSE(policy.TenantPeriodNs("other").has_value()) << "the rules for all look at labels";
  EXPECT_EQ(100 * kNsPerHour, policy.BasePeriodNs("both"));

  const RetentionPolicy for_ever(0);
  EXPECT_EQ(0, for_ever.shortest_period_ns());
  EXPECT_EQ(0, for_ever.longest_period_ns());
  EXPECT_EQ(0, for_ever.TenantPeriodNs("t"));
  EXPECT_EQ(std::numeric_limits<int64_t>::min(), RetentionPolicy::BeginNs(0, 5));

  RetentionPolicy::Tenants tenants;
  tenants["t"].period_ns = kNsPerHour;
  const RetentionPolicy one(0, {}, std::move(tenants));
  EXPECT_EQ(kNsPerHour, one.shortest_period_ns());
  EXPECT_EQ(0, one.longest_period_ns()) << "the others keep everything";
  EXPECT_EQ(kNsPerHour, one.TenantPeriodNs("t"));
  EXPECT_EQ(0, one.TenantPeriodNs("u"));
}

TEST(RetentionPolicy, PutsPeriodsFarApartIntoClassesOfTheirOwn) {
  const RetentionPolicy policy(24 * kNsPerHour);
  EXPECT_EQ(0, policy.ClassOf(24 * kNsPerHour)) << "the default period";
  EXPECT_EQ(policy.ClassOf(48 * kNsPerHour), policy.ClassOf(50 * kNsPerHour));
  EXPECT_NE(policy.ClassOf(48 * kNsPerHour), policy.ClassOf(96 * kNsPerHour));
  EXPECT_NE(0, policy.ClassOf(25 * kNsPerHour));
  EXPECT_EQ(255, policy.ClassOf(0)) << "for ever";
  EXPECT_GE(policy.ClassOf(1), 1);
  EXPECT_LT(policy.ClassOf(std::numeric_limits<int64_t>::max()), 255);
}

TEST(RetentionPolicy, IsReplacedAsAWhole) {
  RetentionSource source{RetentionPolicy(5)};
  const auto before = source.policy();
  const uint64_t generation = source.generation();
  source.Replace(RetentionPolicy(7));
  EXPECT_EQ(5, before->default_period_ns());
  EXPECT_EQ(7, source.policy()->default_period_ns());
  EXPECT_NE(generation, source.generation());
}

}  // namespace
}  // namespace varve
