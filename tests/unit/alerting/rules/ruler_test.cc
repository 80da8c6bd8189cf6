#include "alerting/rules/ruler.h"

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
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Ruler, RecordsSeriesAtTheTimesOfTheGroup) {
  RulerFixture f;
  f.SetGroups({Group("g", {Recording("twice", "x * 2", {{"by", "rule"}})})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}, {"a", "1"}}, 1, 5);
  f.EvaluateFromTo(1, 2);
  EXPECT_EQ(f.Samples("twice"), "twice{a=\"1\", by=\"rule\"} 10@1 10@2");
  const std::vector<GroupStatus> groups = f.ruler->Groups("fake");
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].rules[0].health, RuleHealth::kOk);
  EXPECT_EQ(groups[0].interval_ms, 60'000);
}

TEST(Ruler, LetsRulesSeeWhatEarlierOnesOfTheirGroupWrote) {
  RulerFixture f;
  f.SetGroups({Group("g", {Recording("a", "vector(2)"), Recording("b", "a + 1"), Alerting("C", "b > 2"),
                           Recording("d", "count(ALERTS{alertname=\"C\",alertstate=\"firing\"})")})});
  f.Evaluate(0);
  f.Evaluate(1);
  EXPECT_EQ(f.Samples("b"), "b 3@1");
  EXPECT_EQ(f.Samples("d"), "d 1@1");
}

TEST(Ruler, TakesAnAlertFromPendingToFiringToResolved) {
  RulerFixture f;
  f.SetGroups({Group("g", {Alerting("High", "x > 3", 120, {{"severity", "page"}})})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}, {"a", "1"}}, 1, 5);
  f.EvaluateFromTo(1, 2);
  EXPECT_EQ(f.Alerts(), "{a=\"1\", alertname=\"High\", severity=\"page\"} pending 5 since 1");
  EXPECT_THAT(f.Posted(), IsEmpty());
  f.Write({{"__name__", "x"}, {"a", "1"}}, 3, 6);
  f.EvaluateFromTo(3, 4);
  EXPECT_EQ(f.Alerts(), "{a=\"1\", alertname=\"High\", severity=\"page\"} firing 6 since 1 fired 3");
  EXPECT_THAT(f.Posted(), ElementsAre("{a=\"1\", alertname=\"High\", severity=\"page\"} firing 3-7"));
  f.Write({{"__name__", "x"}, {"a", "1"}}, 5, 1);
  f.Evaluate(5);
  EXPECT_EQ(f.Alerts(), "");
  EXPECT_THAT(f.Posted(), ElementsAre("{a=\"1\", alertname=\"High\", severity=\"page\"} resolved 3-5"));
  EXPECT_EQ(f.Samples("ALERTS"),
            "ALERTS{a=\"1\", alertname=\"High\", alertstate=\"firing\", severity=\"page\"} 1@3 1@4 stale@5; "
            "ALERTS{a=\"1\", alertname=\"High\", alertstate=\"pending\", severity=\"page\"} 1@1 1@2 stale@3");
  EXPECT_THAT(f.Samples("ALERTS_FOR_STATE"), HasSubstr("e+09@4 stale@5"));
  const std::string labels = "{\"a\":\"1\",\"alertname\":\"High\",\"severity\":\"page\"}";
  EXPECT_THAT(f.Changes(), ElementsAre("1: \"inactive\">\"pending\" 5 " + labels, "3: \"pending\">\"firing\" 6 " + labels,
                                       "5: \"firing\">\"inactive\" 6 " + labels));
}

TEST(Ruler, EvaluatesLogqlBesidePromql) {
  RulerFixture f;
  Rule rule = Alerting("Errors", "sum by (app) (count_over_time({app=\"web\"} |= \"error\" [2m])) >= 2");
  rule.language = RuleLanguage::kLogql;
  Rule recording = Recording("errors", "sum by (app) (count_over_time({app=\"web\"} |= \"error\" [2m]))");
  recording.language = RuleLanguage::kLogql;
  f.SetGroups({Group("g", {rule, recording, Recording("both", "errors + on (app) logql(`sum by (app) "
                                                              "(count_over_time({app=\"web\"}[2m]))`)")})});
  f.Evaluate(0);
  f.Push("web", 1, "error 1");
  f.Push("web", 1, "error 2");
  f.Push("web", 1, "fine");
  f.Evaluate(1);
  EXPECT_EQ(f.Alerts(), "{alertname=\"Errors\", app=\"web\"} firing 2 since 1 fired 1");
  EXPECT_EQ(f.Samples("errors"), "errors{app=\"web\"} 2@1");
  EXPECT_EQ(f.Samples("both"), "both{app=\"web\"} 5@1");
}

