// The transport's side of a WebSocket: what a Connection becomes after an upgrade. Private to the transport.
//
//   handshake ─► open: Pump writes what the session has, a timer pings, reads are thrown away
//                  │ session's close ─► close frame ─► closed
//                  │ Stop ─► what the session still has (a second at most), then the end of the TCP stream
//                  └ error, stall, Abort ─► cut
//
// The server's stop sends no close frame: a client that sees the connection end without one (1006) connects
// again, Grafana among them, while any code would end its tail.
// Threads: every member function runs on the connection's I/O thread, except Wake and Abort, which post.
// Ownership: alive while an operation is pending (shared_from_this).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "http/server.h"
#include "http/websocket.h"

namespace varve {

class WebSocketConnection final : public WebSocketLink,
                                  public std::enable_shared_from_this<WebSocketConnection> {
 public:
  using ErrorCode = boost::beast::error_code;
  using Request = boost::beast::http::request<boost::beast::http::buffer_body>;

  // `ended` is called once, when nothing is pending any more; it may drop the last other reference.
  WebSocketConnection(const ServerOptions& options, ServerCounters* counters, boost::beast::tcp_stream stream,
                      std::shared_ptr<WebSocketSession> session, std::function<void()> ended);
  ~WebSocketConnection() override;

  // Answers the handshake. `request` must live until the answer has gone out.
  void Start(const Request& request);
  void Stop();
  // Cuts the connection.
  void Cut(WebSocketEnd end);

  void Wake() override;
  void Abort() override;

 private:
  using SteadyClock = std::chrono::steady_clock;

  void OnAccepted(ErrorCode error);
  void Read();
  void Pump();
  void OnWritten(ErrorCode error);
  void Close(const WebSocketClose& close);
  void WaitForTick();
  void OnTick();
  // Whether the connection was cut for taking too long to do something.
  bool CutIfLate(SteadyClock::time_point now);
  void SendFin();
  // The first reason counts.
  void End(WebSocketEnd end);

  const ServerOptions& options_;
  ServerCounters* const counters_;
  boost::beast::websocket::stream<boost::beast::tcp_stream> socket_;
  std::shared_ptr<WebSocketSession> session_;
  std::function<void()> ended_;
  boost::asio::steady_timer tick_;
  boost::beast::flat_buffer incoming_;
  std::atomic<bool> wake_posted_{false};  // set by Wake, cleared before Next is asked
  bool open_ = false;
  bool writing_ = false;
  bool pinging_ = false;
  bool closing_ = false;  // a close frame is on its way, or the end of the stream was sent
  bool stopping_ = false;
  bool ending_ = false;  // seen by the timer: a close is under way, ours or the client's
  bool over_ = false;
  WebSocketMessage message_;  // being written
  SteadyClock::time_point write_begun_, ping_begun_, stop_begun_, ending_since_;
};

}  // namespace varve
