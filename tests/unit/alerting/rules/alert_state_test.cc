#include "alerting/rules/alert_state.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace varve {
namespace {

// One alert through evaluations a minute apart: `seen` has a character for each, 'x' where the expression holds; the
// state after each as '-', 'p', 'f', or 'r' (resolved, still kept).
std::string StatesOf(std::string_view seen, int64_t for_minutes, int64_t keep_minutes, int each = 1) {
  AlertTable table;
  std::string states;
  int64_t ts_ms = 0;
  for (const char c : seen) {
    ts_ms += 60'000;
    for (int i = 0; i < each; ++i) {
      std::map<PackedLabels, SeenAlert> elements;
      if (c == 'x') elements[PackLabels({{"a", "1"}})] = {.labels = {{"a", "1"}}, .annotations = {}, .value = 1};
      std::vector<AlertChange> changes;
      table.Step(ts_ms, for_minutes * 60'000, keep_minutes * 60'000, std::move(elements), &changes);
      EXPECT_TRUE(i == 0 || changes.empty()) << "at " << ts_ms;
    }
    table.TakeUnsent(ts_ms, 60'000);
    const auto at = table.alerts().begin();
    states += at == table.alerts().end() ? '-' : "rpf"[static_cast<int>(at->second.state)];
  }
  return states;
}

struct StateCase {
  const char* name;
  const char* seen;
  int64_t for_minutes, keep_minutes;
  const char* states;
};

class AlertStateTest : public ::testing::TestWithParam<StateCase> {};

TEST_P(AlertStateTest, FollowsThePrometheusStateMachine) {
  const StateCase& c = GetParam();
  EXPECT_EQ(StatesOf(c.seen, c.for_minutes, c.keep_minutes), c.states);
  // An evaluation that is done again changes nothing.
  EXPECT_EQ(StatesOf(c.seen, c.for_minutes, c.keep_minutes, 2), c.states);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, AlertStateTest,
    ::testing::Values(StateCase{"FiresAtOnce", ".xx.", 0, 0, "-ffr"}, StateCase{"FiresAfterFor", "xxxx.", 2, 0, "ppffr"},
                      StateCase{"PendingGoes", "xx.x", 3, 0, "pp-p"}, StateCase{"PendsAgainAfterFiring", "xxx.xxx", 2, 0, "ppfrppf"},
                      StateCase{"KeepsFiring", "x.....", 0, 3, "ffffrr"},
                      StateCase{"KeepsFiringFromTheFirstMiss", "x..x....", 0, 3, "fffffffr"},
                      StateCase{"IsForgottenAfterFifteenMinutes", "x...................", 0, 0, "frrrrrrrrrrrrrrrr---"},
                      StateCase{"FiresAgainWhileItIsKept", "x.x.", 0, 0, "frfr"}),
    [](const auto& one) { return one.param.name; });

TEST(AlertTable, FallsBackToPendingWhenForGrows) {
  AlertTable table;
  std::vector<AlertChange> changes;
  const auto step = [&](int64_t minute, int64_t for_minutes) {
    std::map<PackedLabels, SeenAlert> seen;
    seen[PackLabels({{"a", "1"}})] = {.labels = {{"a", "1"}}, .annotations = {}, .value = 1};
    table.Step(minute * 60'000, for_minutes * 60'000, 0, std::move(seen), &changes);
    return table.state();
  };
  EXPECT_EQ(step(1, 0), AlertState::kFiring);
  EXPECT_EQ(table.TakeUnsent(60'000, 60'000).size(), 1U);
  EXPECT_EQ(step(2, 5), AlertState::kPending);
  EXPECT_EQ(step(6, 5), AlertState::kFiring);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[1].from, AlertState::kFiring);
  EXPECT_EQ(*table.alerts().begin()->second.fired_at_ms, 360'000);
  EXPECT_EQ(table.TakeUnsent(360'000, 60'000).size(), 1U);
}

TEST(AlertTable, SendsAgainAfterTheDelayAndAtOnceWhenResolved) {
  AlertTable table;
  std::vector<AlertChange> changes;
  const auto step = [&](int64_t ts_ms, bool seen_now) {
    std::map<PackedLabels, SeenAlert> seen;
    if (seen_now) seen[PackLabels({{"a", "1"}})] = {.labels = {{"a", "1"}}, .annotations = {}, .value = 1};
    table.Step(ts_ms, 0, 0, std::move(seen), &changes);
    return table.TakeUnsent(ts_ms, 60'000).size();
  };
  EXPECT_EQ(step(0, true), 1U);
  EXPECT_EQ(step(15'000, true), 0U);
  EXPECT_EQ(step(60'000, true), 0U);
  EXPECT_EQ(step(75'000, true), 1U);
  EXPECT_EQ(step(90'000, false), 1U);  // resolved
  EXPECT_EQ(step(105'000, false), 0U);
  EXPECT_EQ(step(165'000, false), 1U);
  table.MarkUnsent(165'000);
  EXPECT_EQ(step(180'000, false), 1U);
}

TEST(AlertTable, KnowsWhoseFiringNobodyHeardOf) {
  AlertTable table;
  std::vector<AlertChange> changes;
  const auto step = [&](int64_t ts_ms, bool seen_now) {
    std::map<PackedLabels, SeenAlert> seen;
    if (seen_now) seen[PackLabels({{"a", "1"}})] = {.labels = {{"a", "1"}}, .annotations = {}, .value = 1};
    table.Step(ts_ms, 0, 0, std::move(seen), &changes);
    return table.TakeUnheard(ts_ms).size();
  };
  EXPECT_EQ(step(0, true), 0U);  // made up: not sent
  EXPECT_EQ(step(15'000, false), 1U);
  EXPECT_EQ(table.TakeUnsent(15'000, 60'000).size(), 0U);  // its end is not sent at once
  EXPECT_EQ(step(30'000, true), 0U);
  EXPECT_EQ(table.TakeUnsent(30'000, 60'000).size(), 1U);
  EXPECT_EQ(step(45'000, false), 0U);
  EXPECT_EQ(table.TakeUnsent(45'000, 60'000).size(), 1U);
}

TEST(AlertTable, ForgetsWhatEndedFirst) {
  AlertTable table;
  std::vector<AlertChange> changes;
  for (int64_t minute = 0; minute < 5; ++minute) {
    const LabelMap labels = {{"a", std::to_string(9 - minute)}};
    std::map<PackedLabels, SeenAlert> seen;
    seen[PackLabels(labels)] = {.labels = labels, .annotations = {}, .value = 1};
    table.Step(minute * 60'000, 0, 0, std::move(seen), &changes);
    table.ClearDirty();
  }
  table.ForgetEnded(2);
  std::string left;
  for (const auto& [key, alert] : table.alerts()) left += alert.labels.at("a");
  EXPECT_EQ(left, "567");  // 5 fires
  EXPECT_EQ(table.dirty().size(), 2U);
}

TEST(AlertTable, KnowsWhatItsRecordsLack) {
  AlertTable table;
  std::vector<AlertChange> changes;
  const auto step = [&](int64_t ts_ms, bool seen_now) {
    std::map<PackedLabels, SeenAlert> seen;
    if (seen_now) seen[PackLabels({{"a", "1"}})] = {.labels = {{"a", "1"}}, .annotations = {}, .value = 1};
    table.Step(ts_ms, 60'000, 0, std::move(seen), &changes);
    const size_t dirty = table.dirty().size();
    table.ClearDirty();
    return dirty;
  };
  EXPECT_EQ(step(0, true), 1U);
  EXPECT_EQ(step(30'000, true), 0U);
  EXPECT_EQ(step(60'000, true), 1U);
  EXPECT_EQ(step(90'000, true), 0U);
  EXPECT_EQ(step(120'000, false), 1U);
  EXPECT_EQ(step(150'000, false), 0U);
}

}  // namespace
}  // namespace varve
