#include "http/query_headers.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

HttpRequest With(std::vector<std::pair<std::string, std::string>> headers) {
  HttpRequest request;
  request.headers = std::move(headers);
  return request;
}

TEST(QueryHeaders, NoCacheAndNoStoreBypassTheResultCache) {
  for (const char* value : {"no-cache", "no-store", "No-Store", "max-age=0, no-cache", " no-store ,x"}) {
    EXPECT_TRUE(BypassesResultCache(With({{"cache-control", value}}))) << value;
  }
  EXPECT_TRUE(BypassesResultCache(With({{"cache-control", "private"}, {"cache-control", "no-store"}})));
}

TEST(QueryHeaders, OtherCacheControlDoesNot) {
  EXPECT_FALSE(BypassesResultCache(With({})));
  for (const char* value : {"", ",,", "max-age=0", "no-cached", "no", "no-transform"}) {
    EXPECT_FALSE(BypassesResultCache(With({{"cache-control", value}}))) << value;
  }
}

TEST(QueryHeaders, LogsDrilldownIsKnownByItsTag) {
  for (const char* value : {"Source=grafana-lokiexplore-app", "a=b,Source=grafana-lokiexplore-app",
                            "source=Grafana-LokiExplore-App", "Source = grafana-lokiexplore-app"}) {
    EXPECT_TRUE(IsLogsDrilldown(With({{"x-query-tags", value}}))) << value;
  }
  for (const char* value : {"", "Source", "Source=grafana", "a=Source=grafana-lokiexplore-app", "=,="}) {
    EXPECT_FALSE(IsLogsDrilldown(With({{"x-query-tags", value}}))) << value;
  }
}

}  // namespace
}  // namespace varve
