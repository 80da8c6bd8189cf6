#include "tools/websocket_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <optional>
#include <random>
#include <utility>

#include <boost/beast/core/detail/base64.hpp>
#include <boost/uuid/detail/sha1.hpp>

namespace varve {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kHandshakeMs = 15'000;
constexpr size_t kHandshakeBytesMax = 64 << 10;
constexpr uint8_t kContinuation = 0, kText = 1, kClose = 8, kPing = 9, kPong = 10;

struct HandleCloser {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

std::string Base64(std::string_view bytes) {
  namespace base64 = boost::beast::detail::base64;
  std::string text(base64::encoded_size(bytes.size()), '\0');
  text.resize(base64::encode(text.data(), bytes.data(), bytes.size()));
  return text;
}

std::string RandomBytes(size_t count) {
  std::random_device random;
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes.push_back(static_cast<char>(random()));
  return bytes;
}

// RFC 6455, 4.2.2: what the server must answer to `key`.
std::string AcceptFor(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  boost::uuids::detail::sha1 sha1;
  sha1.process_bytes(text.data(), text.size());
  boost::uuids::detail::sha1::digest_type words;
  sha1.get_digest(words);
  std::string digest;
  for (const unsigned int word : words) {
    for (int shift = 24; shift >= 0; shift -= 8) digest.push_back(static_cast<char>(word >> shift));
  }
  return Base64(digest);
}

// The value of a header, or "". `head` begins with the status line.
std::string HeaderValue(const std::string& head, std::string_view lower_name) {
  std::string lower = head;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const size_t at = lower.find("\r\n" + std::string(lower_name) + ":");
  if (at == std::string::npos) return "";
  const size_t begin = head.find_first_not_of(' ', at + lower_name.size() + 3);
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

}  // namespace

struct WebSocketClient::State {
  std::unique_ptr<CURL, HandleCloser> handle{curl_easy_init()};
  std::string buffer;   // read, and not yet looked at
  std::string message;  // of fragments so far
  bool closed = false;
  bool said_goodbye = false;

  // Waits until there is something to read, or to write. False: nothing came in time.
  bool Wait(short events, SteadyClock::time_point deadline) const {
    curl_socket_t socket = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(handle.get(), CURLINFO_ACTIVESOCKET, &socket) != CURLE_OK) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
    if (left.count() <= 0) return false;
    pollfd ready{socket, events, 0};
    return ::poll(&ready, 1, static_cast<int>(left.count())) > 0;
  }
  // False: the connection has ended.
  bool Send(std::string_view bytes) {
    const auto deadline = SteadyClock::now() + std::chrono::milliseconds(kHandshakeMs);
    while (!bytes.empty()) {
      size_t sent = 0;
      const CURLcode code = curl_easy_send(handle.get(), bytes.data(), bytes.size(), &sent);
      if (code == CURLE_AGAIN) {
        if (!Wait(POLLOUT, deadline)) return false;
        continue;
      }
      if (code != CURLE_OK) return false;
      bytes.remove_prefix(sent);
    }
    return true;
  }
  enum class Read { kSome, kNothing, kEnd };
  Read ReadSome(SteadyClock::time_point deadline) {
    char bytes[16384];
    for (;;) {
      size_t got = 0;
      const CURLcode code = curl_easy_recv(handle.get(), bytes, sizeof(bytes), &got);
      if (code == CURLE_AGAIN) {
        if (!Wait(POLLIN, deadline)) return Read::kNothing;
        continue;
      }
      if (code != CURLE_OK || got == 0) return Read::kEnd;
      buffer.append(bytes, got);
      return Read::kSome;
    }
  }
  bool SendFrame(uint8_t opcode, std::string_view payload) {  // at most 125 bytes
    std::string frame = {static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | payload.size())};
    const std::string mask = RandomBytes(4);
    frame += mask;
    for (size_t i = 0; i < payload.size(); ++i) frame.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
    return Send(frame);
  }

  struct Frame {
    bool final = false;
    uint8_t opcode = 0;
    std::string payload;
  };
  // The next whole frame in the buffer. kInvalidArgument: not what a server may send.
  Result<std::optional<Frame>> TakeFrame() {
    const auto byte = [this](size_t i) { return static_cast<uint8_t>(buffer[i]); };
    if (buffer.size() < 2) return std::optional<Frame>();
    size_t head = 2;
    uint64_t length = byte(1) & 0x7F;
    if (length >= 126) {
      const size_t more = length == 126 ? 2 : 8;
      if (buffer.size() < head + more) return std::optional<Frame>();
      length = 0;
      for (size_t i = 0; i < more; ++i) length = length << 8 | byte(head + i);
      head += more;
    }
    if ((byte(1) & 0x80) != 0 || length > kMessageBytesMax || message.size() + length > kMessageBytesMax) {
      return InvalidArgument("a frame that no server may send");
    }
    if (buffer.size() < head + length) return std::optional<Frame>();
    Frame frame{(byte(0) & 0x80) != 0, static_cast<uint8_t>(byte(0) & 0x0F), buffer.substr(head, length)};
    buffer.erase(0, head + length);
    return std::optional<Frame>(std::move(frame));
  }

