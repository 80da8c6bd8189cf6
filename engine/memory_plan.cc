#include "engine/memory_plan.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "engine/retention_policy.h"

namespace varve {
namespace {

constexpr int64_t kMiB = 1 << 20;

int64_t MachineMemoryBytes() {
  return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<int64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryPlan MemoryPlan::Make(const EngineOptions& options) {
  const int64_t total = options.memory_budget_bytes;
  MemoryPlan plan;
  plan.total_bytes = total;
  plan.journal_memtable_bytes = std::clamp(total / 64, 2 * kMiB, 128 * kMiB);
  plan.journal_bytes_max = options.journal_bytes_max != 0 ? options.journal_bytes_max
                                                          : std::clamp(total / 8, 8 * kMiB, 1024 * kMiB);
  plan.heads_bytes = std::max(total / 16, 8 * kMiB);
  // Every shard may be nearly full while as many again as there are encoders are being written.
  const int64_t segments = options.shard_count + 2 * static_cast<int64_t>(options.encode_threads);
  plan.cut_bytes = options.cut_bytes != 0
                       ? options.cut_bytes
                       : std::clamp(plan.heads_bytes * 8 / 10 / segments, kMiB / 2, 32 * kMiB);
  plan.metric_heads_bytes = std::max(total / 8, 8 * kMiB);
  const int64_t metric_heads = options.metric_shard_count + 2 * static_cast<int64_t>(options.encode_threads);
  plan.metric_cut_bytes = options.metric_cut_bytes != 0
                              ? options.metric_cut_bytes
                              : std::clamp(plan.metric_heads_bytes * 8 / 10 / metric_heads, kMiB / 2, 256 * kMiB);
  plan.metric_blocks_bytes = std::max(total / 16, 8 * kMiB);
  plan.metric_index_bytes = std::max(total / 32, 8 * kMiB);
  plan.ingest_bytes = std::max(total / 16, 16 * kMiB);
  plan.block_cache_bytes = std::max(total / 8, 8 * kMiB);
  plan.pack_index_bytes = std::max(total / 32, 4 * kMiB);
  plan.compaction_bytes = std::max(total / 32, 16 * kMiB);
  plan.query_bytes = std::max(total / 4, 32 * kMiB);
  return plan;
}

EngineOptions ResolveOptions(const EngineOptions& options) {
  EngineOptions resolved = options;
  const uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
  if (resolved.memory_budget_bytes == 0) {
    resolved.memory_budget_bytes = std::min<int64_t>(MachineMemoryBytes() / 4, 4096 * kMiB);
  }
  if (resolved.shard_count == 0) resolved.shard_count = std::max(8u, 4 * cores);
  resolved.shard_count = std::min(resolved.shard_count, 4096u);
  if (resolved.metric_shard_count == 0) resolved.metric_shard_count = 4;
  resolved.metric_shard_count = std::min(resolved.metric_shard_count, 256u);
  if (resolved.encode_threads == 0) resolved.encode_threads = std::max(1u, cores / 2);
  if (resolved.query_threads == 0) resolved.query_threads = cores;
  const MemoryPlan plan = MemoryPlan::Make(resolved);
  resolved.cut_bytes = plan.cut_bytes;
  resolved.metric_cut_bytes = plan.metric_cut_bytes;
  resolved.journal_bytes_max = plan.journal_bytes_max;
  if (resolved.retention == nullptr) {
    resolved.retention = std::make_shared<RetentionSource>(RetentionPolicy(resolved.retention_ns));
  }
  return resolved;
}

}  // namespace varve
