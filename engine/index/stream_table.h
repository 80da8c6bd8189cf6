// All streams: label set ↔ dense ordinal ↔ fingerprint, and which labels select which streams.
//
// A fingerprint (u64) names a stream in packs: xxh3_64 of StreamKey(tenant, labels), plus one for each
// other stream already there (compared exactly). An ordinal is its dense number in this process.
// Streams are added and never removed while the process runs.
// Threads: thread-safe. References to labels stay valid until the table is destroyed. Resolving an
// ordinal takes no lock: whoever holds one got it from this table, after it was filled in.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/append_batch.h"
#include "engine/base/mutex.h"
#include "engine/base/status.h"
#include "engine/index/label_index.h"
#include "engine/model/labels.h"
#include "engine/model/matcher.h"

namespace varve {

struct StreamInfo {
  Labels labels;
  uint64_t fingerprint = 0;
  TenantId tenant = 0;
  // Where streams that look alike get near numbers: a hash of tenant and labels without those that
  // merely number instances (pod, host, filename…).
  uint64_t similarity = 0;
};

class StreamTable {
 public:
  // Stores a new stream's identity durably; called before the stream becomes visible, under a lock.
  using Persist =
      std::function<Status(std::string_view tenant, std::string_view canonical, uint64_t fingerprint)>;
  // Test hook: makes fingerprints collide. Null = xxh3_64.
  using Hash = uint64_t (*)(std::string_view);

  explicit StreamTable(Hash hash = nullptr);
  ~StreamTable();
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  Result<TenantId> InternTenant(std::string_view name) VARVE_EXCLUDES(mu_);
  Result<TenantId> FindTenant(std::string_view name) const VARVE_EXCLUDES(mu_);
  // A copy: the table of names may grow. "" for a tenant that was never seen, which readers may ask for.
  std::string TenantName(TenantId tenant) const VARVE_EXCLUDES(mu_);

  // The stream's ordinal, adding it (after `persist`) when it is new. kResourceExhausted when the
  // table is full (kStreamsMax).
  Result<StreamOrdinal> Intern(TenantId tenant, const Labels& labels, const Persist& persist)
      VARVE_EXCLUDES(mu_);
  // Adds a stream read from disk. kCorruption when its labels or fingerprint contradict another's.
  Status Load(std::string_view tenant, std::string_view canonical, uint64_t fingerprint) VARVE_EXCLUDES(mu_);

  const StreamInfo& Get(StreamOrdinal stream) const {
    return chunks_[stream / kChunkStreams].load(std::memory_order_acquire)[stream % kChunkStreams];
  }
  std::optional<StreamOrdinal> FindFingerprint(uint64_t fingerprint) const VARVE_EXCLUDES(mu_);

  // Ascending.
  std::vector<StreamOrdinal> Select(TenantId tenant, const std::vector<Matcher>& matchers) const
      VARVE_EXCLUDES(mu_);

  size_t size() const { return size_.load(std::memory_order_relaxed); }
  size_t IndexMemoryBytes() const VARVE_EXCLUDES(mu_);

  static constexpr size_t kStreamsMax = size_t{1} << 26;

 private:
  static constexpr size_t kChunkStreams = 4096;

  StreamOrdinal AddLocked(TenantId tenant, Labels labels, uint64_t fingerprint) VARVE_REQUIRES(mu_);
  TenantId InternTenantLocked(std::string_view name) VARVE_REQUIRES(mu_);
  // The stream, or the fingerprint a new one would get.
  std::optional<StreamOrdinal> FindLocked(TenantId tenant, const Labels& labels, uint64_t* fingerprint) const;

  const Hash hash_;
  mutable SharedMutex mu_;
  std::vector<std::string> tenant_names_ VARVE_GUARDED_BY(mu_);
  std::map<std::string, TenantId, std::less<>> tenants_ VARVE_GUARDED_BY(mu_);
  std::vector<LabelIndex> indexes_ VARVE_GUARDED_BY(mu_);  // by tenant
  std::unordered_map<uint64_t, StreamOrdinal> by_fingerprint_ VARVE_GUARDED_BY(mu_);
  // Chunks never move. A chunk pointer is written under mu_ with release, before any ordinal in it is
  // handed out; readers load with acquire.
  std::unique_ptr<std::atomic<StreamInfo*>[]> chunks_;
  std::vector<std::unique_ptr<StreamInfo[]>> owned_chunks_ VARVE_GUARDED_BY(mu_);
  std::atomic<size_t> size_{0};
};

}  // namespace varve
