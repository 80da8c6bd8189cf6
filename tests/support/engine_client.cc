#include "tests/support/engine_client.h"

#include "engine/base/bytes.h"
#include "tests/support/metric_client.h"

namespace varve {
namespace {

struct Rows {
  const LogSlice* slice;
  std::shared_ptr<const LogColumns> columns;
  uint32_t row_end;

  TestEntry Entry(uint32_t row) const {
    return {columns->timestamps_ns[row], std::string(columns->Line(row)),
            std::string(columns->Metadata(row))};
  }
};

Result<Rows> LoadRows(const LogSnapshot& snapshot, const LogSlice& slice, MemoryBudget* budget) {
  VARVE_ASSIGN_OR_RETURN(auto columns, snapshot.Load(slice.source, kTimestamps | kLines | kMetadata, budget));
  const uint32_t row_end = std::min(slice.row_end, columns->row_count);
  if (slice.counts_exact) {
    if (row_end != slice.row_end) return InternalError("counts_exact, but rows are missing");
    uint64_t bytes = 0;
    for (uint32_t row = slice.row_begin; row < row_end; ++row) bytes += columns->LineLength(row);
    if (bytes != slice.line_bytes) return InternalError("counts_exact, but line_bytes differ");
  }
  for (uint32_t row = slice.row_begin; row < row_end; ++row) {
    const int64_t ts = columns->timestamps_ns[row];
    if (ts < slice.min_ts_ns || ts > slice.max_ts_ns) return InternalError("a row outside its slice's span");
    if (row > slice.row_begin && ts < columns->timestamps_ns[row - 1])
      return InternalError("an unsorted slice");
  }
  return Rows{.slice = &slice, .columns = std::move(columns), .row_end = row_end};
}

}  // namespace

Labels MakeLabels(std::vector<Label> labels) { return Labels::FromUnsorted(std::move(labels)); }

void TestPush::AddTo(TestContents* contents) const {
  for (const Stream& stream : streams) {
    if (stream.entries.empty()) continue;
    (*contents)[stream.labels.ToString()].insert(stream.entries.begin(), stream.entries.end());
  }
}

Status EngineClient::Push(const TestPush& push) {
  VARVE_ASSIGN_OR_RETURN(const TenantId tenant, engine_->InternTenant(tenant_));
  AppendBatch batch;
  std::string record;
  PutLengthPrefixed(&record, tenant_);
  PutVarint(&record, push.streams.size());
  for (const TestPush::Stream& stream : push.streams) {
    VARVE_ASSIGN_OR_RETURN(const StreamOrdinal ordinal, engine_->InternStream(tenant, stream.labels));
    batch.streams.push_back({.stream = ordinal,
                             .begin = static_cast<uint32_t>(batch.entries.size()),
                             .count = static_cast<uint32_t>(stream.entries.size())});
    PutLengthPrefixed(&record, stream.labels.Canonical());
    PutVarint(&record, stream.entries.size());
    for (const auto& [ts_ns, line, metadata] : stream.entries) {
      batch.entries.push_back({.ts_ns = ts_ns, .line = line, .metadata = metadata});
      PutSignedVarint(&record, ts_ns);
      PutLengthPrefixed(&record, line);
      PutLengthPrefixed(&record, metadata);
    }
  }
  return engine_->Append(batch, record);
}

Status EngineClient::Push(const Labels& labels, int64_t ts_ns, const std::string& line,
                          const std::string& metadata) {
  TestPush push;
  push.streams.push_back({.labels = labels, .entries = {{ts_ns, line, metadata}}});
  return Push(push);
}

Result<TestContents> EngineClient::ReadAll(const std::vector<Matcher>& matchers, TimeRange range) const {
  TestContents contents;
  const Result<TenantId> tenant = engine_->FindTenant(tenant_);
  if (!tenant.ok()) return contents;
  VARVE_ASSIGN_OR_RETURN(const auto snapshot, engine_->SnapshotLogs(*tenant, matchers, range));
  const std::vector<LogSlice>& slices = snapshot->slices();
  for (size_t i = 0; i < slices.size(); ++i) {
    const LogSlice& slice = slices[i];
    if (i > 0 && (slice.stream < slices[i - 1].stream ||
                  (slice.stream == slices[i - 1].stream && slice.source <= slices[i - 1].source))) {
      return InternalError("slices are out of order");
    }
    VARVE_ASSIGN_OR_RETURN(const Rows rows, LoadRows(*snapshot, slice, engine_->query_budget()));
    std::vector<uint32_t> visible;
    for (uint32_t row = slice.row_begin; row < rows.row_end; ++row) visible.push_back(row);
    VARVE_RETURN_IF_ERROR(snapshot->DropHidden(slice, engine_->query_budget(), &visible));
    std::set<TestEntry> older;
    for (const uint32_t other : slice.older_overlapping) {
      VARVE_ASSIGN_OR_RETURN(const Rows other_rows,
                             LoadRows(*snapshot, slices[other], engine_->query_budget()));
      std::vector<uint32_t> originals;
      for (uint32_t row = slices[other].row_begin; row < other_rows.row_end; ++row) originals.push_back(row);
      VARVE_RETURN_IF_ERROR(snapshot->DropHidden(slices[other], engine_->query_budget(), &originals));
      for (const uint32_t row : originals) older.insert(other_rows.Entry(row));
    }
    for (const uint32_t row : visible) {
      TestEntry entry = rows.Entry(row);
      if (!range.Contains(std::get<0>(entry)) || older.contains(entry)) continue;
      const std::string stream = snapshot->streams()[slice.stream].labels->ToString();
      if (!contents[stream].insert(std::move(entry)).second) {
        return InternalError("an entry of " + stream + " occurs twice, in " +
                             snapshot->SourceName(slice.source));
      }
    }
  }
  std::erase_if(contents, [](const auto& stream) { return stream.second.empty(); });
  return contents;
}

ReplayFn TestReplay(Engine* engine) {
  return [engine](std::string_view record, ReplaySink* sink) -> Status {
    if (IsMetricTestRecord(record)) return ReplayMetricTestRecord(engine, record, sink);
    ByteReader reader(record);
    VARVE_ASSIGN_OR_RETURN(const TenantId tenant, engine->InternTenant(reader.LengthPrefixed()));
    AppendBatch batch;
    const uint64_t streams = reader.Varint();
    for (uint64_t i = 0; i < streams && reader.ok(); ++i) {
      Labels labels;
      if (!Labels::FromCanonical(reader.LengthPrefixed(), &labels)) return Corruption("test record: labels");
      VARVE_ASSIGN_OR_RETURN(const StreamOrdinal ordinal, engine->InternStream(tenant, labels));
      const uint64_t entries = reader.Varint();
      batch.streams.push_back({.stream = ordinal,
                               .begin = static_cast<uint32_t>(batch.entries.size()),
                               .count = static_cast<uint32_t>(entries)});
      for (uint64_t k = 0; k < entries && reader.ok(); ++k) {
        LogEntryView entry;
        entry.ts_ns = reader.SignedVarint();
        entry.line = reader.LengthPrefixed();
        entry.metadata = reader.LengthPrefixed();
        batch.entries.push_back(entry);
      }
    }
    if (!reader.AtEnd()) return Corruption("test record: malformed");
    sink->OnLogs(batch);
    return Status::Ok();
  };
}

}  // namespace varve
