// Loki's query endpoint from before v1: /api/prom/query.
//
// A range query over logs with an answer of its own shape; docs/http_api.md, "Legacy". The other legacy paths
// are aliases and live with what they stand for. Threads: thread-safe. Ownership: the context's engine and
// clock must outlive this.
#pragma once

#include <string>

#include "http/message.h"
#include "http/read_call.h"
#include "http/router.h"

namespace varve {

class LegacyApi {
 public:
  explicit LegacyApi(ReadContext context);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> Query(const ReadCall& call) const;

  const ReadContext context_;
};

// {"streams":[{"labels":"{a=\"b\"}","entries":[{"ts":"<RFC 3339>","line":"…"}]}],"stats":{…}}
std::string LegacyStreamsJson(const Streams& streams, const QueryStats& stats);

// Nanoseconds as Go prints a time in UTC: "2026-11-20T06:02:56.5Z", without zeros at the end.
std::string Rfc3339NanoText(int64_t ts_ns);

}  // namespace varve
