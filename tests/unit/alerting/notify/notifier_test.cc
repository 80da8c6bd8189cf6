#include "alerting/notify/notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support/notify_fixture.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using NotifierTest = NotifierFixture;

TEST_F(NotifierTest, WaitsGroupWaitAndSendsTheGroupOnce) {
  Restart();
  Post({Lasting(FiringAlert("A", {{"instance", "1"}}))});
  RunFor(29'000);
  EXPECT_THAT(BoxOf("ops")->told, IsEmpty());
  Post({Lasting(FiringAlert("A", {{"instance", "2"}}))});
  RunFor(1'000);
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(1));
  EXPECT_THAT(BoxOf("ops")->told[0].firing, ElementsAre("A/1", "A/2"));
  EXPECT_EQ(R"({}:{alertname="A"})", BoxOf("ops")->told[0].group_key);
  RunFor(1'000'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
}

TEST_F(NotifierTest, TellsOfNewAlertsAndEndsAtTheNextGroupInterval) {
  Restart();
  Post({Lasting(FiringAlert("A", {{"instance", "1"}}))});
  RunFor(30'000);
  Post({Lasting(FiringAlert("A", {{"instance", "2"}}))});
  RunFor(299'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
  RunFor(1'000);
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(2));
  EXPECT_THAT(BoxOf("ops")->told[1].firing, ElementsAre("A/1", "A/2"));
  Post({Ended(FiringAlert("A", {{"instance", "1"}}))});
  RunFor(300'000);
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(3));
  EXPECT_THAT(BoxOf("ops")->told[2].firing, ElementsAre("A/2"));
  EXPECT_THAT(BoxOf("ops")->told[2].resolved, ElementsAre("A/1"));
  Post({Ended(FiringAlert("A", {{"instance", "2"}}))});
  RunFor(300'000);
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(4));
  EXPECT_THAT(BoxOf("ops")->told[3].firing, IsEmpty());
  EXPECT_THAT(BoxOf("ops")->told[3].resolved, ElementsAre("A/2"));
  EXPECT_EQ(0u, notifier->Stats().groups);
}

TEST_F(NotifierTest, RepeatsAfterRepeatInterval) {
  config.route.repeat_interval_ms = 3'600'000;
  Restart();
  Post({Lasting(FiringAlert("A"), 24 * 3'600'000)});
  RunFor(30'000 + 3'600'000, 10'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
  RunFor(300'000, 10'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(2));
}

TEST_F(NotifierTest, SendsAtOnceWhenGroupWaitIsZero) {
  config.route.group_wait_ms = 0;
  Restart();
  Post({Lasting(FiringAlert("A"))});
  notifier->RunDue(clock.now_ms);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
}

TEST_F(NotifierTest, SaysNothingOfAlertsThatEndedBeforeAnyoneWasTold) {
  Restart();
  Post({Lasting(FiringAlert("A"))});
  RunFor(10'000);
  Post({Ended(FiringAlert("A"))});
  RunFor(100'000);
  EXPECT_THAT(BoxOf("ops")->told, IsEmpty());
  EXPECT_EQ(0u, notifier->Stats().groups);
  EXPECT_THAT(notifier->Alerts("fake", {}), IsEmpty());
}

TEST_F(NotifierTest, IgnoresEndsThatAreRepeated) {
  config.route.group_by = {};
  Restart();
  Post({Lasting(FiringAlert("A")), Lasting(FiringAlert("B"))});
  RunFor(30'000);
  const PostedAlert end = Ended(FiringAlert("A"));
  Post({end});
  for (int i = 0; i < 10; ++i) {
    RunFor(60'000);
    Post({end});
  }
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(2));
  EXPECT_THAT(BoxOf("ops")->told[1].resolved, ElementsAre("A"));
}

TEST_F(NotifierTest, ResolvesAfterResolveTimeoutWhatIsNotSentAgain) {
  Restart();
  Post({FiringAlert("A")});
  RunFor(200'000);
  Post({FiringAlert("A")});
  RunFor(200'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
  RunFor(300'000);
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(2));
  EXPECT_THAT(BoxOf("ops")->told[1].resolved, ElementsAre("A"));
}

TEST_F(NotifierTest, TellsAgainOfAnAlertThatCameBackWithoutSendResolved) {
  config.route.group_by = {};
  config.receivers[0].webhooks[0].send_resolved = false;
  Restart();
  Post({Lasting(FiringAlert("A"), 90'000'000), Lasting(FiringAlert("B"), 90'000'000)});
  RunFor(30'000);
  Post({Ended(FiringAlert("A"))});
  RunFor(600'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
  Post({Lasting(FiringAlert("A"))});
  RunFor(300'000);
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(2));
  EXPECT_THAT(BoxOf("ops")->told[1].firing, ElementsAre("A", "B"));
}

TEST_F(NotifierTest, GoesOnWaitingAfterARestart) {
  Restart();
  Post({Lasting(FiringAlert("A"))});
  RunFor(20'000);
  Restart();
  RunFor(9'000);
  EXPECT_THAT(BoxOf("ops")->told, IsEmpty());
  RunFor(1'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
  Restart();
  RunFor(1'000'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
}

TEST_F(NotifierTest, SendsWhatBecameDueWhileDown) {
  Restart();
  Post({Lasting(FiringAlert("A"))});
  clock.now_ms += 60'000;
  Restart();
  notifier->RunDue(clock.now_ms);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
}

TEST_F(NotifierTest, RetriesAtOnceAfterARestartWhatWasBeingRetried) {
  BoxOf("ops")->behaviour = [](const Notification&, const CancelToken&) {
    return Delivery{Unavailable("nobody is there"), true};
  };
  Restart();
  Post({Lasting(FiringAlert("A"))});
  RunFor(100'000);
  EXPECT_GT(BoxOf("ops")->attempts, 3u);
  BoxOf("ops")->behaviour = nullptr;
  Restart();
  notifier->RunDue(clock.now_ms);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
}

TEST_F(NotifierTest, DoesNotTakeDowntimeForAnEnd) {
  Restart();
  Post({FiringAlert("A")});
  RunFor(30'000);
  clock.now_ms += 7'200'000;
  Restart();
  RunFor(60'000);
  Post({FiringAlert("A")});
  RunFor(600'000);
  ASSERT_FALSE(BoxOf("ops")->told.empty());
  EXPECT_THAT(BoxOf("ops")->told[0].resolved, IsEmpty());
  // The second is the end of what was not sent again after all.
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(2));
}

TEST_F(NotifierTest, RefusesAndKeepsNothingWhenRecordsFail) {
  Restart();
  records.FailWrites(IoError("disk"));
  EXPECT_EQ(Code::kIoError, notifier->Post("fake", {Lasting(FiringAlert("A"))}).code());
  EXPECT_THAT(notifier->Alerts("fake", {}), IsEmpty());
  records.FailWrites(Status::Ok());
  Post({Lasting(FiringAlert("A"))});
  // Told all the same when what was sent cannot be recorded, and recorded later.
  RunFor(29'000);
  records.FailWrites(IoError("disk"));
  RunFor(1'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
  EXPECT_GT(notifier->Stats().record_failures, 0u);
  records.FailWrites(Status::Ok());
  RunFor(1'000);
  Restart();
  RunFor(600'000);
  EXPECT_THAT(BoxOf("ops")->told, SizeIs(1));
}

TEST_F(NotifierTest, TakesWhatItCanAndNamesTheLimit) {
  options.alerts_max = 2;
  Restart();
  const Status status =
      notifier->Post("fake", {Lasting(FiringAlert("A")), Lasting(FiringAlert("B")), Lasting(FiringAlert("C"))});
  EXPECT_EQ(Code::kResourceExhausted, status.code());
  EXPECT_THAT(status.message(), HasSubstr("alertmanager.alerts_max"));
  EXPECT_THAT(notifier->Alerts("fake", {}), SizeIs(2));
  // Those that are known are renewed.
  EXPECT_OK(notifier->Post("fake", {Lasting(FiringAlert("A"))}));
  const Status invalid = notifier->Post("fake", {PostedAlert()});
  EXPECT_EQ(Code::kInvalidArgument, invalid.code());
  EXPECT_EQ(2u, notifier->Stats().alerts_refused);
}

TEST_F(NotifierTest, SendsToEveryRouteThatContinues) {
  AddReceiver("page");
  AddReceiver("log");
  RouteConfig page = RouteTo("page", {MatcherOf("severity", MatchOp::kEqual, "page")});
  page.continues = true;
  config.route.routes = {page, RouteTo("log", {MatcherOf("severity", MatchOp::kRegexMatch, "page|warn")})};
  Restart();
  Post({Lasting(FiringAlert("A", {{"severity", "page"}})), Lasting(FiringAlert("B", {{"severity", "warn"}})),
        Lasting(FiringAlert("C"))});
  RunFor(30'000);
  ASSERT_THAT(BoxOf("page")->told, SizeIs(1));
  EXPECT_EQ(R"({}/{severity="page"}:{alertname="A"})", BoxOf("page")->told[0].group_key);
  EXPECT_THAT(BoxOf("log")->told, SizeIs(2));
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(1));
  EXPECT_THAT(BoxOf("ops")->told[0].firing, ElementsAre("C"));
  const auto views = notifier->Alerts("fake", {.matchers = {MatcherOf("alertname", MatchOp::kEqual, "A")}});
  ASSERT_THAT(views, SizeIs(1));
  EXPECT_THAT(views[0].receivers, ElementsAre("page", "log"));
}

TEST_F(NotifierTest, AFailingIntegrationHoldsUpNoOther) {
  config.receivers.clear();
  AddReceiver("ops", 2);
  config.route.group_by = {};
  BoxOf("ops", 0)->behaviour = [](const Notification&, const CancelToken&) {
    return Delivery{Unavailable("refused"), true};
  };
  Restart();
  Post({Lasting(FiringAlert("A"), 90'000'000), Lasting(FiringAlert("B"), 90'000'000)});
  RunFor(40'000);
  EXPECT_THAT(BoxOf("ops", 0)->told, IsEmpty());
  EXPECT_THAT(BoxOf("ops", 1)->told, SizeIs(1));
  Post({Ended(FiringAlert("A"))});
  RunFor(600'000);
  // The end is told once, though the other integration has not been told of it.
  ASSERT_THAT(BoxOf("ops", 1)->told, SizeIs(2));
  EXPECT_THAT(BoxOf("ops", 1)->told[1].resolved, ElementsAre("A"));
  BoxOf("ops", 0)->behaviour = nullptr;
  RunFor(60'000);
  ASSERT_THAT(BoxOf("ops", 0)->told, SizeIs(1));
  EXPECT_THAT(BoxOf("ops", 0)->told[0].firing, ElementsAre("B"));
}

TEST_F(NotifierTest, BacksOffUpToTheLimitAndHeedsRetryAfter) {
  std::vector<int64_t> at;
  int64_t retry_after_ms = -1;
  BoxOf("ops")->behaviour = [&](const Notification&, const CancelToken&) {
    at.push_back(clock.now_ms);
    Delivery delivery;
    delivery.status = Unavailable("busy");
    delivery.retry = true;
    delivery.retry_after_ms = retry_after_ms;
    return delivery;
  };
  config.route.group_wait_ms = 0;
  options.backoff_max_ms = 8'000;
  Restart();
  Post({Lasting(FiringAlert("A"))});
  notifier->RunDue(clock.now_ms);
  RunFor(100'000, 10);
  ASSERT_GT(at.size(), 8u);
  EXPECT_LE(at[1] - at[0], 510);
  EXPECT_GT(at[3] - at[2], at[1] - at[0]);
  const int64_t last = at.back() - at[at.size() - 2];
  EXPECT_GE(last, 6'000);
  EXPECT_LE(last, 8'010);
  retry_after_ms = 30'000;
  const size_t before = at.size();
  RunFor(100'000, 10);
  EXPECT_LE(at.size() - before, 5u);
}

TEST_F(NotifierTest, GivesUpUntilTheNextFlushWhenRetryingCannotHelp) {
  BoxOf("ops")->behaviour = [](const Notification&, const CancelToken&) {
    return Delivery{InvalidArgument("no such channel"), false};
  };
  std::vector<std::string> lines;
  options.log = [&lines](std::string_view, int64_t, std::string line) { lines.push_back(std::move(line)); };
  Restart();
  EXPECT_EQ(0u, notifier->Stats().integrations.at({"ops", "webhook"}).failures);
  Post({Lasting(FiringAlert("A"))});
  RunFor(200'000);
  EXPECT_EQ(1u, BoxOf("ops")->attempts);
  RunFor(300'000);
  EXPECT_EQ(2u, BoxOf("ops")->attempts);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], HasSubstr(R"("outcome":"failed")"));
  EXPECT_THAT(lines[0], HasSubstr("no such channel"));
  const NotifierStats stats = notifier->Stats();
  EXPECT_EQ(2u, stats.integrations.at({"ops", "webhook"}).failures);
}

TEST_F(NotifierTest, AReloadKeepsWhatWasToldAndTellsNewIntegrations) {
  Restart();
  Post({Lasting(FiringAlert("A"), 90'000'000)});
  RunFor(30'000);
  config.receivers[0].webhooks.resize(2);
  ASSERT_OK(notifier->Configure(config));
  RunFor(1'000);
  EXPECT_THAT(BoxOf("ops", 0)->told, SizeIs(1));
  EXPECT_THAT(BoxOf("ops", 1)->told, SizeIs(1));
  RunFor(600'000);
  EXPECT_THAT(BoxOf("ops", 0)->told, SizeIs(1));
}

TEST_F(NotifierTest, KeepsTenantsApart) {
  Restart();
  ASSERT_OK(notifier->Post("one", {Lasting(FiringAlert("A"))}));
  ASSERT_OK(notifier->Post("two", {Lasting(FiringAlert("A"))}));
  RunFor(30'000);
  ASSERT_THAT(BoxOf("ops")->told, SizeIs(2));
  EXPECT_NE(BoxOf("ops")->told[0].tenant, BoxOf("ops")->told[1].tenant);
  EXPECT_THAT(notifier->Alerts("one", {}), SizeIs(1));
  EXPECT_THAT(notifier->Alerts("three", {}), IsEmpty());
}

TEST_F(NotifierTest, SendsMessagesToEveryIntegrationOfAReceiver) {
  config.receivers[0].webhooks.resize(2);
  Restart();
  Message message;
  message.title = "daily";
  CancelToken cancel;
  EXPECT_OK(notifier->Send("ops", message, cancel).status);
  EXPECT_THAT(BoxOf("ops", 0)->messages, ElementsAre("daily"));
  EXPECT_THAT(BoxOf("ops", 1)->messages, ElementsAre("daily"));
  EXPECT_EQ(Code::kNotFound, notifier->Send("nobody", message, cancel).status.code());
}

TEST_F(NotifierTest, SendsAMessageAgainOnlyWhereItWasNotTaken) {
  config.receivers[0].webhooks.resize(2);
  Restart();
  Message message;
  message.title = "daily";
  message.id = "report/daily/2026-11-19";
  CancelToken cancel;
  BoxOf("ops", 1)->refuses_messages = true;
  EXPECT_EQ(Code::kUnavailable, notifier->Send("ops", message, cancel).status.code());
  EXPECT_EQ(Code::kUnavailable, notifier->Send("ops", message, cancel).status.code());
  BoxOf("ops", 1)->refuses_messages = false;
  EXPECT_OK(notifier->Send("ops", message, cancel).status);
  EXPECT_THAT(BoxOf("ops", 0)->messages, SizeIs(1));
  EXPECT_THAT(BoxOf("ops", 1)->messages, SizeIs(1));
  // Once everybody has it, sending it again is a new wish.
  EXPECT_OK(notifier->Send("ops", message, cancel).status);
  EXPECT_THAT(BoxOf("ops", 0)->messages, SizeIs(2));
}

// With threads: what hangs is only waited for where it hangs.
TEST_F(NotifierTest, AHangingReceiverHoldsUpNoOther) {
  AddReceiver("stuck");
  config.route.group_by_all = true;
  config.route.group_wait_ms = 0;
  RouteConfig stuck = RouteTo("stuck", {MatcherOf("to", MatchOp::kEqual, "stuck")});
  stuck.group_by_all = true;
  stuck.group_wait_ms = 0;
  config.route.routes = {stuck};
  std::atomic<int> hanging{0};
  BoxOf("stuck")->behaviour = [&hanging](const Notification&, const CancelToken& cancel) {
    ++hanging;
    while (cancel.Check().ok()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return Delivery{Cancelled("stopped"), true};
  };
  NotifierOptions with = options;
  with.integrations = [this](const NotifyConfig& of) { return Make(of); };
  Notifier running(&records, &Clock::System(), std::move(with));
  ASSERT_OK(running.Configure(config));
  running.Start();
  std::vector<PostedAlert> alerts;
  for (int i = 0; i < 50; ++i) alerts.push_back(FiringAlert("S", {{"to", "stuck"}, {"instance", std::to_string(i)}}));
  ASSERT_OK(running.Post("fake", alerts));
  while (hanging == 0) std::this_thread::yield();
  ASSERT_OK(running.Post("fake", {FiringAlert("A"), FiringAlert("B")}));
  const auto told = [this] {
    const MutexLock lock(BoxOf("ops")->mu);
    return BoxOf("ops")->told.size();
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (told() < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(2u, told());
  EXPECT_LE(hanging, 3);
  running.Stop(0);
}

}  // namespace
}  // namespace varve
