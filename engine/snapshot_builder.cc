// Taking a snapshot: which streams, which blocks and runs of theirs, and which of those overlap.
//
// Of each shard the builder copies, under its lock, the pointers to catalog and sealed segment and the
// runs of the active segment that it wants; the rest happens without locks. A commit replaces the
// sealed segment by its packs under the same lock, so nothing is seen twice or missed.
#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "engine/engine_impl.h"
#include "engine/head/head_columns.h"
#include "engine/snapshot.h"

namespace varve {
namespace {

// Head pieces: large enough that a query's cost per source does not show, small enough to spread.
constexpr uint64_t kPieceLineBytes = 1 << 20;
constexpr uint64_t kPieceRows = 1 << 16;

struct WantedRuns {
  StreamOrdinal stream = 0;
  std::vector<HeadRun> runs;
};

// The runs of `streams` (ascending) in `segment` that touch `range`.
std::vector<WantedRuns> CopyRuns(const LogSegment& segment, const std::vector<StreamOrdinal>& streams,
                                 TimeRange range) {
  std::vector<WantedRuns> wanted;
  const auto take = [&](StreamOrdinal stream, const HeadStream& head) {
    if (!range.OverlapsSpan(head.min_ts_ns, head.max_ts_ns)) return;
    WantedRuns copy{.stream = stream, .runs = {}};
    for (const HeadRun& run : head.runs) {
      if (range.OverlapsSpan(run.min_ts_ns, run.max_ts_ns)) copy.runs.push_back(run);
    }
    if (!copy.runs.empty()) wanted.push_back(std::move(copy));
  };
  if (streams.size() <= segment.streams().size()) {
    for (const StreamOrdinal stream : streams) {
      if (const HeadStream* head = segment.Find(stream)) take(stream, *head);
    }
  } else {
    for (const auto& [stream, head] : segment.streams()) {
      if (std::binary_search(streams.begin(), streams.end(), stream)) take(stream, head);
    }
  }
  return wanted;
}

// Calls fn(i) for each i with index.streams[i] in `streams`; both ascend.
template <typename Fn>
void ForEachCommon(const std::vector<StreamOrdinal>& streams, const PackIndex& index, Fn&& fn) {
  if (streams.size() * 16 < index.streams.size()) {
    for (const StreamOrdinal stream : streams) {
      const auto it = std::lower_bound(index.streams.begin(), index.streams.end(), stream);
      if (it != index.streams.end() && *it == stream) fn(static_cast<size_t>(it - index.streams.begin()));
    }
    return;
  }
  auto next = streams.begin();
  for (size_t i = 0; i < index.streams.size() && next != streams.end(); ++i) {
    next = std::lower_bound(next, streams.end(), index.streams[i]);
    if (next != streams.end() && *next == index.streams[i]) fn(i);
  }
}

// Fills older_overlapping for one stream's slices: slices[begin, end), ascending by source. `same_pack`
// tells whether two sources are blocks of one pack, whose rows never repeat each other. A sweep in
// order of time: each slice is compared with those that began before it and have not ended.
template <typename SamePack>
void FindOverlaps(std::vector<LogSlice>* slices, uint32_t begin, uint32_t end, SamePack&& same_pack) {
  if (end - begin < 2) return;
  std::vector<uint32_t> by_time(end - begin);
  std::iota(by_time.begin(), by_time.end(), begin);
  std::sort(by_time.begin(), by_time.end(),
            [&](uint32_t a, uint32_t b) { return (*slices)[a].min_ts_ns < (*slices)[b].min_ts_ns; });
  std::vector<uint32_t> open;
  for (const uint32_t slice : by_time) {
    std::erase_if(open, [&](uint32_t i) { return (*slices)[i].max_ts_ns < (*slices)[slice].min_ts_ns; });
    for (const uint32_t other : open) {
      if (same_pack((*slices)[slice].source, (*slices)[other].source)) continue;
      (*slices)[std::max(slice, other)].older_overlapping.push_back(std::min(slice, other));
    }
    open.push_back(slice);
  }
  for (uint32_t i = begin; i < end; ++i) {
    std::sort((*slices)[i].older_overlapping.begin(), (*slices)[i].older_overlapping.end());
  }
}

}  // namespace

class LogSnapshotBuilder {
 public:
  LogSnapshotBuilder(const EngineImpl& engine, TenantId tenant, const std::vector<Matcher>& matchers,
                     TimeRange range)
      : engine_(engine), range_(range) {
    // Before any catalog is looked at: delete_ledger.h.
    const auto all_live = engine.delete_ledger_.live();
    for (const LiveDeletePtr& live : *all_live) {
      if (live->tenant == tenant && range.OverlapsSpan(live->request.start_ns, live->request.end_ns)) {
        deletes_.push_back(live);
      }
    }
    range_.begin_ns = std::max(range_.begin_ns, engine.RetentionBeginNs());
    by_shard_.resize(engine.shards_.size());
    if (range_.empty()) return;
    for (const StreamOrdinal stream : engine.streams_.Select(tenant, matchers)) {
      by_shard_[engine.ShardOf(stream).number].push_back(stream);
    }
  }

