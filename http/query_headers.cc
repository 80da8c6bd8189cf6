#include "http/query_headers.h"

#include <algorithm>
#include <string_view>

namespace varve {
namespace {

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// Whether `matches` accepts one of the comma-separated items of a header, wherever it stands.
template <typename Matches>
bool AnyItem(const HttpRequest& request, std::string_view header, Matches matches) {
  for (const auto& [name, value] : request.headers) {
    if (name != header) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      if (matches(Trimmed(rest.substr(0, comma)))) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

}  // namespace

bool BypassesResultCache(const HttpRequest& request) {
  return AnyItem(request, "cache-control", [](std::string_view item) {
    return EqualsIgnoringCase(item, "no-cache") || EqualsIgnoringCase(item, "no-store");
  });
}

bool IsLogsDrilldown(const HttpRequest& request) {
  return AnyItem(request, "x-query-tags", [](std::string_view item) {
    const size_t equals = item.find('=');
    return equals != std::string_view::npos &&
           EqualsIgnoringCase(Trimmed(item.substr(0, equals)), "source") &&
           EqualsIgnoringCase(Trimmed(item.substr(equals + 1)), "grafana-lokiexplore-app");
  });
}

}  // namespace varve
