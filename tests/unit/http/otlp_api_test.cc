#include "http/otlp_api.h"

#include <gtest/gtest.h>

#include <limits>

#include "handler_call.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using testing::CallHandler;
using testing::MemoryEngine;

constexpr const char* kBody =
    R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1793491200000000000","body":{"stringValue":"x"}}]}]}]})";

TEST(OtlpApi, StoresAndAnswersInItsOwnWay) {
  MemoryEngine engine;
  WritePath writes(&engine, IngestLimits());
  Router router;
  OtlpApi api(&writes, false);
  api.AddRoutes(&router);
  const HttpResponse good =
      CallHandler(router, "POST", "/otlp/v1/logs", kBody, {{"content-type", "application/json"}});
  EXPECT_EQ(good.status, 204);
  EXPECT_EQ(good.body, "");
  EXPECT_EQ(engine.Stats().appended_entries, 1U);
  const HttpResponse nothing =
      CallHandler(router, "POST", "/otlp/v1/logs", "{}", {{"content-type", "application/json"}});
  EXPECT_EQ(nothing.status, 422);
  EXPECT_EQ(nothing.content_type, "application/octet-stream");
  EXPECT_EQ(nothing.body,
            "\x12\x39"
            "error at least one valid stream is required for ingestion");
}

TEST(OtlpApi, AnswersBlockedIngestionWithTheConfiguredStatus) {
  MemoryEngine engine;
  IngestLimits limits;
  limits.block_ingestion_until_ns = std::numeric_limits<int64_t>::max();
  limits.block_ingestion_status_code = 260;
  WritePath writes(&engine, limits);
  Router router;
  OtlpApi api(&writes, false);
  api.AddRoutes(&router);
  const HttpResponse blocked =
      CallHandler(router, "POST", "/otlp/v1/logs", kBody, {{"content-type", "application/json"}});
  EXPECT_EQ(blocked.status, 260);
  EXPECT_NE(blocked.body.find("ingestion blocked for user 'fake' until '"), std::string::npos);
  EXPECT_EQ(engine.Stats().appended_entries, 0U);
}

TEST(OtlpApi, NeedsATenantWhereThereAreSeveral) {
  MemoryEngine engine;
  WritePath writes(&engine, IngestLimits());
  Router router;
  OtlpApi api(&writes, true);
  api.AddRoutes(&router);
  EXPECT_EQ(CallHandler(router, "POST", "/otlp/v1/logs", kBody).status, 401);
}

}  // namespace
}  // namespace varve
