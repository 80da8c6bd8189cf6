// Two LogQL trees compared, and random ones made, for tests of the parser and the printers.
#pragma once

#include <random>
#include <string>

#include "query/logql/ast.h"

namespace varve::logql {

// Every field of the tree as text: equal exactly for equal trees (NaN equals NaN).
std::string Dump(const Expr& expr);

// A tree such as the parser builds, at most `depth` levels deep. Its selectors match something.
ExprPtr RandomExpr(std::mt19937_64& random, int depth);
// As RandomExpr, but a log query.
ExprPtr RandomLogQuery(std::mt19937_64& random, int depth);

}  // namespace varve::logql
