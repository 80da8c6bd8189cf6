// Stream labels in Prometheus's text form, {a="b", c="d"}, with Prometheus's error messages.
//
// Values are quoted as in Go: "…" or '…' with escapes, `…` without. Comments and white space as in PromQL;
// a metric name in front of the braces becomes the label __name__. Threads: thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/labels.h"

namespace varve {

// Labels in the order written; names may repeat, values may be empty. kInvalidArgument:
// "1:3: parse error: unexpected character inside braces: '-'".
Result<std::vector<Label>> ParseLabelText(std::string_view text);

}  // namespace varve
