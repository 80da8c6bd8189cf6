#include "tools/alert_answer.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(AlertAnswer, ReadsSilencesOfAnyAlertmanager) {
  const auto rows = ParseSilencesAnswer(
      R"([{"id":"i","status":{"state":"active"},"updatedAt":"u","comment":"c","createdBy":"me","endsAt":"e","startsAt":"s",)"
      R"("matchers":[{"isEqual":false,"isRegex":true,"name":"a","value":"b\"c"},{"isRegex":false,"name":"d","value":"e"}]}])");
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  ASSERT_EQ(1u, rows->size());
  EXPECT_EQ(R"(a!~"b\"c" d="e")", rows->front().matchers);
  EXPECT_EQ("active", rows->front().state);
  EXPECT_EQ("me", rows->front().created_by);
  EXPECT_EQ("x", *ParseSilenceIdAnswer(R"({"silenceID":"x"})"));
}

TEST(AlertAnswer, ReadsAlarms) {
  const auto rows = ParseAlarmsAnswer(
      R"({"status":"success","data":{"alarms":[{"rule":"r","group":"g","file":"f","labels":{"a":"1","b":"2"},"state":"OK",)"
      R"("reason":"because","since":"2026-11-20T00:00:00Z"}]}})");
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_EQ(R"({a="1", b="2"})", rows->front().labels);
  EXPECT_EQ("because", rows->front().reason);
}

TEST(AlertAnswer, FindsWhatAnErrorSays) {
  EXPECT_EQ("no such \"x\"", ErrorText(R"("no such \"x\"")"));
  EXPECT_EQ("not a uuid", ErrorText(R"({"code":601,"message":"not a uuid"})"));
  EXPECT_EQ("bad query", ErrorText(R"({"status":"error","errorType":"bad_data","error":"bad query"})"));
  for (const char* body : {"", "no org id", "{", R"({"message":""})", R"({"error":1})", "[1]", R"("open)"}) {
    EXPECT_EQ(body, ErrorText(body));
  }
}

TEST(AlertAnswer, RefusesOtherAnswers) {
  for (const char* json : {"", "{}", "[1]", R"([{"id":1}])", R"([{"id":"i"}])", R"({"data":{"alarms":[{}]}})"}) {
    EXPECT_EQ(Code::kCorruption, ParseSilencesAnswer(json).status().code()) << json;
    EXPECT_EQ(Code::kCorruption, ParseAlarmsAnswer(json).status().code()) << json;
    EXPECT_EQ(Code::kCorruption, ParseSilenceIdAnswer(json).status().code()) << json;
  }
}

}  // namespace
}  // namespace varve
