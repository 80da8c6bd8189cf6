#include "ingest/push_headers.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

struct HeaderCase {
  const char* type;
  const char* encoding;
  WireForm form;
  ContentEncoding outer;
  ContentEncoding inner;
};

TEST(PushHeaders, SayHowABodyIsRead) {
  using enum ContentEncoding;
  for (const HeaderCase& c : {
           HeaderCase{"application/json", "", WireForm::kLokiJson, kIdentity, kIdentity},
           HeaderCase{"Application/JSON; charset=utf-8", "snappy", WireForm::kLokiJson, kIdentity, kIdentity},
           HeaderCase{"application/json", "gzip", WireForm::kLokiJson, kGzip, kIdentity},
           HeaderCase{"application/json", "deflate", WireForm::kLokiJson, kDeflate, kIdentity},
           HeaderCase{"application/json", "zstd", WireForm::kLokiJson, kZstd, kIdentity},
           HeaderCase{"application/json", " LZ4 ", WireForm::kLokiJson, kLz4Frame, kIdentity},
           HeaderCase{"application/x-protobuf", "", WireForm::kLokiProtobuf, kIdentity, kSnappy},
           HeaderCase{"application/x-protobuf", "identity", WireForm::kLokiProtobuf, kIdentity, kSnappy},
           HeaderCase{"application/x-protobuf", "snappy", WireForm::kLokiProtobuf, kIdentity, kSnappy},
           HeaderCase{"application/x-protobuf", "gzip", WireForm::kLokiProtobuf, kGzip, kSnappy},
           HeaderCase{"application/x-protobuf", "zstd", WireForm::kLokiProtobuf, kZstd, kSnappy},
           HeaderCase{"text/plain", "", WireForm::kLokiProtobuf, kIdentity, kSnappy},
           HeaderCase{"x", "", WireForm::kLokiProtobuf, kIdentity, kSnappy},
       }) {
    const Result<BodyFormat> format = ParsePushHeaders(c.type, c.encoding, false);
    ASSERT_TRUE(format.ok()) << c.type;
    EXPECT_EQ(format->form, c.form) << c.type;
    EXPECT_EQ(format->outer, c.outer) << c.type << c.encoding;
    EXPECT_EQ(format->inner, c.inner) << c.type << c.encoding;
  }
  EXPECT_EQ(ParsePushHeaders("application/json", "", true)->form, WireForm::kLokiJsonLegacy);
  EXPECT_EQ(ParsePushHeaders("application/x-protobuf", "", true)->form, WireForm::kLokiProtobuf);
}

TEST(PushHeaders, AreRefusedInTheWordsOfGo) {
  struct Case {
    const char* type;
    const char* encoding;
    const char* message;
  };
  for (const Case& c :
       {Case{"", "", "mime: no media type"}, Case{" ;x", "", "mime: no media type"},
        Case{"a b", "", "mime: expected slash after first token"},
        Case{"application/", "", "mime: expected token after slash"},
        Case{"application/json x", "", "mime: unexpected content after media subtype"},
        Case{"application/json", "br", "Content-Encoding \"br\" not supported"},
        Case{"application/x-protobuf", "gzip, snappy", "Content-Encoding \"gzip, snappy\" not supported"}}) {
    const Result<BodyFormat> format = ParsePushHeaders(c.type, c.encoding, false);
    ASSERT_FALSE(format.ok()) << c.type;
    EXPECT_EQ(format.status().code(), Code::kInvalidArgument);
    EXPECT_EQ(format.status().message(), c.message);
  }
}

TEST(OtlpHeaders, SayHowABodyIsRead) {
  using enum ContentEncoding;
  for (const HeaderCase& c : {
           HeaderCase{"application/json", "", WireForm::kOtlpJson, kIdentity, kIdentity},
           HeaderCase{"application/json", "gzip", WireForm::kOtlpJson, kGzip, kIdentity},
           HeaderCase{"application/x-protobuf", "identity", WireForm::kOtlpProtobuf, kIdentity, kIdentity},
           HeaderCase{"application/x-protobuf", "zstd", WireForm::kOtlpProtobuf, kZstd, kIdentity},
           HeaderCase{"application/x-protobuf", "lz4", WireForm::kOtlpProtobuf, kLz4Frame, kIdentity},
       }) {
    const Result<BodyFormat> format = ParseOtlpHeaders(c.type, c.encoding);
    ASSERT_TRUE(format.ok()) << c.type;
    EXPECT_EQ(format->form, c.form) << c.type;
    EXPECT_EQ(format->outer, c.outer) << c.type << c.encoding;
    EXPECT_EQ(format->inner, c.inner) << c.type << c.encoding;
    EXPECT_FALSE(format->inner_is_optional);
  }
}

TEST(OtlpHeaders, AreRefusedInTheWordsOfLoki) {
  const auto error = [](std::string_view type, std::string_view encoding) {
    return std::string(ParseOtlpHeaders(type, encoding).status().message());
  };
  EXPECT_EQ(error("", ""), "content type:  is not supported");
  EXPECT_EQ(error("application/json; charset=utf-8", ""),
            "content type: application/json; charset=utf-8 is not supported");
  EXPECT_EQ(error("application/json", "br"),
            "unsupported content encoding br: only gzip, lz4 and zstd are supported");
}

}  // namespace
}  // namespace varve
