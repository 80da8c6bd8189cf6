// What metrics are: type, help and unit by tenant and metric, in memory and durable in the meta store.
//
// The last that came wins. Bytes: docs/format.md, "Metric metadata".
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/meta/meta_store.h"
#include "engine/model/exemplar.h"

namespace varve {

class MetadataStore {
 public:
  // `meta` must outlive this. A tenant may have `metrics_max`; what comes beyond is left out.
  MetadataStore(MetaStore* meta, size_t metrics_max) : meta_(meta), metrics_max_(metrics_max) {}

  Status Load() VARVE_EXCLUDES(mu_);
  Status Put(std::string_view tenant, std::span<const MetricMetadata> items) VARVE_EXCLUDES(mu_);
  // Ascending by metric; of one metric, or of all when `metric` is empty.
  std::vector<MetricMetadata> Select(std::string_view tenant, std::string_view metric) const VARVE_EXCLUDES(mu_);
  // Items that were left out since the start.
  uint64_t left_out() const VARVE_EXCLUDES(mu_);

 private:
  using ByMetric = std::map<std::string, MetricMetadata, std::less<>>;

  MetaStore* const meta_;
  const size_t metrics_max_;

  mutable Mutex mu_;
  std::map<std::string, ByMetric, std::less<>> tenants_ VARVE_GUARDED_BY(mu_);
  uint64_t left_out_ VARVE_GUARDED_BY(mu_) = 0;
};

}  // namespace varve
