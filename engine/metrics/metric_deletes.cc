// Deletes of samples.
#include "engine/metrics/metric_store_impl.h"

namespace varve {

Status MetricStoreImpl::DeleteSamples(TenantId /*tenant*/, const std::vector<Matcher>& /*matchers*/,
                                      MetricRange /*range*/) {
  return Unimplemented("samples cannot be deleted yet");
}

}  // namespace varve
