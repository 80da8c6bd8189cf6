// The transport over real loopback sockets: what clients do wrong, and what they may rely on.

#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "socket_client.h"

namespace varve {
namespace {

using testing::SocketClient;

// A gate that handlers wait at, so that tests decide when they finish.
class Gate {
 public:
  void Open() {
    const std::lock_guard lock(mu_);
    open_ = true;
    changed_.notify_all();
  }
  // Returns when the gate is open; counts who waits.
  void Pass() {
    std::unique_lock lock(mu_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void WaitForArrivals(int count) {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [&] { return arrived_ >= count; });
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrived_ = 0;
};

// Whether the counter gets there: servers count a little after the client has seen the effect.
bool Reaches(const std::atomic<uint64_t>& counter, uint64_t value) {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(SocketClient::kPatienceMs);
  while (counter.load() != value && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  return counter.load() == value;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options_.address = "127.0.0.1";
    options_.on_request = [this](const RequestRecord& record) {
      const std::lock_guard lock(mu_);
      statuses_.push_back(record.status);
    };
    router_.Add({"GET", "POST"}, "/echo", Worker::kQuery, [](const HttpRequest& request) {
      return TextResponse(200, request.method + " " + request.url_query + " " + request.body);
    });
    router_.Add({"GET"}, "/inline", Worker::kInline,
                [](const HttpRequest&) { return TextResponse(200, "inline"); });
    router_.Add({"POST"}, "/push", Worker::kPush, [](const HttpRequest& request) {
      HttpResponse response = TextResponse(200, std::to_string(request.body.size()));
      return response;
    });
    router_.Add({"GET"}, "/large", Worker::kQuery,
                [](const HttpRequest&) { return TextResponse(200, std::string(3 << 20, 'L')); });
    router_.Add({"GET"}, "/wait", Worker::kQuery, [this](const HttpRequest&) {
      gate_.Pass();
      return TextResponse(200, "waited");
    });
    router_.Add({"GET"}, "/until_cancelled", Worker::kQuery, [this](const HttpRequest& request) {
      gate_.Pass();
      while (request.cancel->Check().ok()) std::this_thread::yield();
      cancelled_.Pass();
      return TextResponse(499, "cancelled");
    });
    router_.Add({"GET"}, "/throw", Worker::kQuery,
                [](const HttpRequest&) -> HttpResponse { throw std::bad_alloc(); });
    router_.Add({"POST"}, "/no_content", Worker::kQuery, [](const HttpRequest&) {
      HttpResponse response;
      response.status = 204;
      return response;
    });
  }
  ~ServerTest() override {
    gate_.Open();
    cancelled_.Open();
  }

  void Start() {
    server_ = std::make_unique<Server>(&router_, options_);
    ASSERT_TRUE(server_->Start().ok());
  }
  uint16_t port() const { return server_->port(); }

  Router router_;
  ServerOptions options_;
  Gate gate_, cancelled_;
  std::mutex mu_;
  std::vector<int> statuses_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersManyRequestsOnOneConnection) {
  Start();
  SocketClient client(port());
  for (int i = 0; i < 20; ++i) {
    const auto answer = client.Get("/echo?i=" + std::to_string(i));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->body, "GET i=" + std::to_string(i) + " ");
  }
  EXPECT_EQ(client.Post("/echo", "form body")->body, "POST  form body");
  EXPECT_EQ(client.Get("/inline")->body, "inline");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  SocketClient client(port());
  std::string burst;
  for (int i = 0; i < 5; ++i) {
    burst += "GET /echo?" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n";
    burst += "POST /push HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
  }
  ASSERT_TRUE(client.Send(burst));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.Receive()->body, "GET " + std::to_string(i) + " ");
    EXPECT_EQ(client.Receive()->body, "3");
  }
}

TEST_F(ServerTest, SaysNotFoundAndWrongMethodAsGoDoes) {
  Start();
  SocketClient client(port());
  const auto unknown = client.Get("/nosuch");
  EXPECT_EQ(unknown->status, 404);
  EXPECT_EQ(unknown->body, "404 page not found\n");
  EXPECT_EQ(unknown->Header("content-type"), "text/plain; charset=utf-8");
  const auto wrong = client.Post("/inline", "");
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(wrong->body, "");
  ASSERT_TRUE(client.Send("HEAD /inline HTTP/1.1\r\nHost: t\r\n\r\n"));
  EXPECT_EQ(client.Receive()->status, 404);
  EXPECT_EQ(client.Get("/inline")->body, "inline");  // the connection lives on
}

TEST_F(ServerTest, DatesItsAnswers) {
  Start();
  EXPECT_THAT(SocketClient(port()).Get("/inline")->Header("date"),
              ::testing::MatchesRegex("..., .. ... .... ..:..:.. GMT"));
}

TEST_F(ServerTest, SendsNoLengthWithNoContent) {
  Start();
  SocketClient client(port());
  const auto answer = client.Post("/no_content", "x");
  EXPECT_EQ(answer->status, 204);
  EXPECT_EQ(answer->Header("content-length"), "");
}

TEST_F(ServerTest, HonoursConnectionClose) {
  Start();
  SocketClient client(port());
  const auto answer = client.Get("/inline", "Connection: close\r\n");
  EXPECT_EQ(answer->Header("connection"), "close");
  EXPECT_TRUE(client.WaitForClose());
}

TEST_F(ServerTest, ClosesAfterAnHttp10Request) {
  Start();
  SocketClient client(port());
  EXPECT_EQ(client.Ask("GET /inline HTTP/1.0\r\n\r\n")->status, 200);
  EXPECT_TRUE(client.WaitForClose());
}

TEST_F(ServerTest, ReadsChunkedBodies) {
  Start();
  SocketClient client(port());
  const auto answer = client.Ask(
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n "
      "world\r\n0\r\n\r\n");
  EXPECT_EQ(answer->body, "POST  hello world");
  EXPECT_EQ(client.Get("/inline")->body, "inline");
}

TEST_F(ServerTest, ReadsBodiesOfManyBuffers) {
  options_.push_bytes_max = 8 << 20;
  Start();
  SocketClient client(port());
  EXPECT_EQ(client.Post("/push", std::string(5'000'001, 'x'))->body, "5000001");
}

TEST_F(ServerTest, InvitesABodyThatWaitsToBeAsked) {
  Start();
  SocketClient client(port());
  ASSERT_TRUE(
      client.Send("POST /push HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.Receive()->status, 100);
  EXPECT_EQ(client.Ask("body")->body, "4");
}

TEST_F(ServerTest, RefusesAnOversizedBodyByItsAnnouncement) {
  options_.push_bytes_max = 1000;
  Start();
  SocketClient client(port());
  const auto answer = client.Ask("POST /push HTTP/1.1\r\nHost: t\r\nContent-Length: 3085\r\n\r\n");
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->body, "request body too large: message size too large than max (3085 vs 1000)\n");
  EXPECT_EQ(answer->Header("connection"), "close");
}

TEST_F(ServerTest, RefusesAnOversizedChunkedBodyWhereItPassesTheLimit) {
  options_.push_bytes_max = 1000;
  Start();
  SocketClient client(port());
  const auto answer =
      client.Ask("POST /push HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                 std::string(2000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(answer->status, 413);
}

TEST_F(ServerTest, BoundsFormBodiesMoreTightlyThanPushes) {
  options_.form_bytes_max = 100;
  Start();
  SocketClient form(port());
  EXPECT_EQ(form.Post("/echo", std::string(101, 'x'))->status, 413);
  SocketClient push(port());
  EXPECT_EQ(push.Post("/push", std::string(101, 'x'))->status, 200);
}

TEST_F(ServerTest, RefusesAnOversizedHeader) {
  options_.header_bytes_max = 4096;
  Start();
  SocketClient client(port());
  const auto answer = client.Get("/inline", "X-Long: " + std::string(5000, 'x') + "\r\n");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 431);
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_TRUE(Reaches(server_->counters().oversized_headers, 1));
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
  Start();
  for (const char* garbage :
       {"\x16\x03\x01\x02\x01garbage\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n", "POST /push HTTP/1.1\r\nContent-Length: abc\r\n\r\n",
        "POST /push HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /push HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"}) {
    SocketClient client(port());
    const auto answer = client.Ask(garbage);
    ASSERT_TRUE(answer.has_value()) << garbage;
    EXPECT_EQ(answer->status, 400) << garbage;
    EXPECT_TRUE(client.WaitForClose());
  }
}

TEST_F(ServerTest, ClosesOnAHeaderThatNeverEnds) {
  options_.header_timeout_ms = 50;
  Start();
  SocketClient client(port());
  ASSERT_TRUE(client.Send("GET /inline HTTP/1.1\r\nHost:"));
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_TRUE(Reaches(server_->counters().timeouts_header, 1));
}

TEST_F(ServerTest, ClosesOnABodyThatNeverEnds) {
  options_.body_timeout_ms = 50;
  Start();
  SocketClient client(port());
  ASSERT_TRUE(client.Send("POST /push HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_TRUE(Reaches(server_->counters().timeouts_body, 1));
}

TEST_F(ServerTest, ClosesIdleConnections) {
  options_.idle_timeout_ms = 50;
  Start();
  SocketClient client(port());
  EXPECT_EQ(client.Get("/inline")->status, 200);
  EXPECT_TRUE(client.WaitForClose());
}

TEST_F(ServerTest, GivesUpOnAClientThatDoesNotReadItsAnswer) {
  options_.write_timeout_ms = 50;
  router_.Add({"GET"}, "/huge", Worker::kQuery,
              [](const HttpRequest&) { return TextResponse(200, std::string(64 << 20, 'H')); });
  Start();
  SocketClient client(port());
  ASSERT_TRUE(client.Send("GET /huge HTTP/1.1\r\nHost: t\r\n\r\n"));
  EXPECT_TRUE(Reaches(server_->counters().timeouts_write, 1));
  EXPECT_FALSE(client.Receive().has_value());
}

TEST_F(ServerTest, CompressesOnlyWhenAsked) {
  Start();
  SocketClient client(port());
  const auto plain = client.Get("/large");
  EXPECT_EQ(plain->Header("content-encoding"), "");
  EXPECT_EQ(plain->body.size(), 3U << 20);
  const auto compressed = client.Get("/large", "Accept-Encoding: gzip, deflate, br, zstd\r\n");
  EXPECT_EQ(compressed->Header("content-encoding"), "gzip");
  EXPECT_LT(compressed->body.size(), 100'000U);
  EXPECT_EQ(client.Get("/inline", "Accept-Encoding: gzip\r\n")->body, "inline");
}

TEST_F(ServerTest, CancelsAQueryWhoseClientGoesAway) {
  Start();
  SocketClient client(port());
  ASSERT_TRUE(client.Send("GET /until_cancelled HTTP/1.1\r\nHost: t\r\n\r\n"));
  gate_.Open();
  gate_.WaitForArrivals(1);
  client.Close();
  cancelled_.WaitForArrivals(1);  // returns only if the handler saw its token trip
  EXPECT_TRUE(Reaches(server_->counters().client_disconnects, 1));
}

TEST_F(ServerTest, CancelsTheSecondQueryOfAConnectionToo) {
  Start();
  SocketClient client(port());
  EXPECT_EQ(client.Get("/echo")->status, 200);  // leaves its watch behind
  gate_.Open();
  ASSERT_TRUE(client.Send("GET /until_cancelled HTTP/1.1\r\nHost: t\r\n\r\n"));
  gate_.WaitForArrivals(1);
  client.Close();
  cancelled_.WaitForArrivals(1);
}

TEST_F(ServerTest, ShedsQueriesWhenTheirQueueIsFullAndKeepsTakingPushes) {
  options_.query_threads = 1;
  options_.query_queue_max = 1;
  Start();
  SocketClient running(port()), waiting(port()), third(port()), pusher(port());
  ASSERT_TRUE(running.Send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n"));
  gate_.WaitForArrivals(1);
  ASSERT_TRUE(waiting.Send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n"));
  while (server_->queued_queries() == 0) std::this_thread::yield();
  const auto shed = third.Get("/echo");
  EXPECT_EQ(shed->status, 429);
  EXPECT_EQ(shed->body, "too many outstanding requests");
  EXPECT_EQ(pusher.Post("/push", "abc")->body, "3");
  EXPECT_EQ(third.Get("/inline")->body, "inline");
  gate_.Open();
  EXPECT_EQ(running.Receive()->body, "waited");
  EXPECT_EQ(waiting.Receive()->body, "waited");
  EXPECT_TRUE(Reaches(server_->counters().shed_queries, 1));
}

TEST_F(ServerTest, ShedsPushesWithRetryAfterWhenTheirQueueIsFull) {
  router_.Add({"POST"}, "/slow_push", Worker::kPush, [this](const HttpRequest&) {
    gate_.Pass();
    return TextResponse(200, "pushed");
  });
  options_.push_threads = 1;
  options_.push_queue_max = 1;
  Start();
  SocketClient running(port()), waiting(port()), third(port());
  ASSERT_TRUE(running.Send("POST /slow_push HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n"));
  gate_.WaitForArrivals(1);
  ASSERT_TRUE(waiting.Send("POST /slow_push HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n"));
  while (server_->queued_pushes() == 0) std::this_thread::yield();
  const auto shed = third.Post("/push", "abc");
  EXPECT_EQ(shed->status, 503);
  EXPECT_EQ(shed->Header("retry-after"), "1");
  gate_.Open();
  EXPECT_EQ(running.Receive()->body, "pushed");
  EXPECT_EQ(waiting.Receive()->body, "pushed");
}

TEST_F(ServerTest, ChargesBodiesToTheBudgetAndGivesThemBack) {
  MemoryBudget budget("bodies", 1'000'000);
  options_.body_budget = &budget;
  options_.push_bytes_max = 10 << 20;
  Start();
  SocketClient client(port());
  EXPECT_EQ(client.Post("/push", std::string(700'000, 'x'))->body, "700000");
  EXPECT_GE(budget.peak_bytes(), 700'000);
  const auto shed = client.Post("/push", std::string(1'500'000, 'x'));
  ASSERT_TRUE(shed.has_value());
  EXPECT_EQ(shed->status, 503);
  EXPECT_EQ(shed->Header("retry-after"), "1");
  SocketClient after(port());
  EXPECT_EQ(after.Post("/push", std::string(700'000, 'x'))->body, "700000");
  server_->Stop();
  EXPECT_EQ(budget.used_bytes(), 0);
}

TEST_F(ServerTest, ClosesConnectionsAboveTheLimit) {
  options_.connections_max = 2;
  Start();
  SocketClient first(port()), second(port());
  EXPECT_EQ(first.Get("/inline")->status, 200);
  EXPECT_EQ(second.Get("/inline")->status, 200);
  SocketClient third(port());
  EXPECT_TRUE(third.WaitForClose());
  EXPECT_EQ(first.Get("/inline")->status, 200);
}

TEST_F(ServerTest, SurvivesAHandlerThatThrows) {
  Start();
  SocketClient client(port());
  EXPECT_EQ(client.Get("/throw")->status, 500);
  EXPECT_EQ(client.Get("/inline")->status, 200);
  EXPECT_TRUE(Reaches(server_->counters().handler_exceptions, 1));
}

TEST_F(ServerTest, FinishesRunningRequestsWhenItStops) {
  Start();
  SocketClient idle(port()), busy(port());
  EXPECT_EQ(idle.Get("/inline")->status, 200);
  ASSERT_TRUE(busy.Send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n"));
  gate_.WaitForArrivals(1);
  std::thread stopper([this] { server_->Stop(); });
  EXPECT_TRUE(idle.WaitForClose());
  gate_.Open();
  const auto answer = busy.Receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "waited");
  EXPECT_EQ(answer->Header("connection"), "close");
  stopper.join();
  EXPECT_FALSE(SocketClient(port()).connected());
}

TEST_F(ServerTest, CancelsWhatDoesNotFinishInTimeWhenItStops) {
  options_.stop_timeout_ms = 20;
  Start();
  SocketClient client(port());
  ASSERT_TRUE(client.Send("GET /until_cancelled HTTP/1.1\r\nHost: t\r\n\r\n"));
  gate_.Open();
  gate_.WaitForArrivals(1);
  cancelled_.Open();
  server_->Stop();
  EXPECT_EQ(client.Receive()->status, 499);
}

TEST_F(ServerTest, SpreadsConnectionsOverIoThreads) {
  options_.io_threads = 3;
  Start();
  std::vector<std::unique_ptr<SocketClient>> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(std::make_unique<SocketClient>(port()));
  for (int round = 0; round < 5; ++round) {
    for (auto& client : clients) EXPECT_EQ(client->Post("/push", "12345")->body, "5");
  }
}

TEST_F(ServerTest, TellsTheObserverEveryRequest) {
  Start();
  SocketClient client(port());
  client.Get("/inline");
  client.Get("/nosuch");
  client.Ask("garbage\r\n\r\n");
  const std::lock_guard lock(mu_);
  EXPECT_EQ(statuses_, (std::vector<int>{200, 404, 400}));
}

TEST(Server, NamesThePortThatIsTaken) {
  Router router;
  ServerOptions options;
  options.address = "127.0.0.1";
  Server first(&router, options);
  ASSERT_TRUE(first.Start().ok());
  options.port = first.port();
  Server second(&router, options);
  const Status status = second.Start();
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_NE(status.message().find("127.0.0.1:" + std::to_string(first.port())), std::string::npos);
  EXPECT_NE(status.message().find("in use"), std::string::npos);
}

TEST(Server, RefusesWhatIsNoAddress) {
  Router router;
  ServerOptions options;
  options.address = "no such host.";
  Server server(&router, options);
  EXPECT_EQ(server.Start().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace varve
