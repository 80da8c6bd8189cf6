// Where sealed packs live: write once, read by block, list, drop.
//
// Twins: RocksDbPackStore (local disk) and MemPackStore (tests). A pack appears whole when
// PendingPack::Commit returns ok, and not at all before; it never changes afterwards.
// A pack that was committed here but not in the engine's own metadata (a crash lay between) is an
// *orphan*: List shows it like any other, and the engine drops what it does not know at open.
// Threads: thread-safe; a PendingPack belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/packs/pack_directory.h"
#include "engine/packs/pack_id.h"

namespace varve {

// Bytes and what keeps them alive. Must not outlive the store.
struct PackBytes {
  std::string_view view;
  std::shared_ptr<const void> owner;
};

struct PackInfo {
  PackId id;
  uint64_t bytes_on_disk = 0;
  // False when its file is missing or has the wrong size: reads of it fail, reads of others do not.
  bool readable = true;
};

// A pack being written. Destroyed without Commit, it leaves nothing behind.
// Call order: AddBlock* Commit. After an error nothing but destruction is allowed.
class PendingPack {
 public:
  virtual ~PendingPack() = default;
  // Block 0, 1, … as its encoder made it. Written out at once; nothing is kept in memory.
  virtual Status AddBlock(std::string_view block) = 0;
  // Durable (synced) and readable on return. kIoError / kStorageFull: the pack is not readable, but a
  // crash may bring it back as an orphan; so write the rows again under a new number.
  // `directory` is encoded: of a log pack or of a metric pack.
  virtual Status CommitBytes(std::string_view directory) = 0;
  Status Commit(const PackDirectory& directory) {
    std::string bytes;
    EncodePackDirectory(directory, &bytes);
    return CommitBytes(bytes);
  }
};

class PackStore {
 public:
  virtual ~PackStore() = default;

  // kInvalidArgument when the pack exists already.
  virtual Result<std::unique_ptr<PendingPack>> Begin(const PackId& id) = 0;

  // As AddBlock took it; checksums of the block are the decoder's business. kNotFound when there is no
  // such pack or block, kCorruption / kIoError when the store itself cannot read it; both name it.
  virtual Result<PackBytes> ReadBlock(const PackId& id, uint32_t block) const = 0;
  // Of a log pack; of a metric pack: ReadMetricPackDirectory (metric_pack_directory.h).
  virtual Result<PackDirectory> ReadDirectory(const PackId& id) const = 0;

  // All packs, ascending by id. Reads no pack, so a readable one may still turn out to be damaged.
  virtual Result<std::vector<PackInfo>> List() const = 0;

  // After these return, reads of the packs give kNotFound and their space is freed. The caller makes
  // sure that no snapshot needs them. Dropping what is not there is ok.
  virtual Status Drop(std::span<const PackId> ids) = 0;
  // Copies the whole store to `path`, which must not be there, by linking its files. kUnimplemented: it has none.
  virtual Status Checkpoint(const std::string& path) const {
    return Unimplemented("this store of packs has no files that could be linked to " + path);
  }
  // Every pack of the class with begin <= bucket < end.
  virtual Status DropBuckets(uint8_t retention_class, int32_t begin_bucket, int32_t end_bucket) = 0;
};

// What VerifyPack found wrong: `block` is kPackDirectoryBlock for the directory itself.
struct PackDamage {
  PackId id;
  uint32_t block = 0;
  Status status;
};

// Reads all of a pack, of logs or of metrics: every checksum, every column, and that blocks and directory agree.
// Damage is handed to `on_damage`, one call a block; returns whether there was none.
bool VerifyPack(const PackStore& store, const PackId& id, const std::function<void(PackDamage)>& on_damage);
// Its part for metric packs.
bool VerifyMetricPack(const PackStore& store, const PackId& id, const std::function<void(PackDamage)>& on_damage);

}  // namespace varve
