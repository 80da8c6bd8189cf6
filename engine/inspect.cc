#include "engine/inspect.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>
#include <utility>

#include "engine/data_dir.h"
#include "engine/index/stream_table.h"
#include "engine/journal/hot_db.h"
#include "engine/journal/rocksdb_journal.h"
#include "engine/meta/rocksdb_meta_store.h"
#include "engine/pack_catalog.h"
#include "engine/packs/rocksdb_pack_store.h"

namespace varve {
namespace {

// A data directory as it was at one moment: first the hot database's, then, a little later, the packs'.
// A pack is ingested before it is committed, so every pack that the hot database knows is there, unless
// retention dropped it in between.
struct OpenDirectory {
  uint32_t version = 0;
  std::unique_ptr<HotDb> hot;
  std::unique_ptr<RocksDbMetaStore> meta;
  std::unique_ptr<PackStore> packs;
  std::map<uint32_t, uint64_t> watermarks;
  uint32_t shard_count = 0;
  uint32_t metric_shard_count = 0;
  int64_t bucket_ns = 0;
};

Result<int64_t> ReadSetting(const MetaStore& meta, const std::string& name) {
  VARVE_ASSIGN_OR_RETURN(const std::optional<std::string> text, meta.GetSetting(name));
  int64_t value = 0;
  if (text.has_value()) std::from_chars(text->data(), text->data() + text->size(), value);
  if (value <= 0) return Corruption("hot database: the setting " + name + " is missing or malformed");
  return value;
}

// A running server may delete a file between our reading of its name and opening it; then the next try
// sees a newer state.
Result<std::unique_ptr<HotDb>> OpenHot(const std::string& data_dir) {
  constexpr int kTries = 5;
  for (int attempt = 1;; ++attempt) {
    Result<std::unique_ptr<HotDb>> hot = HotDb::Open({.path = HotPath(data_dir), .read_only = true});
    if (hot.ok() || attempt == kTries) return hot;
  }
}

Result<OpenDirectory> OpenReadOnly(const std::string& data_dir) {
  OpenDirectory opened;
  VARVE_ASSIGN_OR_RETURN(opened.version, ReadFormatVersion(data_dir, nullptr));
  VARVE_RETURN_IF_ERROR(CheckFormatVersion(data_dir, opened.version));
  VARVE_ASSIGN_OR_RETURN(opened.hot, OpenHot(data_dir));
  opened.meta = std::make_unique<RocksDbMetaStore>(opened.hot.get());
  VARVE_ASSIGN_OR_RETURN(opened.watermarks, opened.meta->ListWatermarks());
  VARVE_ASSIGN_OR_RETURN(const int64_t shard_count, ReadSetting(*opened.meta, kShardCountSetting));
  VARVE_ASSIGN_OR_RETURN(opened.bucket_ns, ReadSetting(*opened.meta, kBucketSetting));
  opened.shard_count = static_cast<uint32_t>(std::min<int64_t>(shard_count, UINT16_MAX));
  // A directory that was never opened by a version with metrics has none.
  VARVE_ASSIGN_OR_RETURN(const auto metric_shards, opened.meta->GetSetting(kMetricShardCountSetting));
  if (metric_shards.has_value()) {
    VARVE_ASSIGN_OR_RETURN(const int64_t count, ReadSetting(*opened.meta, kMetricShardCountSetting));
    opened.metric_shard_count = static_cast<uint32_t>(std::min<int64_t>(count, kMetricShardFirst));
  }
  VARVE_ASSIGN_OR_RETURN(opened.packs,
                         OpenRocksDbPackStore({.path = PacksPath(data_dir), .read_only = true}));
  return opened;
}

std::vector<uint64_t> Watermarks(const OpenDirectory& directory) {
  std::vector<uint64_t> watermarks(directory.shard_count, 0);
  for (const auto& [shard, seq] : directory.watermarks) {
    if (shard < watermarks.size()) watermarks[shard] = seq;
  }
  return watermarks;
}

// Calls fn(seq, record) for the records that no complete set of packs covers.
Status ForEachLiveRecord(const OpenDirectory& directory,
                         const std::function<Status(JournalSeq, std::string_view)>& fn,
                         JournalSeq* last_seq) {
  std::vector<uint64_t> watermarks = Watermarks(directory);
  std::vector<uint64_t> metric_watermarks(directory.metric_shard_count, 0);
  for (const auto& [shard, seq] : directory.watermarks) {
    if (shard >= kMetricShardFirst && shard - kMetricShardFirst < metric_watermarks.size()) {
      metric_watermarks[shard - kMetricShardFirst] = seq;
    }
  }
  watermarks.insert(watermarks.end(), metric_watermarks.begin(), metric_watermarks.end());
  const auto [lowest, highest] = std::minmax_element(watermarks.begin(), watermarks.end());
  VARVE_ASSIGN_OR_RETURN(const auto journal, RocksDbJournal::Open(directory.hot.get(), *highest));
  *last_seq = journal->last_seq();
  return journal->Replay(*lowest, fn);
}

void Add(const PackSummary& summary, InspectedBucket* bucket) {
  ++bucket->packs;
  bucket->blocks += summary.block_count;
  bucket->entries += summary.row_count;
  bucket->line_bytes += summary.line_bytes;
  bucket->block_bytes += summary.encoded_bytes;
}

Status InspectPacks(const OpenDirectory& directory, DataDirReport* report) {
  VARVE_ASSIGN_OR_RETURN(const std::vector<PackInfo> stored, directory.packs->List());
  std::map<PackId, uint64_t> bytes_on_disk;
  for (const PackInfo& pack : stored) {
    bytes_on_disk[pack.id] = pack.bytes_on_disk;
    report->pack_bytes_on_disk += pack.bytes_on_disk;
  }
  VARVE_ASSIGN_OR_RETURN(const std::vector<MetaCommit::Pack> committed, directory.meta->ListPacks());
  for (const MetaCommit::Pack& bytes : committed) {
    VARVE_ASSIGN_OR_RETURN(const CatalogPack pack, DecodeCatalogPack(bytes));
    const auto file = bytes_on_disk.find(pack.id);
    report->packs.push_back({.number = pack.id.number,
                             .bucket = pack.id.bucket,
                             .shard = pack.id.shard,
                             .min_ts_ns = pack.summary.min_ts_ns,
                             .max_ts_ns = pack.summary.max_ts_ns,
                             .streams = pack.summary.stream_count,
                             .blocks = pack.summary.block_count,
                             .entries = pack.summary.row_count,
                             .line_bytes = pack.summary.line_bytes,
                             .block_bytes = pack.summary.encoded_bytes,
                             .bytes_on_disk = file == bytes_on_disk.end() ? 0 : file->second});
    if (file != bytes_on_disk.end()) bytes_on_disk.erase(file);
    // A day of metrics is shown with the bucket of logs that it begins with.
    const int64_t begin_ns =
        static_cast<int64_t>(pack.id.bucket) * (pack.id.is_metric() ? kMetricBucketNs : directory.bucket_ns);
    InspectedBucket& bucket = report->buckets[BucketOf(begin_ns, directory.bucket_ns)];
    bucket.begin_ns = static_cast<int64_t>(BucketOf(begin_ns, directory.bucket_ns)) * directory.bucket_ns;
    Add(pack.summary, &bucket);
    Add(pack.summary, &report->total);
  }
  report->orphan_packs = bytes_on_disk.size();
  std::sort(report->packs.begin(), report->packs.end(),
            [](const InspectedPack& a, const InspectedPack& b) { return a.number < b.number; });
  return Status::Ok();
}

// What a pack's summary should be.
Result<PackSummary> SummaryFromDirectory(const PackStore& packs, const CatalogPack& pack) {
  if (pack.id.is_metric()) {
    VARVE_ASSIGN_OR_RETURN(const MetricPackDirectory contents,
                           ReadMetricPackDirectory(packs, pack.id, MetricLabels::kSkip));
    return SummaryOf(contents, pack.summary.origin);
  }
  VARVE_ASSIGN_OR_RETURN(const PackDirectory contents, packs.ReadDirectory(pack.id));
  return SummaryOf(contents, pack.summary.origin);
}

// One committed pack: its blocks, its directory, its summary.
void VerifyCommittedPack(const OpenDirectory& directory, const CatalogPack& pack,
                         const std::function<void(std::string, Status)>& problem, VerifyTotals* totals) {
  VerifyPack(*directory.packs, pack.id, [&](const PackDamage& damage) {
    const std::string where = damage.block == kPackDirectoryBlock
                                  ? "directory of " + pack.id.ToString()
                                  : "block " + std::to_string(damage.block) + " of " + pack.id.ToString();
    problem(where, damage.status.Clone());
  });
  const Result<PackSummary> summary = SummaryFromDirectory(*directory.packs, pack);
  if (!summary.ok()) return;  // said above
  PackSummary expected = *summary;
  totals->blocks += expected.block_count;
  totals->entries += expected.row_count;
  expected.deletes_applied = pack.summary.deletes_applied;
  if (expected != pack.summary) {
    problem("summary of " + pack.id.ToString(), Corruption("it does not agree with the pack's directory"));
  }
}

// The packs that are part of the data now; a running server may have dropped some since we looked.
Result<std::set<PackId>> CommittedNow(const std::string& data_dir) {
  VARVE_ASSIGN_OR_RETURN(const std::unique_ptr<HotDb> hot, OpenHot(data_dir));
  VARVE_ASSIGN_OR_RETURN(const std::vector<MetaCommit::Pack> committed,
                         RocksDbMetaStore(hot.get()).ListPacks());
  std::set<PackId> ids;
  for (const MetaCommit::Pack& bytes : committed) {
    const Result<CatalogPack> pack = DecodeCatalogPack(bytes);
    if (pack.ok()) ids.insert(pack->id);
  }
  return ids;
}

}  // namespace

Result<DataDirReport> InspectDataDir(const std::string& data_dir) {
  VARVE_ASSIGN_OR_RETURN(const OpenDirectory directory, OpenReadOnly(data_dir));
  DataDirReport report;
  report.format_version = directory.version;
  report.shard_count = directory.shard_count;
  report.bucket_ns = directory.bucket_ns;
  report.watermarks = Watermarks(directory);
  VARVE_RETURN_IF_ERROR(InspectPacks(directory, &report));
  VARVE_RETURN_IF_ERROR(directory.meta->ForEachStream([&](const StreamRecord& stream) {
    ++report.streams;
    ++report.streams_by_tenant[stream.tenant];
    return Status::Ok();
  }));
  VARVE_RETURN_IF_ERROR(ForEachLiveRecord(
      directory,
      [&](JournalSeq, std::string_view record) {
        ++report.journal_live_records;
        report.journal_live_bytes += record.size();
        return Status::Ok();
      },
      &report.journal_last_seq));
  return report;
}

Result<VerifyTotals> VerifyDataDir(const std::string& data_dir,
                                   const std::function<void(const VerifyProblem&)>& on_problem,
                                   const std::function<void(uint64_t, uint64_t)>& on_pack) {
  VARVE_ASSIGN_OR_RETURN(const OpenDirectory directory, OpenReadOnly(data_dir));
  VerifyTotals totals;
  const auto problem = [&](std::string where, Status status) {
    ++totals.problems;
    on_problem({.where = std::move(where), .status = std::move(status)});
  };

  StreamTable streams;
  Status status = directory.meta->ForEachStream([&](const StreamRecord& stream) {
    ++totals.streams;
    Status loaded = streams.Load(stream.tenant, stream.canonical, stream.fingerprint);
    if (!loaded.ok()) problem("stream table", std::move(loaded));
    return Status::Ok();
  });
  if (!status.ok()) problem("stream table", std::move(status));

  std::vector<std::pair<PackId, VerifyProblem>> pack_problems;
  VARVE_ASSIGN_OR_RETURN(const std::vector<PackInfo> stored, directory.packs->List());
  std::set<PackId> present;
  for (const PackInfo& pack : stored) present.insert(pack.id);
  VARVE_ASSIGN_OR_RETURN(const std::vector<MetaCommit::Pack> committed, directory.meta->ListPacks());
  for (const MetaCommit::Pack& bytes : committed) {
    if (on_pack != nullptr) on_pack(totals.packs, committed.size());
    ++totals.packs;
    const Result<CatalogPack> pack = DecodeCatalogPack(bytes);
    if (!pack.ok()) {
      problem("catalog", pack.status().Clone());
    } else if (!present.contains(pack->id)) {
      pack_problems.emplace_back(
          pack->id, VerifyProblem{pack->id.ToString(), NotFound("committed, but its file is missing")});
    } else {
      const auto pack_problem = [&](std::string where, Status damage) {
        pack_problems.emplace_back(pack->id, VerifyProblem{std::move(where), std::move(damage)});
      };
      VerifyCommittedPack(directory, *pack, pack_problem, &totals);
    }
  }
  if (on_pack != nullptr) on_pack(totals.packs, committed.size());
  if (!pack_problems.empty()) {
    const Result<std::set<PackId>> now = CommittedNow(data_dir);
    for (auto& [id, found] : pack_problems) {
      if (!now.ok() || now->contains(id)) problem(std::move(found.where), std::move(found.status));
    }
  }

  JournalSeq last_seq = 0;
  status = ForEachLiveRecord(
      directory,
      [&](JournalSeq, std::string_view) {
        ++totals.journal_records;
        return Status::Ok();
      },
      &last_seq);
  if (!status.ok()) problem("journal", std::move(status));
  return totals;
}

}  // namespace varve
