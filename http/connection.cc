#include "http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <exception>
#include <limits>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "http/error_map.h"
#include "http/websocket_connection.h"

namespace varve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kBodyGrowthMin = 256 << 10;
// A body must arrive at least this fast once body_timeout has passed, so that a drip-feeding client cannot
// hold its share of the memory budget for ever.
constexpr int64_t kBodyBytesPerSecondMin = 8 << 10;
// After an answer that leaves part of the request unread, what the client still sends is thrown away for a
// while: closing at once would reset the connection, and the answer could be lost with it.
constexpr size_t kLingerBytesMax = 1 << 20;
constexpr milliseconds kLingerTime{2000};
// When the pool is full, a streamed answer asks for its next piece again after this time.
constexpr milliseconds kPieceRetry{20};

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Request Entity Too Large";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    default: return "Status";
  }
}

// "Fri, 20 Nov 2026 10:00:00 GMT", as RFC 9110 asks for.
std::string HttpDate() {
  const time_t now = time(nullptr);
  tm utc{};
  gmtime_r(&now, &utc);
  char text[40];
  return std::string(text, strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &utc));
}

enum class BodyLength { kKnown, kChunked, kUntilClose };

std::string ComposeHeader(const HttpResponse& response, bool close, bool http10,
                          BodyLength length = BodyLength::kKnown) {
  std::string out;
  out.reserve(256);
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(ReasonPhrase(response.status)).append("\r\nDate: ").append(HttpDate()).append("\r\n");
  if (!response.content_type.empty())
    out.append("Content-Type: ").append(response.content_type).append("\r\n");
  for (const auto& [name, value] : response.headers)
    out.append(name).append(": ").append(value).append("\r\n");
  // 204 has no body, and says so by having no length either.
  if (length == BodyLength::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (length == BodyLength::kKnown && response.status != 204) {
    out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  }
  if (close) {
    out.append("Connection: close\r\n");
  } else if (http10) {
    out.append("Connection: keep-alive\r\n");
  }
  return out.append("\r\n");
}

// What RFC 6455, 4.2.1 asks for. The key is 16 bytes in base64.
bool IsWebSocketHandshake(const WebSocketConnection::Request& request) {
  return beast::websocket::is_upgrade(request) && request["Sec-WebSocket-Version"] == "13" &&
         request["Sec-WebSocket-Key"].size() == 24;
}

// As the route's own errors look.
HttpResponse PushRefusal(const Route* route, const Status& status) {
  return route != nullptr && route->refusal_form != nullptr ? route->refusal_form(status)
                                                            : LokiPushError(status);
}

HttpResponse Overloaded(const Route* route) {
  if (route->worker == Worker::kPush) {
    return PushRefusal(route, Unavailable(std::string(kTooManyOutstanding)));
  }
  return LokiQueryError(ResourceExhausted(std::string(kTooManyOutstanding)));
}

}  // namespace

struct Connection::Exchange {
  explicit Exchange(MemoryBudget* budget) {
    if (budget != nullptr) body_memory.emplace(budget);
    request.cancel = &cancel;
  }
  HttpRequest request;
  CancelToken cancel;
  std::optional<MemoryReservation> body_memory;
  const Route* route = nullptr;
  bool keep_alive = false;
  bool http10 = false;
  // The opening handshake of a WebSocket, as the answer to it needs it.
  WebSocketConnection::Request handshake;
  SteadyClock::time_point begun = SteadyClock::now();
};

struct Connection::Stream {
  std::shared_ptr<BodySource> source;
  std::unique_ptr<GzipStream> gzip;  // null: as it is
  bool chunked = true;
  bool last = false;
  bool broken = false;
  int status = 200;
  uint64_t bytes_sent = 0;  // of the body

