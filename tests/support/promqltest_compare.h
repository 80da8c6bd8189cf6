// Whether a query's result is what a script expects.
//
// Tolerance and rules: prom_surface 5.3. Threads: pure functions.
#pragma once

#include <string>

#include "engine/base/status.h"
#include "query/promql/eval/query.h"
#include "tests/support/promqltest_script.h"

namespace varve::promqltest {

// Values and their order; kInvalidArgument says what was expected and what was there.
Status CompareResult(const Eval& eval, const promql::QueryResult& result);
// Warnings and infos, for `query`.
Status CompareAnnotations(const Eval& eval, const std::string& query, const promql::QueryResult& result);

}  // namespace varve::promqltest
