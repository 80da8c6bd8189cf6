// Answers that are made while they are sent: chunks, gzip, HTTP/1.0, back-pressure, errors in mid-stream.
#include "http/body_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "http/server.h"
#include "socket_client.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SocketClient;

class Pieces final : public BodySource {
 public:
  using Make = std::function<BodyPiece(int)>;
  Pieces(Make make, std::atomic<int>* made, std::atomic<int>* alive)
      : make_(std::move(make)), made_(made), alive_(alive) {
    ++*alive_;
  }
  ~Pieces() override { --*alive_; }
  BodyPiece Next() override { return make_((*made_)++); }

 private:
  const Make make_;
  std::atomic<int>* const made_;
  std::atomic<int>* const alive_;
};

std::string Gunzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

class BodySourceTest : public ::testing::Test {
 protected:
  BodySourceTest() { options_.address = "127.0.0.1"; }
  ~BodySourceTest() override { server_->Stop(); }

  SocketClient Start(Pieces::Make make, Worker worker = Worker::kQuery) {
    router_.Add({"GET"}, "/stream", worker, [this, make = std::move(make)](const HttpRequest& request) {
      cancel_ = request.cancel;
      HttpResponse response;
      response.content_type = "text/plain";
      response.body_source = std::make_shared<Pieces>(make, &made_, &alive_);
      return response;
    });
    router_.Add({"GET"}, "/other", Worker::kQuery,
                [](const HttpRequest&) { return TextResponse(200, "other\n"); });
    options_.on_request = [this](const RequestRecord& record) { bytes_recorded_ += record.response_bytes; };
    server_ = std::make_unique<Server>(&router_, options_);
    EXPECT_TRUE(server_->Start().ok());
    return SocketClient(server_->port());
  }
  // The body of the chunks that follow; "…" at its end when the last one never came.
  static std::string ReadChunks(SocketClient& client) {
    std::string body;
    for (;;) {
      std::string line;
      while (!line.ends_with("\r\n")) {
        const std::string byte = client.ReadBytes(1);
        if (byte.empty()) return body + "…";
        line += byte;
      }
      const size_t size = std::stoul(line, nullptr, 16);
      body += client.ReadBytes(size);
      EXPECT_EQ(client.ReadBytes(2), "\r\n");
      if (size == 0) return body;
    }
  }

  Router router_;
  ServerOptions options_;
  std::atomic<int> made_{0}, alive_{0};
  std::atomic<CancelToken*> cancel_{nullptr};
  std::atomic<uint64_t> bytes_recorded_{0};
  std::unique_ptr<Server> server_;
};

BodyPiece ThreePieces(int i) {
  return {.bytes = i == 1 ? "" : "piece " + std::to_string(i) + "\n", .last = i % 3 == 2, .broken = false};
}

TEST_F(BodySourceTest, SendsChunksAndKeepsTheConnection) {
  SocketClient client = Start(ThreePieces);
  for (int round = 0; round < 2; ++round) {
    made_ = 0;
    const auto answer = client.Get("/stream");
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->Header("transfer-encoding"), "chunked");
    EXPECT_THAT(answer->header, Not(HasSubstr("Content-Length")));
    EXPECT_EQ(ReadChunks(client), "piece 0\npiece 2\n");
  }
  EXPECT_EQ(client.Get("/other")->body, "other\n");
  while (alive_ != 0) std::this_thread::yield();
  EXPECT_EQ(bytes_recorded_, 2 * 16 + 6u);
}

TEST_F(BodySourceTest, RunsInlineToo) {
  SocketClient client = Start(ThreePieces, Worker::kInline);
  ASSERT_TRUE(client.Get("/stream").has_value());
  EXPECT_EQ(ReadChunks(client), "piece 0\npiece 2\n");
}

TEST_F(BodySourceTest, CompressesWhenAskedTo) {
  SocketClient client = Start([](int i) {
    return BodyPiece{
        .bytes = std::string(100'000, static_cast<char>('a' + i)), .last = i == 4, .broken = false};
  });
  const auto answer = client.Get("/stream", "Accept-Encoding: gzip\r\n");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->Header("content-encoding"), "gzip");
  const std::string body = Gunzip(ReadChunks(client));
  EXPECT_EQ(body.size(), 500'000u);
  EXPECT_EQ(body.substr(499'990), "eeeeeeeeee");
}

TEST_F(BodySourceTest, EndsWithTheConnectionForHttp10) {
  SocketClient client = Start(ThreePieces);
  ASSERT_TRUE(client.Send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const std::string all = client.ReadToEnd();
  EXPECT_THAT(all, Not(HasSubstr("chunked")));
  EXPECT_TRUE(all.ends_with("\r\n\r\npiece 0\npiece 2\n")) << all;
}

TEST_F(BodySourceTest, LeavesABrokenAnswerWithoutItsEnd) {
  SocketClient client = Start([](int i) {
    return i == 0 ? BodyPiece{.bytes = "good\n", .last = false, .broken = false}
                  : BodyPiece{.bytes = "error\n", .last = false, .broken = true};
  });
  ASSERT_TRUE(client.Get("/stream").has_value());
  EXPECT_EQ(ReadChunks(client), "good\nerror\n…");
}

TEST_F(BodySourceTest, TreatsAnExceptionAsBroken) {
  SocketClient client = Start([](int i) -> BodyPiece {
    if (i == 1) throw std::bad_alloc();
    return {.bytes = "good\n", .last = false, .broken = false};
  });
  ASSERT_TRUE(client.Get("/stream").has_value());
  EXPECT_EQ(ReadChunks(client), "good\n…");
  EXPECT_EQ(server_->counters().handler_exceptions, 1u);
}

TEST_F(BodySourceTest, MakesNoMoreThanTheClientTakes) {
  options_.query_threads = 1;
  options_.write_timeout_ms = 60'000;
  constexpr size_t kPiece = 1 << 20;
  SocketClient client = Start(
      [](int i) { return BodyPiece{.bytes = std::string(kPiece, 'x'), .last = i == 199, .broken = false}; });
  ASSERT_TRUE(client.Get("/stream").has_value());
  // The only worker is free while the client does not read.
  SocketClient other(server_->port());
  EXPECT_EQ(other.Get("/other")->body, "other\n");
  EXPECT_LT(made_, 100) << "socket buffers hold some megabytes, not all";
  EXPECT_EQ(ReadChunks(client).size(), 200 * kPiece);
}

TEST_F(BodySourceTest, StopsWhenTheClientGoesAway) {
  SocketClient client = Start([this](int) {
    while (cancel_.load()->Check().ok()) std::this_thread::yield();
    return BodyPiece{.bytes = "late", .last = false, .broken = true};
  });
  ASSERT_TRUE(client.Send("GET /stream HTTP/1.1\r\nHost: t\r\n\r\n"));
  while (made_ == 0) std::this_thread::yield();
  client.Close();
  while (alive_ != 0) std::this_thread::yield();
  EXPECT_EQ(made_, 1);
}

}  // namespace
}  // namespace varve
