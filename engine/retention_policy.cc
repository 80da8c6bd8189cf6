#include "engine/retention_policy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/time.h"
#include "engine/options.h"

namespace varve {
namespace {

void SortByPriority(std::vector<RetentionStream>* streams) {
  std::stable_sort(streams->begin(), streams->end(), [](const RetentionStream& a, const RetentionStream& b) {
    return a.priority > b.priority;
  });
}

const RetentionStream* FindRule(const std::vector<RetentionStream>& streams, const Labels& labels) {
  for (const RetentionStream& stream : streams) {
    if (MatchesAll(stream.matchers, labels)) return &stream;
  }
  return nullptr;
}

}  // namespace

RetentionPolicy::RetentionPolicy(int64_t period_ns, std::vector<RetentionStream> streams, Tenants tenants)
    : period_ns_(std::max<int64_t>(0, period_ns)),
      streams_(std::move(streams)),
      tenants_(std::move(tenants)) {
  SortByPriority(&streams_);
  // 0 stands for the longest time there is.
  constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();
  int64_t shortest = kForEver;
  int64_t longest = 0;
  const auto note = [&](int64_t period) {
    shortest = std::min(shortest, period <= 0 ? kForEver : period);
    longest = std::max(longest, period <= 0 ? kForEver : period);
  };
  note(period_ns_);
  for (const RetentionStream& stream : streams_) note(stream.period_ns);
  for (auto& [name, tenant] : tenants_) {
    SortByPriority(&tenant.streams);
    if (tenant.period_ns.has_value()) note(*tenant.period_ns);
    for (const RetentionStream& stream : tenant.streams) note(stream.period_ns);
  }
  shortest_ns_ = shortest == kForEver ? 0 : shortest;
  longest_ns_ = longest == kForEver ? 0 : longest;
}

int64_t RetentionPolicy::PeriodNs(std::string_view tenant, const Labels& labels) const {
  const auto own = tenants_.find(tenant);
  if (own != tenants_.end()) {
    if (const RetentionStream* rule = FindRule(own->second.streams, labels)) return rule->period_ns;
  }
  if (const RetentionStream* rule = FindRule(streams_, labels)) return rule->period_ns;
  return BasePeriodNs(tenant);
}

std::optional<int64_t> RetentionPolicy::TenantPeriodNs(std::string_view tenant) const {
  if (!streams_.empty()) return std::nullopt;
  const auto own = tenants_.find(tenant);
  if (own != tenants_.end() && !own->second.streams.empty()) return std::nullopt;
  return BasePeriodNs(tenant);
}

int64_t RetentionPolicy::BasePeriodNs(std::string_view tenant) const {
  const auto own = tenants_.find(tenant);
  return own == tenants_.end() ? period_ns_ : own->second.period_ns.value_or(period_ns_);
}

uint8_t RetentionPolicy::ClassOf(int64_t period_ns) const {
  if (period_ns == period_ns_) return 0;
  if (period_ns <= 0) return 255;
  // Half octaves of hours: 1 h is class 20, a year 46, an hour and a half 21.
  const double hours = static_cast<double>(period_ns) / static_cast<double>(kNsPerHour);
  return static_cast<uint8_t>(std::clamp(std::lround(2 * std::log2(hours)) + 20, 1L, 254L));
}

std::shared_ptr<const RetentionPolicy> RetentionPolicyOf(const EngineOptions& options) {
  if (options.retention != nullptr) return options.retention->policy();
  return std::make_shared<const RetentionPolicy>(options.retention_ns);
}

int64_t RetentionPolicy::BeginNs(int64_t period_ns, int64_t now_ns) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  if (period_ns <= 0 || now_ns < kMin + period_ns) return kMin;
  return now_ns - period_ns;
}

}  // namespace varve
