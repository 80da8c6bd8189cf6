// Groups of rules made, changed and deleted by HTTP: the configuration APIs of Loki's ruler and of Mimir's.
//
//   /loki/api/v1/rules, /api/prom/rules             rules are LogQL unless they say or are otherwise
//   /config/v1/rules, /prometheus/config/v1/rules   … PromQL …
//
// Both see the same groups: those that came by these APIs. Those of files are read-only and only in rules_api.h.
// YAML in and out; docs/http_api.md, "Rules".
// Threads: thread-safe. Ownership: what is pointed to must outlive this.
#pragma once

#include <functional>
#include <string>

#include "alerting/rules/rule_group.h"
#include "http/message.h"
#include "http/router.h"

namespace varve {

class Ruler;

class RulerConfigApi {
 public:
  // `ruler` may be null: then there are no rules, and none can be made. `ready`: whether rules can be told by now;
  // null: always.
  RulerConfigApi(bool auth_enabled, Ruler* ruler, std::function<bool()> ready)
      : auth_enabled_(auth_enabled), ruler_(ruler), ready_(std::move(ready)) {}

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  enum class Dialect : uint8_t { kLoki, kMimir };
  struct Call {
    const HttpRequest& request;
    Dialect dialect;
    std::string tenant;
  };
  using Answer = HttpResponse (RulerConfigApi::*)(const Call&) const;

  void AddBase(const std::string& base, Dialect dialect, Router* router);
  HttpResponse List(const Call& call) const;
  HttpResponse Get(const Call& call) const;
  HttpResponse Put(const Call& call) const;
  HttpResponse DeleteGroup(const Call& call) const;
  HttpResponse DeleteNamespace(const Call& call) const;

  const bool auth_enabled_;
  Ruler* const ruler_;
  const std::function<bool()> ready_;
};

}  // namespace varve
