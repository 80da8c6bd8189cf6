// The committed packs of a shard: what a reader needs to know to skip a pack without touching it.
//
// A catalog is immutable; a commit replaces it by a longer one. Readers hold a CatalogPack for as long
// as they may read the pack; a dropped pack's bytes are freed when nobody holds it any more.
// Bytes on disk: docs/format.md, "Pack summary".
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/meta/meta_store.h"
#include "engine/packs/metric_pack_directory.h"
#include "engine/packs/pack_directory.h"
#include "engine/packs/pack_id.h"

namespace varve {

struct PackSummary {
  int64_t min_ts_ns = 0;
  int64_t max_ts_ns = 0;
  uint64_t row_count = 0;
  uint64_t line_bytes = 0;
  uint64_t encoded_bytes = 0;
  uint32_t block_count = 0;
  uint32_t stream_count = 0;
  // The greatest number of a cut's pack whose rows are in it: its own number for a cut's pack. Says where
  // its rows stand in the order of arrival, and which delete requests came after them.
  uint64_t origin = 0;
  // Numbers, ascending, of the delete requests that a compaction has applied to its rows; of those only
  // that were not done when it was written.
  std::vector<uint64_t> deletes_applied;
  bool operator==(const PackSummary&) const = default;
};

struct CatalogPack {
  PackId id;
  PackSummary summary;
};

using CatalogPackPtr = std::shared_ptr<const CatalogPack>;
using Catalog = std::vector<CatalogPackPtr>;  // ascending by origin: in order of arrival

// `origin`: the pack's own number when it comes from a cut.
PackSummary SummaryOf(const PackDirectory& directory, uint64_t origin);
// Of a metric pack: rows are samples, streams are series, times are kept within what nanoseconds can say.
PackSummary SummaryOf(const MetricPackDirectory& directory, uint64_t origin);

MetaCommit::Pack EncodeCatalogPack(const CatalogPack& pack);
std::string EncodeCatalogKey(const PackId& id);
// kCorruption when the bytes are not what EncodeCatalogPack writes.
Result<CatalogPack> DecodeCatalogPack(const MetaCommit::Pack& bytes);

}  // namespace varve
