// One line a request in Varve's own log.
//
// Level debug; info when the request was refused (4xx) or took longer than kSlowRequestSeconds; warn when it
// failed (5xx). Requests that Grafana marks (dashboard, panel, rule, query tags) are logged with the marks.
// Threads: thread-safe.
#pragma once

#include <string>

#include "http/server.h"

namespace varve {

inline constexpr double kSlowRequestSeconds = 5;

void LogRequest(const RequestRecord& record);

// The line's payload, in logfmt; exposed for its test.
std::string AccessLogPayload(const RequestRecord& record);

}  // namespace varve
