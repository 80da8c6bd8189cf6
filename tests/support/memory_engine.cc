#include "tests/support/memory_engine.h"

#include <algorithm>
#include <span>
#include <unordered_map>

namespace varve::testing {
namespace {

// Sorted by time, arrival order kept among equals, exact duplicates removed.
std::vector<MemoryEngine::Row> SortedUnique(std::vector<MemoryEngine::Row> rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.ts_ns < b.ts_ns; });
  std::vector<MemoryEngine::Row> unique;
  for (auto& row : rows) {
    bool seen = false;
    for (auto it = unique.rbegin(); it != unique.rend() && it->ts_ns == row.ts_ns && !seen; ++it) {
      seen = it->line == row.line && it->metadata == row.metadata;
    }
    if (!seen) unique.push_back(std::move(row));
  }
  return unique;
}

class MemorySnapshot final : public LogSnapshot {
 public:
  struct Source {
    std::vector<MemoryEngine::Row> rows;
    bool head = false;
  };

  const std::vector<SelectedStream>& streams() const override { return streams_; }
  const std::vector<LogSlice>& slices() const override { return slices_; }
  uint32_t source_count() const override { return static_cast<uint32_t>(sources_.size()); }
  std::string SourceName(uint32_t source) const override { return "memory source " + std::to_string(source); }
  uint64_t SourceBytesOnDisk(uint32_t source) const override { return sources_[source].head ? 0 : 1; }

  Result<std::shared_ptr<const LogColumns>> Load(uint32_t source, ColumnMask want,
                                                 MemoryBudget* budget) const override {
    const auto& rows = sources_[source].rows;
    auto columns = std::make_unique<LogColumns>();
    columns->row_count = static_cast<uint32_t>(rows.size());
    if (want & kLines) want |= kLengths;
    if (want & kLengths) columns->line_offsets.push_back(0);
    for (const auto& row : rows) {
      if (want & kTimestamps) columns->timestamps_ns.push_back(row.ts_ns);
      if (want & kLengths) {
        columns->line_offsets.push_back(columns->line_offsets.back() + static_cast<uint32_t>(row.line.size()));
      }
      if (want & kLines) columns->lines.insert(columns->lines.end(), row.line.begin(), row.line.end());
    }
    if (want & kLines) columns->lines.insert(columns->lines.end(), LogColumns::kLinePaddingBytes, '\0');
    if (want & kMetadata) AddMetadata(rows, columns.get());
    const int64_t bytes = columns->MemoryBytes();
    VARVE_RETURN_IF_ERROR(budget->Reserve(bytes));
    return std::shared_ptr<const LogColumns>(columns.release(), [budget, bytes](const LogColumns* c) {
      budget->Release(bytes);
      std::default_delete<const LogColumns>()(c);
    });
  }

  // Row by row, each through every delete that covers its segment.
  Status DropHidden(const LogSlice& slice, MemoryBudget* budget, std::vector<uint32_t>* rows) const override {
    if (!slice.may_hide() || rows->empty()) return Status::Ok();
    VARVE_ASSIGN_OR_RETURN(const auto columns,
                           Load(slice.source, kTimestamps | kLines | kMetadata, budget));
    std::erase_if(*rows, [&](uint32_t row) {
      const int64_t ts_ns = columns->timestamps_ns[row];
      return std::any_of(hidings_[slice.hiding - 1].begin(), hidings_[slice.hiding - 1].end(),
                         [&](const Hiding& hiding) {
                           std::vector<uint32_t> one = {row};
                           if (ts_ns < hiding.start_ns || ts_ns > hiding.end_ns) return false;
                           hiding.filter->TakeRows(*streams_[slice.stream].labels, *columns, &one);
                           return !one.empty();
                         });
    });
    return Status::Ok();
  }

  struct Hiding {
    int64_t start_ns;
    int64_t end_ns;
    std::shared_ptr<const RowFilter> filter;
  };

  std::vector<SelectedStream> streams_;
  std::vector<LogSlice> slices_;
  std::vector<Source> sources_;
  std::vector<std::vector<Hiding>> hidings_;  // LogSlice::hiding - 1

 private:
  static void AddMetadata(const std::vector<MemoryEngine::Row>& rows, LogColumns* columns) {
    std::unordered_map<std::string_view, uint32_t> codes;
    std::vector<std::string_view> sets;
    size_t total = 0;
    for (const auto& row : rows) {
      const auto [it, fresh] = codes.emplace(row.metadata, static_cast<uint32_t>(sets.size()));
      if (fresh) {
        sets.push_back(row.metadata);
        total += row.metadata.size();
      }
      columns->metadata_codes.push_back(it->second);
    }
    if (sets.size() == 1 && sets[0].empty()) columns->metadata_codes.clear();
    columns->metadata_bytes.reserve(total);
    for (const std::string_view set : sets) {
      const size_t at = columns->metadata_bytes.size();
      columns->metadata_bytes.insert(columns->metadata_bytes.end(), set.begin(), set.end());
      columns->metadata_sets.emplace_back(columns->metadata_bytes.data() + at, set.size());
    }
  }
};

