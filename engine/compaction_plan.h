// Which packs of a shard to merge next.
//
// Only neighbours in the order of arrival, of one retention class and bucket, are merged, so that rows of equal
// time keep their order; a neighbour that lies in another bucket counts when it overlaps in time. Never merged
// are packs of which a delete request that is still only hiding covers some and not the others.
//
// The rule that bounds what is written again:
//   a bucket that still fills     8 packs or more, the largest at most half of them all
//   a bucket that is past         2 packs or more, the largest at most three quarters of them all
// So each time a byte is written again it ends up in a pack twice (4/3 times) the size of the one it came from,
// and up to `pack_bytes_max`: a logarithmic number of times. `all` merges whatever can be, for an operator who
// asks for it.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/hidden_rows.h"
#include "engine/pack_catalog.h"

namespace varve {

struct CompactionRules {
  int64_t now_ns = 0;
  int64_t bucket_ns = 1;
  int64_t cut_age_ns = 0;  // a bucket is past when its end is this long ago
  size_t inputs_max = 32;
  uint64_t pack_bytes_max = uint64_t{1} << 30;  // encoded
  bool all = false;
  // Packs that must be left alone (they turned out to be damaged).
  std::function<bool(const CatalogPack&)> excluded = [](const CatalogPack&) { return false; };
  // Packs that must be written again even on their own: a request that may remove rows concerns them.
  std::function<bool(const CatalogPack&)> must_rewrite = [](const CatalogPack&) { return false; };
  LiveDeletes hiding;  // requests that may not remove rows yet
};

// Whether `inputs` may become one pack as far as a request is concerned that may not remove rows yet.
bool MayMerge(const LiveDelete& hiding, std::span<const CatalogPackPtr> inputs);

// The packs to merge next, in order of arrival (one alone: to be written again); empty when there is nothing
// to do.
std::vector<CatalogPackPtr> NextCompaction(const Catalog& catalog, const CompactionRules& rules);

}  // namespace varve
