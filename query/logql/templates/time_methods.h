// The methods templates can call on times, durations, months and weekdays: {{ __timestamp__.Unix }}.
#pragma once

#include <string_view>

#include "query/logql/templates/template_call.h"

namespace varve::logql {

// Their first parameter is the receiver. Null when there is none.
const TemplateFunction* FindMethod(ValueType receiver, std::string_view name);

// In UTC.
TimeValue TimeFromUnixNs(int64_t unix_ns);

}  // namespace varve::logql
