#include "ingest/series_alias_table.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <random>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varve {
namespace {

constexpr size_t kSlotsMin = 1024;

std::array<uint8_t, 192> RandomSecret() {
  static_assert(192 >= XXH3_SECRET_SIZE_MIN);
  std::random_device device;
  std::array<uint8_t, 192> secret;
  for (size_t i = 0; i < secret.size(); i += sizeof(uint32_t)) {
    const uint32_t word = device();
    std::memcpy(secret.data() + i, &word, sizeof(word));
  }
  return secret;
}

}  // namespace

// Open addressing, at most half full. A slot is written once: first `rest`, then `high`, which publishes it.
struct SeriesAliasTable::Slots {
  struct Slot {
    std::atomic<uint64_t> high{0};  // 0: free
    std::atomic<uint64_t> rest{0};  // the key's low half above the ordinal
  };

  explicit Slots(size_t count) : slots(count), mask(count - 1) {}

  // The slot that has the key, or the free one where it belongs.
  size_t IndexOf(const Key& key) const {
    size_t i = key.high & mask;
    while (true) {
      const uint64_t high = slots[i].high.load(std::memory_order_acquire);
      if (high == 0) return i;
      if (high == key.high && slots[i].rest.load(std::memory_order_relaxed) >> 32 == key.low) return i;
      i = (i + 1) & mask;
    }
  }
  void Put(uint64_t high, uint64_t rest) {
    Slot& slot = slots[IndexOf({high, static_cast<uint32_t>(rest >> 32)})];
    if (slot.high.load(std::memory_order_relaxed) != 0) return;  // a series keeps its number
    slot.rest.store(rest, std::memory_order_relaxed);
    slot.high.store(high, std::memory_order_release);
    ++used;
  }

  std::vector<Slot> slots;  // a power of two
  const size_t mask;
  size_t used = 0;  // guarded by the table's mutex
};

SeriesAliasTable::SeriesAliasTable() : SeriesAliasTable(kAliasesMax) {}

SeriesAliasTable::SeriesAliasTable(size_t aliases_max)
    : aliases_max_(std::max<size_t>(1, aliases_max)),
      secret_(RandomSecret()),
      slots_(std::make_shared<Slots>(kSlotsMin)) {}

SeriesAliasTable::~SeriesAliasTable() = default;

SeriesAliasTable::Scope SeriesAliasTable::Hash(std::string_view bytes) const {
  const XXH128_hash_t hash = XXH3_128bits_withSecret(bytes.data(), bytes.size(), secret_.data(), secret_.size());
  return {hash.low64, hash.high64};
}

SeriesAliasTable::Scope SeriesAliasTable::MakeScope(std::string_view tenant, std::string_view kind) const {
  const Scope parts[] = {Hash(tenant), Hash(kind)};
  return Hash({reinterpret_cast<const char*>(parts), sizeof(parts)});
}

SeriesAliasTable::Key SeriesAliasTable::MakeKey(const Scope& scope, std::string_view labels) const {
  const Scope hash = Hash(labels);
  const uint64_t high = hash.high ^ scope.high;
  return {high != 0 ? high : 1, static_cast<uint32_t>((hash.low ^ scope.low) >> 32)};
}

void SeriesAliasTable::Pin::Prefetch(const Key& key) const {
  __builtin_prefetch(&slots_->slots[key.high & slots_->mask]);
}

std::optional<SeriesOrdinal> SeriesAliasTable::Pin::Find(const Key& key) const {
  const Slots::Slot& slot = slots_->slots[slots_->IndexOf(key)];
  if (slot.high.load(std::memory_order_acquire) == 0) return std::nullopt;
  return static_cast<SeriesOrdinal>(slot.rest.load(std::memory_order_relaxed));
}

SeriesAliasTable::Pin SeriesAliasTable::MakePin() const {
  const MutexLock lock(mu_);
  return Pin(slots_);
}

void SeriesAliasTable::Insert(const Key& key, SeriesOrdinal series) {
  const MutexLock lock(mu_);
  if (slots_->used >= aliases_max_) {
    slots_ = std::make_shared<Slots>(kSlotsMin);
  } else if (2 * (slots_->used + 1) > slots_->slots.size()) {
    auto larger = std::make_shared<Slots>(2 * slots_->slots.size());
    for (const Slots::Slot& slot : slots_->slots) {
      const uint64_t high = slot.high.load(std::memory_order_relaxed);
      if (high != 0) larger->Put(high, slot.rest.load(std::memory_order_relaxed));
    }
    slots_ = std::move(larger);
  }
  slots_->Put(key.high, static_cast<uint64_t>(key.low) << 32 | series);
}

size_t SeriesAliasTable::size() const {
  const MutexLock lock(mu_);
  return slots_->used;
}

size_t SeriesAliasTable::MemoryBytes() const {
  const MutexLock lock(mu_);
  return slots_->slots.size() * sizeof(Slots::Slot);
}

}  // namespace varve