// A slice and the segment it came from, which decides who is older.
struct PlacedSlice {
  LogSlice slice;
  size_t segment;
};

// Spreads one stream's rows over sources of at most `rows_max` rows, continuing the last source unless
// `*fresh_source` asks for a new one.
void PlaceRows(const std::vector<MemoryEngine::Row>& rows, size_t rows_before_dedup, uint32_t rows_max, bool head,
               bool* fresh_source, MemorySnapshot* snapshot, size_t segment, std::vector<PlacedSlice>* placed) {
  for (size_t begin = 0; begin < rows.size();) {
    if (*fresh_source || snapshot->sources_.back().rows.size() >= rows_max) {
      snapshot->sources_.push_back({{}, head});
      *fresh_source = false;
    }
    auto& source = snapshot->sources_.back();
    const size_t count = std::min(rows.size() - begin, rows_max - source.rows.size());
    LogSlice slice;
    slice.source = static_cast<uint32_t>(snapshot->sources_.size() - 1);
    slice.row_begin = static_cast<uint32_t>(source.rows.size());
    slice.row_end = static_cast<uint32_t>(slice.row_begin + count);
    slice.min_ts_ns = rows[begin].ts_ns;
    slice.max_ts_ns = rows[begin + count - 1].ts_ns;
    for (size_t i = begin; i < begin + count; ++i) slice.line_bytes += rows[i].line.size();
    slice.counts_exact = !head || rows.size() == rows_before_dedup;
    source.rows.insert(source.rows.end(), rows.begin() + static_cast<ptrdiff_t>(begin),
                       rows.begin() + static_cast<ptrdiff_t>(begin + count));
    placed->push_back({std::move(slice), segment});
    begin += count;
  }
}

// Moves one stream's slices into the snapshot and lists, for each, the overlapping ones of older segments.
void AddStreamSlices(std::vector<PlacedSlice> placed, MemorySnapshot* snapshot) {
  const auto first = static_cast<uint32_t>(snapshot->slices_.size());
  for (size_t i = 0; i < placed.size(); ++i) {
    LogSlice& slice = placed[i].slice;
    slice.stream = static_cast<uint32_t>(snapshot->streams_.size());
    for (size_t j = 0; j < i; ++j) {
      const LogSlice& older = snapshot->slices_[first + j];
      if (placed[j].segment < placed[i].segment && older.max_ts_ns >= slice.min_ts_ns &&
          older.min_ts_ns <= slice.max_ts_ns) {
        slice.older_overlapping.push_back(first + static_cast<uint32_t>(j));
      }
    }
    snapshot->slices_.push_back(std::move(slice));
  }
}

}  // namespace

MemoryEngine::MemoryEngine(MemoryEngineOptions options)
    : options_(std::move(options)),
      ingest_budget_("ingest", options_.ingest_budget_bytes),
      query_budget_("queries", options_.query_budget_bytes),
      pool_("query", options_.query_threads),
      segments_(1) {}

MemoryEngine::~MemoryEngine() = default;

void MemoryEngine::Seal() {
  MutexLock lock(mu_);
  segments_.emplace_back();
}

void MemoryEngine::FailAppends(Status status) {
  MutexLock lock(mu_);
  append_failure_ = std::move(status);
}

std::vector<std::string> MemoryEngine::Records() const {
  MutexLock lock(mu_);
  return records_;
}

void MemoryEngine::Add(const Labels& stream, int64_t ts_ns, std::string_view line, std::string_view metadata,
                       std::string_view tenant) {
  AppendBatch batch;
  batch.streams.push_back({*InternStream(*InternTenant(tenant), stream), 0, 1});
  batch.entries.push_back({ts_ns, line, metadata});
  VARVE_CHECK(Append(batch, "").ok());
}

Status MemoryEngine::Recover(const ReplayFn& replay) {
  struct Sink final : ReplaySink {
    explicit Sink(MemoryEngine* of) : engine(of) {}
    void OnLogs(const AppendBatch& batch) override {
      MutexLock lock(engine->mu_);
      engine->AppendLocked(batch);
    }
    void OnMetrics(TenantId tenant, const MetricBatch& batch) override {
      const auto stored = engine->metrics().Append(tenant, batch, [](const MetricVerdicts&) { return ""; });
      VARVE_CHECK(stored.ok());
    }
    MemoryEngine* const engine;
  };
  Sink sink(this);
  for (const std::string& record : Records()) VARVE_RETURN_IF_ERROR(replay(record, &sink));
  return Status::Ok();
}

