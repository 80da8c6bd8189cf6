// One client connection. Private to the transport (server.cc, connection.cc).
//
// Threads: every member function runs on the connection's I/O thread, except Respond's caller, which posts.
// Ownership: alive while an operation is pending (shared_from_this).
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "http/body_source.h"
#include "http/gzip_response.h"
#include "http/server.h"

namespace varve {

class WebSocketConnection;

// What connections share: options, router, pools, counters. Outlives them.
struct ServerContext {
  explicit ServerContext(const Router* router_in, ServerOptions options_in)
      : router(router_in), options(std::move(options_in)) {}

  const Router* const router;
  const ServerOptions options;
  ServerCounters counters;
  std::unique_ptr<ThreadPool> admin_pool, push_pool, query_pool;
  std::atomic<bool> stopping{false};

  // Null for routes that run on the I/O thread.
  ThreadPool* PoolOf(Worker worker) const;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using ErrorCode = boost::beast::error_code;

  Connection(ServerContext* context, boost::asio::ip::tcp::socket socket);
  ~Connection();

  void Start();
  // Closes the connection if it is idle; else after the answer that is under way.
  void StopWhenIdle();
  // Trips the running request's token, if there is one.
  void CancelRequest();
  // Gives up whatever is under way.
  void Abort();

 private:
  enum class State { kIdle, kReading, kRunning, kWriting, kWebSocket, kClosing };
  // A request under way; shared with the worker that runs it.
  struct Exchange;
  // An answer that is made while it is sent; shared with the worker that makes the next piece.
  struct Stream;

  void ReadNext();
  void ReadHeader();
  void OnHeader(ErrorCode error);
  void FillRequest();
  void BeginBody(uint64_t body_max);
  void ReadBody();
  void OnBody(ErrorCode error);
  // Makes room for more of the body. Ok, kTooLarge, or kResourceExhausted from the budget.
  Status GrowBody();
  void Dispatch();
  void WatchForDisconnect();
  void OnReadableWhileRunning();
  // Ends the exchange with `response`; anything unread is dropped and the connection closed if `close`.
  void Respond(HttpResponse response, bool close);
  void Record(int status, uint64_t response_bytes) const;
  // Answers piece by piece: one is made on the route's pool, then written, then the next is asked for.
  void BeginStream(HttpResponse response);
  void AskForPiece();
  void OnPiece(BodyPiece piece);
  void EndStream();
  // Hands the socket to a WebSocketConnection.
  void Upgrade(std::shared_ptr<WebSocketSession> session);
  void WriteSome(size_t written);
  void OnWritten(ErrorCode error);
  void LingerThenClose();
  void Close();

  ServerContext* const context_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::buffer_body>> parser_;
  std::shared_ptr<Exchange> exchange_;
  std::shared_ptr<Stream> body_stream_;  // null unless an answer is being streamed
  std::shared_ptr<WebSocketConnection> web_socket_;
  boost::asio::steady_timer retry_;
  State state_ = State::kIdle;
  bool watching_ = false;
  bool close_after_response_ = false;
  size_t body_max_ = 0;
  size_t body_used_ = 0;
  std::chrono::steady_clock::time_point body_begun_;
  std::string response_header_, response_body_;
  std::shared_ptr<MemoryReservation> response_memory_;
  size_t lingered_bytes_ = 0;
  char linger_scratch_[1024];
};

}  // namespace varve
