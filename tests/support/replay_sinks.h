// Sinks for what a ReplayFn decodes, in tests.
#pragma once

#include <functional>
#include <utility>

#include "engine/base/check.h"
#include "engine/engine.h"

namespace varve {

// Takes batches of logs; a batch of metrics ends the test.
class LogReplaySink final : public ReplaySink {
 public:
  explicit LogReplaySink(std::function<void(const AppendBatch&)> take) : take_(std::move(take)) {}
  void OnLogs(const AppendBatch& batch) override { take_(batch); }
  void OnMetrics(TenantId /*tenant*/, const MetricBatch& /*batch*/) override { VARVE_CHECK(false); }

 private:
  const std::function<void(const AppendBatch&)> take_;
};

}  // namespace varve