  Result<std::unique_ptr<const LogSnapshot>> Build() {
    auto snapshot = std::make_unique<PackedLogSnapshot>(engine_.stores_.packs.get(), &engine_.block_cache_);
    snapshot_ = snapshot.get();
    for (size_t i = 0; i < by_shard_.size(); ++i) {
      if (!by_shard_[i].empty()) VARVE_RETURN_IF_ERROR(AddShard(*engine_.shards_[i], by_shard_[i]));
    }
    SortSlices();
    return std::unique_ptr<const LogSnapshot>(std::move(snapshot));
  }

  Result<std::vector<const Labels*>> Streams() {
    std::vector<const Labels*> found;
    for (size_t i = 0; i < by_shard_.size(); ++i) {
      if (!by_shard_[i].empty())
        VARVE_RETURN_IF_ERROR(FindStreams(*engine_.shards_[i], by_shard_[i], &found));
    }
    std::sort(found.begin(), found.end(), [](const Labels* a, const Labels* b) { return *a < *b; });
    return found;
  }

 private:
  struct ShardView {
    std::shared_ptr<const Catalog> catalog;
    std::shared_ptr<const LogSegment> sealed;
    std::shared_ptr<const LogSegment> active;
    std::vector<WantedRuns> active_runs;
  };

  ShardView View(const Shard& shard, const std::vector<StreamOrdinal>& streams) const {
    const MutexLock lock(shard.mu);
    ShardView view{
        .catalog = shard.catalog, .sealed = shard.sealed, .active = shard.active, .active_runs = {}};
    if (!shard.active->empty()) view.active_runs = CopyRuns(*shard.active, streams, range_);
    return view;
  }

  bool Touches(const CatalogPackPtr& pack) const {
    return range_.OverlapsSpan(pack->summary.min_ts_ns, pack->summary.max_ts_ns);
  }

  const LiveDeletes& DeletesOf(StreamOrdinal stream) {
    const auto [it, fresh] = deletes_of_stream_.try_emplace(stream);
    if (fresh) {
      for (const LiveDeletePtr& live : deletes_) {
        if (live->filter->TakesStream(engine_.StreamLabels(stream))) it->second.push_back(live);
      }
    }
    return it->second;
  }

  // What may hide rows of the stream in a pack that `concerning` may hide rows of (a head: none may).
  RowHiding HidingOf(StreamOrdinal stream, const LiveDeletes& concerning) {
    RowHiding hiding;
    hiding.before_ns = engine_.RetentionBeginNs(stream);
    if (concerning.empty()) return hiding;
    const LiveDeletes& taking = DeletesOf(stream);
    std::set_intersection(concerning.begin(), concerning.end(), taking.begin(), taking.end(),
                          std::back_inserter(hiding.deletes),
                          [](const LiveDeletePtr& a, const LiveDeletePtr& b) {
                            return a->request.number < b->request.number;
                          });
    return hiding;
  }

  // Marks a slice some of whose rows `hiding` may hide. `*number` is the number of `hiding` in the snapshot, 0
  // as long as it has none.
  void MarkHidden(const RowHiding& hiding, uint32_t* number, LogSlice* slice) {
    if (hiding.HidesNone(slice->min_ts_ns, slice->max_ts_ns)) return;
    if (*number == 0) {
      snapshot_->hidings_.push_back(hiding);
      *number = static_cast<uint32_t>(snapshot_->hidings_.size());
    }
    slice->hiding = *number;
    slice->counts_exact = false;
  }

  Status AddShard(const Shard& shard, const std::vector<StreamOrdinal>& streams) {
    const ShardView view = View(shard, streams);
    for (const CatalogPackPtr& pack : *view.catalog) {
      if (Touches(pack)) VARVE_RETURN_IF_ERROR(AddPack(pack, streams));
    }
    if (view.sealed != nullptr) AddHead(shard, view.sealed, CopyRuns(*view.sealed, streams, range_));
    AddHead(shard, view.active, view.active_runs);
    return Status::Ok();
  }

