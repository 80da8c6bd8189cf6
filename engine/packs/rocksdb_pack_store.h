// Packs in a RocksDB of their own that is only ever ingested into: one pack = one SST file.
//
// Bytes on disk: docs/format.md, "packs DB". Why a DB of its own, and which of 7.8.3's options are
// off and why: rocksdb_pack_store.cc.
// A missing or damaged file costs its pack only: the store opens, List marks it, reads of it fail by name.
// After a failed write to the disk, reads go on; the next Begin or Drop tries the disk and, when it works
// again, reopens the DB inside. No restart is needed.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/packs/pack_store.h"

namespace rocksdb {
class Env;
}

namespace varve {

struct RocksDbPackStoreOptions {
  std::string path;             // the DB's directory; created when missing
  rocksdb::Env* env = nullptr;  // null = the real one
  // For `varve verify` and `inspect`: changes nothing on disk and can be opened beside the owner. Begin and
  // Drop are refused.
  bool read_only = false;
};

// kIoError / kCorruption name the path: in use, not writable, its manifest damaged.
Result<std::unique_ptr<PackStore>> OpenRocksDbPackStore(const RocksDbPackStoreOptions& options);

}  // namespace varve
