#include "engine/packs/mem_pack_store.h"

#include <iterator>
#include <utility>

namespace varve {

class PendingMemPack : public PendingPack {
 public:
  PendingMemPack(MemPackStore* store, const PackId& id) : store_(store), id_(id) {}

  Status AddBlock(std::string_view block) override {
    pack_.blocks.push_back(std::make_shared<const std::string>(block));
    return Status::Ok();
  }

  Status CommitBytes(std::string_view directory) override {
    pack_.directory = std::make_shared<const std::string>(directory);
    MutexLock lock(store_->mu_);
    if (!store_->packs_.emplace(id_, std::move(pack_)).second) {
      return InvalidArgument(id_.ToString() + " exists already");
    }
    return Status::Ok();
  }

 private:
  MemPackStore* const store_;
  const PackId id_;
  MemPackStore::Pack pack_;
};

Result<std::unique_ptr<PendingPack>> MemPackStore::Begin(const PackId& id) {
  MutexLock lock(mu_);
  if (packs_.contains(id)) return InvalidArgument(id.ToString() + " exists already");
  return std::unique_ptr<PendingPack>(std::make_unique<PendingMemPack>(this, id));
}

Result<PackBytes> MemPackStore::ReadBlock(const PackId& id, uint32_t block) const {
  MutexLock lock(mu_);
  const auto it = packs_.find(id);
  if (it == packs_.end()) return NotFound(id.ToString() + " is not in the store");
  if (block == kPackDirectoryBlock) return PackBytes{*it->second.directory, it->second.directory};
  if (block >= it->second.blocks.size()) {
    return NotFound(id.ToString() + " has no block " + std::to_string(block));
  }
  const auto& bytes = it->second.blocks[block];
  return PackBytes{*bytes, bytes};
}

Result<PackDirectory> MemPackStore::ReadDirectory(const PackId& id) const {
  VARVE_ASSIGN_OR_RETURN(const PackBytes bytes, ReadBlock(id, kPackDirectoryBlock));
  auto directory = DecodePackDirectory(bytes.view);
  if (!directory.ok()) return std::move(directory).status().WithContext(id.ToString());
  return directory;
}

Result<std::vector<PackInfo>> MemPackStore::List() const {
  MutexLock lock(mu_);
  std::vector<PackInfo> infos;
  for (const auto& [id, pack] : packs_) {
    uint64_t bytes = pack.directory->size();
    for (const auto& block : pack.blocks) bytes += block->size();
    infos.push_back({id, bytes});
  }
  return infos;
}

Status MemPackStore::Drop(std::span<const PackId> ids) {
  MutexLock lock(mu_);
  for (const PackId& id : ids) packs_.erase(id);
  return Status::Ok();
}

Status MemPackStore::DropBuckets(uint8_t retention_class, int32_t begin_bucket, int32_t end_bucket) {
  MutexLock lock(mu_);
  std::erase_if(packs_, [&](const auto& entry) {
    const PackId& id = entry.first;
    return id.retention_class == retention_class && id.bucket >= begin_bucket && id.bucket < end_bucket;
  });
  return Status::Ok();
}

void MemPackStore::Overwrite(const PackId& id, uint32_t block, std::string bytes) {
  MutexLock lock(mu_);
  Pack& pack = packs_.at(id);
  auto& target = block == kPackDirectoryBlock ? pack.directory : pack.blocks.at(block);
  target = std::make_shared<const std::string>(std::move(bytes));
}

}  // namespace varve
