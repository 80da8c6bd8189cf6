// A connection that has become a WebSocket, as the code behind it sees it.
//
// A handler answers a request for an upgrade (HttpRequest::web_socket_upgrade) with HttpResponse::web_socket.
// The transport then shakes hands, *pulls* messages from the session whenever the socket can take one, sends
// pings, answers the client's, throws away what the client says, and tells the session when it is over:
//
//   OnOpen (Next)* OnClosed        all on the connection's I/O thread; OnClosed alone if the handshake fails
//
// A session that has nothing to say answers so, and calls Wake when that has changed.
// Ownership: the transport keeps the session until OnClosed; the session may keep the link, and must drop it
// in OnClosed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace varve {

// A text message: bytes that many connections may share, between some of this one's own.
struct WebSocketMessage {
  std::string before;
  std::shared_ptr<const std::string> shared;  // may be null
  std::string after;
};

// Ends the connection with a close frame.
struct WebSocketClose {
  uint16_t code = 1000;
  std::string reason;  // at most 123 bytes
};

struct WebSocketNothing {};
using WebSocketNext = std::variant<WebSocketNothing, WebSocketMessage, WebSocketClose>;

enum class WebSocketEnd {
  kClosed,   // by a close frame, either side's
  kLost,     // the client went away, or never finished the handshake
  kStalled,  // the client took no byte for ServerOptions::web_socket_stall_ms, or Abort was called
  kStopped,  // the server stops
};

class WebSocketLink {
 public:
  virtual ~WebSocketLink() = default;
  // Asks for Next to be called. Thread-safe; cheap while an earlier request is still waiting.
  virtual void Wake() = 0;
  // Ends the connection at once, as one that stalled. Thread-safe.
  virtual void Abort() = 0;
};

class WebSocketSession {
 public:
  virtual ~WebSocketSession() = default;
  virtual void OnOpen(std::shared_ptr<WebSocketLink> link) = 0;
  // What to send next.
  virtual WebSocketNext Next() = 0;
  virtual void OnClosed(WebSocketEnd end) = 0;
};

}  // namespace varve
