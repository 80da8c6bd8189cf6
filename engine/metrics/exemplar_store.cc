#include "engine/metrics/exemplar_store.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "engine/base/bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varve {
namespace {

constexpr std::string_view kPrefix = "exemplar/";
constexpr uint8_t kVersion = 1;

std::string KeyOf(uint64_t number) {
  std::string key(kPrefix);
  PutBigEndian64(&key, number);
  return key;
}

std::string Encode(uint64_t fingerprint, const Exemplar& exemplar) {
  std::string out;
  out.push_back(static_cast<char>(kVersion));
  PutFixed<uint64_t>(&out, fingerprint);
  PutFixed<int64_t>(&out, exemplar.ts_ms);
  PutFixed<uint64_t>(&out, std::bit_cast<uint64_t>(exemplar.value));
  PutLengthPrefixed(&out, exemplar.labels.canonical());
  PutFixed<uint64_t>(&out, XXH3_64bits(out.data(), out.size()));
  return out;
}

Status Decode(std::string_view value, uint64_t* fingerprint, Exemplar* exemplar) {
  const Status malformed = Corruption("hot database: an exemplar is damaged");
  if (value.size() < sizeof(uint64_t) + 1) return malformed.Clone();
  const std::string_view body = value.substr(0, value.size() - sizeof(uint64_t));
  ByteReader checksum(value.substr(body.size()));
  if (checksum.Fixed<uint64_t>() != XXH3_64bits(body.data(), body.size())) return malformed.Clone();
  ByteReader reader(body);
  if (reader.Fixed<uint8_t>() != kVersion) return Corruption("hot database: an exemplar of an unknown version");
  *fingerprint = reader.Fixed<uint64_t>();
  exemplar->ts_ms = reader.Fixed<int64_t>();
  exemplar->value = std::bit_cast<double>(reader.Fixed<uint64_t>());
  const std::string_view canonical = reader.LengthPrefixed();
  Labels labels;
  if (!reader.AtEnd() || !Labels::FromCanonical(canonical, &labels)) return malformed.Clone();
  exemplar->labels = PackedLabels::FromCanonical(std::string(canonical));
  return Status::Ok();
}

bool SameExemplar(const Exemplar& a, const Exemplar& b) {
  return a.ts_ms == b.ts_ms && std::bit_cast<uint64_t>(a.value) == std::bit_cast<uint64_t>(b.value) &&
         a.labels == b.labels;
}

}  // namespace

bool ExemplarStore::InsertLocked(uint64_t number, SeriesOrdinal series, const Exemplar& exemplar) {
  std::vector<Stored>& stored = by_series_[series];
  auto at = std::lower_bound(stored.begin(), stored.end(), exemplar.ts_ms,
                             [](const Stored& item, int64_t ts_ms) { return item.exemplar.ts_ms < ts_ms; });
  for (; at != stored.end() && at->exemplar.ts_ms == exemplar.ts_ms; ++at) {
    if (SameExemplar(at->exemplar, exemplar)) return false;
  }
  stored.insert(at, {.number = number, .exemplar = exemplar});
  by_age_.push_back({.number = number, .series = series});
  return true;
}

void ExemplarStore::DropOldestLocked(std::vector<std::string>* removed) {
  while (by_age_.size() > exemplars_max_) {
    const Numbered oldest = by_age_.front();
    by_age_.pop_front();
    const auto series = by_series_.find(oldest.series);
    std::erase_if(series->second, [&](const Stored& item) { return item.number == oldest.number; });
    if (series->second.empty()) by_series_.erase(series);
    removed->push_back(KeyOf(oldest.number));
  }
}

Status ExemplarStore::Load() {
  const MutexLock lock(mu_);
  std::vector<std::string> removed;
  Status read = meta_->ForEachRecord(kPrefix, [&](std::string_view key, std::string_view value) -> Status {
    ByteReader reader(key.substr(kPrefix.size()));
    const uint64_t number = reader.BigEndian64();
    if (!reader.AtEnd()) return Corruption("hot database: the key of an exemplar is malformed");
    next_number_ = std::max(next_number_, number + 1);
    uint64_t fingerprint = 0;
    Exemplar exemplar;
    VARVE_RETURN_IF_ERROR(Decode(value, &fingerprint, &exemplar));
    const std::optional<SeriesOrdinal> series = series_->FindFingerprint(fingerprint);
    if (!series.has_value() || !InsertLocked(number, *series, exemplar)) removed.emplace_back(key);
    return Status::Ok();
  });
  VARVE_RETURN_IF_ERROR(std::move(read));
  DropOldestLocked(&removed);
  return removed.empty() ? Status::Ok() : meta_->WriteRecords({}, removed);
}

Result<size_t> ExemplarStore::Add(std::span<const MetricBatch::SeriesExemplar> items) {
  if (items.empty() || exemplars_max_ == 0) return size_t{0};
  const MutexLock lock(mu_);
  std::vector<MetaStore::Record> put;
  std::vector<std::string> removed;
  for (const MetricBatch::SeriesExemplar& item : items) {
    if (!InsertLocked(next_number_, item.series, item.exemplar)) continue;
    put.push_back({.key = KeyOf(next_number_), .value = Encode(series_->Get(item.series).fingerprint, item.exemplar)});
    ++next_number_;
  }
  if (put.empty()) return size_t{0};
  DropOldestLocked(&removed);
  VARVE_RETURN_IF_ERROR(meta_->WriteRecords(put, removed));
  return put.size();
}

std::vector<ExemplarSeries> ExemplarStore::Select(std::span<const SeriesOrdinal> series, MetricRange range) const {
  const MutexLock lock(mu_);
  std::vector<ExemplarSeries> out;
  for (const SeriesOrdinal ordinal : series) {
    const auto stored = by_series_.find(ordinal);
    if (stored == by_series_.end()) continue;
    ExemplarSeries found{.series = {}, .exemplars = {}};
    for (const Stored& item : stored->second) {
      if (range.Contains(item.exemplar.ts_ms)) found.exemplars.push_back(item.exemplar);
    }
    if (found.exemplars.empty()) continue;
    found.series = series_->LabelsOf(ordinal);
    out.push_back(std::move(found));
  }
  return out;
}

size_t ExemplarStore::size() const {
  const MutexLock lock(mu_);
  return by_age_.size();
}

}  // namespace varve