TEST(Ruler, CarriesEverythingOverARestart) {
  RulerFixture f;
  Rule kept = Alerting("Kept", "x > 3", 60);
  kept.keep_firing_for_ms = 180'000;
  f.SetGroups({Group("g", {Alerting("High", "x > 3", 180), kept})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}}, 1, 5);
  f.EvaluateFromTo(1, 2);
  f.Restart();
  EXPECT_EQ(f.Alerts(), "{alertname=\"High\"} pending 5 since 1; {alertname=\"Kept\"} firing 5 since 1 fired 2");
  f.Posted();
  f.Evaluate(3);
  f.Restart();
  f.Evaluate(4);
  EXPECT_THAT(f.Posted(), ElementsAre("{alertname=\"Kept\"} firing 2-7", "{alertname=\"High\"} firing 4-8",
                                      "{alertname=\"Kept\"} firing 2-8"));
  f.Write({{"__name__", "x"}}, 5, 0);
  f.Evaluate(5);
  f.Restart();
  f.Evaluate(6);
  EXPECT_EQ(f.Alerts(), "{alertname=\"Kept\"} firing 5 since 1 fired 2");
  f.Restart();
  f.EvaluateFromTo(7, 8);
  EXPECT_EQ(f.Alerts(), "");
  EXPECT_EQ(f.Samples("ALERTS"),
            "ALERTS{alertname=\"High\", alertstate=\"firing\"} 1@4 stale@5; "
            "ALERTS{alertname=\"High\", alertstate=\"pending\"} 1@1 1@2 1@3 stale@4; "
            "ALERTS{alertname=\"Kept\", alertstate=\"firing\"} 1@2 1@3 1@4 1@5 1@6 1@7 stale@8; "
            "ALERTS{alertname=\"Kept\", alertstate=\"pending\"} 1@1 stale@2");
}

TEST(Ruler, MakesUpMissedEvaluationsInOrder) {
  RulerFixture f;
  f.SetGroups({Group("g", {Alerting("High", "a > 3", 120), Recording("a", "x")})});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}}, 1, 5);
  f.Evaluate(1);
  f.Write({{"__name__", "x"}}, 4, 6);
  f.Restart();
  f.Evaluate(6);
  EXPECT_EQ(f.Samples("a"), "a 5@1 5@2 5@3 6@4 6@5 6@6");
  EXPECT_EQ(f.Alerts(), "{alertname=\"High\"} firing 6 since 2 fired 4");
  // Sent as of now, not as of then.
  EXPECT_THAT(f.Posted(), ElementsAre("{alertname=\"High\"} firing 4-10"));
  EXPECT_EQ(f.ruler->Stats().iterations_caught_up, 4U);
}

TEST(Ruler, TellsOfAnAlertThatCameAndWentWhileItWasDown) {
  RulerFixture f;
  f.SetGroups({Group("g", {Alerting("Up", "x > 3")})});
  f.Evaluate(0);
  f.Evaluate(1);
  f.Write({{"__name__", "x"}}, 5, 5);
  f.Write({{"__name__", "x"}}, 8, 0);
  f.Restart();
  f.Evaluate(45);
  EXPECT_THAT(f.Posted(), ElementsAre("{alertname=\"Up\"} firing 5-46"));
  f.Restart();
  f.Evaluate(46);
  EXPECT_THAT(f.Posted(), ElementsAre()) << "it ended by itself";
}

TEST(Ruler, ErrorsHavePrometheusWords) {
  RulerFixture f;
  RuleGroup limited = Group("limited", {Recording("r", "x"), Alerting("A", "x > 0")});
  limited.limit = 1;
  f.SetGroups({Group("g", {Recording("r", "label_replace(x, \"a\", \"\", \"\", \"\")"),
                           Recording("same", "x", {{"a", "z"}}), Alerting("Same", "x > 0", 0, {{"a", "z"}}),
                           Recording("text", "\"a\"")}),
               limited});
  f.Evaluate(0);
  f.Write({{"__name__", "x"}, {"a", "1"}}, 1, 5);
  f.Write({{"__name__", "x"}, {"a", "2"}}, 1, 6);
  f.Evaluate(1);
  const std::vector<GroupStatus> groups = f.ruler->Groups("fake");
  EXPECT_THAT(groups[0].rules[0].last_error, HasSubstr("same labelset"));
  EXPECT_EQ(groups[0].rules[1].last_error,
            "vector contains metrics with the same labelset after applying rule labels");
  EXPECT_EQ(groups[0].rules[2].last_error,
            "vector contains metrics with the same labelset after applying alert labels");
  EXPECT_EQ(groups[0].rules[3].last_error, "rule result is not a vector or scalar");
  EXPECT_EQ(groups[1].rules[0].last_error, "exceeded limit of 1 with 2 series");
  EXPECT_EQ(groups[1].rules[1].last_error, "exceeded limit of 1 with 2 alerts");
  EXPECT_EQ(groups[1].rules[1].health, RuleHealth::kError);
}

}  // namespace
}  // namespace varve