  // On a worker. Does not throw.
  BodyPiece Make(ServerCounters* counters) const {
    BodyPiece piece;
    try {
      piece = source->Next();
      if (gzip == nullptr) return piece;
      std::string compressed;
      // What was said before it broke should be readable, so the stream of gzip is ended as well.
      if (!gzip->Compress(piece.bytes, piece.last || piece.broken, &compressed)) piece.broken = true;
      piece.bytes = std::move(compressed);
    } catch (const std::exception&) {
      // Not one of ours: std::bad_alloc and the like.
      counters->handler_exceptions.fetch_add(1, std::memory_order_relaxed);
      piece = BodyPiece{.bytes = {}, .last = true, .broken = true};
    }
    return piece;
  }
};

ThreadPool* ServerContext::PoolOf(Worker worker) const {
  switch (worker) {
    case Worker::kInline: return nullptr;
    case Worker::kAdmin: return admin_pool.get();
    case Worker::kPush: return push_pool.get();
    case Worker::kQuery: return query_pool.get();
  }
  return nullptr;
}

Connection::Connection(ServerContext* context, asio::ip::tcp::socket socket)
    : context_(context),
      stream_(std::move(socket)),
      // Room for a whole header plus one read of what follows it.
      buffer_(context->options.header_bytes_max + (64 << 10)),
      retry_(stream_.get_executor()) {}

Connection::~Connection() { context_->counters.connections_open.fetch_sub(1, std::memory_order_relaxed); }

void Connection::Start() {
  ErrorCode ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  ReadNext();
}

// ---- Reading ----------------------------------------------------------------------------------------

void Connection::ReadNext() {
  if (state_ == State::kClosing) return;
  exchange_.reset();
  if (context_->stopping.load(std::memory_order_relaxed)) return Close();
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(context_->options.header_bytes_max));
  // Bounded by BeginBody, by route. Not boost::none: 1.74 takes that for a limit below every length.
  parser_->body_limit(std::numeric_limits<uint64_t>::max());
  if (buffer_.size() != 0) return ReadHeader();
  state_ = State::kIdle;
  stream_.expires_after(milliseconds(context_->options.idle_timeout_ms));
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, size_t bytes) {
                            if (error) return self->Close();
                            self->buffer_.commit(bytes);
                            if (self->state_ != State::kClosing) self->ReadHeader();
                          });
}

void Connection::ReadHeader() {
  state_ = State::kReading;
  // One deadline for the whole header: a client that sends a byte now and then runs into it too.
  stream_.expires_after(milliseconds(context_->options.header_timeout_ms));
  beast::http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](ErrorCode error, size_t) { self->OnHeader(error); });
}

void Connection::OnHeader(ErrorCode error) {
  if (state_ == State::kClosing) return;
  ServerCounters& counters = context_->counters;
  exchange_ = std::make_shared<Exchange>(context_->options.body_budget);
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
    counters.oversized_headers.fetch_add(1, std::memory_order_relaxed);
    return Respond(ErrorText(431, "request header too large\n"), true);
  }
  if (error == beast::error::timeout) {
    counters.timeouts_header.fetch_add(1, std::memory_order_relaxed);
    return Close();
  }
  if (error.category() == beast::http::make_error_code(beast::http::error::bad_method).category() &&
      error != beast::http::error::end_of_stream && error != beast::http::error::partial_message) {
    counters.malformed_requests.fetch_add(1, std::memory_order_relaxed);
    return Respond(ErrorText(400, "400 Bad Request\n"), true);
  }
  if (error) return Close();

  FillRequest();
  Exchange& exchange = *exchange_;
  HttpRequest& request = exchange.request;
  Router::Match match = context_->router->Find(request.method, request.path);
  if (match.method_allowed) {
    exchange.route = match.route;
    request.path_params = std::move(match.path_params);
  }
  const bool push = exchange.route != nullptr && exchange.route->worker == Worker::kPush;
  BeginBody(push ? context_->options.push_bytes_max : context_->options.form_bytes_max);
}

