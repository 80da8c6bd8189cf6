#include "query/promql/functions/calendar.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace varve::promql {
namespace {

TEST(Calendar, KnowsDates) {
  struct Case {
    double seconds;
    CivilDate date;
    int hour;
    int minute;
  };
  const std::vector<Case> cases = {
      {0, {1970, 1, 1, 1, 4, 31}, 0, 0},
      {-1, {1969, 12, 31, 365, 3, 31}, 23, 59},
      {-0.5, {1970, 1, 1, 1, 4, 31}, 0, 0},  // truncated
      {951'782'400, {2000, 2, 29, 60, 2, 29}, 0, 0},
      {1'709'208'000, {2024, 2, 29, 60, 4, 29}, 12, 0},
      {1'735'689'599, {2024, 12, 31, 366, 2, 31}, 23, 59},
      {4'107'542'399, {2100, 2, 28, 59, 0, 28}, 23, 59},
      {-62'135'596'800, {1, 1, 1, 1, 1, 31}, 0, 0},
      {32'503'680'000, {3000, 1, 1, 1, 3, 31}, 0, 0},
  };
  for (const Case& c : cases) {
    const CivilTime time = SplitUnixSeconds(c.seconds);
    const CivilDate date = DateOfDay(time.day);
    EXPECT_EQ(date.year, c.date.year) << c.seconds;
    EXPECT_EQ(date.month, c.date.month) << c.seconds;
    EXPECT_EQ(date.day, c.date.day) << c.seconds;
    EXPECT_EQ(date.day_of_year, c.date.day_of_year) << c.seconds;
    EXPECT_EQ(date.day_of_week, c.date.day_of_week) << c.seconds;
    EXPECT_EQ(date.days_in_month, c.date.days_in_month) << c.seconds;
    EXPECT_EQ(time.hour, c.hour) << c.seconds;
    EXPECT_EQ(time.minute, c.minute) << c.seconds;
  }
}

TEST(Calendar, GivesWhatFitsNoIntegerADayFarAway) {
  for (const double seconds : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                               -std::numeric_limits<double>::infinity(), 1e19}) {
    EXPECT_EQ(DateOfDay(SplitUnixSeconds(seconds).day).year, 292277026596);
  }
}

}  // namespace
}  // namespace varve::promql
