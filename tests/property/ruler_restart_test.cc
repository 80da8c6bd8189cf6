// Restarts at random, before and in the middle of evaluations, change nothing: a ruler that is killed again and again
// has the alerts, series, alarms and lines of a twin that runs through.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/unit/alerting/rules/ruler_fixture.h"

namespace varve {
namespace {

using testing::Alerting;
using testing::Group;
using testing::Recording;
using testing::RulerFixture;

constexpr int kMinutes = 60;

std::vector<RuleGroup> RandomGroups(std::mt19937_64* random) {
  const auto below = [&](int n) { return static_cast<int64_t>((*random)() % static_cast<uint64_t>(n)); };
  std::vector<Rule> rules = {Recording("recorded", "x")};
  for (int i = 0; i < 4; ++i) {
    Rule rule = Alerting("A" + std::to_string(i), (below(2) == 0 ? "x > " : "recorded > ") + std::to_string(below(9)),
                         below(5) * 60);
    rule.keep_firing_for_ms = below(3) * 120'000;
    rule.annotations = {{"summary", "is {{ $value }}"}};
    rules.push_back(rule);
  }
  Rule alarm = Alerting("Alarm", "x > 5");
  alarm.alarm = AlarmSpec{.evaluation_periods = static_cast<uint32_t>(1 + below(4)),
                          .treat_missing = static_cast<TreatMissing>(below(4))};
  alarm.alarm->datapoints_to_alarm = static_cast<uint32_t>(1 + below(alarm.alarm->evaluation_periods));
  rules.push_back(alarm);
  return {Group("g", rules), Group("h", {Alerting("Other", "ALERTS{alertname=~\"A.\",alertstate=\"firing\"}", 60, {{"over", "ALERTS"}})})};
}

std::string AlarmsOf(const RulerFixture& f) {
  std::string out;
  for (const AlarmStatus& alarm : f.ruler->Alarms("fake")) {
    out += PackLabels(alarm.labels).ToString() + " " + std::string(AlarmStateName(alarm.state)) + " " + alarm.reason +
           " " + std::to_string(RulerFixture::MinuteOf(alarm.since_ms)) + "\n";
  }
  return out;
}

TEST(RulerRestart, ChangesNothing) {
  const char* const given = std::getenv("VARVE_SEED");
  const uint64_t first_seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  for (uint64_t seed = first_seed; seed < first_seed + 15; ++seed) {
    SCOPED_TRACE("VARVE_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::vector<RuleGroup> groups = RandomGroups(&random);
    RulerFixture twin;
    RulerFixture killed;
    for (RulerFixture* f : {&twin, &killed}) {
      f->SetGroups(groups);
      f->Evaluate(0);
    }
    auto& records = static_cast<MemoryRecordStore&>(killed.engine.records());
    for (int64_t minute = 1; minute <= kMinutes; ++minute) {
      for (int series = 0; series < 3; ++series) {
        const uint64_t what = random() % 12;
        if (what > 10) continue;
        for (RulerFixture* f : {&twin, &killed}) {
          const std::vector<std::pair<std::string, std::string>> labels = {{"__name__", "x"},
                                                                           {"n", std::to_string(series)}};
          if (what == 10) {
            f->WriteStale(labels, minute);
          } else {
            f->Write(labels, minute, static_cast<double>(what));
          }
        }
      }
      twin.Evaluate(minute);
      // A group that was never evaluated has nothing to make up.
      switch (minute == 1 ? 5 : random() % 6) {
        case 0:  // killed before it
          killed.Restart();
          killed.Evaluate(minute);
          break;
        case 1:  // killed when the samples were written
          records.FailWrites(IoError("killed"));
          killed.Evaluate(minute);
          records.FailWrites(Status::Ok());
          killed.Restart();
          killed.Evaluate(minute);
          break;
        case 2:  // down for this one: made up at the next
          killed.Restart();
          if (minute == kMinutes) killed.Evaluate(minute);
          continue;
        default: killed.Evaluate(minute);
      }
      ASSERT_EQ(killed.Alerts(), twin.Alerts()) << "minute " << minute;
      ASSERT_EQ(AlarmsOf(killed), AlarmsOf(twin)) << "minute " << minute;
    }
    EXPECT_EQ(killed.Samples("ALERTS"), twin.Samples("ALERTS"));
    EXPECT_EQ(killed.Samples("ALERTS_FOR_STATE"), twin.Samples("ALERTS_FOR_STATE"));
    EXPECT_EQ(killed.Samples("recorded"), twin.Samples("recorded"));
    EXPECT_EQ(killed.Changes(), twin.Changes());
  }
}

}  // namespace
}  // namespace varve
