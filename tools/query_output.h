// Prints query results: for people on a terminal, for programs in a pipe, as JSON lines or CSV.
//
//                 terminal                       pipe (text)              json, one object a line
//   log entries   time, labels, line; coloured   the line                 ts, labels, line
//   vector        a table                        {labels} value           labels, t, value
//   matrix        a table, a column a series     time {labels} value      labels, values
//   scalar        the value                      the value                t, value
// On a terminal control characters inside lines are shown, not obeyed.
#pragma once

#include <string>

#include "query/exec/query.h"
#include "tools/terminal.h"

namespace varve {

enum class OutputFormat { kText, kJson, kCsv };

struct OutputOptions {
  OutputFormat format = OutputFormat::kText;
  bool terminal = false;
  size_t width = 80;  // columns of the terminal
  Style style;
  Direction direction = Direction::kBackward;
  bool header = true;  // of CSV; not for the pages behind the first
};

std::string FormatQueryResult(const QueryResult& result, const OutputOptions& options);

// `{a="b", c="d"}`
std::string FormatLabelSet(const LabelPairs& labels);
// The shortest text that reads back as the value.
std::string FormatSampleValue(double value);

}  // namespace varve
