// The entries around one entry: `grep -C` for a log store, in one request.
//
// The entry that is looked around, the *anchor*, is named by its time, and where that is not enough by its
// line and labels as a log query shows them. Neighbours are those of the query's answer: they pass its
// pipeline. Order, also among equal times: that of a forward log query (ordered_rows.h); nothing is left out
// or shown twice. The search widens from seconds to limits.max_query_length until there are enough entries.
// Errors: as RunQuery; kNotFound when there is no such entry.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "query/exec/query.h"

namespace varve {

struct ContextRequest {
  TenantId tenant = 0;
  int64_t time_ns = 0;              // of the anchor
  std::optional<std::string> line;  // of the anchor
  std::vector<Matcher> labels;      // of the anchor: of its stream, metadata and parsed labels
  uint32_t before = 10;
  uint32_t after = 10;
  bool same_stream = true;  // else neighbours of all streams that the query selects
  // Neighbours lie in [begin, end).
  TimeRange range{INT64_MIN, INT64_MAX};
  const CancelToken* cancel = nullptr;  // may be null
};

struct ContextResult {
  Streams streams;  // entries ascending, the anchor among them
  uint32_t before = 0;
  uint32_t after = 0;
  QueryStats stats;
};

Result<ContextResult> RunContextQuery(Engine& engine, const logql::LogSelector& selector,
                                      const ContextRequest& request, const QueryLimits& limits);

}  // namespace varve
