// The transport's WebSockets: the handshake byte by byte, messages, pings, close frames, stalls and stops.
#include "http/websocket_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "http/server.h"
#include "http/websocket.h"
#include "socket_client.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::SocketClient;

constexpr std::string_view kHandshake =
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

// Says what the test tells it to say.
class ScriptedSession final : public WebSocketSession {
 public:
  void OnOpen(std::shared_ptr<WebSocketLink> link) override {
    const std::lock_guard lock(mu_);
    link_ = std::move(link);
    changed_.notify_all();
  }
  WebSocketNext Next() override {
    const std::lock_guard lock(mu_);
    if (script_.empty()) return WebSocketNothing{};
    WebSocketNext next = std::move(script_.front());
    script_.pop_front();
    return next;
  }
  void OnClosed(WebSocketEnd end) override {
    const std::lock_guard lock(mu_);
    end_ = end;
    link_.reset();
    changed_.notify_all();
  }

  void Say(WebSocketNext next) {
    std::unique_lock lock(mu_);
    script_.push_back(std::move(next));
    changed_.wait(lock, [this] { return link_ != nullptr || end_.has_value(); });
    if (link_ != nullptr) link_->Wake();
  }
  void Say(std::string text) { Say(WebSocketMessage{std::move(text), nullptr, ""}); }
  void Abort() {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [this] { return link_ != nullptr; });
    link_->Abort();
  }
  WebSocketEnd WaitForEnd() {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [this] { return end_.has_value(); });
    return *end_;
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  std::shared_ptr<WebSocketLink> link_;
  std::deque<WebSocketNext> script_;
  std::optional<WebSocketEnd> end_;
};

class WebSocketTest : public ::testing::Test {
 protected:
  WebSocketTest() {
    options_.address = "127.0.0.1";
    options_.web_socket_ping_ms = 20;
    router_.Add({"GET"}, "/ws", Worker::kQuery, [this](const HttpRequest& request) {
      if (!request.web_socket_upgrade) return ErrorText(400, "Bad Request\n");
      HttpResponse response;
      response.web_socket = session_;
      return response;
    });
  }
  ~WebSocketTest() override { server_->Stop(); }

  SocketClient& Open() {
    if (server_ == nullptr) {
      server_ = std::make_unique<Server>(&router_, options_);
      EXPECT_TRUE(server_->Start().ok());
    }
    client_.emplace(server_->port());
    return *client_;
  }
  // A client behind its handshake.
  SocketClient& Upgraded() {
    SocketClient& client = Open();
    const auto answer = client.Get("/ws", kHandshake);
    EXPECT_TRUE(answer.has_value() && answer->status == 101);
    return client;
  }
  // The next frame that is not a ping, as first byte and payload.
  static std::pair<int, std::string> ReadFrame(SocketClient& client) {
    for (;;) {
      const std::string head = client.ReadBytes(2);
      if (head.size() < 2) return {-1, ""};
      size_t size = static_cast<unsigned char>(head[1]);
      if (size == 126) {
        const std::string more = client.ReadBytes(2);
        size = static_cast<size_t>(static_cast<unsigned char>(more[0])) << 8 |
               static_cast<unsigned char>(more[1]);
      } else if (size == 127) {
        size = 0;
        for (const char c : client.ReadBytes(8)) size = size << 8 | static_cast<unsigned char>(c);
      }
      std::string payload = client.ReadBytes(size);
      const int first = static_cast<unsigned char>(head[0]);
      if (first != 0x89) return {first, std::move(payload)};
    }
  }
  // A client's frame; the mask of zeros leaves the payload as it is.
  static std::string ClientFrame(int first, const std::string& payload) {
    return std::string{static_cast<char>(first), static_cast<char>(0x80 | payload.size()), 0, 0, 0, 0} +
           payload;
  }

  Router router_;
  ServerOptions options_;
  std::shared_ptr<ScriptedSession> session_ = std::make_shared<ScriptedSession>();
  std::unique_ptr<Server> server_;
  std::optional<SocketClient> client_;
};

TEST_F(WebSocketTest, AnswersTheHandshakeAsTheRfcShowsIt) {
  const auto answer = Open().Get("/ws", kHandshake);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 101);
  EXPECT_EQ(answer->Header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(server_->counters().web_sockets_open, 1);
}

