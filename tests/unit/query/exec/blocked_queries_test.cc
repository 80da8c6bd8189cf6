#include "query/exec/blocked_queries.h"

#include <gtest/gtest.h>

#include "query/logql/parser.h"

namespace varve {
namespace {

BlockedQuery Blocked(std::string pattern, bool regex = false, std::vector<std::string> types = {}) {
  BlockedQuery blocked;
  if (regex) blocked.compiled = std::move(CompileRegex(pattern, {})).value();
  blocked.pattern = std::move(pattern);
  blocked.regex = regex;
  blocked.types = std::move(types);
  return blocked;
}

bool Refuses(const BlockedQuery& blocked, const std::string& query) {
  QueryLimits limits;
  limits.blocked_queries = {blocked};
  const auto expr = logql::ParseExpr(query);
  EXPECT_TRUE(expr.ok()) << query;
  const Status status = CheckBlocked(query, **expr, limits);
  if (!status.ok()) {
    EXPECT_EQ(status.message(), "query blocked by policy");
  }
  return !status.ok();
}

TEST(BlockedQueries, NameWholeQueriesOrPartsOfThem) {
  const std::string query = R"(sum(rate({env="prod"}[1m])))";
  EXPECT_TRUE(Refuses(Blocked("  sum(rate({env=\"prod\"}[1m]))\n"), query));
  EXPECT_FALSE(Refuses(Blocked("rate"), query)) << "a pattern that is no regex names the whole query";
  EXPECT_TRUE(Refuses(Blocked("env=\"prod\"", true), query));
  EXPECT_FALSE(Refuses(Blocked("env=\"dev\"", true), query));
  EXPECT_TRUE(Refuses(Blocked(""), query)) << "neither pattern nor hash: all";
}

TEST(BlockedQueries, AreOfTypes) {
  const struct {
    const char* query;
    const char* type;
  } cases[] = {{R"(rate({a="b"}[1m]))", "metric"},
               {R"({a="b"} |= "x")", "filter"},
               {R"({a="b"} | json | x="y")", "filter"},
               {R"({a="b"} | json)", "limited"},
               {R"({a="b"})", "limited"}};
  for (const auto& c : cases) {
    for (const char* type : {"metric", "filter", "limited"}) {
      EXPECT_EQ(Refuses(Blocked("", false, {type}), c.query), std::string(type) == c.type) << c.query << type;
    }
  }
}

TEST(BlockedQueries, AreFoundByLokisHash) {
  // FNV-1 test vectors of its authors.
  EXPECT_EQ(QueryHash(""), 0x811c9dc5U);
  EXPECT_EQ(QueryHash("a"), 0x050c5d7eU);
  EXPECT_EQ(QueryHash("foobar"), 0x31f0b262U);
  const std::string query = R"({a="b"})";
  BlockedQuery blocked;
  blocked.hash = QueryHash(query);
  EXPECT_TRUE(Refuses(blocked, query));
  EXPECT_FALSE(Refuses(blocked, query + " "));
  blocked.types = {"metric"};
  EXPECT_FALSE(Refuses(blocked, query));
}

}  // namespace
}  // namespace varve
