// Puts what a script loads into a store, in the state in which Prometheus's own storage would give it back.
//
// Threads: the store's.
#pragma once

#include "engine/base/status.h"
#include "engine/metric_store.h"
#include "tests/support/promqltest_script.h"

namespace varve::promqltest {

inline constexpr TenantId kScriptTenant = 1;

// Sample i of a series is at i times the load's step. With NHCB, what the load's classic histograms (_bucket, _sum,
// _count) amount to is stored as histograms with custom buckets, too, under the name without the suffix.
Status ApplyLoad(const Load& load, MetricStore* store);

}  // namespace varve::promqltest
