#include "alerting/notify/route_tree.h"

#include <algorithm>
#include <tuple>

#include "engine/model/labels.h"

namespace varve {
namespace {

// Alertmanager counts operators in this order: = != =~ !~, as MatchOp does.
bool MatcherBefore(const Matcher& a, const Matcher& b) {
  return std::tuple(std::string_view(a.name()), std::string_view(a.value()), static_cast<int>(a.op())) <
         std::tuple(std::string_view(b.name()), std::string_view(b.value()), static_cast<int>(b.op()));
}

void AppendMatcher(std::string* out, const Matcher& matcher) {
  if (matcher.name().find_first_of(" \t\n\v\f\r{}!=~,\\\"'`") != std::string::npos) {
    AppendGoQuoted(out, matcher.name());
    *out += MatchOpText(matcher.op());
    AppendGoQuoted(out, matcher.value());
    return;
  }
  *out += matcher.name();
  *out += MatchOpText(matcher.op());
  *out += '"';
  for (const char c : matcher.value()) {
    if (c == '\n') {
      *out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') *out += '\\';
    *out += c;
  }
  *out += '"';
}

// Depth is bounded by the parser of the configuration.
std::unique_ptr<AlertRoute> Build(const RouteConfig& config, const AlertRoute* parent, size_t position) {
  auto route = std::make_unique<AlertRoute>();
  route->receiver = config.receiver;
  route->group_by_all = config.group_by_all;
  route->group_by = config.group_by;
  route->group_wait_ms = config.group_wait_ms;
  route->group_interval_ms = config.group_interval_ms;
  route->repeat_interval_ms = config.repeat_interval_ms;
  route->mute_time_intervals = config.mute_time_intervals;
  route->active_time_intervals = config.active_time_intervals;
  route->continues = config.continues;
  route->matchers = config.matchers;
  std::sort(route->matchers.begin(), route->matchers.end(), MatcherBefore);
  const std::string own = MatchersText(route->matchers);
  route->key = parent == nullptr ? own : parent->key + "/" + own;
  route->id = parent == nullptr ? own : parent->id + "/" + own + "/" + std::to_string(position);
  for (size_t i = 0; i < config.routes.size(); ++i) {
    route->routes.push_back(Build(config.routes[i], route.get(), i));
  }
  return route;
}

// Whether `route` or one below it takes the labels.
bool Collect(const AlertRoute& route, const LabelMap& labels, std::vector<const AlertRoute*>* found) {
  if (!MatchesAll(route.matchers, labels)) return false;
  bool below = false;
  for (const auto& child : route.routes) {
    if (!Collect(*child, labels, found)) continue;
    below = true;
    if (!child->continues) break;
  }
  if (!below) found->push_back(&route);
  return true;
}

}  // namespace

LabelMap AlertRoute::GroupLabels(const LabelMap& labels) const {
  if (group_by_all) return labels;
  LabelMap result;
  for (const std::string& name : group_by) {
    const auto at = labels.find(name);
    if (at != labels.end()) result.insert(*at);
  }
  return result;
}

RouteTree::RouteTree(const RouteConfig& root) : root_(Build(root, nullptr, 0)) {}

std::vector<const AlertRoute*> RouteTree::Match(const LabelMap& labels) const {
  std::vector<const AlertRoute*> found;
  // The root takes every alert; a file whose root has matchers is refused.
  if (!Collect(*root_, labels, &found)) found.push_back(root_.get());
  return found;
}

bool MatchesAll(const std::vector<Matcher>& matchers, const LabelMap& labels) {
  for (const Matcher& matcher : matchers) {
    const auto at = labels.find(matcher.name());
    if (!matcher.Matches(at == labels.end() ? std::string_view() : std::string_view(at->second))) return false;
  }
  return true;
}

std::string MatchersText(const std::vector<Matcher>& matchers) {
  std::string text = "{";
  for (const Matcher& matcher : matchers) {
    if (text.size() > 1) text += ',';
    AppendMatcher(&text, matcher);
  }
  text += '}';
  return text;
}

}  // namespace varve
