// Inhibition, silences and mute times, through the notifier.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/notify/alert_labels.h"
#include "alerting/notify/inhibition.h"
#include "tests/support/notify_fixture.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using MutingTest = NotifierFixture;

InhibitRule DownMutesWarnings() {
  InhibitRule rule;
  rule.source = {MatcherOf("alertname", MatchOp::kEqual, "Down")};
  rule.target = {MatcherOf("severity", MatchOp::kEqual, "warning")};
  rule.equal = {"cluster"};
  return rule;
}

TEST_F(MutingTest, AFiringSourceInhibitsTargetsWithEqualLabels) {
  config.inhibit_rules = {DownMutesWarnings()};
  Restart();
  const PostedAlert down = FiringAlert("Down", {{"cluster", "a"}});
  Post({Lasting(down), Lasting(FiringAlert("Slow", {{"cluster", "a"}, {"severity", "warning"}}), 90'000'000),
        Lasting(FiringAlert("Full", {{"cluster", "b"}, {"severity", "warning"}}))});
  RunFor(30'000);
  std::vector<std::string> told;
  for (const auto& one : BoxOf("ops")->told) told.insert(told.end(), one.firing.begin(), one.firing.end());
  EXPECT_THAT(told, testing::UnorderedElementsAre("Down", "Full"));
  const auto views = notifier->Alerts("fake", {.active = false});
  ASSERT_THAT(views, SizeIs(1));
  EXPECT_EQ(AlertStatus::kSuppressed, views[0].status);
  EXPECT_THAT(views[0].inhibited_by, ElementsAre(FingerprintText(AlertFingerprint(down.labels))));
  EXPECT_EQ(1u, notifier->Stats().alerts_suppressed);
  Post({Ended(down)});
  RunFor(300'000);
  EXPECT_THAT(BoxOf("ops")->told.back().firing, ElementsAre("Slow"));
}

TEST_F(MutingTest, AnAlertThatMatchesBothSidesIsNotInhibitedByOneOfItsKind) {
  Inhibition inhibition({[] {
    InhibitRule rule = DownMutesWarnings();
    rule.source = {MatcherOf("severity", MatchOp::kRegexMatch, "warning|critical")};
    return rule;
  }()});
  const auto add = [&](const PostedAlert& posted) {
    inhibition.Add("fake", ReceiveAlert(Lasting(posted), nullptr, clock.now_ms, 1000));
  };
  const PostedAlert warning = FiringAlert("W", {{"severity", "warning"}});
  add(warning);
  EXPECT_FALSE(inhibition.Inhibiting("fake", warning.labels, clock.now_ms).has_value());
  const PostedAlert critical = FiringAlert("C", {{"severity", "critical"}});
  add(critical);
  EXPECT_EQ(AlertFingerprint(critical.labels), inhibition.Inhibiting("fake", warning.labels, clock.now_ms));
  EXPECT_FALSE(inhibition.Inhibiting("other", warning.labels, clock.now_ms).has_value());
  EXPECT_FALSE(inhibition.Inhibiting("fake", warning.labels, clock.now_ms + 90'000'000).has_value());
}

TEST_F(MutingTest, ASilencedAlertIsToldWhenTheSilenceEnds) {
  Restart();
  Silence silence;
  silence.matchers = {MatcherOf("alertname", MatchOp::kEqual, "A")};
  silence.ends_at_ms = clock.now_ms + 400'000;
  const std::string id = notifier->SetSilence("fake", silence).value();
  Post({Lasting(FiringAlert("A")), Lasting(FiringAlert("B"))});
  RunFor(30'000);
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(1));
  EXPECT_THAT(BoxOf("ops")->told[0].firing, ElementsAre("B"));
  const auto views = notifier->Alerts("fake", {.active = false});
  ASSERT_THAT(views, SizeIs(1));
  EXPECT_THAT(views[0].silenced_by, ElementsAre(id));
  EXPECT_THAT(notifier->Alerts("fake", {.silenced = false}), SizeIs(1));
  Restart();
  RunFor(300'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
  RunFor(300'000);
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(2));
  EXPECT_THAT(BoxOf("ops")->told[1].firing, ElementsAre("A"));
}

TEST_F(MutingTest, WhatEndedSilentlyAndComesBackIsToldAgain) {
  config.route.group_by = {};
  Restart();
  Post({Lasting(FiringAlert("A")), Lasting(FiringAlert("B"), 90'000'000)});
  RunFor(30'000);
  Silence silence;
  silence.matchers = {MatcherOf("alertname", MatchOp::kEqual, "A")};
  silence.ends_at_ms = clock.now_ms + 400'000;
  ASSERT_OK(notifier->SetSilence("fake", silence));
  Post({Ended(FiringAlert("A"))});
  RunFor(400'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
  Post({Lasting(FiringAlert("A"))});
  RunFor(300'000);
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(2));
  EXPECT_THAT(BoxOf("ops")->told[1].firing, ElementsAre("A", "B"));
}

TEST_F(MutingTest, RoutesAreMutedByTime) {
  TimeInterval hour;
  const int64_t minute = clock.now_ms / 60'000 % 1440;
  hour.minutes = {{static_cast<int32_t>(minute), static_cast<int32_t>(minute) + 10}};
  config.time_intervals = {{"now", {hour}}};
  AddReceiver("day");
  RouteConfig day = RouteTo("day", {MatcherOf("at", MatchOp::kEqual, "day")});
  day.active_time_intervals = {"now"};
  config.route.routes = {day};
  config.route.mute_time_intervals = {"now"};
  Restart();
  Post({Lasting(FiringAlert("A"), 90'000'000), Lasting(FiringAlert("D", {{"at", "day"}}))});
  RunFor(30'000);
  EXPECT_THAT(BoxOf("ops")->told, IsEmpty());
  EXPECT_THAT(BoxOf("day")->told, SizeIs(1));
  const auto groups = notifier->Groups("fake", {});
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_THAT(groups[0].alerts[0].muted_by, ElementsAre("now"));
  EXPECT_THAT(notifier->Groups("fake", {.muted = false}), SizeIs(1));
  RunFor(900'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
}

TEST_F(MutingTest, ViewsAreFilteredByReceiverAndMatchers) {
  AddReceiver("page");
  config.route.routes = {RouteTo("page", {MatcherOf("severity", MatchOp::kEqual, "page")})};
  Restart();
  Post({Lasting(FiringAlert("A", {{"severity", "page"}})), Lasting(FiringAlert("B"))});
  EXPECT_THAT(notifier->Groups("fake", {.receiver = "pa.*"}), SizeIs(1));
  EXPECT_THAT(notifier->Groups("fake", {.receiver = "pa"}), IsEmpty());
  EXPECT_THAT(notifier->Alerts("fake", {.receiver = "ops|page"}), SizeIs(2));
  EXPECT_THAT(notifier->Alerts("fake", {.matchers = {MatcherOf("severity", MatchOp::kEqual, "")}}), SizeIs(1));
  EXPECT_THAT(notifier->Alerts("fake", {.unprocessed = false}), SizeIs(2));
}

}  // namespace
}  // namespace varve
