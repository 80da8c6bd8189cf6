// A WebSocket to a server, for reading text messages; over libcurl, so http and https alike.
//
// Errors: kUnavailable when the server cannot be reached or is busy; kInvalidArgument, with the server's
// text, when it refuses the upgrade for good. Threads: thread-compatible. Ownership: owns its connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "tools/api_client.h"

namespace varve {

class WebSocketClient {
 public:
  // What a connection is said to end with when it ends without a close frame.
  static constexpr uint16_t kAbnormal = 1006;
  // A message that is longer ends the connection.
  static constexpr size_t kMessageBytesMax = size_t{64} << 20;

  struct Received {
    enum class Kind { kMessage, kNothing, kClosed };
    Kind kind = Kind::kNothing;
    std::string text;  // the message, or the reason of the close
    uint16_t close_code = 0;
  };

  static Result<std::unique_ptr<WebSocketClient>> Connect(const ServerAddress& address, std::string_view path,
                                                          const ApiClient::Parameters& parameters);
  ~WebSocketClient();
  WebSocketClient(const WebSocketClient&) = delete;
  WebSocketClient& operator=(const WebSocketClient&) = delete;

  // Waits at most `timeout_ms` for a message; answers pings meanwhile. A signal ends the wait early. After
  // kClosed there is nothing more.
  Received Receive(int timeout_ms);
  // Says goodbye; the connection ends with this object.
  void Close();

 private:
  struct State;
  explicit WebSocketClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace varve
