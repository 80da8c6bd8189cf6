// Numbers and times for people, as Prometheus and Alertmanager word them. Threads: pure functions.
#pragma once

#include <string>

#include "query/templates/template_value.h"

namespace varve::templates {

// Of a number, a duration (its seconds) or a text that is a number. False: `error` has Go's words.
bool ConvertToFloat(const TemplateValue& value, double* number, std::string* error);

std::string Humanize(double value);            // 1.234k, 12.35m
std::string Humanize1024(double value);        // 1.205ki
std::string HumanizeDuration(double seconds);  // 1d 2h 3m 4s, 12.34ms
std::string HumanizePercentage(double ratio);  // 12.34%
// Rounded down to milliseconds, as the function toTime. False: `error` says why.
bool TimeOfSeconds(double seconds, TimeValue* time, std::string* error);

// A duration of Prometheus, "1d12h30m", or with a minus, in nanoseconds. False: `error` has its words.
bool ParsePrometheusDuration(std::string_view text, int64_t* duration_ns, std::string* error);

}  // namespace varve::templates
