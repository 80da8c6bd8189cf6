// The one place that turns a Status into an HTTP answer; one table per API, because they differ.
#pragma once

#include "engine/base/status.h"
#include "http/message.h"

namespace varve {

inline constexpr std::string_view kTooManyOutstanding = "too many outstanding requests";

int LokiQueryStatus(Code code);
int LokiPushStatus(Code code);

// Reads: plain text, no newline at the end.
HttpResponse LokiQueryError(const Status& status);
// Pushes and tenants: plain text with a newline, as Go's http.Error; Retry-After where a retry may help.
HttpResponse LokiPushError(const Status& status);
// OTLP pushes: a google.rpc.Status that has only its message. 500 becomes 503, because OTLP's clients repeat
// only that.
HttpResponse OtlpPushError(const Status& status);

}  // namespace varve
