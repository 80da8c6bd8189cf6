#include "alerting/outgoing/http_client.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "alerting/outgoing/curl_session.h"

namespace varve {
namespace {

// Port 1 refuses at once; servers that answer are the end-to-end tests' business.
OutgoingRequest ToNobody() {
  OutgoingRequest request;
  request.url = "http://127.0.0.1:1/services/T0/s3cret";
  return request;
}

TEST(HttpClientTest, AnErrorNamesTheHostAndNeverThePath) {
  const CancelToken cancel;
  const auto reply = SendHttp(ToNobody(), {}, cancel);
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(Code::kUnavailable, reply.status().code());
  EXPECT_NE(std::string::npos, reply.status().message().find("127.0.0.1"));
  EXPECT_EQ(std::string::npos, reply.status().message().find("s3cret"));
}

TEST(HttpClientTest, OtherThanHttpIsRefused) {
  const CancelToken cancel;
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1:1/x", "not a url", "http://", ""}) {
    OutgoingRequest request;
    request.url = url;
    EXPECT_FALSE(SendHttp(request, {}, cancel).ok()) << url;
  }
}

TEST(HttpClientTest, WhatIsCancelledIsNotSent) {
  CancelToken cancel;
  cancel.Cancel();
  const auto reply = SendHttp(ToNobody(), {}, cancel);
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(Code::kCancelled, reply.status().code());
}

TEST(HttpClientTest, AFileThatIsMissingIsNamed) {
  const CancelToken cancel;
  HttpClientConfig by_password, by_token, by_authority;
  by_password.basic_auth_username = "me";
  by_password.basic_auth_password_file = "/nowhere/password";
  by_token.authorization_credentials_file = "/nowhere/token";
  by_authority.tls.ca_file = "/nowhere/ca.pem";
  for (const HttpClientConfig& config : {by_password, by_token, by_authority}) {
    const auto reply = SendHttp(ToNobody(), config, cancel);
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(Code::kIoError, reply.status().code());
    EXPECT_NE(std::string::npos, reply.status().message().find("/nowhere/"));
  }
}

TEST(SplitUrlTest, GivesHostAndPortApartFromTheRest) {
  const auto parts = SplitUrl("https://me:geheim@hooks.example.org/services/x?token=y");
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ("https", parts->scheme);
  EXPECT_EQ("hooks.example.org", parts->host);
  EXPECT_EQ("443", parts->port);
  EXPECT_EQ("/services/x?token=y", parts->rest);
}

TEST(ReadSecretFileTest, LeavesBlanksAtTheEndAndRefusesLargeFiles) {
  const std::string path = ::testing::TempDir() + "varve_secret";
  std::ofstream(path) << " geheim\t \r\n\n";
  EXPECT_EQ(" geheim", *ReadSecretFile(path));
  std::ofstream(path) << std::string(100'000, 'x');
  EXPECT_FALSE(ReadSecretFile(path).ok());
  std::filesystem::remove(path);
  EXPECT_EQ(Code::kIoError, ReadSecretFile(path).status().code());
}

}  // namespace
}  // namespace varve
