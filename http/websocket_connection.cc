#include "http/websocket_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/post.hpp>

namespace varve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using std::chrono::milliseconds;

// Nothing is expected from the client but control frames.
constexpr size_t kIncomingBytesMax = 16 << 10;
// What the kernel may hold for a client that does not read; left alone it would take megabytes.
constexpr int kSendBufferBytes = 128 << 10;
constexpr milliseconds kHandshakeTimeout{10'000};
// How long a stopping server still hands out what its sessions have.
constexpr milliseconds kStopGrace{1'000};
// How long a client may take to end the connection once a close frame has gone either way.
constexpr milliseconds kCloseGrace{1'000};

}  // namespace

WebSocketConnection::WebSocketConnection(const ServerOptions& options, ServerCounters* counters,
                                         beast::tcp_stream stream, std::shared_ptr<WebSocketSession> session,
                                         std::function<void()> ended)
    : options_(options),
      counters_(counters),
      socket_(std::move(stream)),
      session_(std::move(session)),
      ended_(std::move(ended)),
      tick_(socket_.get_executor()) {
  counters_->web_sockets_open.fetch_add(1, std::memory_order_relaxed);
}

WebSocketConnection::~WebSocketConnection() {
  counters_->web_sockets_open.fetch_sub(1, std::memory_order_relaxed);
}

void WebSocketConnection::Start(const Request& request) {
  beast::tcp_stream& transport = socket_.next_layer();
  transport.expires_never();  // the socket has timers of its own
  const int handle = transport.socket().native_handle();
  ::setsockopt(handle, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof(kSendBufferBytes));
  // A machine that is gone acknowledges nothing, pings included.
  const auto silence_ms = static_cast<unsigned>(std::max<int64_t>(options_.write_timeout_ms, 1));
  ::setsockopt(handle, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof(silence_ms));

  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = kHandshakeTimeout;
  timeout.idle_timeout = websocket::stream_base::none();
  timeout.keep_alive_pings = false;
  socket_.set_option(timeout);
  socket_.set_option(websocket::stream_base::decorator(
      [](websocket::response_type& response) { response.set(beast::http::field::server, "varve"); }));
  socket_.read_message_max(kIncomingBytesMax);
  // A message is one frame, written from where it lies.
  socket_.auto_fragment(false);
  socket_.text(true);
  socket_.async_accept(request, [self = shared_from_this()](ErrorCode error) { self->OnAccepted(error); });
}

void WebSocketConnection::OnAccepted(ErrorCode error) {
  if (over_) return;
  if (error) return End(WebSocketEnd::kLost);
  open_ = true;
  session_->OnOpen(shared_from_this());
  Read();
  WaitForTick();
  Pump();
}

void WebSocketConnection::Read() {
  socket_.async_read(incoming_, [self = shared_from_this()](ErrorCode error, size_t) {
    if (self->over_) return;
    if (error == websocket::error::closed) return self->End(WebSocketEnd::kClosed);
    if (error) return self->End(self->stopping_ ? WebSocketEnd::kStopped : WebSocketEnd::kLost);
    self->incoming_.consume(self->incoming_.size());
    self->Read();
  });
}

// ---- Writing ----------------------------------------------------------------------------------------

void WebSocketConnection::Wake() {
  if (wake_posted_.exchange(true, std::memory_order_acq_rel)) return;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->wake_posted_.store(false, std::memory_order_release);
    self->Pump();
  });
}

void WebSocketConnection::Abort() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->Cut(WebSocketEnd::kStalled); });
}

