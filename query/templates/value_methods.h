// The methods templates can call on times, durations, months, weekdays and Alertmanager's types:
// {{ __timestamp__.Unix }}, {{ .Alerts.Firing }}.
#pragma once

#include <string_view>

#include "query/templates/template_call.h"

namespace varve::templates {

// Their first parameter is the receiver. Null when there is none.
const TemplateFunction* FindMethod(const TemplateValue& receiver, std::string_view name);

// The table of Alertmanager's types.
std::span<const TemplateFunction> NamedTypeMethods(GoType receiver);

// In UTC.
TimeValue TimeFromUnixNs(int64_t unix_ns);

}  // namespace varve::templates