Result<TenantId> MemoryEngine::InternTenant(std::string_view name) {
  MutexLock lock(mu_);
  auto it = std::find(tenants_.begin(), tenants_.end(), name);
  if (it == tenants_.end()) it = tenants_.insert(tenants_.end(), std::string(name));
  return static_cast<TenantId>(it - tenants_.begin());
}

Result<TenantId> MemoryEngine::FindTenant(std::string_view name) const {
  MutexLock lock(mu_);
  const auto it = std::find(tenants_.begin(), tenants_.end(), name);
  if (it == tenants_.end()) return NotFound("no data for tenant '" + std::string(name) + "'");
  return static_cast<TenantId>(it - tenants_.begin());
}

Result<StreamOrdinal> MemoryEngine::InternStream(TenantId tenant, const Labels& labels) {
  MutexLock lock(mu_);
  for (size_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].tenant == tenant && streams_[i].labels == labels) return static_cast<StreamOrdinal>(i);
  }
  streams_.push_back({tenant, labels});
  return static_cast<StreamOrdinal>(streams_.size() - 1);
}

const Labels& MemoryEngine::StreamLabels(StreamOrdinal stream) const {
  MutexLock lock(mu_);
  return streams_[stream].labels;
}

TenantId MemoryEngine::StreamTenant(StreamOrdinal stream) const {
  MutexLock lock(mu_);
  return streams_[stream].tenant;
}

void MemoryEngine::AppendLocked(const AppendBatch& batch) {
  for (const auto& stream : batch.streams) {
    auto& rows = segments_.back()[stream.stream];
    for (uint32_t i = stream.begin; i < stream.begin + stream.count; ++i) {
      const LogEntryView& entry = batch.entries[i];
      rows.push_back({entry.ts_ns, std::string(entry.line), std::string(entry.metadata)});
      ++entries_;
      line_bytes_ += entry.line.size();
    }
    // Nobody reads before the lock is released, so the rows count as visible here.
    generations_.BumpEntries(std::span(batch.entries).subspan(stream.begin, stream.count));
  }
}

Status MemoryEngine::Append(const AppendBatch& batch, std::string_view record) {
  {
    MutexLock lock(mu_);
    if (!append_failure_.ok()) return append_failure_.Clone();
    records_.emplace_back(record);
    AppendLocked(batch);
  }
  if (AppendObserver* const observer = append_observer_) observer->OnAppend(batch);
  return Status::Ok();
}

Status MemoryEngine::Flush() {
  Seal();
  return Status::Ok();
}

Result<DeleteRequest> MemoryEngine::AddDelete(std::string_view tenant, std::string_view query,
                                              int64_t start_ns, int64_t end_ns) {
  if (options_.engine.row_filter_factory == nullptr) return Unimplemented("no row filter factory");
  VARVE_ASSIGN_OR_RETURN(std::shared_ptr<const RowFilter> filter, options_.engine.row_filter_factory(query));
  MutexLock lock(mu_);
  segments_.emplace_back();
  Delete added;
  added.filter = std::move(filter);
  added.request.number = deletes_.size() + 1;
  added.request.id = "delete" + std::to_string(added.request.number);
  added.request.tenant = tenant;
  added.request.query = query;
  added.request.start_ns = start_ns;
  added.request.end_ns = end_ns;
  added.request.created_ns = options_.engine.clock->NowNs();
  added.request.through = segments_.size() - 1;
  deletes_.push_back(added);
  ++delete_generation_;
  generations_.Bump(added.request.range());
  return added.request;
}

std::vector<DeleteRequest> MemoryEngine::ListDeletes(std::string_view tenant) const {
  MutexLock lock(mu_);
  std::vector<DeleteRequest> requests;
  for (const Delete& live : deletes_) {
    if (live.request.tenant == tenant && live.request.hides_rows()) requests.push_back(live.request);
  }
  return requests;
}

Status MemoryEngine::CancelDelete(std::string_view tenant, std::string_view id, bool) {
  MutexLock lock(mu_);
  for (Delete& live : deletes_) {
    if (live.request.tenant != tenant || live.request.id != id || !live.request.hides_rows()) continue;
    live.request.state = DeleteRequest::State::kCancelled;
    ++delete_generation_;
    generations_.Bump(live.request.range());
    return Status::Ok();
  }
  return NotFound("could not find delete request with given id");
}

