#include "http/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace varve {
namespace {

using ::testing::ElementsAre;

HttpRequest Request(std::string method, std::string query, std::string body = {}, std::string type = {}) {
  HttpRequest request;
  request.method = std::move(method);
  request.url_query = std::move(query);
  request.body = std::move(body);
  if (!type.empty()) request.headers.emplace_back("content-type", std::move(type));
  return request;
}

constexpr const char* kForm = "application/x-www-form-urlencoded";

TEST(FormParams, PutTheBodyBeforeTheUrl) {
  const auto params =
      FormParams::Parse(Request("POST", "query=url&match[]=c", "query=body&match[]=a&match%5B%5D=b", kForm));
  ASSERT_TRUE(params.ok());
  EXPECT_EQ(params->Get("query"), "body");
  EXPECT_THAT(params->All("match[]"), ElementsAre("a", "b", "c"));
}

TEST(FormParams, ReadABodyOnlyWhenItIsAForm) {
  struct Case {
    const char *method, *type;
    bool read;
  };
  const Case cases[] = {{"POST", kForm, true},
                        {"PUT", "Application/X-WWW-Form-Urlencoded; charset=utf-8", true},
                        {"GET", kForm, false},
                        {"POST", "application/json", false},
                        {"POST", "", false}};
  for (const Case& c : cases) {
    const auto params = FormParams::Parse(Request(c.method, "a=url", "a=body", c.type));
    ASSERT_TRUE(params.ok());
    EXPECT_EQ(params->Get("a"), c.read ? "body" : "url") << c.method << " " << c.type;
  }
}

TEST(FormParams, AcceptEmptyAndOddBodies) {
  for (const char* body : {"", "{}", "&&", "=", "a"}) {
    const auto params = FormParams::Parse(Request("POST", "query=x", body, kForm));
    ASSERT_TRUE(params.ok()) << body;
    EXPECT_EQ(params->Get("query"), "x");
  }
}

TEST(FormParams, DecodeEscapesAndPlus) {
  const auto params = FormParams::Parse(Request("GET", "query=%7Bapp%3D%22a+b%22%7D&empty=&n%61me=1=2"));
  ASSERT_TRUE(params.ok());
  EXPECT_EQ(params->Get("query"), "{app=\"a b\"}");
  EXPECT_EQ(params->Get("name"), "1=2");
  EXPECT_TRUE(params->Has("empty"));
  EXPECT_FALSE(params->Has("absent"));
}

TEST(FormParams, RefuseBrokenEscapesAndSemicolons) {
  struct Case {
    const char *query, *text;
  };
  const Case cases[] = {{"a=%zz", "invalid URL escape \"%zz\""},
                        {"a=%f", "invalid URL escape \"%f\""},
                        {"a=%", "invalid URL escape \"%\""},
                        {"a=1;b=2", "invalid semicolon separator in query"}};
  for (const Case& c : cases) {
    const auto params = FormParams::Parse(Request("GET", c.query));
    ASSERT_FALSE(params.ok());
    EXPECT_EQ(params.status().message(), c.text);
  }
}

TEST(PercentDecode, KeepsPlusInPaths) {
  EXPECT_EQ(PercentDecode("a+b%2Fc", false).value(), "a+b/c");
  EXPECT_EQ(PercentDecode("a+b%2fc", true).value(), "a b/c");
}

}  // namespace
}  // namespace varve
