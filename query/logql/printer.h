// LogQL trees back to text.
//
// Two spellings: Print is exact, so that Parse(Print(tree)) is the same tree again. PrintPretty is what
// people see (format_query) and follows Loki to the letter, which rounds byte sizes and splits `!= "a" or
// "b"`. Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "query/logql/ast.h"

namespace varve::logql {

// One line. Infinities and NaN, which have no literals, come out as constants that fold to them: (0 / 0).
std::string Print(const Expr& expr);
std::string Print(const Stage& stage);
std::string Print(const LabelFilter& filter);

// As `format_query` answers: one line up to 100 bytes, else indented, one stage or operand a line.
std::string PrintPretty(const Expr& expr);

}  // namespace varve::logql
