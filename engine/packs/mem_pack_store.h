// Packs in memory: the twin of RocksDbPackStore for tests.
//
// Threads: thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/packs/pack_store.h"

namespace varve {

class MemPackStore : public PackStore {
 public:
  Result<std::unique_ptr<PendingPack>> Begin(const PackId& id) override;
  Result<PackBytes> ReadBlock(const PackId& id, uint32_t block) const override;
  Result<PackDirectory> ReadDirectory(const PackId& id) const override;
  Result<std::vector<PackInfo>> List() const override;
  Status Drop(std::span<const PackId> ids) override;
  Status DropBuckets(uint8_t retention_class, int32_t begin_bucket, int32_t end_bucket) override;

  // Test hook: replaces the stored bytes of a block (or kPackDirectoryBlock), to play damage.
  void Overwrite(const PackId& id, uint32_t block, std::string bytes);

 private:
  friend class PendingMemPack;
  struct Pack {
    std::vector<std::shared_ptr<const std::string>> blocks;
    std::shared_ptr<const std::string> directory;
  };
  mutable Mutex mu_;
  std::map<PackId, Pack> packs_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