void Connection::FillRequest() {
  HttpRequest& request = exchange_->request;
  const auto& message = parser_->get();
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  const size_t question = std::min(request.target.find('?'), request.target.size());
  request.path = request.target.substr(0, question);
  if (question < request.target.size()) request.url_query = request.target.substr(question + 1);
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  ErrorCode unknown;
  const auto peer = stream_.socket().remote_endpoint(unknown);
  if (!unknown) request.remote = peer.address().to_string() + ":" + std::to_string(peer.port());
  exchange_->keep_alive = parser_->keep_alive();
  exchange_->http10 = message.version() == 10;
  // What came behind the handshake already would be lost; no client may send before it has the answer.
  if (IsWebSocketHandshake(message) && buffer_.size() == 0) {
    request.web_socket_upgrade = true;
    exchange_->handshake = message;
  }
}

void Connection::BeginBody(uint64_t body_max) {
  body_max_ = body_max;
  body_used_ = 0;
  body_begun_ = SteadyClock::now();
  const auto length = parser_->content_length();
  if (length.has_value() && *length > body_max_) {
    context_->counters.oversized_bodies.fetch_add(1, std::memory_order_relaxed);
    const Status refused = TooLarge("request body too large: message size too large than max (" +
                                    std::to_string(*length) + " vs " + std::to_string(body_max_) + ")");
    return Respond(PushRefusal(exchange_->route, refused), true);
  }
  const std::string_view expect = exchange_->request.Header("expect");
  if (expect.empty() || parser_->is_done()) return ReadBody();
  if (expect.size() != 12 ||
      !beast::iequals(beast::string_view(expect.data(), expect.size()), "100-continue")) {
    return Respond(ErrorText(417, "417 Expectation Failed\n"), true);
  }
  response_header_ = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.expires_after(milliseconds(context_->options.write_timeout_ms));
  asio::async_write(stream_, asio::buffer(response_header_),
                    [self = shared_from_this()](ErrorCode error, size_t) {
                      if (error) return self->Close();
                      if (self->state_ != State::kClosing) self->ReadBody();
                    });
}

Status Connection::GrowBody() {
  std::string& body = exchange_->request.body;
  if (body_used_ < body.size()) return Status::Ok();
  if (body_used_ == body_max_) {
    return TooLarge("request body too large: message size too large than max (" +
                    std::to_string(body_max_ + 1) + " vs " + std::to_string(body_max_) + ")");
  }
  // Grow with what has arrived, not to the announced length at once: announcing costs a client nothing.
  const uint64_t announced = parser_->content_length().value_or(body_max_);
  const size_t target = std::min<uint64_t>(announced, std::max(kBodyGrowthMin, 2 * body.size()));
  if (exchange_->body_memory.has_value()) {
    VARVE_RETURN_IF_ERROR(exchange_->body_memory->Add(static_cast<int64_t>(target - body.size())));
  }
  body.resize(target);
  return Status::Ok();
}

void Connection::ReadBody() {
  if (parser_->is_done()) {
    exchange_->request.body.resize(body_used_);
    return Dispatch();
  }
  const Status grown = GrowBody();
  if (grown.code() == Code::kTooLarge) {
    context_->counters.oversized_bodies.fetch_add(1, std::memory_order_relaxed);
    return Respond(PushRefusal(exchange_->route, grown), true);
  }
  if (!grown.ok()) {
    context_->counters.shed_pushes.fetch_add(1, std::memory_order_relaxed);
    return Respond(PushRefusal(exchange_->route, Unavailable(grown.message())), true);
  }
  std::string& body = exchange_->request.body;
  auto& sink = parser_->get().body();
  sink.data = body.data() + body_used_;
  sink.size = body.size() - body_used_;
  sink.more = true;
  const auto patience = milliseconds(context_->options.body_timeout_ms);
  const auto paced = milliseconds(static_cast<int64_t>(body_used_) * 1000 / kBodyBytesPerSecondMin);
  stream_.expires_at(std::min(SteadyClock::now() + patience, body_begun_ + patience + paced));
  beast::http::async_read_some(stream_, buffer_, *parser_,
                               [self = shared_from_this()](ErrorCode error, size_t) { self->OnBody(error); });
}

