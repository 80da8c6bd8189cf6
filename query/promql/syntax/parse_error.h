// Where and what is wrong with a query, as Prometheus words it.
//
// Threads: values.
#pragma once

#include <string>
#include <string_view>

#include "query/promql/syntax/ast.h"

namespace varve::promql {

struct ParseError {
  PositionRange pos;
  std::string message;
};

// `1:5: parse error: …`; line and column count from 1, columns in bytes.
std::string ErrorText(const ParseError& error, std::string_view query);

}  // namespace varve::promql
