#include "alerting/rules/alarm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"
#include "tests/unit/alerting/rules/ruler_fixture.h"

namespace varve {
namespace {

using testing::Alerting;
using testing::Group;
using testing::RulerFixture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// '-' missing, '0' fine, 'X' breaching; oldest first.
std::deque<Datapoint> Window(std::string_view text) {
  std::deque<Datapoint> window;
  for (const char c : text) {
    window.push_back({c == 'X' ? DatapointKind::kBreaching : c == '0' ? DatapointKind::kFine : DatapointKind::kMissing,
                      c == 'X' ? 7.0 : 0.0});
  }
  return window;
}

struct JudgeCase {
  const char* window;
  uint32_t m;
  // By treat_missing, the state before being OK: 'A', 'O', 'I'.
  char missing, ignore, breaching, not_breaching;
};

class JudgeTest : public ::testing::TestWithParam<JudgeCase> {};

TEST_P(JudgeTest, JudgesByTheLastDatapoints) {
  const JudgeCase& c = GetParam();
  const auto judge = [&](TreatMissing treat) {
    const AlarmSpec spec = {.evaluation_periods = static_cast<uint32_t>(std::string_view(c.window).size()),
                            .datapoints_to_alarm = c.m,
                            .treat_missing = treat};
    return AlarmStateName(JudgeAlarm(Window(c.window), spec, AlarmState::kOk).state).front();
  };
  EXPECT_EQ(judge(TreatMissing::kMissing), c.missing);
  EXPECT_EQ(judge(TreatMissing::kIgnore), c.ignore);
  EXPECT_EQ(judge(TreatMissing::kBreaching), c.breaching);
  EXPECT_EQ(judge(TreatMissing::kNotBreaching), c.not_breaching);
}

INSTANTIATE_TEST_SUITE_P(Windows, JudgeTest,
                         ::testing::Values(JudgeCase{"000", 3, 'O', 'O', 'O', 'O'}, JudgeCase{"XXX", 3, 'A', 'A', 'A', 'A'},
                                           JudgeCase{"0XX", 3, 'O', 'O', 'O', 'O'}, JudgeCase{"0XX", 2, 'A', 'A', 'A', 'A'},
                                           JudgeCase{"---", 3, 'I', 'O', 'A', 'O'}, JudgeCase{"X--", 3, 'A', 'O', 'A', 'O'},
                                           JudgeCase{"--X", 3, 'O', 'O', 'A', 'O'}, JudgeCase{"-X-", 2, 'A', 'O', 'A', 'O'},
                                           JudgeCase{"--0", 2, 'O', 'O', 'A', 'O'}, JudgeCase{"0X-", 2, 'O', 'O', 'A', 'O'},
                                           JudgeCase{"X", 1, 'A', 'A', 'A', 'A'}, JudgeCase{"-", 1, 'I', 'O', 'A', 'O'},
                                           JudgeCase{"X0X0X", 3, 'A', 'A', 'A', 'A'}));

TEST(Alarm, SaysWhyItIsInItsState) {
  const AlarmSpec spec = {.evaluation_periods = 3, .datapoints_to_alarm = 2};
  EXPECT_EQ(JudgeAlarm(Window("X-X"), spec, AlarmState::kOk).reason,
            "2 of the last 3 datapoints were breaching (7, 7), 1 was missing");
  EXPECT_EQ(JudgeAlarm(Window("---"), spec, AlarmState::kOk).reason, "no datapoint in the last 3 periods");
  EXPECT_EQ(JudgeAlarm(Window("0X0"), spec, AlarmState::kOk).reason, "1 of the last 3 datapoints was breaching (7)");
}

Rule CpuAlarm(TreatMissing treat) {
  Rule rule = Alerting("Cpu", "cpu > 80", 0, {{"severity", "page"}});
  rule.alarm = AlarmSpec{.evaluation_periods = 2, .datapoints_to_alarm = 2, .treat_missing = treat};
  return rule;
}

std::string States(const RulerFixture& f) {
  std::string out;
  for (const AlarmStatus& alarm : f.ruler->Alarms("fake")) {
    out += (out.empty() ? "" : "; ") + PackLabels(alarm.labels).ToString() + " " + std::string(AlarmStateName(alarm.state));
  }
  return out;
}

TEST(Alarm, FollowsTwoOfTwoDatapointsOfAComparison) {
  RulerFixture f;
  f.SetGroups({Group("g", {CpuAlarm(TreatMissing::kMissing)})});
  f.Evaluate(0);
  f.Evaluate(1);
  EXPECT_EQ(States(f), "{alertname=\"Cpu\", severity=\"page\"} INSUFFICIENT_DATA");
  f.Write({{"__name__", "cpu"}, {"host", "a"}}, 2, 50);
  f.Evaluate(2);
  EXPECT_EQ(States(f), "{alertname=\"Cpu\", host=\"a\", severity=\"page\"} OK");
  f.Write({{"__name__", "cpu"}, {"host", "a"}}, 3, 90);
  f.Evaluate(3);
  EXPECT_EQ(States(f), "{alertname=\"Cpu\", host=\"a\", severity=\"page\"} OK");
  f.Restart();
  f.Write({{"__name__", "cpu"}, {"host", "a"}}, 4, 95);
  f.Evaluate(4);
  EXPECT_EQ(States(f), "{alertname=\"Cpu\", host=\"a\", severity=\"page\"} ALARM");
  EXPECT_EQ(f.ruler->Alarms("fake")[0].reason, "2 of the last 2 datapoints were breaching (90, 95)");
  EXPECT_THAT(f.Posted(),
              ElementsAre("{alarm_state=\"ALARM\", alertname=\"Cpu\", host=\"a\", severity=\"page\"} firing 4-8"));
  f.Restart();
  f.WriteStale({{"__name__", "cpu"}, {"host", "a"}}, 5);
  f.EvaluateFromTo(5, 6);
  EXPECT_EQ(States(f), "{alertname=\"Cpu\", host=\"a\", severity=\"page\"} INSUFFICIENT_DATA");
  const std::string labels = "{\"alertname\":\"Cpu\",\"host\":\"a\",\"severity\":\"page\"}";
  EXPECT_THAT(f.Changes(), ElementsAre("2: \"INSUFFICIENT_DATA\">\"OK\" 0 " + labels, "4: \"OK\">\"ALARM\" 95 " + labels,
                                       "6: \"ALARM\">\"INSUFFICIENT_DATA\" 95 " + labels));
  EXPECT_THAT(f.Lines()[1].second, HasSubstr("\"reason\":\"2 of the last 2 datapoints were breaching (90, 95)\""));
}

TEST(Alarm, CountsALabelSetOnceAndForgetsTheOldOnesAtTheLimit) {
  RulerOptions options;
  options.alerts_per_rule_max = 2;
  RulerFixture f(options);
  f.SetGroups({Group("g", {CpuAlarm(TreatMissing::kNotBreaching)})});
  f.Evaluate(0);
  const auto health = [&] { return f.ruler->Groups("fake")[0].rules[0].last_error; };
  for (int64_t minute = 1; minute <= 3; ++minute) {
    f.Write({{"__name__", "cpu"}, {"host", "a"}}, minute, 90);
    f.Write({{"__name__", "cpu"}, {"host", "b"}}, minute, 50);
    f.Evaluate(minute);
    EXPECT_EQ(health(), "") << "in minute " << minute;
  }
  f.Write({{"__name__", "cpu"}, {"host", "c"}}, 20, 90);
  f.Evaluate(20);
  EXPECT_EQ(health(), "exceeded ruler.max_alerts_per_rule of 2 with 3 alerts");
  const int64_t next_day = 24 * 60 + 10;
  f.Write({{"__name__", "cpu"}, {"host", "c"}}, next_day, 90);
  f.Evaluate(next_day);
  EXPECT_EQ(health(), "");
  f.Evaluate(next_day + 1);  // a was in ALARM until now
  EXPECT_EQ(States(f), "{alertname=\"Cpu\", host=\"c\", severity=\"page\"} ALARM");
}

TEST(Alarm, TellsOfMissingDataWhenAsked) {
  RulerFixture f;
  Rule rule = CpuAlarm(TreatMissing::kMissing);
  rule.alarm->notify_insufficient_data = true;
  f.SetGroups({Group("g", {rule})});
  f.Evaluate(0);
  f.EvaluateFromTo(1, 2);
  EXPECT_EQ(f.Alerts(),
            "{alarm_state=\"INSUFFICIENT_DATA\", alertname=\"Cpu\", severity=\"page\"} firing 0 since 2 fired 2");
}

TEST(Alarm, TakesWhatIsNoComparisonAsBreachingWhenItIsThere) {
  RulerFixture f;
  Rule rule = Alerting("Errors", "sum by (app) (count_over_time({app=\"web\"} |= \"error\" [1m]))");
  rule.language = RuleLanguage::kLogql;
  rule.alarm = AlarmSpec{.treat_missing = TreatMissing::kNotBreaching};
  Rule compared = rule;
  compared.alert = "Many";
  compared.expr += " > 1";
  f.SetGroups({Group("g", {rule, compared})});
  f.Evaluate(0);
  f.Evaluate(1);
  EXPECT_EQ(States(f), "{alertname=\"Errors\"} OK; {alertname=\"Many\"} OK");
  f.Push("web", 2, "error");
  f.Evaluate(2);
  EXPECT_EQ(States(f), "{alertname=\"Errors\", app=\"web\"} ALARM; {alertname=\"Many\", app=\"web\"} OK");
  f.Evaluate(4);
  EXPECT_EQ(States(f), "{alertname=\"Errors\", app=\"web\"} OK; {alertname=\"Many\", app=\"web\"} OK");
}

}  // namespace
}  // namespace varve
