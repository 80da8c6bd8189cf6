#include "engine/base/memory_budget.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(MemoryBudget, RefusesWhatWouldExceedItsLimitAndNamesItself) {
  MemoryBudget budget("heads", 100);
  ASSERT_TRUE(budget.Reserve(60).ok());
  Status status = budget.Reserve(41);
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_NE(status.message().find("'heads'"), std::string::npos);
  EXPECT_EQ(budget.used_bytes(), 60);
  EXPECT_TRUE(budget.Reserve(40).ok());
}

TEST(MemoryBudget, AParentsLimitBindsItsChildrenAndLeavesNoTrace) {
  MemoryBudget total("total", 100);
  MemoryBudget child("queries", 1000, &total);
  MemoryBudget other("caches", 1000, &total);
  ASSERT_TRUE(other.Reserve(90).ok());
  Status status = child.Reserve(11);
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_NE(status.message().find("'total'"), std::string::npos);
  EXPECT_EQ(child.used_bytes(), 0);
  EXPECT_EQ(total.used_bytes(), 90);
}

TEST(MemoryBudget, AReservationGivesBackWhatItTook) {
  MemoryBudget budget("queries", 100);
  {
    MemoryReservation reservation(&budget);
    ASSERT_TRUE(reservation.Add(70).ok());
    ASSERT_FALSE(reservation.Add(40).ok());
    EXPECT_EQ(reservation.bytes(), 70);
  }
  EXPECT_EQ(budget.used_bytes(), 0);
  EXPECT_EQ(budget.peak_bytes(), 70);
}

}  // namespace
}  // namespace varve
