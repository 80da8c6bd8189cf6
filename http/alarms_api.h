// GET /api/v1/alarms: the state of rules with an `alarm:` block and why it is what it is.
//
// Parameters: state (OK, ALARM, INSUFFICIENT_DATA), rule (a name), both repeatable. docs/http_api.md has the answer.
// Threads: thread-safe. Ownership: what is pointed to must outlive this.
#pragma once

#include "http/prometheus_call.h"

namespace varve {

class Ruler;

class AlarmsApi {
 public:
  // `ruler` may be null: then there are none.
  AlarmsApi(const PrometheusContext* context, const Ruler* ruler) : context_(*context), ruler_(ruler) {}

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> List(const PromCall& call) const;

  const PrometheusContext& context_;
  const Ruler* const ruler_;
};

}  // namespace varve
