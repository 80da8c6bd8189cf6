#include "engine/compaction_plan.h"

#include <algorithm>
#include <map>
#include <utility>

namespace varve {
namespace {

constexpr size_t kOpenPacksMin = 8;
constexpr size_t kPastPacksMin = 2;

bool Overlap(const PackSummary& a, const PackSummary& b) {
  return a.min_ts_ns <= b.max_ts_ns && b.min_ts_ns <= a.max_ts_ns;
}

// Whether `next` may join the run: no `foreign` pack (of another bucket; by origin) would change places with
// rows of its own times.
bool KeepsOrder(const Catalog& foreign, std::span<const CatalogPackPtr> run, const CatalogPack& next) {
  for (const CatalogPackPtr& other : foreign) {
    const uint64_t origin = other->summary.origin;
    if (origin <= run.back()->summary.origin) continue;  // looked at when the run grew
    if (origin >= next.summary.origin) break;
    if (std::any_of(run.begin(), run.end(), [&](const CatalogPackPtr& input) {
          return Overlap(input->summary, other->summary);
        })) {
      return false;
    }
  }
  return true;
}

// The packs that lie in other buckets or classes and yet overlap `packs` in time; by origin.
Catalog ForeignPacks(const Catalog& catalog, std::span<const CatalogPackPtr> packs) {
  PackSummary span = packs.front()->summary;
  for (const CatalogPackPtr& pack : packs) {
    span.min_ts_ns = std::min(span.min_ts_ns, pack->summary.min_ts_ns);
    span.max_ts_ns = std::max(span.max_ts_ns, pack->summary.max_ts_ns);
  }
  const PackId& home = packs.front()->id;
  Catalog foreign;
  for (const CatalogPackPtr& pack : catalog) {
    const bool at_home = pack->id.bucket == home.bucket && pack->id.retention_class == home.retention_class;
    if (!at_home && Overlap(pack->summary, span)) foreign.push_back(pack);
  }
  return foreign;
}

struct Run {
  size_t begin = 0;
  size_t end = 0;
  uint64_t bytes = 0;
  size_t size() const { return end - begin; }
};

// The best run of a bucket's packs (in order of arrival); one of size 0 when none is worth it.
Run BestRun(const Catalog& catalog, std::span<const CatalogPackPtr> packs, bool past,
            const CompactionRules& rules) {
  Run best;
  const Catalog foreign = ForeignPacks(catalog, packs);
  LiveDeletes hiding;  // those that matter here
  for (const LiveDeletePtr& live : rules.hiding) {
    if (!MayMerge(*live, packs)) hiding.push_back(live);
  }
  const size_t packs_min = past || rules.all ? kPastPacksMin : kOpenPacksMin;
  for (size_t begin = 0; begin + packs_min <= packs.size(); ++begin) {
    if (rules.excluded(*packs[begin])) continue;
    uint64_t bytes = packs[begin]->summary.encoded_bytes;
    uint64_t largest = bytes;
    for (size_t end = begin + 1; end < packs.size() && end - begin < rules.inputs_max; ++end) {
      const CatalogPack& next = *packs[end];
      const auto run = packs.subspan(begin, end + 1 - begin);
      bytes += next.summary.encoded_bytes;
      largest = std::max(largest, next.summary.encoded_bytes);
      if (rules.excluded(next) || bytes > rules.pack_bytes_max ||
          !KeepsOrder(foreign, run.first(run.size() - 1), next) ||
          !std::all_of(hiding.begin(), hiding.end(),
                       [&](const LiveDeletePtr& live) { return MayMerge(*live, run); })) {
        break;
      }
      const bool grows =
          rules.all || (past ? largest * 4 <= bytes * 3 : largest * 2 <= bytes);
      if (run.size() < packs_min || !grows) continue;
      // The more packs go the better; of as many, the cheaper.
      if (run.size() > best.size() || (run.size() == best.size() && bytes < best.bytes)) {
        best = {.begin = begin, .end = end + 1, .bytes = bytes};
      }
    }
  }
  return best;
}

}  // namespace

bool MayMerge(const LiveDelete& hiding, std::span<const CatalogPackPtr> inputs) {
  const auto concerned = [&](const CatalogPackPtr& pack) { return hiding.Concerns(pack->summary); };
  if (std::none_of(inputs.begin(), inputs.end(), concerned)) return true;
  const uint64_t number = hiding.request.number;
  return std::all_of(inputs.begin(), inputs.end(), [&](const CatalogPackPtr& pack) {
    const std::vector<uint64_t>& applied = pack->summary.deletes_applied;
    return pack->summary.origin <= hiding.request.through &&
           !std::binary_search(applied.begin(), applied.end(), number);
  });
}

std::vector<CatalogPackPtr> NextCompaction(const Catalog& catalog, const CompactionRules& rules) {
  std::map<std::pair<uint8_t, int32_t>, std::vector<CatalogPackPtr>> buckets;
  for (const CatalogPackPtr& pack : catalog) {
    buckets[{pack->id.retention_class, pack->id.bucket}].push_back(pack);
  }
  for (const auto& [key, packs] : buckets) {
    if (packs.size() < kPastPacksMin) continue;
    const int64_t bucket = key.second;
    const bool past = (rules.now_ns - rules.cut_age_ns) / rules.bucket_ns > bucket;
    const Run best = BestRun(catalog, packs, past, rules);
    if (best.size() != 0) {
      return {packs.begin() + static_cast<ptrdiff_t>(best.begin),
              packs.begin() + static_cast<ptrdiff_t>(best.end)};
    }
  }
  for (const CatalogPackPtr& pack : catalog) {
    if (!rules.excluded(*pack) && rules.must_rewrite(*pack)) return {pack};
  }
  return {};
}

}  // namespace varve
