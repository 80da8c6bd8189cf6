// Rules that come, change and go while the ruler runs; groups by the API; failing stores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/alerting/rules/ruler_fixture.h"

namespace varve {
namespace {

using testing::Alerting;
using testing::Group;
using testing::Recording;
using testing::RulerFixture;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RulerReload, KeepsTheStateOfRulesThatAreMovedOrChangeTheirFor) {
  RulerFixture f;
  f.SetGroups({Group("g", {Alerting("A", "x > 3", 180), Alerting("B", "x > 3", 180)})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}}, 1, 5);
  f.EvaluateFromTo(1, 2);
  f.SetGroups({Group("g", {Alerting("New", "x > 9"), Alerting("B", "x > 3", 60), Alerting("A", "x > 4", 180)})});
  EXPECT_EQ(f.Alerts(), "{alertname=\"B\"} pending 5 since 1; {alertname=\"A\"} pending 5 since 1");
  f.Evaluate(3);
  EXPECT_EQ(f.Alerts(), "{alertname=\"B\"} firing 5 since 1 fired 3; {alertname=\"A\"} pending 5 since 1");
  f.Evaluate(4);
  f.SetGroups({Group("g", {Alerting("A", "x > 4", 300)})});
  f.Evaluate(5);
  EXPECT_EQ(f.Alerts(), "{alertname=\"A\"} pending 5 since 1");
}

TEST(RulerReload, EndsTheSeriesOfRulesThatAreGone) {
  RulerFixture f;
  f.SetGroups({Group("g", {Recording("a", "x"), Alerting("A", "x > 3")}), Group("h", {Recording("b", "x")})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}}, 1, 5);
  f.EvaluateFromTo(1, 2);
  f.SetGroups({Group("g", {Recording("c", "x")})});
  f.EvaluateFromTo(3, 5);
  EXPECT_EQ(f.Samples("a"), "a 5@1 5@2 stale@3");
  EXPECT_EQ(f.Samples("ALERTS"), "ALERTS{alertname=\"A\", alertstate=\"firing\"} 1@1 1@2 stale@3");
  EXPECT_EQ(f.Samples("b"), "b 5@1 5@2 stale@2");  // at the time it went
  f.Restart();
  f.Evaluate(6);
  EXPECT_EQ(f.Samples("ALERTS"), "ALERTS{alertname=\"A\", alertstate=\"firing\"} 1@1 1@2 stale@3");
}

TEST(RulerReload, LetsAnotherGroupTakeASeriesUp) {
  RulerFixture f;
  f.SetGroups({Group("g", {Recording("a", "x")})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}}, 1, 5);
  f.EvaluateFromTo(1, 2);
  f.SetGroups({Group("renamed", {Recording("a", "x")})});
  f.EvaluateFromTo(3, 5);
  EXPECT_EQ(f.Samples("a"), "a 5@1 5@2 5@3 5@4 5@5");
}

TEST(RulerReload, EndsSeriesThatWentDuringAStop) {
  RulerFixture f;
  f.SetGroups({Group("g", {Recording("a", "x"), Recording("a", "y"), Alerting("A", "x > 0")})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}, {"n", "1"}}, 1, 5);
  f.Write({{"__name__", "y"}, {"n", "2"}}, 1, 6);
  f.EvaluateFromTo(1, 2);
  f.WriteStale({{"__name__", "x"}, {"n", "1"}}, 3);
  f.Restart();
  f.Evaluate(3);
  EXPECT_EQ(f.Samples("a"), "a{n=\"1\"} 5@1 5@2 stale@3; a{n=\"2\"} 6@1 6@2 6@3");
  EXPECT_EQ(f.Samples("ALERTS"), "ALERTS{alertname=\"A\", alertstate=\"firing\", n=\"1\"} 1@1 1@2 stale@3");
  // And alerts whose group went during it.
  f.groups.clear();
  f.Write({{"__name__", "x"}, {"n", "1"}}, 4, 5);
  f.Restart();
  f.EvaluateFromTo(4, 7);
  EXPECT_EQ(f.Alerts(), "");
}

