#include "query/promql/syntax/durations.h"

#include <gtest/gtest.h>

#include <string>

#include "query/promql/syntax/parser.h"
#include "tests/support/status_matchers.h"

namespace varve::promql {
namespace {

constexpr QuerySpan kSpan = {.step_ms = 15'000, .range_ms = 3'600'000};

int64_t RangeOf(const std::string& duration) {
  Result<ExprPtr> expr = ParseExpr("up[" + duration + "]");
  EXPECT_OK(expr);
  EXPECT_OK(ResolveDurations(kSpan, expr->get()));
  return Cast<MatrixSelector>(**expr).range_ms;
}

TEST(PromqlDurations, AreComputedInSeconds) {
  EXPECT_EQ(RangeOf("5m"), 300'000);
  EXPECT_EQ(RangeOf("5m * 2 + 1"), 601'000);
  EXPECT_EQ(RangeOf("2 ^ 3 ^ 2"), 512'000);
  EXPECT_EQ(RangeOf("step() * 4"), 60'000);
  EXPECT_EQ(RangeOf("range() % 7m"), 240'000);
  EXPECT_EQ(RangeOf("min_of(step(), 1m)"), 15'000);
  EXPECT_EQ(RangeOf("max_of(step(), -(1m))"), 15'000);
  EXPECT_EQ(RangeOf("-1 + 1.5"), 500);
}

TEST(PromqlDurations, AreFoundEverywhereInATree) {
  Result<ExprPtr> expr = ParseExpr("max_over_time((-up offset -step())[range():step()] offset (1m))");
  ASSERT_OK(expr);
  ASSERT_OK(ResolveDurations(kSpan, expr->get()));
  const auto& subquery = Cast<Subquery>(*Cast<Call>(**expr).args[0]);
  EXPECT_EQ(subquery.range_ms, 3'600'000);
  EXPECT_EQ(subquery.step_ms, 15'000);
  EXPECT_EQ(subquery.shift.offset_ms, 60'000);
  EXPECT_EQ(Selectors(**expr)[0]->shift.offset_ms, -15'000);
}

TEST(PromqlDurations, MustBePositiveAndFinite) {
  const auto error = [](const std::string& query) {
    Result<ExprPtr> expr = ParseExpr(query);
    EXPECT_OK(expr);
    const Status status = ResolveDurations({.step_ms = 0, .range_ms = 0}, expr->get());
    EXPECT_EQ(status.code(), Code::kExecution) << query;
    return status.message();
  };
  EXPECT_EQ(error("up[step()]"), "3:9: duration must be greater than 0");
  EXPECT_EQ(error("up[1m - 2m]"), "3:10: duration must be greater than 0");
  EXPECT_EQ(error("up[5m / (step())]"), "3:15: division by zero");
  EXPECT_EQ(error("up[5m % (step())]"), "3:15: modulo by zero");
  EXPECT_EQ(error("up offset (10 ^ 400)"), "11:19: duration is NaN or infinite");
  EXPECT_EQ(error("up[9e9 * 9e9]"), "3:12: duration is out of range");
}

}  // namespace
}  // namespace varve::promql
