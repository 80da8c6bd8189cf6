#include "query/promql/functions/range_functions.h"

#include <gtest/gtest.h>

namespace varve::promql {
namespace {

TEST(RangeFunctions, AreFoundByName) {
  for (const char* name :
       {"avg_over_time", "changes", "count_over_time", "delta", "deriv", "double_exponential_smoothing",
        "first_over_time", "idelta", "increase", "irate", "last_over_time", "mad_over_time", "max_over_time",
        "min_over_time", "predict_linear", "present_over_time", "quantile_over_time", "rate", "resets",
        "stddev_over_time", "stdvar_over_time", "sum_over_time", "ts_of_first_over_time", "ts_of_last_over_time",
        "ts_of_max_over_time", "ts_of_min_over_time"}) {
    const RangeFunction* function = FindRangeFunction(name);
    ASSERT_NE(function, nullptr) << name;
    EXPECT_EQ(function->name, name);
    EXPECT_NE(function->fn, nullptr) << name;
  }
  for (const char* name : {"", "absent_over_time", "holt_winters", "zzz", "rat", "ratee"}) {
    EXPECT_EQ(FindRangeFunction(name), nullptr) << name;
  }
}

TEST(RangeFunctions, OnlyFirstAndLastKeepTheName) {
  EXPECT_TRUE(FindRangeFunction("first_over_time")->keeps_name);
  EXPECT_TRUE(FindRangeFunction("last_over_time")->keeps_name);
  EXPECT_FALSE(FindRangeFunction("rate")->keeps_name);
  EXPECT_FALSE(FindRangeFunction("ts_of_last_over_time")->keeps_name);
}

TEST(RangeFunctions, SayWhatTheyTake) {
  EXPECT_EQ(FindRangeFunction("quantile_over_time")->matrix_arg, 1u);
  EXPECT_EQ(FindRangeFunction("predict_linear")->matrix_arg, 0u);
  for (const char* name : {"changes", "delta", "increase", "rate", "resets"}) {
    EXPECT_TRUE(FindRangeFunction(name)->takes_anchored) << name;
  }
  EXPECT_FALSE(FindRangeFunction("irate")->takes_anchored);
  EXPECT_FALSE(FindRangeFunction("changes")->takes_smoothed);
  EXPECT_TRUE(FindRangeFunction("delta")->takes_smoothed);
  for (const char* name : {"increase", "irate", "rate", "resets"}) {
    EXPECT_TRUE(FindRangeFunction(name)->uses_starts) << name;
  }
  EXPECT_FALSE(FindRangeFunction("delta")->uses_starts);
  EXPECT_TRUE(FindRangeFunction("rate")->of_counters);
  EXPECT_FALSE(FindRangeFunction("irate")->of_counters);
}

}  // namespace
}  // namespace varve::promql
