#include "http/fields_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "handler_call.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using testing::CallHandler;
using testing::MemoryEngine;
using testing::Query;
using ::testing::StartsWith;

using Pairs = std::vector<std::pair<std::string, std::string>>;

class FieldsApiTest : public ::testing::Test {
 protected:
  FieldsApiTest() : api_(Context()) {
    api_.AddRoutes(&router_);
    std::string metadata;
    std::vector<MetadataPair> pairs = {{"user", "ann"}};
    EncodeMetadata(&pairs, &metadata);
    const Labels stream = Labels::FromUnsorted({{"job", "a"}});
    engine_.Add(stream, 10 * kNsPerSecond, R"({"http":{"status":200}})", metadata);
    engine_.Add(stream, 11 * kNsPerSecond, R"({"http":{"status":404}})");
    engine_.Add(stream, 12 * kNsPerSecond, "took=1.5s");
    pairs = {{"size", "3KB"}};
    EncodeMetadata(&pairs, &metadata);
    const Labels sizes = Labels::FromUnsorted({{"job", "sizes"}});
    engine_.Add(sizes, 13 * kNsPerSecond, "x", metadata);
    engine_.Add(sizes, 14 * kNsPerSecond, "size=12KiB");
  }
  ReadContext Context() {
    ReadContext context;
    context.engine = &engine_;
    return context;
  }
  std::string Ask(const std::string& path, Pairs params) {
    params.emplace_back("start", "0");
    params.emplace_back("end", "100");
    const HttpResponse response = CallHandler(router_, "GET", "/loki/api/v1/" + path + "?" + Query(params));
    return response.status == 200 ? response.body : std::to_string(response.status) + ": " + response.body;
  }

  MemoryEngine engine_;
  Router router_;
  FieldsApi api_;
};

TEST_F(FieldsApiTest, ListsFieldsWithTypeAndParser) {
  EXPECT_EQ(
      Ask("detected_fields", {{"query", "{job=\"a\"}"}}),
      R"({"fields":[{"label":"http_status","type":"int","cardinality":2,"parsers":["json"],"jsonPath":["http","status"]},)"
      R"({"label":"took","type":"duration","cardinality":1,"parsers":["logfmt"]},)"
      R"({"label":"user","type":"string","cardinality":1,"parsers":null}],"limit":1000})"
      "\n");
}

TEST_F(FieldsApiTest, LooksAtNoMoreThanItsLines) {
  EXPECT_THAT(Ask("detected_fields", {{"query", "{job=\"a\"}"}, {"line_limit", "1"}}),
              StartsWith(R"({"fields":[{"label":"took")"));
  EXPECT_EQ(Ask("detected_fields", {{"query", "{job=\"nosuch\"}"}}), "{\"fields\":[],\"limit\":1000}\n");
}

TEST_F(FieldsApiTest, ListsValuesOfOneField) {
  EXPECT_EQ(Ask("detected_field/http_status/values", {{"query", "{job=\"a\"}"}}),
            "{\"values\":[\"200\",\"404\"],\"limit\":1000}\n");
  EXPECT_EQ(Ask("detected_field/http_status/values", {{"query", "{job=\"a\"}"}, {"limit", "1"}}),
            "{\"values\":[\"200\"],\"limit\":1}\n");
  EXPECT_EQ(Ask("detected_field/nosuch/values", {{"query", "{job=\"a\"}"}}), "{}\n");
}

TEST_F(FieldsApiTest, ShowsMetadataAsItWasPushed) {
  EXPECT_EQ(Ask("detected_field/size/values", {{"query", "{job=\"sizes\"}"}}),
            "{\"values\":[\"12kB\",\"3KB\"],\"limit\":1000}\n");
}

TEST_F(FieldsApiTest, RefusesWhatIsNoLogQuery) {
  EXPECT_EQ(Ask("detected_fields", {{"query", "rate({job=\"a\"}[1m])"}}),
            "400: only log selector is supported");
  EXPECT_THAT(Ask("detected_fields", {{"query", "{}"}}),
              StartsWith("400: parse error : queries require at least one"));
}

}  // namespace
}  // namespace varve