TEST_F(WebSocketTest, LeavesWhatIsNoHandshakeToTheHandler) {
  for (const char* headers : {"", "Connection: Upgrade\r\n", "Upgrade: websocket\r\nConnection: Upgrade\r\n",
                              "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                              "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: short\r\n"}) {
    const auto answer = Open().Get("/ws", headers);
    ASSERT_TRUE(answer.has_value()) << headers;
    EXPECT_EQ(answer->status, 400) << headers;
    EXPECT_EQ(answer->body, "Bad Request\n");
  }
}

TEST_F(WebSocketTest, SendsAMessageAsOneTextFrame) {
  SocketClient& client = Upgraded();
  const auto shared = std::make_shared<const std::string>(70'000, 's');
  session_->Say(WebSocketMessage{"before ", shared, " after"});
  session_->Say("second");
  const auto [first, payload] = ReadFrame(client);
  EXPECT_EQ(first, 0x81);
  EXPECT_EQ(payload, "before " + *shared + " after");
  EXPECT_EQ(ReadFrame(client), std::pair(0x81, std::string("second")));
}

TEST_F(WebSocketTest, PingsAnswersPingsAndIgnoresWhatIsSaid) {
  SocketClient& client = Upgraded();
  const std::string ping = client.ReadBytes(2);
  EXPECT_EQ(ping, std::string("\x89\x00", 2));
  ASSERT_TRUE(client.Send(ClientFrame(0x81, "ignored") + ClientFrame(0x89, "are you there")));
  EXPECT_EQ(ReadFrame(client), std::pair(0x8A, std::string("are you there")));
  session_->Say("still here");
  EXPECT_EQ(ReadFrame(client).second, "still here");
}

TEST_F(WebSocketTest, ClosesWithCodeAndReason) {
  SocketClient& client = Upgraded();
  session_->Say(WebSocketClose{1011, "enough"});
  EXPECT_EQ(ReadFrame(client), std::pair(0x88, std::string("\x03\xF3"
                                                           "enough")));
  ASSERT_TRUE(client.Send(ClientFrame(0x88, "\x03\xF3")));
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_EQ(session_->WaitForEnd(), WebSocketEnd::kClosed);
}

TEST_F(WebSocketTest, AnswersTheClientsClose) {
  SocketClient& client = Upgraded();
  ASSERT_TRUE(client.Send(ClientFrame(0x88, "\x03\xE8")));
  EXPECT_EQ(ReadFrame(client).first, 0x88);
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_EQ(session_->WaitForEnd(), WebSocketEnd::kClosed);
}

TEST_F(WebSocketTest, NoticesAClientThatGoesAwayOrSpeaksNonsense) {
  Upgraded().Close();
  EXPECT_EQ(session_->WaitForEnd(), WebSocketEnd::kLost);
  session_ = std::make_shared<ScriptedSession>();
  SocketClient& client = Upgraded();
  ASSERT_TRUE(client.Send("\xFF\x7F not a frame at all"));
  EXPECT_TRUE(client.WaitForClose());
  client.Close();
  EXPECT_NE(session_->WaitForEnd(), WebSocketEnd::kStalled);
}

TEST_F(WebSocketTest, CutsAClientThatDoesNotRead) {
  options_.web_socket_stall_ms = 50;
  Upgraded();
  // More than any socket buffers hold.
  session_->Say(WebSocketMessage{"", std::make_shared<const std::string>(64 << 20, 'x'), ""});
  EXPECT_EQ(session_->WaitForEnd(), WebSocketEnd::kStalled);
  EXPECT_EQ(server_->counters().web_sockets_stalled, 1u);
}

TEST_F(WebSocketTest, CutsTheConnectionWhenAsked) {
  SocketClient& client = Upgraded();
  session_->Abort();
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_EQ(session_->WaitForEnd(), WebSocketEnd::kStalled);
}

TEST_F(WebSocketTest, StopsWithWhatIsThereAndWithoutACloseFrame) {
  SocketClient& client = Upgraded();
  session_->Say("first");
  session_->Say("last");
  server_->Stop();
  EXPECT_EQ(ReadFrame(client).second, "first");
  EXPECT_EQ(ReadFrame(client).second, "last");
  EXPECT_EQ(ReadFrame(client).first, -1);
  EXPECT_EQ(session_->WaitForEnd(), WebSocketEnd::kStopped);
  EXPECT_EQ(server_->counters().web_sockets_open, 0);
  EXPECT_EQ(server_->counters().connections_open, 0);
}

}  // namespace
}  // namespace varve
