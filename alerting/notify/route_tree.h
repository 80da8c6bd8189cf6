// The tree of routes of a configuration: which ones take an alert, and how they group it.
//
// Threads: immutable once built, share freely.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alerting/label_map.h"
#include "alerting/notify/notify_config.h"

namespace varve {

struct AlertRoute {
  std::string receiver;
  bool group_by_all = false;
  std::vector<std::string> group_by;
  int64_t group_wait_ms = 0, group_interval_ms = 0, repeat_interval_ms = 0;
  std::vector<std::string> mute_time_intervals, active_time_intervals;
  std::vector<Matcher> matchers;  // ascending by name, value, operator
  bool continues = false;
  std::string key;  // matchers from the root on, `{}/{severity="page"}`: of group keys, as Alertmanager writes it
  std::string id;   // the same with positions: unique in the tree
  std::vector<std::unique_ptr<AlertRoute>> routes;

  LabelMap GroupLabels(const LabelMap& labels) const;
};

class RouteTree {
 public:
  explicit RouteTree(const RouteConfig& root);
  // Depth first, in the file's order; never empty.
  std::vector<const AlertRoute*> Match(const LabelMap& labels) const;

 private:
  std::unique_ptr<AlertRoute> root_;
};

// Whether every matcher takes its label's value ("" where it is absent).
bool MatchesAll(const std::vector<Matcher>& matchers, const LabelMap& labels);

// `{a="b",c=~"d"}`, as Alertmanager writes it.
std::string MatchersText(const std::vector<Matcher>& matchers);

}  // namespace varve
