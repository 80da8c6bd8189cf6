// explain=true and explain=analyze of query and query_range: what a query would read, or has read.
//
// The answer: docs/http_api.md, "explain"; where it comes from: query/exec/query_plan.h.
// Threads: pure functions; thread-safe.
#pragma once

#include <optional>

#include "http/read_call.h"
#include "query/logql/ast.h"

namespace varve {

// The answer when the request asks for an explanation; none when it asks for the query's result.
// kInvalidArgument for a value of explain that is neither true, false nor analyze.
Result<std::optional<HttpResponse>> ExplainIfAsked(const ReadCall& call, const logql::Expr& expr,
                                                   QueryRequest request);

}  // namespace varve