TEST(RulerReload, KeepsGroupsOfTheApi) {
  RulerFixture f;
  f.options.groups_max = 2;
  f.options.rules_per_group_max = 2;
  f.Restart();
  RuleGroup group = Group("g", {Recording("a", "x", {{"l", "1"}}), Alerting("A", "x > 0", 60)});
  group.file = "ns";
  group.labels = {{"team", "ops"}};
  group.rules[1].annotations = {{"summary", "{{ $value }}"}};
  group.rules[1].alarm = AlarmSpec{.evaluation_periods = 5, .datapoints_to_alarm = 3};
  EXPECT_OK(f.ruler->PutGroup("fake", group));
  RuleGroup other = group;
  other.file = "other";
  EXPECT_OK(f.ruler->PutGroup("fake", other));
  other.name = "h";
  EXPECT_EQ(f.ruler->PutGroup("fake", other).message(), "per-user rule groups limit (limit: 2 actual: 3) exceeded");
  RuleGroup large = group;
  large.rules.push_back(Recording("b", "x"));
  EXPECT_EQ(f.ruler->PutGroup("fake", large).message(),
            "per-user rules per rule group limit (limit: 2 actual: 3) exceeded");
  f.Restart();
  const std::vector<RuleGroup> groups = f.ruler->ApiGroups("fake");
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].file, "ns");
  EXPECT_EQ(groups[0].labels, group.labels);
  EXPECT_EQ(groups[0].interval_ms, group.interval_ms);
  ASSERT_EQ(groups[0].rules.size(), 2U);
  EXPECT_TRUE(groups[0].rules[0].SameAs(group.rules[0]));
  EXPECT_TRUE(groups[0].rules[1].SameAs(group.rules[1]));
  EXPECT_THAT(f.ruler->ApiGroups("other"), IsEmpty());
  EXPECT_EQ(f.ruler->DeleteGroup("fake", "ns", "none").message(), "group does not exist");
  EXPECT_OK(f.ruler->DeleteGroup("fake", "ns", "g"));
  EXPECT_OK(f.ruler->DeleteNamespace("fake", "other"));
  EXPECT_EQ(f.ruler->DeleteNamespace("fake", "other").message(), "group namespace does not exist");
  f.Restart();
  EXPECT_THAT(f.ruler->ApiGroups("fake"), IsEmpty());
}

TEST(RulerReload, GivesGroupsTheirLabels) {
  RulerFixture f;
  RuleGroup group = Group("g", {Recording("a", "x", {{"l", "rule"}}), Alerting("A", "x > 0")});
  group.labels = {{"l", "group"}, {"team", "ops"}};
  f.SetGroups({group});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}}, 1, 5);
  f.Evaluate(1);
  EXPECT_EQ(f.Samples("a"), "a{l=\"rule\", team=\"ops\"} 5@1");
  EXPECT_EQ(f.Alerts(), "{alertname=\"A\", l=\"group\", team=\"ops\"} firing 5 since 1 fired 1");
}

TEST(RulerReload, GoesOnWhenStateCannotBeWrittenAndWritesItLater) {
  RulerFixture f;
  f.SetGroups({Group("g", {Alerting("A", "x > 3", 60)})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}}, 1, 5);
  auto& records = static_cast<MemoryRecordStore&>(f.engine.records());
  records.FailWrites(IoError("no"));
  f.EvaluateFromTo(1, 2);
  EXPECT_EQ(f.ruler->Stats().state_write_failures, 2U);
  EXPECT_THAT(f.Posted(), ElementsAre("{alertname=\"A\"} firing 2-6"));
  records.FailWrites(Status::Ok());
  f.Evaluate(3);
  f.Restart();
  EXPECT_EQ(f.Alerts(), "{alertname=\"A\"} firing 5 since 1 fired 2");
}

TEST(RulerReload, SendsAgainWhatNobodyTook) {
  RulerFixture f;
  f.options.resend_delay_ms = 300'000;
  f.Restart();
  f.SetGroups({Group("g", {Alerting("A", "x > 3")})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}}, 1, 5);
  f.sink.failure = Unavailable("no");
  f.Evaluate(1);
  f.sink.failure = Status::Ok();
  f.Evaluate(2);
  EXPECT_THAT(f.Posted(), ElementsAre("{alertname=\"A\"} firing 1-22"));
  f.Evaluate(3);
  EXPECT_THAT(f.Posted(), IsEmpty());
  EXPECT_EQ(f.ruler->Stats().send_failures, 1U);
}

TEST(RulerReload, KeepsLinesUntilAPushTakesThem) {
  RulerFixture f;
  f.SetGroups({Group("g", {Alerting("A", "x > 3")})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}}, 1, 5);
  f.engine.FailAppends(Unavailable("no"));
  f.Evaluate(1);
  f.Restart();  // the lines are in the records
  f.engine.FailAppends(Status::Ok());
  f.Evaluate(2);
  EXPECT_THAT(f.Changes(), ElementsAre("1: \"inactive\">\"firing\" 5 {\"alertname\":\"A\"}"));
}

}  // namespace
}  // namespace varve
