#include "alerting/rules/alert_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/rules/api_groups.h"
#include "tests/support/memory_record_store.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

TrackedAlert SomeAlert() {
  TrackedAlert alert;
  alert.labels = {{"alertname", "A"}, {"host", "a"}};
  alert.annotations = {{"summary", "is 7"}};
  alert.state = AlertState::kFiring;
  alert.value = -7.5;
  alert.active_at_ms = -1;
  alert.fired_at_ms = 60'000;
  alert.keep_firing_since_ms = 0;
  return alert;
}

Alarm SomeAlarm() {
  Alarm alarm;
  alarm.labels = {{"alertname", "A"}};
  alarm.annotations = {{"summary", "x"}};
  alarm.value = 3;
  alarm.state = AlarmState::kAlarm;
  alarm.reason = "because";
  alarm.since_ms = 17;
  alarm.last_seen_ms = 18;
  alarm.window = {{DatapointKind::kMissing, 0}, {DatapointKind::kFine, 0}, {DatapointKind::kBreaching, 3}};
  return alarm;
}

RuleGroupRecord SomeGroup() {
  RuleGroupRecord group;
  group.key = {.tenant = "t", .by_api = true, .file = "ns", .name = "g"};
  group.last_iteration_ms = 5;
  group.lines = {{4, "a line"}, {5, ""}};
  return group;
}

TEST(AlertRecords, ComeBackAsTheyWere) {
  const Result<TrackedAlert> alert = DecodeAlert(EncodeAlert(SomeAlert()));
  ASSERT_OK(alert);
  EXPECT_EQ(*alert, SomeAlert());
  const Result<Alarm> alarm = DecodeAlarm(EncodeAlarm(SomeAlarm()));
  ASSERT_OK(alarm);
  EXPECT_EQ(EncodeAlarm(*alarm), EncodeAlarm(SomeAlarm()));
  EXPECT_EQ(alarm->window, SomeAlarm().window);
  EXPECT_EQ(alarm->reason, "because");
  const Result<RuleGroupRecord> group = DecodeGroup(EncodeGroup(SomeGroup()));
  ASSERT_OK(group);
  EXPECT_EQ(group->key, SomeGroup().key);
  EXPECT_EQ(group->lines, SomeGroup().lines);
  EXPECT_EQ(group->last_iteration_ms, 5);
  EXPECT_EQ(group->last_sample_ms, std::nullopt);
}

TEST(AlertRecords, RefuseWhatIsCutOrOfAnotherVersion) {
  RuleGroup rules;
  rules.name = "g";
  rules.file = "ns";
  Rule rule;
  rule.alert = "A";
  rule.expr = "x";
  rule.alarm = AlarmSpec{};
  rules.rules = {rule};
  const std::string all[] = {EncodeAlert(SomeAlert()), EncodeAlarm(SomeAlarm()), EncodeGroup(SomeGroup()),
                             EncodeApiGroup("t", rules)};
  const auto decode = [](size_t kind, std::string_view bytes) -> Status {
    switch (kind) {
      case 0: return DecodeAlert(bytes).ok() ? Status::Ok() : DecodeAlert(bytes).status().Clone();
      case 1: return DecodeAlarm(bytes).ok() ? Status::Ok() : DecodeAlarm(bytes).status().Clone();
      case 2: return DecodeGroup(bytes).ok() ? Status::Ok() : DecodeGroup(bytes).status().Clone();
      default: return DecodeApiGroup(bytes).ok() ? Status::Ok() : DecodeApiGroup(bytes).status().Clone();
    }
  };
  for (size_t kind = 0; kind < 4; ++kind) {
    const std::string& bytes = all[kind];
    EXPECT_OK(decode(kind, bytes));
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(decode(kind, std::string_view(bytes).substr(0, size)).code(), Code::kCorruption) << kind << " " << size;
    }
    EXPECT_EQ(decode(kind, bytes + "x").code(), Code::kCorruption);
    std::string later = bytes;
    later[0] = 2;
    EXPECT_THAT(decode(kind, later).message(), HasSubstr("version 2 is not known, this program has 1"));
  }
}

TEST(AlertRecords, OfGroupsThatDifferInAnythingDoNotMeet) {
  const GroupKey key = {.tenant = "t", .by_api = false, .file = "f", .name = "g"};
  GroupKey api = key;
  api.by_api = true;
  GroupKey shifted = {.tenant = "tf", .by_api = false, .file = "", .name = "g"};
  EXPECT_NE(GroupId(key), GroupId(api));
  EXPECT_NE(GroupId(key), GroupId(shifted));
  EXPECT_NE(RuleId("a", 0), RuleId("a", 1));
}

}  // namespace
}  // namespace varve
