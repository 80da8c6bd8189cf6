// Lanes and the queue they wait in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/notify/delivery_lane.h"
#include "alerting/notify/delivery_queue.h"

namespace varve {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<DeliveryLane> MakeLane(const std::string& channel, bool send_resolved = true,
                                       std::shared_ptr<SentLog> log = std::make_shared<SentLog>()) {
  DeliveryLane::Means means;
  means.log = std::move(log);
  means.channel = channel;
  means.send_resolved = send_resolved;
  means.repeat_interval_ms = 1'000'000;
  return std::make_shared<DeliveryLane>(std::move(means));
}

// Fingerprints of firing and of resolved alerts.
std::shared_ptr<const Flush> FlushOf(int64_t now_ms, const std::vector<uint64_t>& firing,
                                     const std::vector<uint64_t>& resolved = {}) {
  auto flush = std::make_shared<Flush>();
  flush->now_ms = now_ms;
  const auto posted = std::make_shared<const PostedAlert>();
  for (const uint64_t one : firing) flush->alerts.push_back({posted, one, 1, false});
  for (const uint64_t one : resolved) flush->alerts.push_back({posted, one, 2, true});
  return flush;
}

std::vector<uint64_t> Begun(DeliveryLane* lane, int64_t now_ms) {
  std::vector<FlushedAlert> alerts;
  std::vector<uint64_t> fingerprints;
  if (!lane->Begin(now_ms, &alerts)) return fingerprints;
  for (const FlushedAlert& alert : alerts) fingerprints.push_back(alert.fingerprint);
  return fingerprints;
}

TEST(DeliveryLane, TellsWhatANewerFlushSaysInPlaceOfWhatFailed) {
  const auto lane = MakeLane("c");
  lane->Offer(FlushOf(0, {1}));
  EXPECT_THAT(Begun(lane.get(), 0), ElementsAre(1));
  lane->Fail(0, true, -1);
  const int64_t due_ms = lane->due_ms().value();
  lane->Offer(FlushOf(10, {1, 2}));
  EXPECT_EQ(due_ms, lane->due_ms()) << "a flush does not hurry what is being retried";
  EXPECT_THAT(Begun(lane.get(), due_ms), ElementsAre(1, 2));
  lane->Succeed(due_ms);
  EXPECT_TRUE(lane->Finished());
  EXPECT_THAT(lane->log()->record.state.firing, ElementsAre(1, 2));
}

TEST(DeliveryLane, StopsRetryingWhenNothingFiresThatWasTold) {
  const auto lane = MakeLane("c");
  lane->Offer(FlushOf(0, {1}));
  Begun(lane.get(), 0);
  lane->Fail(0, true, -1);
  const auto over = FlushOf(10, {}, {1});
  lane->Offer(over);
  EXPECT_TRUE(lane->Finished());
  EXPECT_TRUE(lane->Settled(over->alerts[0]));
}

TEST(DeliveryLane, LooksAtWhatArrivedInFlightAfterwards) {
  const auto lane = MakeLane("c");
  lane->Offer(FlushOf(0, {1}));
  Begun(lane.get(), 0);
  lane->Offer(FlushOf(5, {1}));
  lane->Offer(FlushOf(6, {2}, {1}));
  EXPECT_FALSE(lane->due_ms().has_value());
  lane->Succeed(7);
  EXPECT_THAT(Begun(lane.get(), 7), ElementsAre(2, 1));
  lane->Succeed(8);
  EXPECT_TRUE(lane->Finished());
}

TEST(DeliveryLane, KnowsNothingOfMutedAlerts) {
  const auto lane = MakeLane("c");
  lane->Offer(FlushOf(0, {1}));
  Begun(lane.get(), 0);
  lane->Succeed(0);
  lane->Offer(FlushOf(5, {}));
  EXPECT_TRUE(lane->Finished());
  EXPECT_THAT(lane->log()->record.state.firing, ElementsAre(1));
  // What fails and is muted then is not retried.
  lane->Offer(FlushOf(6, {1, 2}));
  Begun(lane.get(), 6);
  lane->Fail(6, true, -1);
  lane->Offer(FlushOf(7, {}));
  EXPECT_TRUE(lane->Finished());
}

TEST(DeliveryLane, ForgetsEndsWithoutTellingThemWhereTheyAreNotWanted) {
  const auto lane = MakeLane("c", false);
  lane->Offer(FlushOf(0, {1}));
  Begun(lane.get(), 0);
  lane->Succeed(0);
  EXPECT_TRUE(lane->TakeLogChanged());
  lane->Offer(FlushOf(5, {}, {1}));
  EXPECT_TRUE(lane->Finished());
  EXPECT_TRUE(lane->TakeLogChanged());
  EXPECT_THAT(lane->log()->record.state.firing, ElementsAre());
  lane->Offer(FlushOf(9, {1}));
  EXPECT_THAT(Begun(lane.get(), 9), ElementsAre(1));
}

TEST(DeliveryLane, TellsNoEndOfWhatItDidNotTell) {
  const auto lane = MakeLane("c");
  lane->Offer(FlushOf(0, {1}));
  Begun(lane.get(), 0);
  lane->Succeed(0);
  const auto flush = FlushOf(5, {1}, {2});
  lane->Offer(flush);
  EXPECT_TRUE(lane->Finished());
  EXPECT_TRUE(lane->Settled(flush->alerts[1]));
  lane->Offer(FlushOf(6, {1, 3}, {2}));
  EXPECT_THAT(Begun(lane.get(), 6), ElementsAre(1, 3));
}

TEST(DeliveryLane, DoesNotTellWhatAnotherLaneOfItsLogHasTold) {
  const auto log = std::make_shared<SentLog>();
  const auto first = MakeLane("c", true, log), second = MakeLane("c", true, log);
  first->Offer(FlushOf(0, {1}));
  second->Offer(FlushOf(0, {1}));
  EXPECT_THAT(Begun(first.get(), 0), ElementsAre(1));
  first->Succeed(0);
  EXPECT_THAT(Begun(second.get(), 1), ElementsAre());
  EXPECT_TRUE(second->Finished());
}

class DeliveryQueueTest : public ::testing::Test {
 protected:
  std::shared_ptr<DeliveryLane> Waiting(const std::string& channel, int64_t due_ms) {
    const auto lane = MakeLane(channel);
    lane->Offer(FlushOf(due_ms, {1}));
    queue.Update(lane);
    return lane;
  }
  // Takes all that can start now; their channels.
  std::vector<std::string> Start(int64_t now_ms) {
    std::vector<std::string> channels;
    while (const auto lane = queue.Take(now_ms)) {
      queue.AttemptStarted(lane->channel(), now_ms);
      channels.push_back(lane->channel());
    }
    return channels;
  }