void WebSocketConnection::Pump() {
  if (!open_ || over_ || writing_ || closing_) return;
  WebSocketNext next = session_->Next();
  if (const auto* close = std::get_if<WebSocketClose>(&next)) return Close(*close);
  if (auto* message = std::get_if<WebSocketMessage>(&next)) {
    writing_ = true;
    write_begun_ = SteadyClock::now();
    message_ = std::move(*message);
    const std::array<asio::const_buffer, 3> buffers = {
        asio::buffer(message_.before),
        message_.shared == nullptr ? asio::const_buffer() : asio::buffer(*message_.shared),
        asio::buffer(message_.after)};
    return socket_.async_write(
        buffers, [self = shared_from_this()](ErrorCode error, size_t) { self->OnWritten(error); });
  }
  if (stopping_) SendFin();
}

void WebSocketConnection::OnWritten(ErrorCode error) {
  writing_ = false;
  message_ = WebSocketMessage();
  if (over_) return;
  if (error) return End(WebSocketEnd::kLost);
  if (stopping_ && SteadyClock::now() - stop_begun_ > kStopGrace) return SendFin();
  Pump();
}

void WebSocketConnection::Close(const WebSocketClose& close) {
  closing_ = true;
  const beast::string_view text(close.reason.data(), std::min<size_t>(close.reason.size(), 123));
  socket_.async_close(websocket::close_reason(websocket::close_code(close.code), text),
                      [self = shared_from_this()](ErrorCode) { self->End(WebSocketEnd::kClosed); });
}

// ---- Time -------------------------------------------------------------------------------------------

void WebSocketConnection::WaitForTick() {
  tick_.expires_after(milliseconds(options_.web_socket_ping_ms));
  tick_.async_wait([self = shared_from_this()](ErrorCode cancelled) {
    if (!cancelled && !self->over_) self->OnTick();
  });
}

bool WebSocketConnection::CutIfLate(SteadyClock::time_point now) {
  if (stopping_ && now - stop_begun_ > 2 * kStopGrace) {
    Cut(WebSocketEnd::kStopped);
  } else if (closing_ || !socket_.is_open()) {
    if (!std::exchange(ending_, true)) ending_since_ = now;
    if (now - ending_since_ > kCloseGrace) Cut(stopping_ ? WebSocketEnd::kStopped : WebSocketEnd::kClosed);
  } else {
    const milliseconds patience(options_.web_socket_stall_ms);
    const bool stalled =
        (writing_ && now - write_begun_ > patience) || (pinging_ && now - ping_begun_ > patience);
    if (stalled) Cut(WebSocketEnd::kStalled);
  }
  return over_;
}

void WebSocketConnection::OnTick() {
  const auto now = SteadyClock::now();
  if (CutIfLate(now)) return;
  WaitForTick();
  if (pinging_ || ending_) return;
  pinging_ = true;
  ping_begun_ = now;
  socket_.async_ping({}, [self = shared_from_this()](ErrorCode error) {
    self->pinging_ = false;
    if (error && !self->over_ && !self->closing_) self->End(WebSocketEnd::kLost);
  });
  // A session may have a time of its own to end at.
  Pump();
}

// ---- Ending -----------------------------------------------------------------------------------------

void WebSocketConnection::Stop() {
  if (stopping_ || over_) return;
  stopping_ = true;
  stop_begun_ = SteadyClock::now();
  Pump();
}

void WebSocketConnection::SendFin() {
  closing_ = true;
  ErrorCode ignored;
  socket_.next_layer().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  // The client closes in turn, which ends Read; else the next ticks do.
}

void WebSocketConnection::Cut(WebSocketEnd end) {
  if (over_) return;
  if (end == WebSocketEnd::kStalled) counters_->web_sockets_stalled.fetch_add(1, std::memory_order_relaxed);
  End(end);
}

void WebSocketConnection::End(WebSocketEnd end) {
  if (over_) return;
  over_ = true;
  tick_.cancel();
  ErrorCode ignored;
  socket_.next_layer().socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.next_layer().close();
  session_->OnClosed(end);
  session_.reset();
  // The handlers of what was pending run with an error and find it over.
  asio::post(socket_.get_executor(), [ended = std::exchange(ended_, nullptr)] { ended(); });
}

}  // namespace varve
