#include "ingest/decoded_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/memory_budget.h"

namespace varve {
namespace {

DecodedPush Example() {
  DecodedPush push;
  push.entries = {{5, "five", {}}, {kTimestampTooNewNs, "", {}}, {kTimestampTooOldNs, "old", {}}, {-7, "seven", {}}};
  push.streams = {{"{a=\"b\"}", LabelForm::kText, 0, 2},
                  {"", LabelForm::kCanonical, 2, 0},
                  {"{\"a\":\"b\"}", LabelForm::kJson, 2, 2}};
  push.metadata = {{1, 0, 2}, {3, 2, 1}};
  push.pairs = {{"k", "v"}, {"", ""}, {"z", std::string_view("\0", 1)}};
  return push;
}

class DecodedBody : public ::testing::Test {
 protected:
  MemoryBudget budget_{"test", 1 << 30};
  DecodeMemory memory_{&budget_, DecodeMemory::Mode::kMayRefuse};
};

TEST_F(DecodedBody, ComesBackAsItWas) {
  const DecodedPush push = Example();
  ByteBuffer body;
  ASSERT_TRUE(EncodeDecodedBody(push, &body, &memory_).ok());
  DecodedPush back;
  ASSERT_TRUE(DecodeDecodedBody(body.view(), &back, &memory_).ok());
  ASSERT_EQ(push.streams.size(), back.streams.size());
  for (size_t i = 0; i < push.streams.size(); ++i) {
    EXPECT_EQ(push.streams[i].labels, back.streams[i].labels);
    EXPECT_EQ(push.streams[i].form, back.streams[i].form);
    EXPECT_EQ(push.streams[i].begin, back.streams[i].begin);
    EXPECT_EQ(push.streams[i].count, back.streams[i].count);
  }
  ASSERT_EQ(push.entries.size(), back.entries.size());
  for (size_t i = 0; i < push.entries.size(); ++i) {
    EXPECT_EQ(push.entries[i].ts_ns, back.entries[i].ts_ns);
    EXPECT_EQ(push.entries[i].line, back.entries[i].line);
  }
  EXPECT_EQ(push.pairs, back.pairs);
  ASSERT_EQ(push.metadata.size(), back.metadata.size());
  for (size_t i = 0; i < push.metadata.size(); ++i) {
    EXPECT_EQ(push.metadata[i].entry, back.metadata[i].entry);
    EXPECT_EQ(push.metadata[i].begin, back.metadata[i].begin);
    EXPECT_EQ(push.metadata[i].count, back.metadata[i].count);
  }
}

TEST_F(DecodedBody, RefusesEveryCutAndWhatFollowsTheEnd) {
  ByteBuffer body;
  ASSERT_TRUE(EncodeDecodedBody(Example(), &body, &memory_).ok());
  const std::string whole(body.view());
  for (size_t size = 0; size < whole.size(); ++size) {
    DecodedPush back;
    EXPECT_EQ(Code::kInvalidArgument, DecodeDecodedBody(whole.substr(0, size), &back, &memory_).code()) << size;
  }
  DecodedPush back;
  EXPECT_EQ(Code::kInvalidArgument, DecodeDecodedBody(whole + "x", &back, &memory_).code());
}

TEST_F(DecodedBody, TakesNoMemoryForNumbersThatCannotBe) {
  DecodedPush back;
  // One stream, text, no labels, 2^35 entries.
  const std::string body("\x01\x00\x00\x80\x80\x80\x80\x80\x01", 9);
  EXPECT_EQ(Code::kInvalidArgument, DecodeDecodedBody(body, &back, &memory_).code());
  EXPECT_LT(memory_.bytes(), 100'000);
}

}  // namespace
}  // namespace varve
