#include "query/logql/shifted.h"

#include <gtest/gtest.h>

#include <string>

#include "query/logql/parser.h"
#include "query/logql/printer.h"
#include "tests/support/status_matchers.h"

namespace varve::logql {
namespace {

std::string Shifted(const char* query, int64_t back_ns) {
  const Result<ExprPtr> expr = ParseExpr(query);
  EXPECT_OK(expr);
  return Print(*ShiftedBack(**expr, back_ns));
}
std::string Parsed(const char* query) { return Print(**ParseExpr(query)); }

TEST(ShiftedBack, MovesEveryRange) {
  constexpr int64_t kSecond = 1'000'000'000;
  EXPECT_EQ(Shifted(R"(topk(3, sum by (a) (rate({b="c"} |= "d" [1h])) / on (a) group_left () sum by (a) (count_over_time({b="e"} [2h] offset 3s))))",
                    2 * kSecond),
            Parsed(R"(topk(3, sum by (a) (rate({b="c"} |= "d" [1h] offset 2s)) / on (a) group_left () sum by (a) (count_over_time({b="e"} [2h] offset 5s))))"));
  EXPECT_EQ(Shifted(R"x(label_replace(max_over_time({b="c"} | unwrap d [1h]) by (a), "x", "$1", "a", "(.*)") > bool 3 or vector(7))x", kSecond),
            Parsed(R"x(label_replace(max_over_time({b="c"} | unwrap d [1h] offset 1s) by (a), "x", "$1", "a", "(.*)") > bool 3 or vector(7))x"));
}

TEST(ShiftedBack, LeavesTheRestAsItIs) {
  for (const char* query : {R"({a="b"} |= "c")", "vector(1)", "1 + 2"}) EXPECT_EQ(Shifted(query, 5), Parsed(query));
  const char* query = R"(sum(count_over_time({a="b"}[1h])))";
  EXPECT_EQ(Shifted(query, 0), Parsed(query));
}

}  // namespace
}  // namespace varve::logql
