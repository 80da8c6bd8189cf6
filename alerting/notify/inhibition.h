// Inhibition: alerts that fire mute others, as the rules of the configuration say.
//
// For each rule and tenant the alerts that match its source stand by the values of its `equal` labels; whether one
// still fires is looked at when asked.
// Threads: thread-compatible; the dispatcher's owner synchronises. Alerts are shared with the dispatcher.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alerting/notify/notify_config.h"
#include "alerting/notify/stored_alert.h"

namespace varve {

class Inhibition {
 public:
  explicit Inhibition(std::vector<InhibitRule> rules);

  // An alert came (or came again, as another object), or went.
  void Add(std::string_view tenant, const std::shared_ptr<StoredAlert>& alert);
  void Remove(std::string_view tenant, const StoredAlert& alert);

  // The fingerprint of a firing alert that mutes one of these labels, by the first rule that has one. An alert that
  // matches both sides of a rule is not muted by one of which the same is true.
  std::optional<uint64_t> Inhibiting(std::string_view tenant, const LabelMap& labels, int64_t now_ms) const;

 private:
  using Sources = std::map<uint64_t, std::shared_ptr<StoredAlert>>;  // by fingerprint
  // Apart, so that an alert that matches both sides does not have to pass over all of its kind.
  struct Candidates {
    Sources one_side, both_sides;  // whether they match the target, too
  };
  struct Rule {
    InhibitRule rule;
    std::unordered_map<std::string, Candidates> by_equal;  // by tenant and values of `equal`
  };
  static const StoredAlert* Firing(const Sources& sources, int64_t now_ms);
  static std::string EqualKey(const InhibitRule& rule, std::string_view tenant, const LabelMap& labels);

  std::vector<Rule> rules_;
};

}  // namespace varve
