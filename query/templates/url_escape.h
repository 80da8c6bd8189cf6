// Escaping in URL queries, as Go's url.QueryEscape and QueryUnescape.
#pragma once

#include <string>
#include <string_view>

namespace varve::templates {

void AppendQueryEscaped(std::string_view text, std::string* out);
// False: `error` has Go's words.
bool AppendQueryUnescaped(std::string_view text, std::string* out, std::string* error);

}  // namespace varve::templates
