#include "alerting/notify/stored_alert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/notify_fixture.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNow = 1'000'000;
constexpr int64_t kTimeout = 300'000;

PostedAlert Between(int64_t starts_ms, int64_t ends_ms) {
  PostedAlert alert = FiringAlert("A");
  alert.starts_at_ms = starts_ms;
  alert.ends_at_ms = ends_ms;
  return alert;
}

TEST(StoredAlert, GetsTheTimesThatAreNotSaid) {
  const auto fresh = ReceiveAlert(Between(0, 0), nullptr, kNow, kTimeout);
  EXPECT_EQ(kNow, fresh->posted->starts_at_ms);
  EXPECT_EQ(kNow + kTimeout, fresh->posted->ends_at_ms);
  EXPECT_TRUE(fresh->timeout);
  const auto lasting = ReceiveAlert(Between(0, kNow + 5), nullptr, kNow, kTimeout);
  EXPECT_EQ(kNow + 5, lasting->posted->starts_at_ms);
  EXPECT_FALSE(lasting->timeout);
}

TEST(StoredAlert, IsNotMadeOfAnEndThatSaysNothingNew) {
  EXPECT_EQ(nullptr, ReceiveAlert(Between(1, kNow), nullptr, kNow, kTimeout));
  const auto over = ReceiveAlert(Between(kNow, kNow + 10), nullptr, kNow, kTimeout);
  EXPECT_EQ(nullptr, ReceiveAlert(Between(1, kNow + 15), over.get(), kNow + 20, kTimeout));
}

struct MergeCase {
  const char* name;
  PostedAlert before, posted;  // before came at kNow, posted comes 100 later
  int64_t starts_ms, ends_ms;
};

class MergeTest : public ::testing::TestWithParam<MergeCase> {};

TEST_P(MergeTest, IsAlertmanagers) {
  const auto before = ReceiveAlert(GetParam().before, nullptr, kNow, kTimeout);
  const auto merged = ReceiveAlert(GetParam().posted, before.get(), kNow + 100, kTimeout);
  ASSERT_NE(nullptr, merged);
  EXPECT_EQ(GetParam().starts_ms, merged->posted->starts_at_ms);
  EXPECT_EQ(GetParam().ends_ms, merged->posted->ends_at_ms);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MergeTest,
    ::testing::Values(
        MergeCase{"renewed", Between(500, kNow + 1000), Between(500, kNow + 2000), 500, kNow + 2000},
        MergeCase{"renewed_without_times_keeps_its_start", Between(0, 0), Between(0, 0), kNow, kNow + 100 + kTimeout},
        MergeCase{"an_earlier_end_does_not_shorten", Between(500, kNow + 2000), Between(500, kNow + 1000), 500,
                  kNow + 2000},
        MergeCase{"a_timeout_gives_way", Between(500, 0), Between(500, kNow + 1000), 500, kNow + 1000},
        MergeCase{"an_end_ends", Between(500, kNow + 2000), Between(0, kNow + 50), 500, kNow + 50},
        MergeCase{"comes_back_later_as_another", Between(500, kNow + 10), Between(kNow + 60, kNow + 2000), kNow + 60,
                  kNow + 2000}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(StoredAlert, IsRefusedInAlertmanagersWords) {
  const auto refusal = [](PostedAlert alert) { return CheckAlert(&alert).ToString(); };
  EXPECT_THAT(refusal(PostedAlert()), HasSubstr("at least one label pair required"));
  PostedAlert empty;
  empty.labels = {{"a", ""}};
  EXPECT_THAT(refusal(empty), HasSubstr("at least one label pair required"));
  EXPECT_THAT(refusal(Between(10, 5)), HasSubstr("start time must be before end time"));
  EXPECT_THAT(refusal(FiringAlert("A", {{"", "x"}})), HasSubstr("invalid name"));
  PostedAlert large = FiringAlert("A");
  large.annotations["text"].assign(kAlertBytesMax, 'x');
  EXPECT_THAT(refusal(large), HasSubstr("exceeds the limit"));
  PostedAlert fine = FiringAlert("A", {{"gone", ""}});
  EXPECT_OK(CheckAlert(&fine));
  EXPECT_EQ(1u, fine.labels.size());
}

}  // namespace
}  // namespace varve
