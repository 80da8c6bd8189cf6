#include "alerting/rules/generator_url.h"

#include "query/templates/url_escape.h"

namespace varve {

std::string GeneratorUrl(std::string_view external_url, std::string_view expr) {
  std::string url(external_url);
  url += "/graph?g0.expr=";
  templates::AppendQueryEscaped(expr, &url);
  url += "&g0.tab=1";
  return url;
}

}  // namespace varve
