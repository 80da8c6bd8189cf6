#include "ingest/stream_alias_table.h"

#include <algorithm>
#include <cstring>
#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varve {
namespace {

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

StreamAliasTable::StreamAliasTable() : StreamAliasTable(kAliasesMax) {}

StreamAliasTable::StreamAliasTable(size_t aliases_max)
    : part_max_(std::max<size_t>(1, aliases_max / kParts)), secret_(RandomSecret()) {}

StreamAliasTable::Key StreamAliasTable::MakeKey(std::string_view tenant, std::string_view options,
                                                LabelForm form, std::string_view labels) const {
  // The prefix is hashed first and fixed in size, so that no choice of tenant and labels reads as another.
  const XXH128_hash_t scope = [&] {
    const XXH128_hash_t t =
        XXH3_128bits_withSecret(tenant.data(), tenant.size(), secret_.data(), secret_.size());
    const XXH128_hash_t o =
        XXH3_128bits_withSecret(options.data(), options.size(), secret_.data(), secret_.size());
    const uint64_t both[] = {t.low64, t.high64, o.low64, o.high64, static_cast<uint64_t>(form)};
    return XXH3_128bits_withSecret(both, sizeof(both), secret_.data(), secret_.size());
  }();
  const XXH128_hash_t own =
      XXH3_128bits_withSecret(labels.data(), labels.size(), secret_.data(), secret_.size());
  const uint64_t all[] = {scope.low64, scope.high64, own.low64, own.high64};
  const XXH128_hash_t hash = XXH3_128bits_withSecret(all, sizeof(all), secret_.data(), secret_.size());
  return {hash.low64, hash.high64};
}

std::shared_ptr<const StreamFacts> StreamAliasTable::Find(const Key& key) const {
  const Part& part = PartOf(key);
  ReaderLock lock(part.mu);
  const auto found = part.facts.find(key);
  return found == part.facts.end() ? nullptr : found->second;
}

void StreamAliasTable::Insert(const Key& key, std::shared_ptr<const StreamFacts> facts) {
  Part& part = PartOf(key);
  WriterLock lock(part.mu);
  if (part.facts.size() >= part_max_) part.facts.clear();
  part.facts.insert_or_assign(key, std::move(facts));
}

size_t StreamAliasTable::size() const {
  size_t total = 0;
  for (const Part& part : parts_) {
    ReaderLock lock(part.mu);
    total += part.facts.size();
  }
  return total;
}

}  // namespace varve
