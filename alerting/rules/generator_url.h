// The link from an alert to the expression it comes from.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace varve {

// `<external_url>/graph?g0.expr=<expr, escaped>&g0.tab=1`, as Prometheus's.
std::string GeneratorUrl(std::string_view external_url, std::string_view expr);

}  // namespace varve