uint64_t MemoryEngine::DeleteGeneration(std::string_view) const {
  MutexLock lock(mu_);
  return delete_generation_;
}

std::vector<StreamOrdinal> MemoryEngine::MatchLocked(TenantId tenant, const std::vector<Matcher>& matchers) const {
  std::vector<StreamOrdinal> found;
  for (size_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].tenant == tenant && MatchesAll(matchers, streams_[i].labels)) {
      found.push_back(static_cast<StreamOrdinal>(i));
    }
  }
  // The lock is held here; clang's analysis does not look from a lambda into the function around it.
  std::sort(found.begin(), found.end(), [this](StreamOrdinal a, StreamOrdinal b) VARVE_NO_THREAD_SAFETY_ANALYSIS {
    return streams_[a].labels < streams_[b].labels;
  });
  return found;
}

Result<std::unique_ptr<const LogSnapshot>> MemoryEngine::SnapshotLogs(TenantId tenant,
                                                                      const std::vector<Matcher>& matchers,
                                                                      TimeRange range) const {
  auto snapshot = std::make_unique<MemorySnapshot>();
  MutexLock lock(mu_);
  const std::vector<StreamOrdinal> matched = MatchLocked(tenant, matchers);
  std::vector<std::vector<PlacedSlice>> placed(matched.size());  // by matched stream
  for (size_t segment = 0; segment < segments_.size(); ++segment) {
    const bool head = segment + 1 == segments_.size();
    bool fresh_source = true;
    for (size_t m = 0; m < matched.size(); ++m) {
      const auto it = segments_[segment].find(matched[m]);
      if (it == segments_[segment].end()) continue;
      // As in the real engine, a head's source holds one stream; a block holds many.
      if (head) fresh_source = true;
      PlaceRows(SortedUnique(it->second), it->second.size(), options_.rows_per_source, head, &fresh_source,
                snapshot.get(), segment, &placed[m]);
    }
  }
  for (size_t m = 0; m < matched.size(); ++m) {
    std::erase_if(placed[m], [&](const PlacedSlice& p) {
      return !range.OverlapsSpan(p.slice.min_ts_ns, p.slice.max_ts_ns);
    });
    if (placed[m].empty()) continue;
    for (PlacedSlice& p : placed[m]) {
      std::vector<MemorySnapshot::Hiding> hiding;
      for (const Delete& live : deletes_) {
        if (live.request.tenant == tenants_[tenant] && live.request.hides_rows() &&
            p.segment < live.request.through && live.filter->TakesStream(streams_[matched[m]].labels)) {
          hiding.push_back({live.request.start_ns, live.request.end_ns, live.filter});
        }
      }
      if (hiding.empty()) continue;
      snapshot->hidings_.push_back(std::move(hiding));
      p.slice.hiding = static_cast<uint32_t>(snapshot->hidings_.size());
      p.slice.counts_exact = false;
    }
    AddStreamSlices(std::move(placed[m]), snapshot.get());
    snapshot->streams_.push_back({matched[m], &streams_[matched[m]].labels});
  }
  return std::unique_ptr<const LogSnapshot>(std::move(snapshot));
}

Result<std::vector<const Labels*>> MemoryEngine::SelectStreams(TenantId tenant, const std::vector<Matcher>& matchers,
                                                               TimeRange range) const {
  std::vector<const Labels*> found;
  MutexLock lock(mu_);
  for (const StreamOrdinal stream : MatchLocked(tenant, matchers)) {
    const bool in_range = std::any_of(segments_.begin(), segments_.end(), [&](const Segment& segment) {
      const auto it = segment.find(stream);
      return it != segment.end() && std::any_of(it->second.begin(), it->second.end(),
                                                [&](const Row& row) { return range.Contains(row.ts_ns); });
    });
    if (in_range) found.push_back(&streams_[stream].labels);
  }
  return found;
}

EngineStats MemoryEngine::Stats() const {
  MutexLock lock(mu_);
  EngineStats stats;
  stats.appended_entries = entries_;
  stats.appended_line_bytes = line_bytes_;
  stats.journal_records = records_.size();
  stats.streams = streams_.size();
  stats.head_entries = entries_;
  stats.accepting_writes = append_failure_.ok();
  for (const MemoryBudget* budget : {&ingest_budget_, &query_budget_}) {
    stats.budgets.push_back({budget->name(), budget->limit_bytes(), budget->used_bytes(), budget->peak_bytes()});
  }
  return stats;
}

Status MemoryEngine::Close() { return Status::Ok(); }

}  // namespace varve::testing
