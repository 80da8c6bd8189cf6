// The read side of Loki's ruler API, for a server that has no rules: Grafana asks for them whenever it shows
// a Loki data source's alerts.
//
// Threads: thread-safe.
#pragma once

#include "http/message.h"
#include "http/router.h"

namespace varve {

class RulesApi {
 public:
  explicit RulesApi(bool auth_enabled) : auth_enabled_(auth_enabled) {}

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  const bool auth_enabled_;
};

}  // namespace varve
