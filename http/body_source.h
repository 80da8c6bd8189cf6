// The body of an answer that is made while it is sent: HttpResponse::body_source.
//
// The transport asks for a piece when the one before has gone into the socket, so that a client that reads
// slowly slows down the source and not a thread: between pieces nobody waits. Sent as chunks (HTTP/1.1) or up
// to the end of the connection (HTTP/1.0), gzip-compressed if the client asked for it.
// Threads: one call at a time, on the pool of the route. Ownership: the transport's until the answer has
// ended or the client is gone.
#pragma once

#include <string>

namespace varve {

struct BodyPiece {
  std::string bytes;  // may be empty; some 100 KB are a good size
  bool last = false;  // nothing follows
  // The answer cannot be completed: the connection is closed behind `bytes` without the chunk that would end
  // it, so that no client takes it for whole.
  bool broken = false;
};

class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next piece. Request's cancel token trips when the client goes away; the answer is then not looked at.
  virtual BodyPiece Next() = 0;
};

}  // namespace varve
