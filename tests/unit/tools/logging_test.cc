#include "tools/logging.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(Logging, PutsTimeAndLevelInFrontOfLogfmt) {
  EXPECT_EQ("ts=T level=info msg=\"cut done\" shard=3",
            FormatLogLine("T", "info", "msg=\"cut done\" shard=3", false));
}

TEST(Logging, MakesAMessageOfAnythingElse) {
  EXPECT_EQ("ts=T level=warn msg=\"disk is \\\"full\\\"\"",
            FormatLogLine("T", "warn", "disk is \"full\"", false));
  EXPECT_EQ("ts=T level=warn msg=\"a=1 b\"", FormatLogLine("T", "warn", "a=1 b", false));
  EXPECT_EQ("ts=T level=warn msg=\"a=\\\"x\"", FormatLogLine("T", "warn", "a=\"x", false));
}

TEST(Logging, KeepsOneEventOnOneLine) {
  EXPECT_EQ("ts=T level=error msg=\"two\\nlines\"", FormatLogLine("T", "error", "two\nlines", false));
}

TEST(Logging, WritesJson) {
  EXPECT_EQ(R"({"ts":"T","level":"info","msg":"a \"b\" c","n":"3","empty":""})",
            FormatLogLine("T", "info", R"(msg="a \"b\" c" n=3 empty="")", true));
}

TEST(Logging, RefusesUnknownLevels) { EXPECT_FALSE(StartLogging("loud", "logfmt").ok()); }

}  // namespace
}  // namespace varve