  Received Ended(uint16_t code, std::string reason) {
    closed = true;
    return {Received::Kind::kClosed, std::move(reason), code};
  }
};

WebSocketClient::WebSocketClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
WebSocketClient::~WebSocketClient() = default;

Result<std::unique_ptr<WebSocketClient>> WebSocketClient::Connect(const ServerAddress& address,
                                                                  std::string_view path,
                                                                  const ApiClient::Parameters& parameters) {
  std::string url = address.url;
  while (url.ends_with('/')) url.pop_back();
  if (url.find("://") == std::string::npos) url.insert(0, "http://");
  const size_t host_begin = url.find("://") + 3;
  const size_t path_begin = std::min(url.find('/', host_begin), url.size());
  auto state = std::make_unique<State>();
  CURL* const curl = state->handle.get();
  if (curl == nullptr) return InternalError("libcurl did not start");
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  if (code != CURLE_OK) {
    return Unavailable(fmt::format(
        "cannot reach {}: {} (is `varve serve` running? --addr or VARVE_ADDR name another address)", url,
        *reason != '\0' ? reason : curl_easy_strerror(code)));
  }
  const std::string key = Base64(RandomBytes(16));
  std::string request = fmt::format("GET {}{}", url.substr(path_begin), path);
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    request += fmt::format("{}{}={}", separator, name, ApiClient::EscapePathSegment(value));
    separator = '&';
  }
  request += fmt::format(
      " HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
      "Sec-WebSocket-Version: 13\r\nUser-Agent: varve\r\n",
      url.substr(host_begin, path_begin - host_begin), key);
  if (!address.tenant.empty()) request += fmt::format("X-Scope-OrgID: {}\r\n", address.tenant);
  request += "\r\n";
  const auto lost = [&url] { return Unavailable("the connection to " + url + " was lost"); };
  if (!state->Send(request)) return lost();
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(kHandshakeMs);
  std::string& buffer = state->buffer;
  size_t end;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (buffer.size() > kHandshakeBytesMax || state->ReadSome(deadline) != State::Read::kSome) return lost();
  }
  const std::string head = buffer.substr(0, end + 2);
  buffer.erase(0, end + 4);
  if (head.size() < 12) return lost();
  const std::string status = head.substr(9, 3);
  if (status == "101") {
    if (HeaderValue(head, "sec-websocket-accept") != AcceptFor(key)) {
      return InvalidArgument(url + " does not speak WebSocket");
    }
    return std::unique_ptr<WebSocketClient>(
        new WebSocketClient(std::move(state)));  // NOLINT: private constructor
  }
  const std::string length_text = HeaderValue(head, "content-length");
  const size_t length =
      std::min(kHandshakeBytesMax, static_cast<size_t>(std::strtoul(length_text.c_str(), nullptr, 10)));
  while (buffer.size() < length && state->ReadSome(deadline) == State::Read::kSome) {
  }
  std::string text = buffer.substr(0, length);
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty()) text = "the server answered with status " + status;
  return status[0] == '5' || status == "429" ? Unavailable(std::move(text))
                                             : InvalidArgument(std::move(text));
}

WebSocketClient::Received WebSocketClient::Receive(int timeout_ms) {
  State& state = *state_;
  if (state.closed) return {Received::Kind::kClosed, "", kAbnormal};
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    auto taken = state.TakeFrame();
    if (!taken.ok()) return state.Ended(kAbnormal, taken.status().message());
    if (!taken->has_value()) {
      const State::Read read = state.ReadSome(deadline);
      if (read == State::Read::kNothing) return {};
      if (read == State::Read::kEnd) return state.Ended(kAbnormal, "");
      continue;
    }
    State::Frame& frame = **taken;
    switch (frame.opcode) {
      case kText:
      case kContinuation:
        state.message += frame.payload;
        if (frame.final) return {Received::Kind::kMessage, std::exchange(state.message, {}), 0};
        break;
      case kPing:
        // What came before the connection went away can still be read.
        if (frame.payload.size() <= 125) (void)state.SendFrame(kPong, frame.payload);
        break;
      case kClose: {
        const std::string& payload = frame.payload;
        uint16_t code = 1005;
        if (payload.size() >= 2) {
          code =
              static_cast<uint16_t>(static_cast<uint8_t>(payload[0]) << 8 | static_cast<uint8_t>(payload[1]));
        }
        (void)state.SendFrame(kClose, std::string_view(payload).substr(0, 2));
        return state.Ended(code, payload.size() > 2 ? payload.substr(2) : "");
      }
      default: break;
    }
  }
}

void WebSocketClient::Close() {
  if (state_->closed || std::exchange(state_->said_goodbye, true)) return;
  using namespace std::string_view_literals;
  if (!state_->SendFrame(kClose, "\x03\xE8"sv)) return;
  // Until the server has answered, so that the connection is not reset under its last message.
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(1000);
  while (SteadyClock::now() < deadline) {
    if (Receive(200).kind == Received::Kind::kClosed) return;
  }
}

}  // namespace varve
