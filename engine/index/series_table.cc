#include "engine/index/series_table.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <span>

#include "engine/base/bytes.h"
#include "engine/base/mutex.h"
#include "engine/index/metric_index.h"
#include "engine/index/symbol_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varve {
namespace {

constexpr int64_t kDayMs = 24LL * 3600 * 1000;
constexpr uint32_t kFree = 0xFFFFFFFF;

uint64_t XxHash(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string IdentityKey(std::string_view tenant, std::string_view canonical) {
  std::string key;
  key.reserve(tenant.size() + canonical.size() + 2);
  PutLengthPrefixed(&key, tenant);
  key += canonical;
  return key;
}

// Decides a series' shard, hence must be the same after every start: tenants are named, their numbers change.
uint32_t TargetOf(std::string_view tenant_name, const PackedLabels& labels) {
  std::string bytes;
  PutLengthPrefixed(&bytes, tenant_name);
  PutLengthPrefixed(&bytes, labels.Get("job"));
  PutLengthPrefixed(&bytes, labels.Get("instance"));
  return static_cast<uint32_t>(XxHash(bytes));
}

// One series. `pairs` lie in an arena and never move.
struct Entry {
  SeriesInfo info;
  const LabelPair* pairs = nullptr;
  uint32_t pair_count = 0;
  // A day that is marked; written under the lock, read without it to spare it.
  std::atomic<int32_t> marked_day{INT32_MIN};
  int32_t counted_day = INT32_MIN;  // the day of `last_active` under which the series is counted

  std::span<const LabelPair> labels() const { return {pairs, pair_count}; }
};

// Of the first series_count series, the place of each in the order of labels.
struct Ranking {
  std::vector<uint32_t> rank;
};

}  // namespace

DayRange DaysOf(MetricRange range) { return {DayOf(range.min_ms), DayOf(range.max_ms)}; }

int32_t DayOf(int64_t ts_ms) {
  if (ts_ms == INT64_MIN) return INT32_MIN;
  if (ts_ms == INT64_MAX) return INT32_MAX;
  const int64_t day = ts_ms >= 0 ? ts_ms / kDayMs : (ts_ms + 1) / kDayMs - 1;
  return static_cast<int32_t>(std::clamp<int64_t>(day, INT32_MIN, INT32_MAX));
}

struct SeriesTable::Impl {
  static constexpr size_t kChunkSeries = 4096;
  static constexpr size_t kArenaPairs = 8192;
  static constexpr size_t kUnrankedMax = 4096;

  explicit Impl(Hash hash_function)
      : hash(hash_function == nullptr ? &XxHash : hash_function),
        chunks(std::make_unique<std::atomic<Entry*>[]>(kSeriesMax / kChunkSeries)),
        slots(1024, kFree),
        ranking(std::make_shared<Ranking>()) {}

  Entry& Get(SeriesOrdinal series) const {
    return chunks[series / kChunkSeries].load(std::memory_order_acquire)[series % kChunkSeries];
  }
  std::string CanonicalOf(SeriesOrdinal series) const {
    std::string out;
    for (const LabelPair& pair : Get(series).labels()) {
      PutLengthPrefixed(&out, symbols.Text(pair.name));
      PutLengthPrefixed(&out, symbols.Text(pair.value));
    }
    return out;
  }

