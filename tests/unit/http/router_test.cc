#include "http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace varve {
namespace {

using ::testing::ElementsAre;

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    const Handler handler = [](const HttpRequest&) { return HttpResponse{}; };
    router_.Add({"GET", "POST"}, "/loki/api/v1/labels", Worker::kQuery, handler);
    router_.Add({"GET"}, "/loki/api/v1/label/{name}/values", Worker::kQuery, handler);
    router_.Add({"POST"}, "/flush", Worker::kQuery, handler);
    router_.Add({"GET"}, "/flush", Worker::kInline, handler);
  }
  Router router_;
};

TEST_F(RouterTest, FindsLiteralPaths) {
  const Router::Match match = router_.Find("POST", "/loki/api/v1/labels");
  ASSERT_NE(match.route, nullptr);
  EXPECT_TRUE(match.method_allowed);
  EXPECT_EQ(match.route->name, "loki_api_v1_labels");
}

TEST_F(RouterTest, DecodesASegmentAfterSplitting) {
  const Router::Match match = router_.Find("GET", "/loki/api/v1/label/a%2Fb%20c/values");
  ASSERT_TRUE(match.method_allowed);
  EXPECT_THAT(match.path_params, ElementsAre("a/b c"));
}

TEST_F(RouterTest, TellsAWrongMethodFromAnUnknownPath) {
  EXPECT_NE(router_.Find("DELETE", "/loki/api/v1/labels").route, nullptr);
  EXPECT_FALSE(router_.Find("DELETE", "/loki/api/v1/labels").method_allowed);
  for (const char* path :
       {"/", "", "/loki/api/v1/labels/", "/loki/api/v1", "/loki/api/v1/label//values", "*"}) {
    EXPECT_EQ(router_.Find("GET", path).route, nullptr) << path;
  }
}

TEST_F(RouterTest, KeepsMethodsOfOnePathApart) {
  EXPECT_EQ(router_.Find("GET", "/flush").route->worker, Worker::kInline);
  EXPECT_EQ(router_.Find("POST", "/flush").route->worker, Worker::kQuery);
}

}  // namespace
}  // namespace varve
