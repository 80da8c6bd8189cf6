#include "engine/metrics/metadata_store.h"

#include "engine/base/bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varve {
namespace {

constexpr std::string_view kPrefix = "metadata/";
constexpr uint8_t kVersion = 1;

std::string KeyOf(std::string_view tenant, std::string_view metric) {
  std::string key(kPrefix);
  PutLengthPrefixed(&key, tenant);
  key += metric;
  return key;
}

std::string Encode(const MetricMetadata& item) {
  std::string out;
  out.push_back(static_cast<char>(kVersion));
  out.push_back(static_cast<char>(item.type));
  PutLengthPrefixed(&out, item.help);
  PutLengthPrefixed(&out, item.unit);
  PutFixed<uint64_t>(&out, XXH3_64bits(out.data(), out.size()));
  return out;
}

Status Decode(std::string_view value, MetricMetadata* item) {
  const Status damaged = Corruption("hot database: the metadata of metric " + item->metric + " is damaged");
  if (value.size() < sizeof(uint64_t)) return damaged.Clone();
  const std::string_view body = value.substr(0, value.size() - sizeof(uint64_t));
  ByteReader checksum(value.substr(body.size()));
  if (checksum.Fixed<uint64_t>() != XXH3_64bits(body.data(), body.size())) return damaged.Clone();
  ByteReader reader(body);
  if (reader.Fixed<uint8_t>() != kVersion) {
    return Corruption("hot database: the metadata of metric " + item->metric + " has an unknown version");
  }
  item->type = static_cast<MetricType>(reader.Fixed<uint8_t>());
  item->help = reader.LengthPrefixed();
  item->unit = reader.LengthPrefixed();
  return reader.AtEnd() ? Status::Ok() : damaged.Clone();
}

}  // namespace

Status MetadataStore::Load() {
  const MutexLock lock(mu_);
  return meta_->ForEachRecord(kPrefix, [&](std::string_view key, std::string_view value) -> Status {
    ByteReader reader(key.substr(kPrefix.size()));
    const std::string tenant(reader.LengthPrefixed());
    MetricMetadata item;
    item.metric = reader.Bytes(reader.remaining());
    if (!reader.AtEnd()) return Corruption("hot database: the key of a metric's metadata is malformed");
    VARVE_RETURN_IF_ERROR(Decode(value, &item));
    tenants_[tenant][item.metric] = std::move(item);
    return Status::Ok();
  });
}

Status MetadataStore::Put(std::string_view tenant, std::span<const MetricMetadata> items) {
  if (items.empty()) return Status::Ok();
  const MutexLock lock(mu_);
  ByMetric& known = tenants_.try_emplace(std::string(tenant)).first->second;
  std::vector<MetaStore::Record> put;
  for (const MetricMetadata& item : items) {
    const auto at = known.find(item.metric);
    if (at != known.end() && at->second == item) continue;
    if (at == known.end() && known.size() >= metrics_max_) {
      ++left_out_;
      continue;
    }
    known[item.metric] = item;
    put.push_back({.key = KeyOf(tenant, item.metric), .value = Encode(item)});
  }
  return put.empty() ? Status::Ok() : meta_->WriteRecords(put, {});
}

std::vector<MetricMetadata> MetadataStore::Select(std::string_view tenant, std::string_view metric) const {
  const MutexLock lock(mu_);
  std::vector<MetricMetadata> out;
  const auto known = tenants_.find(tenant);
  if (known == tenants_.end()) return out;
  if (!metric.empty()) {
    const auto item = known->second.find(metric);
    if (item != known->second.end()) out.push_back(item->second);
    return out;
  }
  for (const auto& [name, item] : known->second) out.push_back(item);
  return out;
}

uint64_t MetadataStore::left_out() const {
  const MutexLock lock(mu_);
  return left_out_;
}

}  // namespace varve