void Connection::OnBody(ErrorCode error) {
  if (state_ == State::kClosing) return;
  body_used_ = exchange_->request.body.size() - parser_->get().body().size;
  if (error == beast::http::error::need_buffer) error = {};
  if (error == beast::error::timeout) {
    context_->counters.timeouts_body.fetch_add(1, std::memory_order_relaxed);
    return Close();
  }
  if (error && error.category() == beast::http::make_error_code(beast::http::error::bad_method).category() &&
      error != beast::http::error::partial_message && error != beast::http::error::end_of_stream) {
    context_->counters.malformed_requests.fetch_add(1, std::memory_order_relaxed);
    return Respond(ErrorText(400, "400 Bad Request\n"), true);
  }
  if (error) return Close();
  ReadBody();
}

// ---- Running ----------------------------------------------------------------------------------------

void Connection::Dispatch() {
  Exchange& exchange = *exchange_;
  if (exchange.route == nullptr) {
    const Router::Match match = context_->router->Find(exchange.request.method, exchange.request.path);
    const bool wrong_method = match.route != nullptr && exchange.request.method != "HEAD";
    HttpResponse response = wrong_method ? HttpResponse{} : ErrorText(404, "404 page not found\n");
    if (wrong_method) response.status = 405;
    // An answer to HEAD ends with its header.
    if (exchange.request.method == "HEAD") response.body.clear();
    return Respond(std::move(response), false);
  }
  state_ = State::kRunning;
  stream_.expires_never();
  context_->counters.requests_running.fetch_add(1, std::memory_order_relaxed);
  const Worker worker = exchange.route->worker;
  auto run = [shared_exchange = exchange_, context = context_] {
    HttpResponse response;
    const Route& route = *shared_exchange->route;
    try {
      response = route.handler(shared_exchange->request);
      if (context->options.compress_responses && response.body_source == nullptr) {
        CompressResponse(shared_exchange->request.Header("accept-encoding"),
                         context->options.compress_min_bytes, &response);
      }
    } catch (const std::exception& e) {
      // Not one of ours: std::bad_alloc and the like. The connection and the process live on.
      context->counters.handler_exceptions.fetch_add(1, std::memory_order_relaxed);
      response = ErrorText(500, std::string("internal error: ") + e.what() + "\n");
    }
    context->counters.requests_running.fetch_sub(1, std::memory_order_relaxed);
    return response;
  };
  ThreadPool* const pool = context_->PoolOf(worker);
  if (pool == nullptr) return Respond(run(), false);
  const bool taken = pool->TrySubmit([run = std::move(run), self = shared_from_this()] {
    auto response = std::make_shared<HttpResponse>(run());
    asio::post(self->stream_.get_executor(),
               [self, response] { self->Respond(std::move(*response), false); });
  });
  if (!taken) {
    context_->counters.requests_running.fetch_sub(1, std::memory_order_relaxed);
    auto& shed = worker == Worker::kPush ? context_->counters.shed_pushes : context_->counters.shed_queries;
    shed.fetch_add(1, std::memory_order_relaxed);
    return Respond(Overloaded(exchange_->route), false);
  }
  if (worker == Worker::kQuery) WatchForDisconnect();
}

void Connection::WatchForDisconnect() {
  if (watching_) return;  // the wait of an earlier request is still pending and serves this one
  watching_ = true;
  stream_.socket().async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](ErrorCode error) {
    self->watching_ = false;
    if (!error && self->state_ == State::kRunning) self->OnReadableWhileRunning();
  });
}

