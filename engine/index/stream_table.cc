#include "engine/index/stream_table.h"

#include <xxhash.h>

#include <algorithm>

#include "engine/base/bytes.h"

namespace varve {
namespace {

uint64_t XxHash(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string IdentityKey(std::string_view tenant, std::string_view canonical) {
  std::string key;
  key.reserve(tenant.size() + canonical.size() + 2);
  PutLengthPrefixed(&key, tenant);
  key += canonical;
  return key;
}

// Labels that tell instances of one program apart; their lines look alike.
bool NumbersInstances(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "pod",     "pod_name",    "pod_uid",   "instance",     "host",        "hostname",
      "node",    "node_name",   "filename",  "container_id", "stream",      "uid",
      "replica", "instance_id", "host_name", "k8s_pod_name", "k8s_pod_uid", "service_instance_id"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

uint64_t SimilarityOf(TenantId tenant, const Labels& labels) {
  std::string bytes;
  PutFixed<uint32_t>(&bytes, tenant);
  for (const Label& label : labels) {
    if (NumbersInstances(label.name)) continue;
    PutLengthPrefixed(&bytes, label.name);
    PutLengthPrefixed(&bytes, label.value);
  }
  return XxHash(bytes);
}

}  // namespace

StreamTable::StreamTable(Hash hash)
    : hash_(hash == nullptr ? &XxHash : hash),
      chunks_(std::make_unique<std::atomic<StreamInfo*>[]>(kStreamsMax / kChunkStreams)) {}

StreamTable::~StreamTable() = default;

TenantId StreamTable::InternTenantLocked(std::string_view name) {
  if (const auto it = tenants_.find(name); it != tenants_.end()) return it->second;
  const auto tenant = static_cast<TenantId>(tenant_names_.size());
  tenant_names_.emplace_back(name);
  indexes_.emplace_back();
  tenants_.emplace(name, tenant);
  return tenant;
}

Result<TenantId> StreamTable::InternTenant(std::string_view name) {
  {
    const ReaderLock lock(mu_);
    if (const auto it = tenants_.find(name); it != tenants_.end()) return it->second;
  }
  const WriterLock lock(mu_);
  return InternTenantLocked(name);
}

Result<TenantId> StreamTable::FindTenant(std::string_view name) const {
  const ReaderLock lock(mu_);
  const auto it = tenants_.find(name);
  if (it == tenants_.end()) return NotFound("tenant '" + std::string(name) + "' has never been seen");
  return it->second;
}

std::string StreamTable::TenantName(TenantId tenant) const {
  const ReaderLock lock(mu_);
  return tenant < tenant_names_.size() ? tenant_names_[tenant] : std::string();
}

std::optional<StreamOrdinal> StreamTable::FindLocked(TenantId tenant, const Labels& labels,
                                                     uint64_t* fingerprint) const {
  for (;; ++*fingerprint) {
    const auto it = by_fingerprint_.find(*fingerprint);
    if (it == by_fingerprint_.end()) return std::nullopt;
    const StreamInfo& info = Get(it->second);
    if (info.tenant == tenant && info.labels == labels) return it->second;
  }
}

StreamOrdinal StreamTable::AddLocked(TenantId tenant, Labels labels, uint64_t fingerprint) {
  const size_t ordinal = size_.load(std::memory_order_relaxed);
  std::atomic<StreamInfo*>& chunk = chunks_[ordinal / kChunkStreams];
  if (ordinal % kChunkStreams == 0) {
    owned_chunks_.push_back(std::make_unique<StreamInfo[]>(kChunkStreams));
    chunk.store(owned_chunks_.back().get(), std::memory_order_release);
  }
  StreamInfo& info = chunk.load(std::memory_order_relaxed)[ordinal % kChunkStreams];
  info.similarity = SimilarityOf(tenant, labels);
  info.labels = std::move(labels);
  info.fingerprint = fingerprint;
  info.tenant = tenant;
  const auto stream = static_cast<StreamOrdinal>(ordinal);
  by_fingerprint_.emplace(fingerprint, stream);
  indexes_[tenant].Add(stream, info.labels);
  size_.store(ordinal + 1, std::memory_order_relaxed);
  return stream;
}

Result<StreamOrdinal> StreamTable::Intern(TenantId tenant, const Labels& labels, const Persist& persist) {
  const std::string canonical = labels.Canonical();
  const std::string tenant_name = TenantName(tenant);
  const uint64_t hash = hash_(IdentityKey(tenant_name, canonical));
  {
    const ReaderLock lock(mu_);
    uint64_t fingerprint = hash;
    if (const auto found = FindLocked(tenant, labels, &fingerprint)) return *found;
  }
  const WriterLock lock(mu_);
  uint64_t fingerprint = hash;
  if (const auto found = FindLocked(tenant, labels, &fingerprint)) return *found;
  if (size() >= kStreamsMax) return ResourceExhausted("the stream table is full: 67108864 streams");
  VARVE_RETURN_IF_ERROR(persist(tenant_name, canonical, fingerprint));
  return AddLocked(tenant, labels, fingerprint);
}

Status StreamTable::Load(std::string_view tenant, std::string_view canonical, uint64_t fingerprint) {
  Labels labels;
  if (!Labels::FromCanonical(canonical, &labels) || labels.empty()) {
    return Corruption("stream table: the labels of a stream of tenant '" + std::string(tenant) +
                      "' are malformed");
  }
  const WriterLock lock(mu_);
  if (by_fingerprint_.contains(fingerprint)) {
    return Corruption("stream table: two streams have the fingerprint " + std::to_string(fingerprint) +
                      ", one is " + labels.ToString());
  }
  if (size() >= kStreamsMax) return ResourceExhausted("the stream table is full: 67108864 streams");
  AddLocked(InternTenantLocked(tenant), std::move(labels), fingerprint);
  return Status::Ok();
}

std::optional<StreamOrdinal> StreamTable::FindFingerprint(uint64_t fingerprint) const {
  const ReaderLock lock(mu_);
  const auto it = by_fingerprint_.find(fingerprint);
  if (it == by_fingerprint_.end()) return std::nullopt;
  return it->second;
}

std::vector<StreamOrdinal> StreamTable::Select(TenantId tenant, const std::vector<Matcher>& matchers) const {
  const ReaderLock lock(mu_);
  if (tenant >= indexes_.size()) return {};
  return indexes_[tenant].Select(
      matchers, [this](StreamOrdinal stream) -> const Labels& { return Get(stream).labels; });
}

size_t StreamTable::IndexMemoryBytes() const {
  const ReaderLock lock(mu_);
  size_t bytes = 0;
  for (const LabelIndex& index : indexes_) bytes += index.MemoryBytes();
  return bytes;
}

}  // namespace varve
