// label_replace(v, dst, replacement, src, regex).
//
// Threads: thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "query/exec/series_set.h"
#include "query/logql/ast.h"

namespace varve {

// Series whose source label the (anchored) regex matches get `destination` set to the expanded replacement,
// or removed when that is empty. Series that become alike stay apart.
SeriesSet ApplyLabelReplace(const logql::LabelReplace& replace, SeriesSet operand);

// Go's Regexp.Expand: $1, $name, ${1}, ${name}; $$ is a dollar sign; unknown groups are empty. A name
// without braces is as long as letters, digits and underscores go.
std::string ExpandReplacement(const re2::RE2& regex, std::string_view replacement,
                              const std::vector<std::string_view>& groups);

}  // namespace varve
