// Pieces of an expression's canonical text, for the forms on one line and on several.
//
// Threads: pure functions; all append.
#pragma once

#include <string>

#include "query/promql/syntax/ast.h"

namespace varve::promql {

void AppendExpr(std::string* out, const Expr& expr);
// `sum by (a) `
void AppendAggregateHead(std::string* out, const Aggregate& aggregate);
// `== bool on (a) group_left ()`
void AppendOperator(std::string* out, const Binary& binary);
// `[5m:1m] @ 1.000 offset 5m`
void AppendSubquerySuffix(std::string* out, const Subquery& subquery);

}  // namespace varve::promql