  // Where the fingerprint is, or the free slot where it belongs.
  size_t SlotOf(uint64_t fingerprint) const VARVE_REQUIRES_SHARED(mu) {
    const size_t mask = slots.size() - 1;
    size_t slot = fingerprint & mask;
    while (slots[slot] != kFree && Get(slots[slot]).info.fingerprint != fingerprint) slot = (slot + 1) & mask;
    return slot;
  }
  // The series, or the fingerprint that a new one gets.
  std::optional<SeriesOrdinal> FindLocked(TenantId tenant, std::string_view tenant_name, std::string_view canonical,
                                          uint64_t* fingerprint) const VARVE_REQUIRES_SHARED(mu) {
    for (*fingerprint = hash(IdentityKey(tenant_name, canonical));; ++*fingerprint) {
      const uint32_t series = slots[SlotOf(*fingerprint)];
      if (series == kFree) return std::nullopt;
      if (Get(series).info.tenant == tenant && CanonicalOf(series) == canonical) return series;
    }
  }
  Result<SeriesOrdinal> AddLocked(TenantId tenant, std::string_view tenant_name, const PackedLabels& labels,
                                  uint64_t fingerprint) VARVE_REQUIRES(mu);
  const LabelPair* StorePairs(std::span<const LabelPair> pairs) VARVE_REQUIRES(mu);
  void MarkLocked(Entry* entry, SeriesOrdinal series, DayRange marked) VARVE_REQUIRES(mu);
  void CountActiveLocked(Entry* entry, int32_t day) VARVE_REQUIRES(mu);
  uint64_t ActiveLocked(TenantId tenant, int32_t since) const VARVE_REQUIRES_SHARED(mu);

  bool LabelsBefore(SeriesOrdinal a, SeriesOrdinal b) const;
  // Puts ordinals in the order of their labels.
  void Sort(std::vector<SeriesOrdinal>* ordinals) const VARVE_REQUIRES_SHARED(mu) VARVE_EXCLUDES(ranking_mu);
  std::shared_ptr<const Ranking> CurrentRanking() const VARVE_REQUIRES_SHARED(mu) VARVE_EXCLUDES(ranking_mu);
  std::vector<SeriesOrdinal> SelectLocked(TenantId tenant, const std::vector<Matcher>& matchers,
                                          DayRange range) const VARVE_REQUIRES_SHARED(mu);

  const Hash hash;
  mutable SharedMutex mu;
  SymbolTable symbols;  // changed under mu
  // Chunks never move; a chunk pointer is written under mu with release, before an ordinal in it is handed out.
  std::unique_ptr<std::atomic<Entry*>[]> chunks;
  std::vector<std::unique_ptr<Entry[]>> owned_chunks VARVE_GUARDED_BY(mu);
  std::vector<std::unique_ptr<LabelPair[]>> arenas VARVE_GUARDED_BY(mu);
  size_t arena_used VARVE_GUARDED_BY(mu) = kArenaPairs;
  std::vector<uint32_t> slots VARVE_GUARDED_BY(mu);  // by fingerprint; a power of two, at most 3/4 full
  std::map<TenantId, MetricIndex> indexes VARVE_GUARDED_BY(mu);
  SeriesDays days VARVE_GUARDED_BY(mu);
  // How many series of a tenant were last active on a day.
  std::map<std::pair<TenantId, int32_t>, uint64_t> last_active VARVE_GUARDED_BY(mu);
  std::atomic<size_t> size{0};

