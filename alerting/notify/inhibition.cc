#include "alerting/notify/inhibition.h"

#include <utility>

#include "alerting/notify/route_tree.h"
#include "engine/base/bytes.h"

namespace varve {

Inhibition::Inhibition(std::vector<InhibitRule> rules) {
  for (InhibitRule& rule : rules) rules_.push_back({std::move(rule), {}});
}

std::string Inhibition::EqualKey(const InhibitRule& rule, std::string_view tenant, const LabelMap& labels) {
  std::string key;
  PutLengthPrefixed(&key, tenant);
  for (const std::string& name : rule.equal) {
    const auto at = labels.find(name);
    PutLengthPrefixed(&key, at == labels.end() ? std::string_view() : std::string_view(at->second));
  }
  return key;
}

void Inhibition::Add(std::string_view tenant, const std::shared_ptr<StoredAlert>& alert) {
  const LabelMap& labels = alert->posted->labels;
  for (Rule& rule : rules_) {
    if (!MatchesAll(rule.rule.source, labels)) continue;
    rule.by_equal[EqualKey(rule.rule, tenant, labels)].insert_or_assign(alert->fingerprint, alert);
  }
}

void Inhibition::Remove(std::string_view tenant, const StoredAlert& alert) {
  const LabelMap& labels = alert.posted->labels;
  for (Rule& rule : rules_) {
    if (!MatchesAll(rule.rule.source, labels)) continue;
    const auto at = rule.by_equal.find(EqualKey(rule.rule, tenant, labels));
    if (at == rule.by_equal.end()) continue;
    at->second.erase(alert.fingerprint);
    if (at->second.empty()) rule.by_equal.erase(at);
  }
}

std::optional<uint64_t> Inhibition::Inhibiting(std::string_view tenant, const LabelMap& labels,
                                               int64_t now_ms) const {
  for (const Rule& rule : rules_) {
    if (!MatchesAll(rule.rule.target, labels)) continue;
    const auto at = rule.by_equal.find(EqualKey(rule.rule, tenant, labels));
    if (at == rule.by_equal.end()) continue;
    const bool both_sides = MatchesAll(rule.rule.source, labels);
    for (const auto& [fingerprint, source] : at->second) {
      if (source->ResolvedAt(now_ms)) continue;
      if (both_sides && MatchesAll(rule.rule.target, source->posted->labels)) continue;
      return fingerprint;
    }
  }
  return std::nullopt;
}

}  // namespace varve
