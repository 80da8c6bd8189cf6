// The pages about members of a cluster, for clients that probe them: Varve is one process, so every ring has
// one active member, which owns all of it, and there is no member list.
//
// HTML for people; JSON with Accept: application/json. docs/http_api.md, "Probe pages".
// Threads: thread-safe.
#pragma once

#include <functional>
#include <string>

#include "engine/base/clock.h"
#include "http/message.h"
#include "http/router.h"

namespace varve {

class RingPages {
 public:
  // `address` gives the address this process listens on, "127.0.0.1:3100". The clock must outlive this.
  RingPages(std::function<std::string()> address, const Clock* clock);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  HttpResponse Ring(const HttpRequest& request) const;

  const std::function<std::string()> address_;
  const Clock* const clock_;
  const std::string instance_id_;  // the host's name
  const int64_t started_ns_;
};

}  // namespace varve
