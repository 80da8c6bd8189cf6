#include "tests/unit/query/promql/eval/eval_fixture.h"

namespace varve::promql {
namespace {

class BinaryTest : public EvalTest {
 protected:
  void SetUp() override {
    Load("a{l=\"x\",n=\"1\"}", "6 8");
    Load("a{l=\"y\",n=\"2\"}", "3 3");
    Load("b{l=\"x\"}", "2 4");
    Load("b{l=\"z\"}", "5 5");
    Load("many{l=\"x\",k=\"1\"}", "10 20");
    Load("many{l=\"x\",k=\"2\"}", "30 40");
  }
};

TEST_F(BinaryTest, ComputesBetweenScalars) {
  EXPECT_EQ(At(0, "1 + 2 * 3 ^ 2"), "scalar 19");
  EXPECT_EQ(At(0, "-7 % 3"), "scalar -1");
  EXPECT_EQ(At(0, "3 > bool 2"), "scalar 1");
  EXPECT_EQ(At(0, "1 / 0"), "scalar +Inf");
  EXPECT_EQ(Range(0, kMinute, kMinute, "time() * 2"), "{} 0@0 120@60");
}

TEST_F(BinaryTest, ComparesAVectorWithAScalarFromEitherSide) {
  EXPECT_EQ(At(0, "a > 4"), "a{l=\"x\", n=\"1\"} 6@0");
  EXPECT_EQ(At(0, "4 < a"), "a{l=\"x\", n=\"1\"} 6@0");
  EXPECT_EQ(At(0, "a > bool 4"), "{l=\"x\", n=\"1\"} 1@0\n{l=\"y\", n=\"2\"} 0@0");
  EXPECT_EQ(At(0, "10 - a"), "{l=\"x\", n=\"1\"} 4@0\n{l=\"y\", n=\"2\"} 7@0");
}

TEST_F(BinaryTest, MatchesOneToOne) {
  EXPECT_EQ(At(0, "a / on (l) b"), "{l=\"x\"} 3@0");
  EXPECT_EQ(At(0, "a / ignoring (n) b"), "{l=\"x\"} 3@0");
  EXPECT_EQ(At(0, "a / b"), "");
  EXPECT_EQ(At(0, "a > ignoring (n) b"), "a{l=\"x\"} 6@0");
  EXPECT_EQ(At(0, "a < bool on (l) b"), "{l=\"x\"} 0@0");
}

TEST_F(BinaryTest, MatchesManyToOne) {
  EXPECT_EQ(At(0, "many * on (l) group_left b"), "{k=\"1\", l=\"x\"} 20@0\n{k=\"2\", l=\"x\"} 60@0");
  EXPECT_EQ(At(0, "a - on (l) group_right (n) many"), "{k=\"1\", l=\"x\", n=\"1\"} -4@0\n{k=\"2\", l=\"x\", n=\"1\"} -24@0");
  EXPECT_EQ(At(0, "many * on (l) group_left (k) b"),
            "error: multiple matches for labels: grouping labels must ensure unique matches");
}

TEST_F(BinaryTest, RefusesAmbiguousMatches) {
  EXPECT_EQ(At(0, "b * on (l) many"),
            "error: found duplicate series for the match group {l=\"x\"} on the right hand-side of the operation: "
            "[{__name__=\"many\", k=\"1\", l=\"x\"}, {__name__=\"many\", k=\"2\", l=\"x\"}];many-to-many matching not "
            "allowed: matching labels must be unique on one side");
  EXPECT_EQ(At(0, "many * on (l) b"),
            "error: multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
}

TEST_F(BinaryTest, FillsInForMissingPartners) {
  EXPECT_EQ(At(0, "a + on (l) fill (1) b"), "{l=\"x\"} 8@0\n{l=\"y\"} 4@0\n{l=\"z\"} 6@0");
  EXPECT_EQ(At(0, "a - on (l) fill_right (1) b"), "{l=\"x\"} 4@0\n{l=\"y\"} 2@0");
  EXPECT_EQ(At(0, "a - on (l) fill_left (1) b"), "{l=\"x\"} 4@0\n{l=\"z\"} -4@0");
}

TEST_F(BinaryTest, CombinesSets) {
  EXPECT_EQ(At(0, "a and on (l) b"), "a{l=\"x\", n=\"1\"} 6@0");
  EXPECT_EQ(At(0, "a unless on (l) b"), "a{l=\"y\", n=\"2\"} 3@0");
  EXPECT_EQ(At(0, "a or on (l) b"), "a{l=\"x\", n=\"1\"} 6@0\na{l=\"y\", n=\"2\"} 3@0\nb{l=\"z\"} 5@0");
  EXPECT_EQ(Range(0, kMinute, kMinute, "a > 7 or a"), "a{l=\"x\", n=\"1\"} 6@0 8@60\na{l=\"y\", n=\"2\"} 3@0 3@60");
}

TEST_F(BinaryTest, DropsTheNameInOneStepOrAtTheEnd) {
  EXPECT_EQ(At(0, "-a{l=\"x\"}"), "{l=\"x\", n=\"1\"} -6@0");
  EXPECT_EQ(At(0, "+a{l=\"x\"}"), "a{l=\"x\", n=\"1\"} 6@0");
  options_.delayed_name_removal = true;
  EXPECT_EQ(At(0, "-a{l=\"x\"}"), "{l=\"x\", n=\"1\"} -6@0");
  EXPECT_EQ(At(0, "count by (__name__) (-a)"), "{} 2@0");
}

}  // namespace
}  // namespace varve::promql
