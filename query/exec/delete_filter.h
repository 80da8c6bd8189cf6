// The query of a delete request as the engine wants it: `{selector} | stages`, compiled to a RowFilter.
//
// Taken is what Loki takes: a selector that is not empty, then line filters, parsers, label filters and
// formats; a row is covered when it would be in the query's answer. Metric queries are refused.
// Threads: as RowFilter.
#pragma once

#include <memory>
#include <string_view>

#include "engine/base/status.h"
#include "engine/row_filter.h"

namespace varve {

// kInvalidArgument with the parser's text.
Result<std::unique_ptr<const RowFilter>> CompileDeleteFilter(std::string_view query);

}  // namespace varve
