// X-Loki-Query-Limits: a client, or a proxy in front of it, asks for tighter limits than the tenant's.
//
//   {"maxQueryLength":"1d","maxQueryInterval":"5m","maxQueryLookback":"7d","maxEntriesLimitPerQuery":100,
//    "maxQueryTime":"10s","requiredLabels":["team"],"minimumLabelsNumber":2,"maxQueryBytesRead":"1GB"}
//
// Threads: pure function.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "query/exec/query.h"

namespace varve {

// Lowers what `header` asks to lower; nothing can be raised. Durations in Prometheus's or Go's form, sizes as
// in LogQL or in bytes; unknown keys are ignored. kInvalidArgument: not such a JSON object; then nothing is
// changed.
Status TightenLimits(std::string_view header, QueryLimits* limits);

}  // namespace varve
