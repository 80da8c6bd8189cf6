// Series by the bytes of their labels as senders write them, so that a known series costs one hash and one look
// into memory.
//
// The key is xxh3-128, with a secret of the process, of the label bytes, mixed with that of their scope (tenant,
// form, limits); 96 of its bits are compared, so an accidental clash has a probability of about 1e-15 at ten
// million aliases, and nobody outside knows the secret. Several spellings of one label set are several aliases of
// one series. At most kAliasesMax; then the table starts again, and series are interned again when they are next
// seen.
// Threads: thread-safe. Lookups take no lock: a request pins the table once and looks up in what it has pinned.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/base/mutex.h"
#include "engine/metric_batch.h"

namespace varve {

class SeriesAliasTable {
 public:
  static constexpr size_t kAliasesMax = size_t{1} << 23;  // 256 MiB

  struct Key {
    uint64_t high = 0;  // never 0
    uint32_t low = 0;
  };
  // 128 bits of hash.
  struct Scope {
    uint64_t low = 0;
    uint64_t high = 0;
  };

  SeriesAliasTable();
  // `aliases_max` is for tests.
  explicit SeriesAliasTable(size_t aliases_max);
  ~SeriesAliasTable();

  // What aliases of one kind share: they are found only under an equal scope.
  Scope MakeScope(std::string_view tenant, std::string_view kind) const;
  Key MakeKey(const Scope& scope, std::string_view labels) const;
  // Of any bytes, for keys that are made of several parts.
  Scope Hash(std::string_view bytes) const;

 private:
  struct Slots;

 public:
  // The table at one moment. What is inserted later may or may not be seen.
  class Pin {
   public:
    void Prefetch(const Key& key) const;
    std::optional<SeriesOrdinal> Find(const Key& key) const;

   private:
    friend class SeriesAliasTable;
    explicit Pin(std::shared_ptr<const Slots> slots) : slots_(std::move(slots)) {}
    std::shared_ptr<const Slots> slots_;
  };
  Pin MakePin() const VARVE_EXCLUDES(mu_);

  void Insert(const Key& key, SeriesOrdinal series) VARVE_EXCLUDES(mu_);
  size_t size() const VARVE_EXCLUDES(mu_);
  size_t MemoryBytes() const VARVE_EXCLUDES(mu_);

 private:
  const size_t aliases_max_;
  std::array<uint8_t, 192> secret_;  // constant after construction
  mutable Mutex mu_;
  std::shared_ptr<Slots> slots_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