  Status AddPack(const CatalogPackPtr& pack, const std::vector<StreamOrdinal>& streams) {
    VARVE_ASSIGN_OR_RETURN(const std::shared_ptr<const PackIndex> index, engine_.pack_indexes_.Get(pack->id));
    LiveDeletes concerning;
    for (const LiveDeletePtr& live : deletes_) {
      if (live->Concerns(pack->summary)) concerning.push_back(live);
    }
    // Which blocks hold wanted rows; then sources in the order of blocks.
    constexpr uint32_t kNone = UINT32_MAX;
    std::vector<uint32_t> source_of_block(index->block_bytes.size(), kNone);
    const auto wanted = [&](const PackIndex::Entry& entry, const RowHiding& hiding) {
      return entry.row_count != 0 && range_.OverlapsSpan(entry.min_ts_ns, entry.max_ts_ns) &&
             !hiding.HidesAll(entry.min_ts_ns, entry.max_ts_ns);
    };
    ForEachCommon(streams, *index, [&](size_t i) {
      const RowHiding hiding = HidingOf(index->streams[i], concerning);
      for (const PackIndex::Entry& entry : index->EntriesOf(i)) {
        if (wanted(entry, hiding)) source_of_block[entry.block] = 0;
      }
    });
    for (uint32_t block = 0; block < source_of_block.size(); ++block) {
      if (source_of_block[block] == kNone) continue;
      source_of_block[block] = static_cast<uint32_t>(snapshot_->sources_.size());
      SnapshotSource source;
      source.pack = pack;
      source.block = block;
      source.block_bytes = index->block_bytes[block];
      snapshot_->sources_.push_back(std::move(source));
    }
    ForEachCommon(streams, *index, [&](size_t i) {
      const RowHiding hiding = HidingOf(index->streams[i], concerning);
      uint32_t hiding_number = 0;
      for (const PackIndex::Entry& entry : index->EntriesOf(i)) {
        if (!wanted(entry, hiding)) continue;
        LogSlice slice;
        slice.stream = index->streams[i];  // the ordinal, until SortSlices
        slice.source = source_of_block[entry.block];
        slice.row_begin = entry.row_begin;
        slice.row_end = entry.row_begin + entry.row_count;
        slice.line_bytes = entry.line_bytes;
        slice.min_ts_ns = entry.min_ts_ns;
        slice.max_ts_ns = entry.max_ts_ns;
        slice.counts_exact = true;
        MarkHidden(hiding, &hiding_number, &slice);
        snapshot_->slices_.push_back(std::move(slice));
      }
    });
    return Status::Ok();
  }

  void AddHead(const Shard& shard, const std::shared_ptr<const LogSegment>& segment,
               const std::vector<WantedRuns>& wanted) {
    for (const WantedRuns& stream : wanted) {
      size_t begin = 0;
      while (begin < stream.runs.size()) {
        size_t end = begin;
        uint64_t rows = 0;
        uint64_t line_bytes = 0;
        do {
          rows += stream.runs[end].count;
          line_bytes += stream.runs[end].line_bytes;
          ++end;
        } while (end < stream.runs.size() && rows + stream.runs[end].count <= kPieceRows &&
                 line_bytes + stream.runs[end].line_bytes <= kPieceLineBytes);
        AddPiece(shard, segment, stream.stream, std::span(stream.runs).subspan(begin, end - begin));
        begin = end;
      }
    }
  }

  void AddPiece(const Shard& shard, const std::shared_ptr<const LogSegment>& segment, StreamOrdinal stream,
                std::span<const HeadRun> runs) {
    LogSlice slice;
    slice.stream = stream;
    slice.source = static_cast<uint32_t>(snapshot_->sources_.size());
    slice.min_ts_ns = runs[0].min_ts_ns;
    slice.max_ts_ns = runs[0].max_ts_ns;
    for (const HeadRun& run : runs) {
      slice.row_end += run.count;
      slice.line_bytes += run.line_bytes;
      slice.min_ts_ns = std::min(slice.min_ts_ns, run.min_ts_ns);
      slice.max_ts_ns = std::max(slice.max_ts_ns, run.max_ts_ns);
    }
    const RowHiding hiding = HidingOf(stream, {});
    if (hiding.HidesAll(slice.min_ts_ns, slice.max_ts_ns)) return;
    slice.counts_exact = AscendStrictly(runs);
    uint32_t hiding_number = 0;
    MarkHidden(hiding, &hiding_number, &slice);
    SnapshotSource source;
    source.shard = shard.number;
    source.segment = segment;
    source.runs.assign(runs.begin(), runs.end());
    snapshot_->sources_.push_back(std::move(source));
    snapshot_->slices_.push_back(std::move(slice));
  }

