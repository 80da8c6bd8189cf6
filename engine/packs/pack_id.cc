#include "engine/packs/pack_id.h"

#include <algorithm>
#include <limits>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace varve {

namespace {
constexpr uint32_t kBucketBias = 1U << 31;  // so that buckets before 1970 sort first
}  // namespace

std::string PackId::ToString() const {
  std::string text = "pack " + std::to_string(number) + " (bucket " + std::to_string(bucket) + ", shard " +
                     std::to_string(shard);
  if (retention_class != 0) text += ", class " + std::to_string(retention_class);
  return text + ")";
}

int32_t BucketOf(int64_t ts_ns, int64_t bucket_ns) {
  VARVE_CHECK(bucket_ns > 0);
  int64_t bucket = ts_ns / bucket_ns;
  if (ts_ns % bucket_ns < 0) --bucket;
  return static_cast<int32_t>(
      std::clamp<int64_t>(bucket, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

std::string PackKey(const PackId& id, uint32_t block) {
  std::string key;
  key.reserve(kPackKeySize);
  key.push_back(static_cast<char>(id.retention_class));
  PutBigEndian32(&key, static_cast<uint32_t>(id.bucket) ^ kBucketBias);
  PutBigEndian16(&key, id.shard);
  PutBigEndian64(&key, id.number);
  PutBigEndian32(&key, block);
  return key;
}

bool ParsePackKey(std::string_view key, PackId* id, uint32_t* block) {
  ByteReader reader(key);
  id->retention_class = reader.Fixed<uint8_t>();
  id->bucket = static_cast<int32_t>(reader.BigEndian32() ^ kBucketBias);
  id->shard = reader.BigEndian16();
  id->number = reader.BigEndian64();
  *block = reader.BigEndian32();
  return reader.AtEnd();
}

}  // namespace varve
