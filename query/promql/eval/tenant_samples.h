// One tenant's samples, for PromQL. Threads: thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "engine/metric_store.h"
#include "query/promql/eval/query.h"

namespace varve::promql {

class TenantSamples final : public SampleSource {
 public:
  // The store outlives this.
  TenantSamples(const MetricStore& store, TenantId tenant) : store_(store), tenant_(tenant) {}
  Result<std::unique_ptr<const MetricSnapshot>> Select(const std::vector<Matcher>& matchers,
                                                       MetricRange range) const override {
    return store_.Snapshot(tenant_, matchers, range);
  }

 private:
  const MetricStore& store_;
  const TenantId tenant_;
};

}  // namespace varve::promql
