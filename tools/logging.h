// Varve's own log: one line an event on standard error, as logfmt or JSON.
//
// Code logs through spdlog's default logger with a payload that is logfmt already
// (`msg="cut done" shard=3 rows=812`); a payload that is not becomes the value of msg. Here time and
// level are put in front, and JSON is made of it when asked for.
// Threads: StartLogging once, before threads; logging itself is thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace varve {

// Levels: debug, info, warn, error. Formats: logfmt, json.
Status StartLogging(const std::string& level, const std::string& format);

// The line for one event, without the newline; exposed for its test.
std::string FormatLogLine(std::string_view utc_time, std::string_view level, std::string_view payload,
                          bool json);

}  // namespace varve
