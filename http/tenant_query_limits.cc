#include "http/tenant_query_limits.h"

#include <algorithm>

namespace varve {
namespace {

// Lowers each limit that `other` has lower; 0 is none.
void Tighten(const QueryLimits& other, QueryLimits* limits) {
  const auto lower = [&](auto QueryLimits::*member) {
    if (other.*member > 0 && (limits->*member <= 0 || other.*member < limits->*member)) {
      limits->*member = other.*member;
    }
  };
  for (int64_t QueryLimits::*member :
       {&QueryLimits::max_query_length_ns, &QueryLimits::max_query_lookback_ns,
        &QueryLimits::max_query_range_ns, &QueryLimits::max_query_bytes_read,
        &QueryLimits::max_query_memory_bytes, &QueryLimits::query_timeout_ms}) {
    lower(member);
  }
  for (uint32_t QueryLimits::*member :
       {&QueryLimits::max_entries_limit_per_query, &QueryLimits::max_query_series,
        &QueryLimits::max_streams_matchers_per_query, &QueryLimits::max_points_per_series,
        &QueryLimits::cardinality_limit, &QueryLimits::max_regex_size, &QueryLimits::volume_max_series,
        &QueryLimits::max_concurrent_tail_requests}) {
    lower(member);
  }
  for (const std::string& label : other.required_labels) {
    auto& labels = limits->required_labels;
    if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
  }
  limits->minimum_labels_number = std::max(limits->minimum_labels_number, other.minimum_labels_number);
  limits->volume_enabled &= other.volume_enabled;
  limits->blocked_queries.insert(limits->blocked_queries.end(), other.blocked_queries.begin(),
                                 other.blocked_queries.end());
}

}  // namespace

QueryLimits LimitsOfTenants(const ReadContext& context, const std::vector<std::string>& tenants) {
  if (context.tenant_limits == nullptr) return context.limits;
  QueryLimits limits = *context.tenant_limits->Of(tenants.front());
  for (size_t i = 1; i < tenants.size(); ++i) Tighten(*context.tenant_limits->Of(tenants[i]), &limits);
  return limits;
}

}  // namespace varve
