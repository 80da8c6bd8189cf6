#include "http/router.h"

#include <algorithm>
#include <cctype>

#include "http/form.h"

namespace varve {
namespace {

constexpr std::string_view kParameter = "{";

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> segments;
  for (;;) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

// "/loki/api/v1/label/{name}/values" → "loki_api_v1_label_name_values"
std::string RouteName(std::string_view pattern) {
  std::string name;
  for (const char c : pattern.substr(1)) {
    if (c == '/') {
      name.push_back('_');
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      name.push_back(c);
    }
  }
  return name.empty() ? "root" : name;
}

}  // namespace

void Router::Add(std::vector<std::string> methods, std::string_view pattern, Worker worker, Handler handler,
                 RefusalForm refusal_form) {
  Entry entry;
  for (const std::string_view segment : SplitPath(pattern)) {
    entry.segments.emplace_back(segment.starts_with(kParameter) ? kParameter : segment);
  }
  entry.route =
      Route{std::string(pattern), RouteName(pattern), std::move(methods), worker, std::move(handler),
            refusal_form};
  entries_.push_back(std::move(entry));
}

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Match match;
  const std::vector<std::string_view> segments = SplitPath(path);
  for (const Entry& entry : entries_) {
    const auto same = [](std::string_view asked, const std::string& expected) {
      return expected == kParameter ? !asked.empty() : asked == expected;
    };
    if (segments.size() != entry.segments.size() ||
        !std::equal(segments.begin(), segments.end(), entry.segments.begin(), same)) {
      continue;
    }
    match.route = &entry.route;
    const auto& methods = entry.route.methods;
    if (std::find(methods.begin(), methods.end(), method) == methods.end()) continue;
    match.method_allowed = true;
    for (size_t i = 0; i < segments.size(); ++i) {
      if (entry.segments[i] != kParameter) continue;
      Result<std::string> value = PercentDecode(segments[i], false);
      match.path_params.push_back(value.ok() ? std::move(*value) : std::string(segments[i]));
    }
    return match;
  }
  return match;
}

}  // namespace varve
