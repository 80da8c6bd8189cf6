#include "alerting/notify/silence_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/notify_fixture.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kNow = 1'800'000'000'000;
constexpr int64_t kHour = 3'600'000;

class SilenceStoreTest : public ::testing::Test {
 protected:
  Silence Of(const std::string& name, int64_t starts_ms = kNow, int64_t ends_ms = kNow + kHour) {
    Silence silence;
    silence.matchers = {MatcherOf("alertname", MatchOp::kEqual, name)};
    silence.starts_at_ms = starts_ms;
    silence.ends_at_ms = ends_ms;
    silence.created_by = "me";
    silence.comment = "why";
    return silence;
  }
  std::vector<std::string> Silencing(const std::string& name, int64_t now_ms) {
    return store.Silencing("fake", {{"alertname", name}}, now_ms, &match[name]);
  }

  MemoryRecordStore records;
  SilenceStore store{&records, 3, kHour};
  std::map<std::string, SilenceMatch> match;
};

TEST_F(SilenceStoreTest, SilencesWhatMatchesWhileItIsActive) {
  const std::string id = store.Set("fake", Of("A", kNow + 1000), kNow).value();
  EXPECT_THAT(id, SizeIs(36));
  EXPECT_THAT(Silencing("A", kNow), IsEmpty());
  EXPECT_THAT(Silencing("A", kNow + 1000), ElementsAre(id));
  EXPECT_THAT(Silencing("B", kNow + 1000), IsEmpty());
  EXPECT_THAT(Silencing("A", kNow + kHour), IsEmpty());
  const std::string second = store.Set("fake", Of("B"), kNow).value();
  EXPECT_THAT(Silencing("B", kNow + 1000), ElementsAre(second));
  EXPECT_THAT(Silencing("A", kNow + 1000), IsEmpty()) << "what had ended when looked at is not looked at again";
  ASSERT_OK(store.Expire("fake", second, kNow + 2000));
  EXPECT_THAT(Silencing("B", kNow + 2000), IsEmpty());
  EXPECT_THAT(store.Silencing("other", {{"alertname", "A"}}, kNow + 1000, &match["other"]), IsEmpty());
}

TEST_F(SilenceStoreTest, KeepsTheIdWhereHistoryIsKept) {
  const std::string id = store.Set("fake", Of("A"), kNow).value();
  Silence longer = store.Find("fake", id).value();
  longer.ends_at_ms += kHour;
  longer.comment = "longer";
  EXPECT_EQ(id, store.Set("fake", longer, kNow + 1000).value());
  EXPECT_EQ("longer", store.Find("fake", id).value().comment);
  EXPECT_THAT(Silencing("A", kNow + kHour), ElementsAre(id));
  // Other matchers are another silence; the old one ends.
  Silence other = Of("B");
  other.id = id;
  const std::string replaced = store.Set("fake", other, kNow + 2000).value();
  EXPECT_NE(id, replaced);
  EXPECT_EQ(SilenceState::kExpired, store.Find("fake", id).value().StateAt(kNow + 2000));
  EXPECT_EQ(kNow + 2000, store.Find("fake", replaced).value().starts_at_ms);
  EXPECT_THAT(Silencing("A", kNow + 2000), IsEmpty());
  EXPECT_THAT(Silencing("B", kNow + 2000), ElementsAre(replaced));
}

TEST_F(SilenceStoreTest, SurvivesARestart) {
  const std::string id = store.Set("fake", Of("A"), kNow).value();
  SilenceStore again(&records, 3, kHour);
  ASSERT_OK(again.Load());
  const Silence silence = again.Find("fake", id).value();
  EXPECT_EQ("me", silence.created_by);
  EXPECT_EQ("A", silence.matchers.at(0).value());
  EXPECT_EQ(kNow + kHour, silence.ends_at_ms);
  SilenceMatch none;
  EXPECT_THAT(again.Silencing("fake", {{"alertname", "A"}}, kNow, &none), ElementsAre(id));
}

TEST_F(SilenceStoreTest, RefusesWhatWouldSilenceEverythingOrNothing) {
  const auto refusal = [&](Silence silence) { return store.Set("fake", std::move(silence), kNow).status().ToString(); };
  Silence silence = Of("A");
  silence.matchers.clear();
  EXPECT_THAT(refusal(silence), HasSubstr("at least one matcher required"));
  silence.matchers = {MatcherOf("a", MatchOp::kEqual, ""), MatcherOf("b", MatchOp::kRegexMatch, ".*")};
  EXPECT_THAT(refusal(silence), HasSubstr("at least one matcher must not match the empty string"));
  EXPECT_THAT(refusal(Of("A", kNow + 10, kNow + 10)), HasSubstr("start time must be before end time"));
  EXPECT_THAT(refusal(Of("A", kNow - 10, kNow - 5)), HasSubstr("end time can't be in the past"));
  silence = Of("A");
  silence.comment.assign(kSilenceBytesMax, 'x');
  EXPECT_THAT(refusal(silence), HasSubstr("maximum size"));
  silence = Of("A");
  silence.id = "00000000-0000-4000-8000-000000000000";
  EXPECT_THAT(refusal(silence), HasSubstr("not found"));
  EXPECT_THAT(store.List("fake", kNow), IsEmpty());
}

TEST_F(SilenceStoreTest, ListsActiveThenPendingThenExpiredAndForgetsAfterTheRetention) {
  const std::string pending = store.Set("fake", Of("A", kNow + 5000, kNow + 2 * kHour), kNow).value();
  const std::string late = store.Set("fake", Of("B"), kNow).value();
  const std::string soon = store.Set("fake", Of("C", kNow, kNow + 10'000), kNow).value();
  EXPECT_EQ(Code::kResourceExhausted, store.Set("fake", Of("D"), kNow).status().code());
  const auto ids = [&](int64_t now_ms) {
    std::vector<std::string> list;
    for (const Silence& silence : store.List("fake", now_ms)) list.push_back(silence.id);
    return list;
  };
  EXPECT_THAT(ids(kNow), ElementsAre(soon, late, pending));
  EXPECT_THAT(ids(kNow + 10'000), ElementsAre(late, pending, soon));
  ASSERT_OK(store.Sweep(kNow + 10'000 + kHour - 1));
  EXPECT_THAT(ids(kNow), SizeIs(3));
  ASSERT_OK(store.Sweep(kNow + 10'000 + kHour));
  EXPECT_THAT(ids(kNow), ElementsAre(late, pending));
  EXPECT_OK(store.Set("fake", Of("D"), kNow));
}

TEST_F(SilenceStoreTest, DoesNotCountWhatCouldNotBeStored) {
  records.FailWrites(IoError("disk"));
  EXPECT_EQ(Code::kIoError, store.Set("fake", Of("A"), kNow).status().code());
  EXPECT_THAT(store.List("fake", kNow), IsEmpty());
  EXPECT_THAT(Silencing("A", kNow), IsEmpty());
}

}  // namespace
}  // namespace varve
