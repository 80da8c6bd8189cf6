// The pattern language of | pattern, |> and !>: literal text with captures <name> and <_>.
//
// A "<" that starts no capture is literal. Two captures never stand side by side.
// Threads: immutable, share freely.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace varve::logql {

struct PatternNode {
  bool is_capture = false;
  std::string text;  // the literal, or the capture's name; "_" for an unnamed one

  bool is_unnamed() const { return is_capture && text == "_"; }
};
using PatternExpression = std::vector<PatternNode>;

// For | pattern. kInvalidArgument: "at least one capture is required", "found consecutive capture '<a><b>':
// invalid expression", "duplicate capture name (a): invalid expression".
Result<PatternExpression> ParseParserPattern(std::string_view text);

// For |> and !>. Named captures are refused; "" gives an empty expression.
Result<PatternExpression> ParseFilterPattern(std::string_view text);

}  // namespace varve::logql
