#include <algorithm>
#include <tuple>

#include "alerting/notify/config_sections.h"
#include "engine/model/labels.h"
#include "query/promql/syntax/number_text.h"

namespace varve {
namespace {

constexpr int kRouteDepthMax = 50;

bool IsClassicName(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool IsLabelName(std::string_view name) { return !name.empty() && promql::IsValidUtf8(name); }

void AddMatcher(YamlMap* map, std::string_view key, const std::string& name, MatchOp op, const std::string& value,
                std::vector<Matcher>* out) {
  if (!IsClassicName(name)) {
    map->FailAt(key, "invalid label name " + GoQuoted(name));
    return;
  }
  auto matcher = Matcher::Create(name, op, value, false);
  if (!matcher.ok()) {
    map->FailAt(key, matcher.status().message());
  } else {
    out->push_back(std::move(*matcher));
  }
}

void CheckRegexValues(YamlMap* map, const std::string& key) {
  const YamlNode* node = map->Take(key);
  if (node == nullptr) return;
  for (size_t i = 0; i < node->keys.size(); ++i) {
    if (!node->items[i].is_null()) continue;
    map->file()->Fail(node->keys[i], map->where(), "invalid regexp value for " + GoQuoted(node->keys[i].text));
  }
}

// `match`, `match_re` and `matchers`, with what stands before their names in an inhibition rule.
std::vector<Matcher> ReadMatchers(YamlMap* map, const std::string& prefix) {
  std::vector<Matcher> out;
  LabelMap equal, regex;
  map->Read(prefix + "match", &equal);
  CheckRegexValues(map, prefix + "match_re");
  map->Read(prefix + "match_re", &regex);
  for (const auto& [name, value] : equal) AddMatcher(map, prefix + "match", name, MatchOp::kEqual, value, &out);
  // Alertmanager's own words: they are part of group keys.
  for (const auto& [name, value] : regex) {
    AddMatcher(map, prefix + "match_re", name, MatchOp::kRegexMatch, "^(?:" + value + ")$", &out);
  }
  map->Each(prefix + "matchers", [&](const YamlNode& node) {
    if (!node.is_scalar()) {
      map->file()->Fail(node, map->where(), prefix + "matchers: expected a list of texts");
      return;
    }
    auto matchers = ParseAlertMatchers(node.text);
    if (!matchers.ok()) {
      map->file()->Fail(node, map->where(), prefix + "matchers: " + matchers.status().message());
      return;
    }
    std::move(matchers->begin(), matchers->end(), std::back_inserter(out));
  });
  std::stable_sort(out.begin(), out.end(), [](const Matcher& a, const Matcher& b) {
    return std::forward_as_tuple(a.name(), a.value(), a.op()) < std::forward_as_tuple(b.name(), b.value(), b.op());
  });
  return out;
}

void ReadGroupBy(YamlMap* map, RouteConfig* out) {
  std::vector<std::string> names;
  const bool empty_list = map->Has("group_by");
  if (!map->Read("group_by", &names)) return;
  bool all = false;
  std::vector<std::string> labels;
  for (const std::string& name : names) {
    if (name == "...") {
      all = true;
    } else if (!IsLabelName(name)) {
      map->FailAt("group_by", "invalid label name " + GoQuoted(name) + " in group_by list");
    } else if (std::find(labels.begin(), labels.end(), name) != labels.end()) {
      map->FailAt("group_by", "duplicated label " + GoQuoted(name) + " in group_by");
    } else {
      labels.push_back(name);
    }
  }
  if (all && !labels.empty()) {
    map->FailAt("group_by", "cannot have wildcard group_by (`...`) and other labels at the same time");
  }
  // `...` adds to what is inherited without replacing it, as all labels are more than any list.
  if (all) {
    out->group_by_all = true;
  } else if (empty_list) {
    out->group_by_all = false;
    out->group_by = std::move(labels);
  }
}

void ReadIntervals(YamlMap* map, RouteConfig* out) {
  map->ReadDurationMs("group_wait", &out->group_wait_ms);
  map->ReadDurationMs("group_interval", &out->group_interval_ms);
  map->ReadDurationMs("repeat_interval", &out->repeat_interval_ms);
  if (out->group_interval_ms == 0) map->FailAt("group_interval", "group_interval cannot be zero");
  if (out->repeat_interval_ms == 0) map->FailAt("repeat_interval", "repeat_interval cannot be zero");
}

class RouteReader {
 public:
  RouteReader(YamlFile* file, const RouteNames& names) : file_(file), names_(names) {}

  // `parent`: null for the root.
  RouteConfig Read(const YamlNode& node, const std::string& where, const RouteConfig* parent, int depth) {
    RouteConfig out;
    YamlMap map(file_, node, where);
    if (depth > kRouteDepthMax) {
      map.Fail("routes are nested more than 50 deep");
      return out;
    }
    if (parent != nullptr) Inherit(*parent, &out);
    if (map.Read("receiver", &out.receiver) && !names_.receivers.contains(out.receiver)) {
      map.FailAt("receiver", "undefined receiver " + GoQuoted(out.receiver) + " used in route");
    }
    if (out.receiver.empty() && parent != nullptr) out.receiver = parent->receiver;
    ReadGroupBy(&map, &out);
    ReadIntervals(&map, &out);
    out.matchers = ReadMatchers(&map, "");
    ReadIntervalNames(&map, "mute_time_intervals", &out.mute_time_intervals);
    ReadIntervalNames(&map, "active_time_intervals", &out.active_time_intervals);
    map.Read("continue", &out.continues);
    const YamlNode* labels = map.Take("labels");
    if (labels != nullptr) map.FailAt("labels", "is not supported");
    if (parent == nullptr) CheckRoot(&map, out);
    size_t at = 0;
    map.Each("routes", [&](const YamlNode& child) {
      out.routes.push_back(Read(child, where + ".routes[" + std::to_string(at++) + "]", &out, depth + 1));
    });
    map.Finish();
    return out;
  }

 private:
  static void Inherit(const RouteConfig& parent, RouteConfig* out) {
    out->receiver = parent.receiver;
    out->group_by_all = parent.group_by_all;
    out->group_by = parent.group_by;
    out->group_wait_ms = parent.group_wait_ms;
    out->group_interval_ms = parent.group_interval_ms;
    out->repeat_interval_ms = parent.repeat_interval_ms;
  }

  static void CheckRoot(YamlMap* map, const RouteConfig& root) {
    if (root.receiver.empty()) map->Fail("root route must specify a default receiver");
    if (!root.matchers.empty()) map->Fail("root route must not have any matchers");
    if (!root.mute_time_intervals.empty()) map->Fail("root route must not have any mute time intervals");
    if (!root.active_time_intervals.empty()) map->Fail("root route must not have any active time intervals");
    if (root.continues) map->Fail("cannot have continue in root route");
  }

  void ReadIntervalNames(YamlMap* map, std::string_view key, std::vector<std::string>* out) {
    map->Read(key, out);
    for (const std::string& name : *out) {
      if (!names_.intervals.contains(name)) {
        map->FailAt(key, "undefined time interval " + GoQuoted(name) + " used in route");
      }
    }
  }

  YamlFile* file_;
  const RouteNames& names_;
};

}  // namespace

void ReadRoutes(YamlMap* root, const RouteNames& names, RouteConfig* out) {
  const YamlNode* node = root->Take("route");
  if (node == nullptr) {
    root->Fail("no route provided in config");
    return;
  }
  *out = RouteReader(root->file(), names).Read(*node, "route", nullptr, 0);
}

void ReadInhibitRules(YamlMap* root, std::vector<InhibitRule>* out) {
  root->Each("inhibit_rules", [&](const YamlNode& node) {
    YamlMap map(root->file(), node, "inhibit_rules[" + std::to_string(out->size()) + "]");
    InhibitRule rule;
    map.Read("name", &rule.name);
    rule.source = ReadMatchers(&map, "source_");
    rule.target = ReadMatchers(&map, "target_");
    map.Read("equal", &rule.equal);
    for (const std::string& label : rule.equal) {
      if (!IsLabelName(label)) map.FailAt("equal", "invalid label name " + GoQuoted(label) + " in equal list");
    }
    map.Finish();
    out->push_back(std::move(rule));
  });
}

}  // namespace varve
