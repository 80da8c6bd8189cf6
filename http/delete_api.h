// Loki's delete API: /loki/api/v1/delete takes, lists and cancels requests; what they do is the engine's
// (Engine::AddDelete). Also /loki/api/v1/cache/generation_numbers, which changes whenever they do.
//
// Parameters come from the URL alone. Errors are plain text with a newline, worded as Loki's; what exactly is
// wrong with a query stands in the header X-Varve-Reason.
// Threads: thread-safe once the routes are added. Ownership: what `context` points to must outlive this.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/read_call.h"
#include "http/router.h"

namespace varve {

class DeleteApi {
 public:
  // `max_interval_ns`: the most that `max_interval` may ask for; 0 = anything.
  DeleteApi(ReadContext context, int64_t max_interval_ns)
      : context_(std::move(context)), max_interval_ns_(max_interval_ns) {}
  void AddRoutes(Router* router);

 private:
  HttpResponse Add(std::string_view tenant, const FormParams& params) const;
  HttpResponse List(std::string_view tenant, const FormParams& params) const;
  HttpResponse Cancel(std::string_view tenant, const FormParams& params) const;

  const ReadContext context_;
  const int64_t max_interval_ns_;
};

// What `start` and `end` take: ten digits of Unix seconds, or RFC 3339.
// kInvalidArgument: `require unix seconds or RFC3339 format`.
Result<int64_t> ParseDeleteTimeNs(std::string_view value);

}  // namespace varve
