// Template values as JSON, as Go's encoding/json writes them: for toJson, and for values inside scripts.
#pragma once

#include <string>

#include "query/templates/template_value.h"

namespace varve::templates {

// Appends `value`; structs with the names that Alertmanager's JSON has. False: `error` has Go's words (NaN).
// What is nested is as deep as the values are.
bool AppendGoJson(const TemplateValue& value, std::string* out, std::string* error);

}  // namespace varve::templates
