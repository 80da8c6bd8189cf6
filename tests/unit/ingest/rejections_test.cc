#include "ingest/rejections.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace varve {
namespace {

using ::testing::EndsWith;

TEST(Rejections, GroupEqualTexts) {
  Rejections rejections;
  EXPECT_TRUE(rejections.empty());
  rejections.Add(DiscardReason::kLineTooLong, "a", 1, 10);
  rejections.Add(DiscardReason::kTooFarInFuture, "b", 1, 5);
  rejections.Add(DiscardReason::kLineTooLong, "a", 1, 20);
  EXPECT_EQ(rejections.ToStatus().code(), Code::kInvalidArgument);
  EXPECT_EQ(rejections.ToStatus().message(), "2 errors like: a; b");
  EXPECT_EQ(rejections.entries()[static_cast<size_t>(DiscardReason::kLineTooLong)], 2u);
  EXPECT_EQ(rejections.bytes()[static_cast<size_t>(DiscardReason::kLineTooLong)], 30u);
}

TEST(Rejections, AskForARetryWhenARateWasTheReasonOfAny) {
  for (const DiscardReason reason :
       {DiscardReason::kRateLimited, DiscardReason::kPerStreamRateLimit, DiscardReason::kStreamLimit}) {
    Rejections rejections;
    rejections.Add(DiscardReason::kLineTooLong, "a", 1, 1);
    rejections.Add(reason, "b", 1, 1);
    EXPECT_EQ(rejections.ToStatus().code(), Code::kResourceExhausted);
    EXPECT_EQ(rejections.ToStatus().message(), "a; b");
  }
}

TEST(Rejections, AnswerBriefly) {
  Rejections rejections;
  rejections.Add(DiscardReason::kLineTooLong, std::string(Rejections::kBytesMax * 2, 'x'), 1, 1);
  for (int i = 0; i < 1000; ++i)
    rejections.Add(DiscardReason::kLineTooLong, "text " + std::to_string(i), 1, 1);
  EXPECT_LE(rejections.ToStatus().message().size(), Rejections::kBytesMax + 100);
  EXPECT_THAT(rejections.ToStatus().message(), EndsWith("; and 1000 more errors"));
  Rejections many;
  for (int i = 0; i < 1000; ++i) many.Add(DiscardReason::kLineTooLong, "text " + std::to_string(i), 1, 1);
  EXPECT_THAT(many.ToStatus().message(), EndsWith("text 99; and 900 more errors"));
}

TEST(DiscardReasonName, IsDifferentForEachReason) {
  std::set<std::string_view> names;
  for (int i = 0; i < static_cast<int>(DiscardReason::kCount); ++i)
    names.insert(DiscardReasonName(static_cast<DiscardReason>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(DiscardReason::kCount));
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace varve
