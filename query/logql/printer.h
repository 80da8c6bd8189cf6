// LogQL trees back to text.
#pragma once

#include <string>

#include "query/logql/ast.h"

namespace varve::logql {

// One line, as Loki's Expr.String(): parses back to the same tree.
std::string Print(const Expr& expr);
std::string Print(const Stage& stage);
std::string Print(const LabelFilter& filter);

// As `format_query` answers: one line up to 100 bytes, else indented, one stage or operand a line.
std::string PrintPretty(const Expr& expr);

}  // namespace varve::logql
