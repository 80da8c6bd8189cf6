// The name of a pack, and where its entries lie among the keys of the packs DB.
//
// Bytes on disk: docs/format.md, "packs DB". Keys sort by (class, bucket, shard, number, block).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace varve {

// Shards from this number on hold metrics; packs of theirs are metric packs, their buckets UTC days.
inline constexpr uint16_t kMetricShardFirst = 0x4000;

struct PackId {
  uint8_t retention_class = 0;
  int32_t bucket = 0;  // BucketOf(timestamp, EngineOptions::bucket_ns)
  uint16_t shard = 0;  // from kMetricShardFirst on: of metrics
  uint64_t number = 0;  // unique in the store, ascending; given by the engine

  auto operator<=>(const PackId&) const = default;
  bool is_metric() const { return shard >= kMetricShardFirst; }
  // "pack 17 (bucket 493712, shard 3)"
  std::string ToString() const;
};

// The block number under which a pack's directory is stored; blocks are numbered from 0.
inline constexpr uint32_t kPackDirectoryBlock = 0xFFFFFFFF;
inline constexpr size_t kPackKeySize = 19;

// floor(ts / bucket_ns), clamped to what the key can hold.
int32_t BucketOf(int64_t ts_ns, int64_t bucket_ns);

std::string PackKey(const PackId& id, uint32_t block);
// False when `key` is not one of ours.
bool ParsePackKey(std::string_view key, PackId* id, uint32_t* block);

}  // namespace varve