void Connection::OnReadableWhileRunning() {
  char byte;
  const ssize_t got = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  // A pipelined request hides what comes after it; its query runs to its end.
  if (got > 0) return;
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return WatchForDisconnect();
  context_->counters.client_disconnects.fetch_add(1, std::memory_order_relaxed);
  exchange_->cancel.Cancel();
}

// ---- Answering --------------------------------------------------------------------------------------

void Connection::Respond(HttpResponse response, bool close) {
  if (state_ == State::kClosing) return;  // aborted meanwhile
  if (response.web_socket != nullptr) return Upgrade(std::move(response.web_socket));
  state_ = State::kWriting;
  const Exchange& exchange = *exchange_;
  close_after_response_ = close || !exchange.keep_alive || context_->stopping.load(std::memory_order_relaxed);
  if (response.body_source != nullptr) return BeginStream(std::move(response));
  Record(response.status, response.body.size());
  response_header_ = ComposeHeader(response, close_after_response_, exchange.http10);
  response_body_ = response.status == 204 ? std::string() : std::move(response.body);
  response_memory_ = std::move(response.memory);
  // Frees the request's body and its reservation while the answer is on its way.
  const bool unread = close && !parser_->is_done();
  exchange_.reset();
  lingered_bytes_ = unread ? 0 : kLingerBytesMax;
  WriteSome(0);
}

void Connection::Record(int status, uint64_t response_bytes) const {
  if (!context_->options.on_request) return;
  RequestRecord record;
  record.request = &exchange_->request;
  record.route = exchange_->route;
  record.status = status;
  record.response_bytes = response_bytes;
  record.seconds = std::chrono::duration<double>(SteadyClock::now() - exchange_->begun).count();
  context_->options.on_request(record);
}

void Connection::BeginStream(HttpResponse response) {
  body_stream_ = std::make_shared<Stream>();
  Stream& stream = *body_stream_;
  stream.source = std::move(response.body_source);
  stream.status = response.status;
  stream.chunked = !exchange_->http10;
  close_after_response_ |= exchange_->http10;
  lingered_bytes_ = kLingerBytesMax;
  if (context_->options.compress_responses) {
    response.headers.emplace_back("Vary", "Accept-Encoding");
    if (AcceptsGzip(exchange_->request.Header("accept-encoding"))) stream.gzip = GzipStream::Make();
    if (stream.gzip != nullptr) response.headers.emplace_back("Content-Encoding", "gzip");
  }
  response_memory_ = std::move(response.memory);
  // Goes out with the first piece.
  response_header_ = ComposeHeader(response, close_after_response_, exchange_->http10,
                                   stream.chunked ? BodyLength::kChunked : BodyLength::kUntilClose);
  AskForPiece();
}

void Connection::AskForPiece() {
  if (state_ == State::kClosing) return;
  state_ = State::kRunning;
  stream_.expires_never();
  const auto make = [self = shared_from_this(), stream = body_stream_, exchange = exchange_] {
    auto piece = std::make_shared<BodyPiece>(stream->Make(&self->context_->counters));
    asio::post(self->stream_.get_executor(), [self, piece] { self->OnPiece(std::move(*piece)); });
  };
  ThreadPool* const pool = context_->PoolOf(exchange_->route->worker);
  if (pool == nullptr) return make();
  if (!pool->TrySubmit(make)) {
    retry_.expires_after(kPieceRetry);
    retry_.async_wait([self = shared_from_this()](ErrorCode cancelled) {
      if (!cancelled) self->AskForPiece();
    });
    return;
  }
  WatchForDisconnect();
}

void Connection::OnPiece(BodyPiece piece) {
  if (state_ == State::kClosing) return;  // aborted meanwhile
  state_ = State::kWriting;
  Stream& stream = *body_stream_;
  stream.last = piece.last || piece.broken;
  stream.broken = piece.broken;
  stream.bytes_sent += piece.bytes.size();
  response_body_ = std::move(piece.bytes);
  if (stream.chunked) {
    constexpr std::string_view kEnd = "0\r\n\r\n";
    // A chunk of no bytes would be the end.
    if (!response_body_.empty()) {
      char size[20];
      std::snprintf(size, sizeof(size), "%zx\r\n", response_body_.size());
      response_header_ += size;
      response_body_ += "\r\n";
    }
    if (stream.last && !stream.broken) response_body_ += kEnd;
  }
  WriteSome(0);
}