  // Replaces ordinals by indexes into streams(), which ascend by labels, and groups the slices by them.
  void SortSlices() {
    std::vector<LogSlice>& slices = snapshot_->slices_;
    std::vector<StreamOrdinal> ordinals;
    ordinals.reserve(slices.size());
    for (const LogSlice& slice : slices) ordinals.push_back(slice.stream);
    std::sort(ordinals.begin(), ordinals.end());
    ordinals.erase(std::unique(ordinals.begin(), ordinals.end()), ordinals.end());
    for (const StreamOrdinal ordinal : ordinals) {
      snapshot_->streams_.push_back({.ordinal = ordinal, .labels = &engine_.StreamLabels(ordinal)});
    }
    std::sort(snapshot_->streams_.begin(), snapshot_->streams_.end(),
              [](const SelectedStream& a, const SelectedStream& b) { return *a.labels < *b.labels; });
    std::unordered_map<StreamOrdinal, uint32_t> index_of;
    index_of.reserve(ordinals.size());
    for (uint32_t i = 0; i < snapshot_->streams_.size(); ++i) index_of[snapshot_->streams_[i].ordinal] = i;
    for (LogSlice& slice : slices) slice.stream = index_of[slice.stream];
    std::sort(slices.begin(), slices.end(), [](const LogSlice& a, const LogSlice& b) {
      return a.stream != b.stream ? a.stream < b.stream : a.source < b.source;
    });
    const auto same_pack = [this](uint32_t a, uint32_t b) {
      const CatalogPackPtr& pack = snapshot_->sources_[a].pack;
      return pack != nullptr && pack == snapshot_->sources_[b].pack;
    };
    for (uint32_t begin = 0; begin < slices.size();) {
      uint32_t end = begin;
      while (end < slices.size() && slices[end].stream == slices[begin].stream) ++end;
      FindOverlaps(&slices, begin, end, same_pack);
      begin = end;
    }
  }

  // Heads first, then packs from the newest, until every wanted stream has been found.
  Status FindStreams(const Shard& shard, const std::vector<StreamOrdinal>& streams,
                     std::vector<const Labels*>* found) const {
    const ShardView view = View(shard, streams);
    std::vector<StreamOrdinal> missing = streams;
    const auto note = [&](std::vector<StreamOrdinal> seen) {
      std::sort(seen.begin(), seen.end());
      for (const StreamOrdinal stream : seen) found->push_back(&engine_.StreamLabels(stream));
      std::vector<StreamOrdinal> rest;
      std::set_difference(missing.begin(), missing.end(), seen.begin(), seen.end(), std::back_inserter(rest));
      missing = std::move(rest);
    };
    const auto note_runs = [&](const std::vector<WantedRuns>& runs) {
      std::vector<StreamOrdinal> seen;
      for (const WantedRuns& stream : runs) seen.push_back(stream.stream);
      note(std::move(seen));
    };
    note_runs(view.active_runs);
    if (view.sealed != nullptr && !missing.empty()) note_runs(CopyRuns(*view.sealed, missing, range_));
    for (auto pack = view.catalog->rbegin(); pack != view.catalog->rend() && !missing.empty(); ++pack) {
      if (!Touches(*pack)) continue;
      VARVE_ASSIGN_OR_RETURN(const std::shared_ptr<const PackIndex> index,
                             engine_.pack_indexes_.Get((*pack)->id));
      std::vector<StreamOrdinal> seen;
      ForEachCommon(missing, *index, [&](size_t i) {
        const auto entries = index->EntriesOf(i);
        if (std::any_of(entries.begin(), entries.end(), [&](const PackIndex::Entry& entry) {
              return range_.OverlapsSpan(entry.min_ts_ns, entry.max_ts_ns);
            })) {
          seen.push_back(index->streams[i]);
        }
      });
      note(std::move(seen));
    }
    return Status::Ok();
  }

  const EngineImpl& engine_;
  TimeRange range_;
  LiveDeletes deletes_;                               // those that concern tenant and range
  std::vector<std::vector<StreamOrdinal>> by_shard_;  // ascending
  // Which of deletes_ take a stream; filled as streams are met.
  std::unordered_map<StreamOrdinal, LiveDeletes> deletes_of_stream_;
  PackedLogSnapshot* snapshot_ = nullptr;
};

Result<std::unique_ptr<const LogSnapshot>> EngineImpl::SnapshotLogs(TenantId tenant,
                                                                    const std::vector<Matcher>& matchers,
                                                                    TimeRange range) const {
  return LogSnapshotBuilder(*this, tenant, matchers, range).Build();
}

std::optional<uint64_t> EngineImpl::DataGeneration(TimeRange range) const {
  if (range.begin_ns < RetentionBeginNs()) return std::nullopt;
  return generations_.Read(range);
}

Result<std::vector<const Labels*>> EngineImpl::SelectStreams(TenantId tenant,
                                                             const std::vector<Matcher>& matchers,
                                                             TimeRange range) const {
  return LogSnapshotBuilder(*this, tenant, matchers, range).Streams();
}

}  // namespace varve
