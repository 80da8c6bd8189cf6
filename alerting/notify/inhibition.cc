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
    Candidates& candidates = rule.by_equal[EqualKey(rule.rule, tenant, labels)];
    Sources& sources = MatchesAll(rule.rule.target, labels) ? candidates.both_sides : candidates.one_side;
    sources.insert_or_assign(alert->fingerprint, alert);
  }
}

void Inhibition::Remove(std::string_view tenant, const StoredAlert& alert) {
  const LabelMap& labels = alert.posted->labels;
  for (Rule& rule : rules_) {
    if (!MatchesAll(rule.rule.source, labels)) continue;
    const auto at = rule.by_equal.find(EqualKey(rule.rule, tenant, labels));
    if (at == rule.by_equal.end()) continue;
    Candidates& candidates = at->second;
    candidates.one_side.erase(alert.fingerprint);
    candidates.both_sides.erase(alert.fingerprint);
    if (candidates.one_side.empty() && candidates.both_sides.empty()) rule.by_equal.erase(at);
  }
}

std::optional<uint64_t> Inhibition::Inhibiting(std::string_view tenant, const LabelMap& labels,
                                               int64_t now_ms) const {
  for (const Rule& rule : rules_) {
    if (!MatchesAll(rule.rule.target, labels)) continue;
    const auto at = rule.by_equal.find(EqualKey(rule.rule, tenant, labels));
    if (at == rule.by_equal.end()) continue;
    const StoredAlert* source = Firing(at->second.one_side, now_ms);
    if (source == nullptr && !MatchesAll(rule.rule.source, labels)) source = Firing(at->second.both_sides, now_ms);
    if (source != nullptr) return source->fingerprint;
  }
  return std::nullopt;
}

const StoredAlert* Inhibition::Firing(const Sources& sources, int64_t now_ms) {
  for (const auto& [fingerprint, source] : sources) {
    if (!source->ResolvedAt(now_ms)) return source.get();
  }
  return nullptr;
}

}  // namespace varve
