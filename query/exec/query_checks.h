// Limits that need the query's tree, with Loki's texts (reference: loki_surface.md 1.7).
//
// Threads: thread-safe.
#pragma once

#include "query/exec/query.h"

namespace varve {

// kInvalidArgument names the limit that the query exceeds.
Status CheckLimits(const logql::Expr& expr, const QueryRequest& request, const QueryLimits& limits);

}  // namespace varve
