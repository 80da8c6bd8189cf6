#include "http/query_limits_header.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(QueryLimitsHeader, TightensEveryLimitItKnows) {
  QueryLimits limits;
  limits.required_labels = {"app"};
  const Status status = TightenLimits(
      R"({"maxQueryLength":"1d","maxQueryInterval":"5m","maxQueryLookback":"1w","maxEntriesLimitPerQuery":100,)"
      R"("maxQueryTime":"10s","requiredLabels":["team","app"],"minimumLabelsNumber":2,)"
      R"("maxQueryBytesRead":"1GB","unknown":{}})",
      &limits);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(limits.max_query_length_ns, 24 * kNsPerHour);
  EXPECT_EQ(limits.max_query_range_ns, kNsPerHour / 12);
  EXPECT_EQ(limits.max_query_lookback_ns, 7 * 24 * kNsPerHour);
  EXPECT_EQ(limits.max_entries_limit_per_query, 100u);
  EXPECT_EQ(limits.query_timeout_ms, 10'000);
  EXPECT_EQ(limits.required_labels, (std::vector<std::string>{"app", "team"}));
  EXPECT_EQ(limits.minimum_labels_number, 2u);
  EXPECT_EQ(limits.max_query_bytes_read, 1'000'000'000);
}

TEST(QueryLimitsHeader, RaisesNothing) {
  QueryLimits limits;
  limits.max_query_bytes_read = 10;
  limits.minimum_labels_number = 3;
  const QueryLimits before = limits;
  ASSERT_TRUE(TightenLimits(R"({"maxQueryLength":"1y","maxEntriesLimitPerQuery":100000,"maxQueryTime":"1h",)"
                            R"("minimumLabelsNumber":1,"maxQueryBytesRead":20})",
                            &limits)
                  .ok());
  ASSERT_TRUE(TightenLimits(R"({"maxQueryLength":"0s","maxEntriesLimitPerQuery":0,"maxQueryBytesRead":null})",
                            &limits)
                  .ok());
  EXPECT_EQ(limits.max_query_length_ns, before.max_query_length_ns);
  EXPECT_EQ(limits.max_entries_limit_per_query, before.max_entries_limit_per_query);
  EXPECT_EQ(limits.query_timeout_ms, before.query_timeout_ms);
  EXPECT_EQ(limits.minimum_labels_number, 3u);
  EXPECT_EQ(limits.max_query_bytes_read, 10);
}

TEST(QueryLimitsHeader, ChangesNothingWhenItIsMalformed) {
  for (const char* header :
       {"", "{", "[]", "7", R"({"maxEntriesLimitPerQuery":1,"maxQueryLength":"soon"})",
        R"({"maxEntriesLimitPerQuery":-1})", R"({"maxEntriesLimitPerQuery":1,"requiredLabels":"team"})",
        R"({"maxQueryBytesRead":"many"})", R"({"requiredLabels":[1]})"}) {
    QueryLimits limits;
    const Status status = TightenLimits(header, &limits);
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << header;
    EXPECT_TRUE(status.message().starts_with("could not parse X-Loki-Query-Limits: ")) << status.message();
    EXPECT_EQ(limits.max_entries_limit_per_query, QueryLimits().max_entries_limit_per_query) << header;
    EXPECT_TRUE(limits.required_labels.empty()) << header;
  }
}

}  // namespace
}  // namespace varve
