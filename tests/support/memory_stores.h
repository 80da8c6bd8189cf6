// The stores of an engine in memory, where a test can make any step fail and "crash" between two steps.
//
// MemoryDisk outlives engines: destroying an engine without Flush is a crash, opening the next over the
// same disk is the restart.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "engine/engine_impl.h"
#include "engine/journal/memory_journal.h"
#include "engine/meta/memory_meta_store.h"
#include "engine/packs/mem_pack_store.h"

namespace varve {

struct MemoryDisk {
  std::shared_ptr<MemoryJournalRecords> journal = std::make_shared<MemoryJournalRecords>();
  std::shared_ptr<MemoryMetaContents> meta = std::make_shared<MemoryMetaContents>();
  std::shared_ptr<MemPackStore> packs = std::make_shared<MemPackStore>();
};

// Called before each step with its name: "journal", "pack" (before a pack's commit), "commit",
// "commit reported" (it happened; an error makes it look as if not), "drop". An error fails the step.
using StepHook = std::function<Status(std::string_view step)>;

EngineStores MakeMemoryStores(const MemoryDisk& disk, StepHook hook = nullptr);

// Reaches into an engine made by OpenWith.
class EngineTestPeer {
 public:
  explicit EngineTestPeer(Engine* engine) : engine_(static_cast<EngineImpl*>(engine)) {}
  // Cuts one shard and waits until it is committed or has failed.
  Status CutShard(uint32_t shard);
  uint32_t shard_count() const;
  // What the retention thread does every interval.
  Status RunRetentionOnce();
  size_t dropped_but_not_freed() const;
  // What the compaction thread does every interval; the engine must have been opened without it.
  Status CompactByTheRules() { return engine_->CompactionRound(/*all=*/false); }

 private:
  EngineImpl* const engine_;
};

}  // namespace varve