  DeliveryQueue queue{8};
};

TEST_F(DeliveryQueueTest, TakesWhatIsDueLongestAndNothingEarly) {
  Waiting("a", 20);
  Waiting("b", 10);
  Waiting("c", 30);
  EXPECT_EQ(10, queue.NextDueMs(0));
  EXPECT_THAT(Start(9), ElementsAre());
  EXPECT_THAT(Start(20), ElementsAre("b", "a"));
  EXPECT_EQ(30, queue.NextDueMs(20));
  EXPECT_EQ(1u, queue.size());
}

TEST_F(DeliveryQueueTest, AChannelHasThreeOfEightThreads) {
  for (int i = 0; i < 20; ++i) Waiting("a", 0);
  Waiting("b", 5);
  EXPECT_THAT(Start(5), ElementsAre("a", "a", "a", "b"));
  EXPECT_EQ(DeliveryQueue::kNever, queue.NextDueMs(5));
  queue.AttemptEnded("a", 5, false);
  EXPECT_THAT(Start(6), ElementsAre("a"));
}

TEST_F(DeliveryQueueTest, FailingChannelsHaveOneThreadEachAndHalfOfThemTogether) {
  for (const char* channel : {"a", "b", "c", "d", "e", "f"}) {
    for (int i = 0; i < 5; ++i) Waiting(channel, 0);
    queue.AttemptStarted(channel, 0);
    queue.AttemptEnded(channel, 0, true);
  }
  EXPECT_THAT(Start(0), ElementsAre("a", "b", "c", "d"));
  Waiting("well", 1);
  Waiting("well", 2);
  EXPECT_THAT(Start(2), ElementsAre("well", "well"));
  // One that succeeds again has its share again.
  queue.AttemptEnded("a", 0, false);
  EXPECT_THAT(Start(3), ElementsAre("a", "a", "a"));
}

TEST_F(DeliveryQueueTest, AChannelThatTakesLongCountsAsFailing) {
  for (int i = 0; i < 5; ++i) Waiting("a", 0);
  EXPECT_THAT(Start(0), ElementsAre("a", "a", "a"));
  queue.AttemptEnded("a", 0, false);
  EXPECT_THAT(Start(DeliveryQueue::kSlowMs), ElementsAre());
  queue.AttemptEnded("a", 0, false);
  queue.AttemptEnded("a", 0, false);
  EXPECT_THAT(Start(DeliveryQueue::kSlowMs), ElementsAre("a", "a"));
}

TEST_F(DeliveryQueueTest, RemovesAndMoves) {
  const auto lane = Waiting("a", 10);
  std::vector<FlushedAlert> alerts;
  ASSERT_TRUE(lane->Begin(10, &alerts));
  lane->Fail(10, true, 5'000);
  queue.Update(lane);
  EXPECT_EQ(5'010, queue.NextDueMs(10));
  queue.Remove(lane.get());
  EXPECT_EQ(0u, queue.size());
  EXPECT_EQ(nullptr, queue.Take(10'000));
}

}  // namespace
}  // namespace varve
