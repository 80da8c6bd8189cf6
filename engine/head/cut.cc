#include "engine/head/cut.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "engine/base/failpoint.h"
#include "engine/head/head_columns.h"

namespace varve {
namespace {

struct CutStream {
  const StreamInfo* info = nullptr;
  std::string canonical;
  std::vector<const HeadRow*> rows;  // sorted
  size_t next_row = 0;               // what earlier packs have taken
};

// In the order in which they are written.
std::vector<CutStream> SortStreams(const LogSegment& segment, const StreamTable& table) {
  std::vector<CutStream> streams;
  streams.reserve(segment.streams().size());
  for (const auto& [ordinal, head_stream] : segment.streams()) {
    const StreamInfo& info = table.Get(ordinal);
    streams.push_back(
        {.info = &info, .canonical = info.labels.Canonical(), .rows = SortedRows(head_stream.runs)});
  }
  std::sort(streams.begin(), streams.end(), [](const CutStream& a, const CutStream& b) {
    if (a.info->tenant != b.info->tenant) return a.info->tenant < b.info->tenant;
    if (a.info->similarity != b.info->similarity) return a.info->similarity < b.info->similarity;
    return a.canonical < b.canonical;
  });
  return streams;
}

// The newest bucket of each pack to be written, ascending.
std::vector<int32_t> PackBuckets(const std::vector<CutStream>& streams, int64_t bucket_ns) {
  std::set<int32_t> distinct;
  for (const CutStream& stream : streams) {
    auto row = stream.rows.begin();
    while (row != stream.rows.end()) {
      const int32_t bucket = BucketOf((*row)->ts_ns, bucket_ns);
      distinct.insert(bucket);
      row = std::partition_point(row, stream.rows.end(),
                                 [&](const HeadRow* r) { return BucketOf(r->ts_ns, bucket_ns) <= bucket; });
    }
  }
  const std::vector<int32_t> all(distinct.begin(), distinct.end());
  if (all.size() <= kPacksPerCutMax) return all;
  std::vector<int32_t> newest;
  for (size_t i = 1; i <= kPacksPerCutMax; ++i) newest.push_back(all[all.size() * i / kPacksPerCutMax - 1]);
  return newest;
}

// Writes every row up to and including `bucket` that earlier packs have not taken.
Result<PackDirectory> WriteOnePack(std::vector<CutStream>* streams, const StreamTable& table, int32_t bucket,
                                   const CutOptions& options, PendingPack* pending, uint64_t* duplicates) {
  PackWriter writer(options.writer, pending);
  std::string tenant_name;
  TenantId tenant = 0;
  bool has_tenant = false;
  for (CutStream& stream : *streams) {
    const auto begin = stream.rows.begin() + static_cast<ptrdiff_t>(stream.next_row);
    const auto end = std::partition_point(begin, stream.rows.end(), [&](const HeadRow* r) {
      return BucketOf(r->ts_ns, options.bucket_ns) <= bucket;
    });
    if (begin == end) continue;
    uint64_t line_bytes = 0;
    for (auto row = begin; row != end; ++row) line_bytes += (*row)->line_size;
    if (!has_tenant || tenant != stream.info->tenant) {
      tenant = stream.info->tenant;
      tenant_name = table.TenantName(tenant);
      has_tenant = true;
    }
    VARVE_RETURN_IF_ERROR(
        writer.AddStream(stream.info->fingerprint, tenant_name, stream.canonical, line_bytes));
    for (auto row = begin; row != end; ++row) {
      VARVE_RETURN_IF_ERROR(writer.AddRow((*row)->ts_ns, (*row)->line(), (*row)->metadata()));
    }
    stream.next_row = static_cast<size_t>(end - stream.rows.begin());
  }
  VARVE_ASSIGN_OR_RETURN(PackDirectory directory, writer.Finish());
  *duplicates += writer.duplicates_dropped();
  return directory;
}

}  // namespace

Result<CutResult> WritePacks(const LogSegment& segment, const StreamTable& streams, const CutOptions& options,
                             PackStore* store) {
  CutResult result;
  std::map<uint8_t, std::vector<CutStream>> by_class;
  for (CutStream& stream : SortStreams(segment, streams)) {
    by_class[options.class_of == nullptr ? 0 : options.class_of(*stream.info)].push_back(std::move(stream));
  }
  const auto write_class = [&](uint8_t retention_class, std::vector<CutStream>* sorted) -> Status {
    for (const int32_t bucket : PackBuckets(*sorted, options.bucket_ns)) {
      const PackId id{.retention_class = retention_class,
                      .bucket = bucket,
                      .shard = options.shard,
                      .number = options.next_pack_number()};
      VARVE_ASSIGN_OR_RETURN(const std::unique_ptr<PendingPack> pending, store->Begin(id));
      VARVE_ASSIGN_OR_RETURN(
          PackDirectory directory,
          WriteOnePack(sorted, streams, bucket, options, pending.get(), &result.duplicates_dropped));
      result.packs.push_back({.id = id, .directory = std::move(directory)});
      VARVE_KILL_POINT("after_pack_write");
    }
    return Status::Ok();
  };
  Status status;
  for (auto& [retention_class, sorted] : by_class) {
    if (status.ok()) status = write_class(retention_class, &sorted);
  }
  if (status.ok()) return result;
  std::vector<PackId> written;
  for (const WrittenPack& pack : result.packs) written.push_back(pack.id);
  if (!written.empty()) store->Drop(written).IgnoreError("orphans; the next open drops them");
  return status;
}

}  // namespace varve
