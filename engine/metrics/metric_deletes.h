// Requests to delete samples: what they hide, in memory and durable in the meta store.
//
// A request covers what was stored when it came: the packs whose origin is not above `through`. (The heads are flushed
// first.) Readers leave the samples out at once; merging leaves them out of what it writes and notes the request in the
// pack's summary. Bytes: docs/format.md, "Delete request of metrics".
// Threads: MetricDelete is immutable; the ledger is thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/append_batch.h"
#include "engine/base/mutex.h"
#include "engine/meta/meta_store.h"
#include "engine/metric_scan.h"
#include "engine/model/matcher.h"
#include "engine/model/packed_labels.h"
#include "engine/pack_catalog.h"

namespace varve {

struct MetricDelete {
  // Drawn like the numbers of packs: ascending in order of arrival, and never used again, as long as a pack may name
  // it among the requests applied to it.
  uint64_t number = 0;
  std::string tenant_name;
  TenantId tenant = 0;
  std::vector<Matcher> matchers;
  MetricRange range;
  uint64_t through = 0;  // pack number

  bool TakesSeries(const PackedLabels& labels) const;
  // Whether it may hide samples of the pack: they were stored when it came, share an instant with it, and have not been
  // through a merge that applied it.
  bool Concerns(const PackSummary& pack) const;
  // Removes the samples in its range.
  void DropFrom(SeriesSamples* samples) const;
};
using MetricDeletePtr = std::shared_ptr<const MetricDelete>;
using MetricDeletes = std::vector<MetricDeletePtr>;  // ascending by number

std::string EncodeMetricDelete(const MetricDelete& request);
// Without the tenant's number. kCorruption when the bytes are not what EncodeMetricDelete writes.
Result<MetricDelete> DecodeMetricDelete(std::string_view bytes);

class MetricDeleteLedger {
 public:
  // `meta` must outlive this.
  explicit MetricDeleteLedger(MetaStore* meta) : meta_(meta), live_(std::make_shared<const MetricDeletes>()) {}

  // `tenant_of` interns a name.
  Status Load(const std::function<Result<TenantId>(std::string_view)>& tenant_of) VARVE_EXCLUDES(mu_);
  // Its number is above all that were added before.
  Status Add(MetricDelete request) VARVE_EXCLUDES(mu_);
  // Of requests that hide nothing any more.
  Status Remove(const std::vector<uint64_t>& numbers) VARVE_EXCLUDES(mu_);
  // Those of the tenant that touch the range.
  MetricDeletes Live(TenantId tenant, MetricRange range) const VARVE_EXCLUDES(mu_);
  std::shared_ptr<const MetricDeletes> all() const VARVE_EXCLUDES(mu_);

 private:
  MetaStore* const meta_;
  mutable Mutex mu_;
  std::shared_ptr<const MetricDeletes> live_ VARVE_GUARDED_BY(mu_);  // never null
};

}  // namespace varve
