// Queries that an operator has blocked (limits.blocked_queries).
//
// Threads: pure function.
#pragma once

#include <string_view>

#include "query/exec/query.h"

namespace varve {

// kInvalidArgument `query blocked by policy` when one of `limits.blocked_queries` says so. `text` is the
// query as it was asked.
Status CheckBlocked(std::string_view text, const logql::Expr& expr, const QueryLimits& limits);

// FNV-1, 32 bits: what Loki logs as query_hash.
uint32_t QueryHash(std::string_view text);

}  // namespace varve