void Connection::EndStream() {
  Record(body_stream_->status, body_stream_->bytes_sent);
  close_after_response_ |= body_stream_->broken || context_->stopping.load(std::memory_order_relaxed);
  body_stream_.reset();
  exchange_.reset();
}

void Connection::Upgrade(std::shared_ptr<WebSocketSession> session) {
  state_ = State::kWebSocket;
  Record(101, 0);
  ErrorCode ignored;
  if (watching_) stream_.socket().cancel(ignored);
  web_socket_ =
      std::make_shared<WebSocketConnection>(context_->options, &context_->counters, std::move(stream_),
                                            std::move(session), [self = shared_from_this()] {
                                              self->state_ = State::kClosing;
                                              self->exchange_.reset();
                                              self->web_socket_.reset();
                                            });
  web_socket_->Start(exchange_->handshake);
  if (context_->stopping.load(std::memory_order_relaxed)) web_socket_->Stop();
}

void Connection::WriteSome(size_t written) {
  const size_t total = response_header_.size() + response_body_.size();
  if (written == total) return OnWritten({});
  std::array<asio::const_buffer, 2> buffers;
  const size_t header_done = std::min(written, response_header_.size());
  buffers[0] = asio::buffer(response_header_) + header_done;
  buffers[1] = asio::buffer(response_body_) + (written - header_done);
  stream_.expires_after(milliseconds(context_->options.write_timeout_ms));
  stream_.async_write_some(buffers, [self = shared_from_this(), written](ErrorCode error, size_t bytes) {
    if (error) return self->OnWritten(error);
    self->WriteSome(written + bytes);
  });
}

void Connection::OnWritten(ErrorCode error) {
  if (error == beast::error::timeout)
    context_->counters.timeouts_write.fetch_add(1, std::memory_order_relaxed);
  if (error) return Close();
  // Large answers should not stay in memory while a connection idles.
  response_body_ = std::string();
  if (body_stream_ != nullptr) {
    response_header_.clear();
    if (!body_stream_->last) return AskForPiece();
    EndStream();
  }
  response_memory_.reset();
  if (!close_after_response_) return ReadNext();
  state_ = State::kClosing;
  ErrorCode ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  stream_.expires_after(kLingerTime);
  LingerThenClose();
}

void Connection::LingerThenClose() {
  if (lingered_bytes_ >= kLingerBytesMax) return Close();
  stream_.async_read_some(asio::buffer(linger_scratch_),
                          [self = shared_from_this()](ErrorCode error, size_t bytes) {
                            self->lingered_bytes_ += bytes;
                            if (error) return self->Close();
                            self->LingerThenClose();
                          });
}

// ---- Ending -----------------------------------------------------------------------------------------

void Connection::Close() {
  if (web_socket_ != nullptr) return web_socket_->Cut(WebSocketEnd::kStopped);
  if (body_stream_ != nullptr) {
    // The client has gone, or takes nothing: whoever makes the next piece may stop.
    exchange_->cancel.Cancel();
    EndStream();
  }
  state_ = State::kClosing;
  retry_.cancel();
  ErrorCode ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  stream_.close();
}

void Connection::StopWhenIdle() {
  if (web_socket_ != nullptr) return web_socket_->Stop();
  if (state_ == State::kIdle) Close();
}

void Connection::CancelRequest() {
  if (exchange_ != nullptr) exchange_->cancel.Cancel();
}

void Connection::Abort() {
  CancelRequest();
  Close();
}

}  // namespace varve