  mutable Mutex ranking_mu;  // after mu
  mutable std::shared_ptr<const Ranking> ranking VARVE_GUARDED_BY(ranking_mu);
};

const LabelPair* SeriesTable::Impl::StorePairs(std::span<const LabelPair> pairs) {
  if (pairs.size() > kArenaPairs - arena_used) {
    const size_t room = std::max(kArenaPairs, pairs.size());
    arenas.push_back(std::make_unique_for_overwrite<LabelPair[]>(room));
    arena_used = room == kArenaPairs ? 0 : kArenaPairs;  // one of unusual size is full at once
    if (room != kArenaPairs) {
      std::copy(pairs.begin(), pairs.end(), arenas.back().get());
      return arenas.back().get();
    }
  }
  LabelPair* const at = arenas.back().get() + arena_used;
  std::copy(pairs.begin(), pairs.end(), at);
  arena_used += pairs.size();
  return at;
}

Result<SeriesOrdinal> SeriesTable::Impl::AddLocked(TenantId tenant, std::string_view tenant_name,
                                                   const PackedLabels& labels, uint64_t fingerprint) {
  const size_t series = size.load(std::memory_order_relaxed);
  if (series == kSeriesMax) return ResourceExhausted("the table of series is full");
  std::vector<LabelPair> pairs;
  for (const LabelView& label : labels) {
    const std::optional<SymbolId> name = symbols.Intern(label.name);
    const std::optional<SymbolId> value = symbols.Intern(label.value);
    if (!name.has_value() || !value.has_value()) return ResourceExhausted("the table of label texts is full");
    pairs.push_back({*name, *value});
  }
  if ((series + 1) * 4 > slots.size() * 3) {
    std::vector<uint32_t> old(slots.size() * 2, kFree);
    old.swap(slots);
    for (const uint32_t known : old) {
      if (known != kFree) slots[SlotOf(Get(known).info.fingerprint)] = known;
    }
  }
  if (series % kChunkSeries == 0) {
    owned_chunks.push_back(std::make_unique<Entry[]>(kChunkSeries));
    chunks[series / kChunkSeries].store(owned_chunks.back().get(), std::memory_order_release);
  }
  const auto ordinal = static_cast<SeriesOrdinal>(series);
  Entry& entry = owned_chunks.back()[series % kChunkSeries];
  entry.info = {.fingerprint = fingerprint, .tenant = tenant, .target = TargetOf(tenant_name, labels)};
  entry.pairs = StorePairs(pairs);
  entry.pair_count = static_cast<uint32_t>(pairs.size());
  slots[SlotOf(fingerprint)] = ordinal;
  indexes[tenant].Add(ordinal, entry.labels());
  size.store(series + 1, std::memory_order_release);
  return ordinal;
}

void SeriesTable::Impl::CountActiveLocked(Entry* entry, int32_t day) {
  const int32_t before = entry->counted_day;
  if (day <= before) return;
  if (before != INT32_MIN) {
    const auto count = last_active.find({entry->info.tenant, before});
    if (--count->second == 0) last_active.erase(count);
  }
  ++last_active[{entry->info.tenant, day}];
  entry->counted_day = day;
}

void SeriesTable::Impl::MarkLocked(Entry* entry, SeriesOrdinal series, DayRange marked) {
  days.Mark(series, marked);
  CountActiveLocked(entry, marked.last);
  entry->marked_day.store(marked.last, std::memory_order_relaxed);
}

uint64_t SeriesTable::Impl::ActiveLocked(TenantId tenant, int32_t since) const {
  uint64_t active = 0;
  for (auto it = last_active.lower_bound({tenant, since}); it != last_active.end() && it->first.first == tenant; ++it) {
    active += it->second;
  }
  return active;
}

bool SeriesTable::Impl::LabelsBefore(SeriesOrdinal a, SeriesOrdinal b) const {
  const std::span<const LabelPair> left = Get(a).labels();
  const std::span<const LabelPair> right = Get(b).labels();
  const size_t common = std::min(left.size(), right.size());
  for (size_t i = 0; i < common; ++i) {
    if (left[i] == right[i]) continue;
    if (left[i].name != right[i].name) return symbols.Text(left[i].name) < symbols.Text(right[i].name);
    return symbols.Text(left[i].value) < symbols.Text(right[i].value);
  }
  return left.size() < right.size();
}

std::shared_ptr<const Ranking> SeriesTable::Impl::CurrentRanking() const {
  const size_t count = size.load(std::memory_order_acquire);
  const MutexLock lock(ranking_mu);
  const size_t ranked = ranking->rank.size();
  if (count - ranked <= std::max(kUnrankedMax, ranked / 4)) return ranking;
  const auto before = [this](SeriesOrdinal a, SeriesOrdinal b) { return LabelsBefore(a, b); };
  std::vector<SeriesOrdinal> order(count);
  for (SeriesOrdinal i = 0; i < ranked; ++i) order[ranking->rank[i]] = i;
  for (size_t i = ranked; i < count; ++i) order[i] = static_cast<SeriesOrdinal>(i);
  const auto unranked = order.begin() + static_cast<std::ptrdiff_t>(ranked);
  std::sort(unranked, order.end(), before);
  std::inplace_merge(order.begin(), unranked, order.end(), before);
  auto next = std::make_shared<Ranking>();
  next->rank.resize(count);
  for (size_t i = 0; i < count; ++i) next->rank[order[i]] = static_cast<uint32_t>(i);
  ranking = next;
  return next;
}

void SeriesTable::Impl::Sort(std::vector<SeriesOrdinal>* ordinals) const {
  const auto before = [this](SeriesOrdinal a, SeriesOrdinal b) { return LabelsBefore(a, b); };
  const std::shared_ptr<const Ranking> current = CurrentRanking();
  const std::vector<uint32_t>& rank = current->rank;
  // Ordinals are ascending, so those without a rank are at the end.
  const auto unranked = std::lower_bound(ordinals->begin(), ordinals->end(), rank.size());
  std::sort(ordinals->begin(), unranked, [&](SeriesOrdinal a, SeriesOrdinal b) { return rank[a] < rank[b]; });
  std::sort(unranked, ordinals->end(), before);
  std::inplace_merge(ordinals->begin(), unranked, ordinals->end(), before);
}

std::vector<SeriesOrdinal> SeriesTable::Impl::SelectLocked(TenantId tenant, const std::vector<Matcher>& matchers,
                                                           DayRange range) const {
  const auto index = indexes.find(tenant);
  if (index == indexes.end()) return {};
  std::vector<SeriesOrdinal> out =
      index->second.Select(matchers, symbols, [this](SeriesOrdinal series) { return Get(series).labels(); });
  if (!range.IsUnbounded()) days.Filter(range, &out);
  return out;
}

SeriesTable::SeriesTable(Hash hash) : impl_(std::make_unique<Impl>(hash)) {}
SeriesTable::~SeriesTable() = default;

Result<SeriesOrdinal> SeriesTable::Intern(TenantId tenant, std::string_view tenant_name, const PackedLabels& labels,
                                          uint64_t series_max, int32_t today, const Persist& persist) {
  uint64_t fingerprint = 0;
  {
    const ReaderLock lock(impl_->mu);
    const auto known = impl_->FindLocked(tenant, tenant_name, labels.canonical(), &fingerprint);
    if (known.has_value()) return *known;
  }
  const WriterLock lock(impl_->mu);
  const auto known = impl_->FindLocked(tenant, tenant_name, labels.canonical(), &fingerprint);
  if (known.has_value()) return *known;
  const int32_t since = today == INT32_MIN ? today : today - 1;
  if (series_max != 0 && impl_->ActiveLocked(tenant, since) >= series_max) {
    const NamedCount widest = impl_->indexes[tenant].WidestLabel(impl_->symbols);
    return ResourceExhausted("the limit of " + std::to_string(series_max) + " active series is reached; label \"" +
                             widest.name + "\" has the most values: " + std::to_string(widest.count));
  }
  VARVE_RETURN_IF_ERROR(persist(labels.canonical(), fingerprint));
  Result<SeriesOrdinal> series = impl_->AddLocked(tenant, tenant_name, labels, fingerprint);
  if (series.ok()) impl_->CountActiveLocked(&impl_->Get(*series), today);
  return series;
}

Status SeriesTable::Load(TenantId tenant, std::string_view tenant_name, std::string_view canonical,
                         uint64_t fingerprint) {
  Labels labels;
  if (!Labels::FromCanonical(canonical, &labels)) return Corruption("the labels of a series cannot be read");
  const WriterLock lock(impl_->mu);
  const uint32_t other = impl_->slots[impl_->SlotOf(fingerprint)];
  if (other != kFree) {
    if (impl_->Get(other).info.tenant == tenant && impl_->CanonicalOf(other) == canonical) return Status::Ok();
    return Corruption("series " + labels.ToString() + " of tenant " + std::string(tenant_name) +
                      " has the fingerprint of another series");
  }
  const Result<SeriesOrdinal> added =
      impl_->AddLocked(tenant, tenant_name, PackedLabels::FromCanonical(std::string(canonical)), fingerprint);
  return added.ok() ? Status::Ok() : added.status().Clone();
}

const SeriesInfo& SeriesTable::Get(SeriesOrdinal series) const { return impl_->Get(series).info; }

PackedLabels SeriesTable::LabelsOf(SeriesOrdinal series) const {
  return PackedLabels::FromCanonical(impl_->CanonicalOf(series));
}

std::optional<SeriesOrdinal> SeriesTable::FindFingerprint(uint64_t fingerprint) const {
  const ReaderLock lock(impl_->mu);
  const uint32_t series = impl_->slots[impl_->SlotOf(fingerprint)];
  if (series == kFree) return std::nullopt;
  return series;
}

size_t SeriesTable::size() const { return impl_->size.load(std::memory_order_acquire); }

void SeriesTable::MarkActive(SeriesOrdinal series, DayRange days) {
  Entry& entry = impl_->Get(series);
  if (days.first == days.last && entry.marked_day.load(std::memory_order_relaxed) == days.last) return;
  {
    const ReaderLock lock(impl_->mu);
    if (days.first == days.last && impl_->days.Has(series, days.first)) return;
  }
  const WriterLock lock(impl_->mu);
  impl_->MarkLocked(&entry, series, days);
}

std::vector<SeriesOrdinal> SeriesTable::Select(TenantId tenant, const std::vector<Matcher>& matchers,
                                               DayRange days) const {
  const ReaderLock lock(impl_->mu);
  std::vector<SeriesOrdinal> out = impl_->SelectLocked(tenant, matchers, days);
  impl_->Sort(&out);
  return out;
}

std::vector<std::string> SeriesTable::LabelNames(TenantId tenant, const std::vector<Matcher>& matchers,
                                                 DayRange days) const {
  const ReaderLock lock(impl_->mu);
  const auto index = impl_->indexes.find(tenant);
  if (index == impl_->indexes.end()) return {};
  if (matchers.empty() && days.IsUnbounded()) return index->second.LabelNames(impl_->symbols);
  std::set<SymbolId> names;
  for (const SeriesOrdinal series : impl_->SelectLocked(tenant, matchers, days)) {
    for (const LabelPair& pair : impl_->Get(series).labels()) names.insert(pair.name);
  }
  std::vector<std::string> out;
  for (const SymbolId name : names) out.emplace_back(impl_->symbols.Text(name));
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> SeriesTable::LabelValues(TenantId tenant, std::string_view name,
                                                  const std::vector<Matcher>& matchers, DayRange days) const {
  const ReaderLock lock(impl_->mu);
  const auto index = impl_->indexes.find(tenant);
  const std::optional<SymbolId> id = impl_->symbols.Find(name);
  if (index == impl_->indexes.end() || !id.has_value()) return {};
  if (matchers.empty() && days.IsUnbounded()) return index->second.LabelValues(impl_->symbols, name);
  std::set<SymbolId> values;
  for (const SeriesOrdinal series : impl_->SelectLocked(tenant, matchers, days)) {
    for (const LabelPair& pair : impl_->Get(series).labels()) {
      if (pair.name == *id) values.insert(pair.value);
    }
  }
  std::vector<std::string> out;
  for (const SymbolId value : values) out.emplace_back(impl_->symbols.Text(value));
  std::sort(out.begin(), out.end());
  return out;
}

CardinalityReport SeriesTable::Cardinality(TenantId tenant, size_t limit) const {
  const ReaderLock lock(impl_->mu);
  CardinalityReport report;
  const auto index = impl_->indexes.find(tenant);
  if (index != impl_->indexes.end()) index->second.Describe(impl_->symbols, limit, &report);
  return report;
}

size_t SeriesTable::MemoryBytes() const {
  const ReaderLock lock(impl_->mu);
  size_t bytes = impl_->symbols.MemoryBytes() + impl_->days.MemoryBytes() + impl_->slots.size() * sizeof(uint32_t) +
                 impl_->owned_chunks.size() * Impl::kChunkSeries * sizeof(Entry) +
                 impl_->arenas.size() * Impl::kArenaPairs * sizeof(LabelPair);
  for (const auto& [tenant, index] : impl_->indexes) bytes += index.MemoryBytes();
  return bytes;
}

}  // namespace varve
