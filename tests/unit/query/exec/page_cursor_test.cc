#include "query/exec/page_cursor.h"

#include <gtest/gtest.h>

#include "query/logql/parser.h"

namespace varve {
namespace {

logql::ExprPtr Parse(const char* query) { return std::move(logql::ParseExpr(query)).value(); }

QueryRequest Request() {
  QueryRequest request;
  request.start_ns = -5;
  request.end_ns = 1'795'000'000'000'000'000;
  request.interval_ns = 7;
  request.direction = Direction::kForward;
  return request;
}

TEST(PageCursor, BringsBackWhatPagesShareAndWhereTheLastOneEnded) {
  const auto expr = Parse("{a=\"b\"} |= \"x\"");
  const EntryPosition last{123, ~uint64_t{0}, 42};
  const std::string cursor = EncodePageCursor(*expr, Request(), last);
  QueryRequest next;
  ASSERT_TRUE(ApplyPageCursor(cursor, *Parse("{ a = `b` }|=`x`"), &next).ok());
  EXPECT_EQ(next.start_ns, -5);
  EXPECT_EQ(next.end_ns, Request().end_ns);
  EXPECT_EQ(next.interval_ns, 7);
  EXPECT_EQ(next.direction, Direction::kForward);
  EXPECT_EQ(next.after, last);
  EXPECT_TRUE(next.paging);
}

TEST(PageCursor, OfAnotherQueryIsRefused) {
  const std::string cursor = EncodePageCursor(*Parse("{a=\"b\"}"), Request(), {});
  QueryRequest next;
  const Status status = ApplyPageCursor(cursor, *Parse("{a=\"c\"}"), &next);
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_EQ(status.message(), "the 'cursor' parameter belongs to another query");
  EXPECT_FALSE(next.after.has_value());
}

// Every single change, every length.
TEST(PageCursor, AnythingElseIsRefused) {
  const auto expr = Parse("{a=\"b\"}");
  const std::string cursor = EncodePageCursor(*expr, Request(), {1, 2, 3});
  const auto refused = [&](const std::string& text) {
    QueryRequest next;
    return ApplyPageCursor(text, *expr, &next).code() == Code::kInvalidArgument && !next.after.has_value();
  };
  for (size_t i = 0; i < cursor.size(); ++i) {
    EXPECT_TRUE(refused(cursor.substr(0, i))) << i;
    for (const char c : {'0', 'f', 'g', 'A', '\0', '\xff'}) {
      std::string changed = cursor;
      changed[i] = c;
      if (changed == cursor) continue;
      EXPECT_TRUE(refused(changed)) << i << " " << c;
    }
  }
  EXPECT_TRUE(refused(cursor + "00"));
  EXPECT_TRUE(refused(std::string(1 << 16, 'a')));
}

}  // namespace
}  // namespace varve
