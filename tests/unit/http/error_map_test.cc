#include "http/error_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace varve {
namespace {

using ::testing::Contains;
using ::testing::Pair;

TEST(LokiErrors, HaveLokisStatuses) {
  struct Case {
    Code code;
    int query, push;
  };
  const Case cases[] = {
      {Code::kInvalidArgument, 400, 400},   {Code::kNotFound, 404, 404},   {Code::kOutOfRange, 400, 422},
      {Code::kTooLarge, 413, 413},          {Code::kExecution, 400, 400},  {Code::kUnimplemented, 400, 400},
      {Code::kDeadlineExceeded, 504, 504},  {Code::kCancelled, 499, 499},  {Code::kUnavailable, 503, 503},
      {Code::kStorageFull, 507, 507},       {Code::kCorruption, 500, 400}, {Code::kIoError, 500, 500},
      {Code::kResourceExhausted, 429, 429}, {Code::kInternal, 500, 500},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(LokiQueryStatus(c.code), c.query) << CodeName(c.code);
    EXPECT_EQ(LokiPushStatus(c.code), c.push) << CodeName(c.code);
  }
}

TEST(LokiErrors, OfQueriesArePlainTextWithoutANewline) {
  const HttpResponse response = LokiQueryError(InvalidArgument("parse error"));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, "parse error");
  EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(response.headers, Contains(Pair("X-Content-Type-Options", "nosniff")));
}

TEST(LokiErrors, OfPushesEndWithANewline) { EXPECT_EQ(LokiPushError(InvalidArgument("bad")).body, "bad\n"); }

TEST(OtlpErrors, AreAStatusMessageInProtobuf) {
  const HttpResponse response = OtlpPushError(InvalidArgument("bad"));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/octet-stream");
  EXPECT_EQ(response.body,
            "\x12\x03"
            "bad");
  EXPECT_EQ(OtlpPushError(OutOfRange(std::string(200, 'x'))).body, "\x12\xc8\x01" + std::string(200, 'x'));
  EXPECT_EQ(OtlpPushError(InternalError("oops")).status, 503);
  EXPECT_THAT(OtlpPushError(IoError("oops")).headers, Contains(Pair("Retry-After", "1")));
}

TEST(LokiErrors, SayWhenToRetry) {
  EXPECT_THAT(LokiPushError(Unavailable("full")).headers, Contains(Pair("Retry-After", "1")));
  EXPECT_THAT(LokiPushError(StorageFull("disk")).headers, Contains(Pair("Retry-After", "30")));
  EXPECT_THAT(LokiPushError(InvalidArgument("bad")).headers,
              ::testing::Not(Contains(Pair("Retry-After", ::testing::_))));
}

}  // namespace
}  // namespace varve
