// The ruler on its own threads, with the machine's clock, while groups come and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/support/status_matchers.h"
#include "tests/unit/alerting/rules/ruler_fixture.h"

namespace varve {
namespace {

using testing::Alerting;
using testing::Group;
using testing::Recording;
using testing::RulerFixture;

class RulerThreads : public ::testing::Test {
 protected:
  RulerThreads() {
    RulerMeans means;
    means.engine = &f_.engine;
    means.writes = f_.writes.get();
    means.promql = &f_.promql;
    means.query_limits = &f_.limits;
    means.sinks = {&f_.sink};
    RulerOptions options;
    options.evaluation_threads = 3;
    ruler_ = std::make_unique<Ruler>(means, options);
    EXPECT_OK(ruler_->Load());
  }

  static RuleGroup Fast(const std::string& name, std::vector<Rule> rules) {
    RuleGroup group = Group(name, std::move(rules));
    group.interval_ms = 10;
    return group;
  }
  // False: not within a minute.
  bool WaitForIterations(uint64_t more) const {
    const uint64_t wanted = ruler_->Stats().iterations + more;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (ruler_->Stats().iterations < wanted) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  RulerFixture f_;
  std::unique_ptr<Ruler> ruler_;
};

TEST_F(RulerThreads, EvaluateOnTimeUntilTheyAreStopped) {
  ruler_->SetFileGroups("fake", {Fast("a", {Recording("one", "vector(1)"), Alerting("A", "one > 0")}),
                                 Fast("b", {Recording("two", "one + 1")})});
  ruler_->Start();
  EXPECT_TRUE(WaitForIterations(10));
  ruler_->Stop();
  const RulerStats stats = ruler_->Stats();
  EXPECT_EQ(stats.alerts_firing, 1U);
  EXPECT_EQ(stats.evaluation_failures, 0U);
  EXPECT_FALSE(f_.sink.Take().empty());
  std::this_thread::yield();
  EXPECT_EQ(ruler_->Stats().iterations, stats.iterations);
}

// A sink that is slow for longer than the group's interval.
class SlowSink final : public AlertSink {
 public:
  Status Post(std::string_view, const std::vector<PostedAlert>&) override {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(35);
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return Unavailable("slow");  // so that it is asked at each evaluation
  }
};

TEST_F(RulerThreads, SkipWhatASlowGroupIsTooLateFor) {
  SlowSink slow;
  RulerMeans means;
  means.engine = &f_.engine;
  means.writes = f_.writes.get();
  means.promql = &f_.promql;
  means.query_limits = &f_.limits;
  means.sinks = {&slow};
  ruler_ = std::make_unique<Ruler>(means, RulerOptions{});
  ruler_->SetFileGroups("fake", {Fast("a", {Alerting("A", "vector(1)")})});
  ruler_->Start();
  EXPECT_TRUE(WaitForIterations(6));
  ruler_->Stop();
  // Each takes three intervals and more.
  EXPECT_GE(ruler_->Stats().iterations_missed, 2 * (ruler_->Stats().iterations - 1));
}

TEST_F(RulerThreads, GoOnWhileGroupsComeAndGo) {
  ruler_->Start();
  std::thread reader([&] {
    for (int i = 0; i < 200; ++i) {
      for (const GroupStatus& group : ruler_->Groups("fake")) EXPECT_FALSE(group.group.name.empty());
      EXPECT_TRUE(ruler_->Alarms("fake").empty());
    }
  });
  for (int round = 0; round < 40; ++round) {
    std::vector<RuleGroup> groups = {
        Fast("stays", {Recording("one", "vector(1)"), Alerting("A", "one > 0", round % 3)}),
        Fast("changes", {Recording("r" + std::to_string(round % 2), "one"), Alerting("B", "one > 0")})};
    if (round % 2 == 0) groups.push_back(Fast("comes and goes", {Recording("three", "vector(3)")}));
    ruler_->SetFileGroups("fake", std::move(groups));
    RuleGroup by_api = Fast("api", {Alerting("C", "vector(1)")});
    by_api.file = "ns";
    EXPECT_OK(ruler_->PutGroup("fake", by_api));
    EXPECT_TRUE(WaitForIterations(1));
    EXPECT_OK(ruler_->DeleteGroup("fake", "ns", "api"));
  }
  reader.join();
  EXPECT_TRUE(WaitForIterations(3));
  ruler_->Stop();
  EXPECT_EQ(ruler_->Stats().groups, 2U);
  EXPECT_EQ(ruler_->Stats().evaluation_failures, 0U);
}

}  // namespace
}  // namespace varve
