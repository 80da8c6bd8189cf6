#include "query/promql/values/annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace varve::promql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kQuery = "rate(a[5m])\n  + rate(b[5m])";

TEST(AnnotationsTest, TextsEndWithLineAndColumn) {
  Annotations notes;
  notes.AddWarning({5, 10}, "first");
  notes.AddInfo({16, 20}, "second");
  EXPECT_THAT(notes.Warnings(kQuery, 0), ElementsAre("PromQL warning: first (1:6)"));
  EXPECT_THAT(notes.Infos(kQuery, 0), ElementsAre("PromQL info: second (2:5)"));
}

TEST(AnnotationsTest, ATextIsKeptOnceWithItsLastPosition) {
  Annotations notes;
  Annotations other;
  notes.AddWarning({0, 1}, "same");
  other.AddWarning({1, 2}, "same");
  notes.Merge(other);
  EXPECT_THAT(notes.Warnings(kQuery, 0), ElementsAre("PromQL warning: same (1:2)"));
  EXPECT_THAT(notes.Infos(kQuery, 0), IsEmpty());
}

TEST(AnnotationsTest, CountedWarningsSayHowOftenTheyCameUp) {
  Annotations notes;
  notes.AddCountedWarning({0, 1}, "overlap");
  EXPECT_THAT(notes.Warnings(kQuery, 0), ElementsAre("PromQL warning: overlap (1:1)"));
  notes.AddCountedWarning({0, 1}, "overlap");
  EXPECT_THAT(notes.Warnings(kQuery, 0), ElementsAre("PromQL warning: overlap (2 occurrences) (1:1)"));
}

TEST(AnnotationsTest, MonotonicityFixesAreMergedIntoOne) {
  Annotations notes;
  notes.AddMonotonicityFix({3, 4}, "fixed", {60'000, 60'000, 0.1, 1, 2});
  Annotations other;
  other.AddMonotonicityFix({3, 4}, "fixed", {86'400'000, 86'400'000, 0.01, 0.5, 12.345});
  notes.Merge(other);
  EXPECT_THAT(notes.Infos(kQuery, 0),
              ElementsAre("PromQL info: fixed, from buckets 0.01 to 1, with a max diff of 12, over 2 samples from "
                          "1970-01-01T00:01:00Z to 1970-01-02T00:00:00Z (1:4)"));
}

TEST(AnnotationsTest, BeyondTheLimitTheyAreCounted) {
  Annotations notes;
  for (const char* text : {"a", "b", "c"}) notes.AddInfo({0, 1}, text);
  EXPECT_THAT(notes.Infos(kQuery, 2),
              ElementsAre("PromQL info: a (1:1)", "PromQL info: b (1:1)", "1 more info annotations omitted"));
}

}  // namespace
}  // namespace varve::promql
