#include "alerting/notify/notification_log.h"

#include <gtest/gtest.h>

#include <optional>

namespace varve {
namespace {

struct ReasonCase {
  const char* name;
  std::optional<SentState> sent;
  std::vector<uint64_t> firing, resolved;
  bool send_resolved;
  NotifyReason expected;
};

class ReasonToNotifyTest : public ::testing::TestWithParam<ReasonCase> {};

TEST_P(ReasonToNotifyTest, IsAlertmanagers) {
  const ReasonCase& c = GetParam();
  const SentState* sent = c.sent.has_value() ? &*c.sent : nullptr;
  EXPECT_EQ(c.expected, ReasonToNotify(sent, c.firing, c.resolved, c.send_resolved, 100, 1'000));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ReasonToNotifyTest,
    ::testing::Values(
        ReasonCase{"never_told_and_firing", {}, {1}, {}, true, NotifyReason::kFirst},
        ReasonCase{"never_told_and_only_ends", {}, {}, {1}, true, NotifyReason::kNone},
        ReasonCase{"another_fires", SentState{990, {1}, {}}, {1, 2}, {}, true, NotifyReason::kNewAlerts},
        ReasonCase{"fires_after_all_was_over", SentState{990, {}, {1}}, {2}, {}, true, NotifyReason::kFirst},
        ReasonCase{"all_over", SentState{990, {1, 2}, {}}, {}, {1, 2}, true, NotifyReason::kAllResolved},
        ReasonCase{"all_over_though_unsent", SentState{990, {1}, {}}, {}, {1}, false, NotifyReason::kAllResolved},
        ReasonCase{"over_already", SentState{990, {}, {1}}, {}, {1}, true, NotifyReason::kNone},
        ReasonCase{"one_is_over", SentState{990, {1, 2}, {}}, {1}, {2}, true, NotifyReason::kNewResolved},
        ReasonCase{"one_is_over_unsent", SentState{990, {1, 2}, {}}, {1}, {2}, false, NotifyReason::kNone},
        ReasonCase{"one_is_over_and_told", SentState{990, {1}, {2}}, {1}, {2}, true, NotifyReason::kNone},
        ReasonCase{"nothing_new", SentState{900, {1}, {}}, {1}, {}, true, NotifyReason::kNone},
        ReasonCase{"long_ago", SentState{899, {1}, {}}, {1}, {}, true, NotifyReason::kRepeat}),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace varve
