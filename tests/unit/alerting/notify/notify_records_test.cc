#include "alerting/notify/notify_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "alerting/notify/alert_labels.h"
#include "tests/support/notify_fixture.h"

namespace varve {
namespace {

using ::testing::ElementsAre;

StoredAlert SomeAlert() {
  StoredAlert alert;
  PostedAlert posted = FiringAlert("A", {{"instance", "1"}});
  posted.annotations = {{"summary", "it\nis"}};
  posted.starts_at_ms = 12;
  posted.ends_at_ms = -5;
  posted.generator_url = "http://x/graph";
  alert.fingerprint = AlertFingerprint(posted.labels);
  alert.posted = std::make_shared<const PostedAlert>(posted);
  alert.updated_at_ms = 77;
  alert.timeout = true;
  return alert;
}

SentRecord SomeSent() {
  SentRecord sent;
  sent.id = 0xABCDEF;
  sent.tenant = "fake";
  sent.group_key = "{}:{}";
  sent.receiver = "ops";
  sent.kind = "email";
  sent.index = 3;
  sent.expires_at_ms = 9;
  sent.state = {5, {1, 2}, {3}};
  return sent;
}

GroupRecord SomeGroup() {
  GroupRecord group;
  group.id = 7;
  group.tenant = "fake";
  group.group_key = "{}:{}";
  group.receiver = "ops";
  group.next_flush_ms = 100;
  group.last_flush_ms = 50;
  group.unfinished = true;
  return group;
}

Silence SomeSilence() {
  Silence silence;
  silence.id = "01234567-89ab-4cde-8f01-23456789abcd";
  silence.matchers = {MatcherOf("a", MatchOp::kRegexNotMatch, "b|c")};
  silence.starts_at_ms = 1;
  silence.ends_at_ms = 2;
  silence.updated_at_ms = 3;
  silence.created_by = "me";
  silence.comment = "why";
  silence.annotations = {{"x", "y"}};
  return silence;
}

TEST(NotifyRecords, ReadBackWhatWasWritten) {
  std::string tenant;
  const StoredAlert alert = SomeAlert();
  const auto read = DecodeAlert(AlertRecordKey("a/b", alert.fingerprint), EncodeAlert(alert), &tenant);
  ASSERT_OK(read);
  EXPECT_EQ("a/b", tenant);
  EXPECT_EQ(alert.posted->labels, read.value().posted->labels);
  EXPECT_EQ(alert.posted->annotations, read.value().posted->annotations);
  EXPECT_EQ(-5, read.value().posted->ends_at_ms);
  EXPECT_EQ("http://x/graph", read.value().posted->generator_url);
  EXPECT_EQ(77, read.value().updated_at_ms);
  EXPECT_TRUE(read.value().timeout);
  EXPECT_FALSE(read.value().ended);

  const auto group = DecodeGroup(GroupRecordKey(7), EncodeGroup(SomeGroup()));
  ASSERT_OK(group);
  EXPECT_EQ(7u, group.value().id);
  EXPECT_EQ(100, group.value().next_flush_ms);
  EXPECT_EQ(50, group.value().last_flush_ms);
  EXPECT_TRUE(group.value().unfinished);

  const auto sent = DecodeSent(SentRecordKey(0xABCDEF), EncodeSent(SomeSent()));
  ASSERT_OK(sent);
  EXPECT_EQ(0xABCDEFu, sent.value().id);
  EXPECT_EQ(3u, sent.value().index);
  EXPECT_THAT(sent.value().state.firing, ElementsAre(1, 2));
  EXPECT_THAT(sent.value().state.resolved, ElementsAre(3));

  const Silence silence = SomeSilence();
  const auto silenced = DecodeSilence(SilenceRecordKey("t", silence.id), EncodeSilence(silence), &tenant);
  ASSERT_OK(silenced);
  EXPECT_EQ("t", tenant);
  EXPECT_EQ(silence.id, silenced.value().id);
  EXPECT_TRUE(silenced.value().matchers.at(0).Matches("d"));
  EXPECT_FALSE(silenced.value().matchers.at(0).Matches("c"));
}

TEST(NotifyRecords, RefuseEveryPrefixAndOtherVersions) {
  const Silence silence = SomeSilence();
  const StoredAlert alert = SomeAlert();
  struct Kind {
    std::string key, value;
    std::function<Status(const std::string&, const std::string&)> read;
  };
  const auto status_of = [](auto result) { return std::move(result).status().Clone(); };
  std::string tenant;
  const std::vector<Kind> kinds = {
      {AlertRecordKey("t", alert.fingerprint), EncodeAlert(alert),
       [&](const auto& key, const auto& value) { return status_of(DecodeAlert(key, value, &tenant)); }},
      {GroupRecordKey(7), EncodeGroup(SomeGroup()),
       [&](const auto& key, const auto& value) { return status_of(DecodeGroup(key, value)); }},
      {SentRecordKey(7), EncodeSent(SomeSent()),
       [&](const auto& key, const auto& value) { return status_of(DecodeSent(key, value)); }},
      {SilenceRecordKey("t", silence.id), EncodeSilence(silence),
       [&](const auto& key, const auto& value) { return status_of(DecodeSilence(key, value, &tenant)); }},
  };
  for (const Kind& kind : kinds) {
    for (size_t size = 0; size < kind.value.size(); ++size) {
      EXPECT_EQ(Code::kCorruption, kind.read(kind.key, kind.value.substr(0, size)).code()) << kind.key << " " << size;
    }
    EXPECT_EQ(Code::kCorruption, kind.read(kind.key, kind.value + "x").code()) << kind.key;
    std::string other = kind.value;
    other[0] = 9;
    EXPECT_THAT(kind.read(kind.key, other).message(), ::testing::HasSubstr("version 9"));
    EXPECT_EQ(Code::kCorruption, kind.read(kind.key.substr(0, 20), kind.value).code()) << kind.key;
  }
}

}  // namespace
}  // namespace varve
