// Packs in a RocksDB of their own that is only ever ingested into: one pack = one SST file.
//
// Bytes on disk: docs/format.md, "packs DB". Why a DB of its own, and which of 7.8.3's options are
// off and why: rocksdb_pack_store.cc.
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
  std::string path;            // the DB's directory; created when missing
  rocksdb::Env* env = nullptr;  // null = the real one
  // For `varve verify` and `inspect`: changes nothing on disk, and opens although files are missing or
  // damaged, so that the rest can be read. Begin and Drop are refused.
  bool read_only = false;
};

// kIoError / kCorruption name the path: in use, not writable, a file missing or damaged.
Result<std::unique_ptr<PackStore>> OpenRocksDbPackStore(const RocksDbPackStoreOptions& options);

}  // namespace varve
