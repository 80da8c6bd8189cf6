// Plays the transport for a tail: takes what a session has to say, as text.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "http/websocket.h"

namespace varve::testing {

class FakeLink final : public WebSocketLink {
 public:
  void Wake() override { ++wakes; }
  void Abort() override { ++aborts; }
  std::atomic<int> wakes{0};
  std::atomic<int> aborts{0};
};

// The message as one text.
inline std::string MessageText(const WebSocketMessage& message) {
  return message.before + (message.shared == nullptr ? "" : *message.shared) + message.after;
}

// Everything the session has to say now; a close frame is "close <code> <reason>".
inline std::vector<std::string> TakeMessages(WebSocketSession* session) {
  std::vector<std::string> messages;
  for (;;) {
    const WebSocketNext next = session->Next();
    if (const auto* message = std::get_if<WebSocketMessage>(&next)) {
      messages.push_back(MessageText(*message));
      continue;
    }
    if (const auto* close = std::get_if<WebSocketClose>(&next)) {
      messages.push_back("close " + std::to_string(close->code) + " " + close->reason);
    }
    return messages;
  }
}

}  // namespace varve::testing
