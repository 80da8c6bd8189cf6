#include "alerting/notify/route_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/notify/alert_labels.h"
#include "tests/support/notify_fixture.h"

namespace varve {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> ReceiversOf(const RouteTree& tree, const LabelMap& labels) {
  std::vector<std::string> names;
  for (const AlertRoute* route : tree.Match(labels)) names.push_back(route->receiver);
  return names;
}

TEST(RouteTree, GoesDepthFirstAndStopsAtTheFirstBranchThatTakesTheAlert) {
  RouteConfig root = RouteTo("root");
  RouteConfig db = RouteTo("db", {MatcherOf("team", MatchOp::kEqual, "db")});
  db.routes = {RouteTo("db-page", {MatcherOf("severity", MatchOp::kRegexMatch, "page|critical")})};
  RouteConfig audit = RouteTo("audit", {MatcherOf("audit", MatchOp::kNotEqual, "")});
  audit.continues = true;
  root.routes = {audit, db, RouteTo("rest", {MatcherOf("team", MatchOp::kRegexNotMatch, "x.*")})};
  const RouteTree tree(root);
  EXPECT_THAT(ReceiversOf(tree, {{"team", "db"}}), ElementsAre("db"));
  EXPECT_THAT(ReceiversOf(tree, {{"team", "db"}, {"severity", "page"}}), ElementsAre("db-page"));
  EXPECT_THAT(ReceiversOf(tree, {{"team", "db"}, {"audit", "1"}}), ElementsAre("audit", "db"));
  EXPECT_THAT(ReceiversOf(tree, {{"audit", "1"}, {"team", "xy"}}), ElementsAre("audit"));
  EXPECT_THAT(ReceiversOf(tree, {}), ElementsAre("rest"));
  EXPECT_THAT(ReceiversOf(tree, {{"team", "xy"}}), ElementsAre("root"));
}

TEST(RouteTree, WritesKeysAsAlertmanagerDoes) {
  RouteConfig root = RouteTo("root");
  RouteConfig child = RouteTo(
      "child", {MatcherOf("b", MatchOp::kRegexMatch, "x|\"y\""), MatcherOf("a", MatchOp::kEqual, "1"),
                MatcherOf("b", MatchOp::kNotEqual, "a\\\n"), MatcherOf("sp ace", MatchOp::kEqual, "2")});
  root.routes = {RouteTo("other", {MatcherOf("z", MatchOp::kEqual, "z")}), child};
  const RouteTree tree(root);
  const AlertRoute* route = tree.Match({{"a", "1"}, {"b", "x"}, {"sp ace", "2"}})[0];
  EXPECT_EQ(R"({}/{a="1",b!="a\\\n",b=~"x|\"y\"","sp ace"="2"})", route->key);
  EXPECT_EQ(route->key + "/1", route->id);
}

TEST(RouteTree, GroupsByLabelsThatAreThere) {
  RouteConfig root = RouteTo("root");
  root.group_by = {"cluster", "alertname"};
  EXPECT_EQ((LabelMap{{"alertname", "A"}}),
            RouteTree(root).Match({})[0]->GroupLabels({{"alertname", "A"}, {"instance", "1"}}));
  root.group_by_all = true;
  EXPECT_EQ((LabelMap{{"alertname", "A"}, {"instance", "1"}}),
            RouteTree(root).Match({})[0]->GroupLabels({{"alertname", "A"}, {"instance", "1"}}));
}

TEST(AlertLabels, HaveAlertmanagersFingerprint) {
  // Of an empty set it is FNV's offset basis.
  EXPECT_EQ("cbf29ce484222325", FingerprintText(AlertFingerprint({})));
  // {name="garland, briggs", fear="love is not enough"}: from the tests of Prometheus's model.
  EXPECT_EQ(5799056148416392346u,
            AlertFingerprint({{"name", "garland, briggs"}, {"fear", "love is not enough"}}));
}

TEST(AlertLabels, StandInAlertmanagersOrder) {
  EXPECT_TRUE(LabelSetBefore({{"z", "1"}}, {{"a", "1"}, {"b", "1"}}));
  EXPECT_TRUE(LabelSetBefore({{"a", "1"}, {"b", "1"}}, {{"a", "1"}, {"b", "2"}}));
  // The set that lacks the first name in which they differ comes first.
  EXPECT_TRUE(LabelSetBefore({{"b", "1"}}, {{"a", "1"}}));
  EXPECT_FALSE(LabelSetBefore({{"a", "1"}}, {{"b", "1"}}));
  EXPECT_FALSE(LabelSetBefore({{"a", "1"}}, {{"a", "1"}}));
  EXPECT_TRUE(AlertBefore({{"job", "a"}, {"instance", "2"}, {"x", "1"}}, {{"job", "b"}, {"instance", "1"}}));
  EXPECT_TRUE(AlertBefore({{"instance", "1"}, {"x", "1"}}, {{"instance", "2"}}));
  EXPECT_TRUE(AlertBefore({{"job", "a"}, {"x", "1"}}, {{"x", "1"}}));
  EXPECT_EQ(R"({a="b", c="d\"\n"})", LabelSetText({{"c", "d\"\n"}, {"a", "b"}}));
}

}  // namespace
}  // namespace varve
