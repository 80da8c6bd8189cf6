// Go's fmt for template values: %v and the other verbs of printf.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "query/templates/template_value.h"

namespace varve::templates {

// As %v.
void AppendGoValue(const TemplateValue& value, std::string* out);
// As fmt.Sprint: a space between neighbours of which neither is a string.
void AppendGoValues(std::span<const TemplateValue> values, std::string* out);
// As %v of a float64: the shortest digits that read back, with an exponent from 1e+06 on and below 1e-04.
void AppendGoFloat(double value, std::string* out);
// As fmt.Sprintf. Width and precision are cut at kTemplatePrintfWidthMax.
void AppendGoFormat(std::string_view format, std::span<const TemplateValue> values, std::string* out);

}  // namespace varve::templates
