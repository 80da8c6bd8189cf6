#include "http/link_pages.h"

#include <string>
#include <utility>

#include "http/form.h"
#include "query/promql/syntax/parser.h"
#include "query/templates/url_escape.h"

namespace varve {
namespace {

HttpResponse LeadTo(std::string location) {
  HttpResponse response;
  response.status = 302;
  response.headers.emplace_back("Location", std::move(location));
  return response;
}

HttpResponse Graph(const HttpRequest& request) {
  Status ignored;
  const FormParams params = FormParams::ParseWhatCan(request, &ignored);
  const std::string_view expr = params.Get("g0.expr");
  if (expr.empty()) return LeadTo("api/v1/alerts");
  std::string location = promql::ParseExpr(expr).ok() ? "api/v1/query?query=" : "loki/api/v1/query?query=";
  templates::AppendQueryEscaped(expr, &location);
  return LeadTo(std::move(location));
}

}  // namespace

void AddLinkPages(Router* router) {
  router->Add({"GET"}, "/graph", Worker::kAdmin, Graph);
  router->Add({"GET"}, "/", Worker::kInline, [](const HttpRequest&) { return LeadTo("api/v1/alerts"); });
}

}  // namespace varve
