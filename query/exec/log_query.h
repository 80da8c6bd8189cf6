// Log queries: the newest or oldest `limit` entries that pass the pipeline.
//
// Sources are visited from the end that the query wants, in parallel. Each task keeps its best entries; once
// `limit` are known, the worst of them bounds what other sources and rows are worth looking at, so that
// "the newest 100 lines" reads one or two blocks however many match. A query with an interval depends on
// every entry before it and runs as one merge over all sources.
// Threads: RunLogQuery is thread-safe.
#pragma once

#include <optional>

#include "query/exec/query_context.h"
#include "query/logql/ast.h"

namespace varve {

// Sets `last` as QueryResult::last says.
Result<Streams> RunLogQuery(QueryContext& query, const logql::LogSelector& selector,
                            std::optional<EntryPosition>* last);

}  // namespace varve
