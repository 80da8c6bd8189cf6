#include "query/exec/range_scan.h"

#include <algorithm>

#include "query/exec/distinct_accumulator.h"

namespace varve {
namespace {

constexpr uint32_t kRowsBetweenChecks = 4096;
constexpr size_t kSeriesPerCount = 4096;

// The series of rows whose labels are just their stream's and their metadata's, by metadata code, for one
// slice at a time. Stamps make starting the next slice free.
class SeriesByCode {
 public:
  static constexpr uint32_t kUnknown = ~uint32_t{0};
  static constexpr uint32_t kRejected = kUnknown - 1;  // the pipeline filters them out

  void StartSlice(size_t code_count) {
    if (stamps_.size() < code_count) {
      stamps_.resize(code_count, 0);
      series_.resize(code_count);
    }
    ++stamp_;
  }
  uint32_t Find(uint32_t code) const { return stamps_[code] == stamp_ ? series_[code] : kUnknown; }
  void Set(uint32_t code, uint32_t series) {
    stamps_[code] = stamp_;
    series_[code] = series;
  }

 private:
  uint64_t stamp_ = 0;
  std::vector<uint64_t> stamps_;
  std::vector<uint32_t> series_;
};

// The first row in [row, end) later than `last_ns`; `row` is not. Galloping: intervals hold a few rows or
// very many.
uint32_t RowBehind(const int64_t* timestamps, uint32_t row, uint32_t end, int64_t last_ns) {
  uint32_t width = 1;
  while (row + width < end && timestamps[row + width] <= last_ns) {
    row += width;
    if (width < (1u << 16)) width *= 2;
  }
  const uint32_t limit = std::min(end, row + width);
  return static_cast<uint32_t>(std::upper_bound(timestamps + row, timestamps + limit, last_ns) - timestamps);
}

// `{__error__="JSONParserErr", …}`
Status PipelineError(const logql::RowLabels& labels) {
  std::vector<Label> all;
  for (const logql::RowLabel& label : labels.labels()) {
    all.push_back({std::string(label.name), std::string(label.value)});
  }
  all.push_back({"__error__", std::string(labels.error())});
  all.push_back({"__error_details__", std::string(labels.error_details())});
  const std::string error(labels.error());
  return InvalidArgument(
      "pipeline error: '" + error + "' for series: '" + Labels::FromUnsorted(std::move(all)).ToString() +
      "'.\nUse a label filter to intentionally skip this error. (e.g | __error__!=\"" + error +
      "\").\nTo skip all potential errors you can match empty errors.(e.g __error__=\"\")\nThe label filter "
      "can also "
      "be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n");
}

// Whether all stages but line filters look at labels only.
bool OnlyLabelStages(const logql::LogSelector& selector) {
  return std::all_of(selector.stages.begin(), selector.stages.end(), [](const logql::Stage& stage) {
    if (const auto* format = std::get_if<logql::LabelFormat>(&stage)) {
      return std::all_of(format->assignments.begin(), format->assignments.end(),
                         [](const auto& assignment) { return assignment.is_rename; });
    }
    return std::holds_alternative<logql::LineFilter>(stage) ||
           std::holds_alternative<logql::LabelFilterStage>(stage) ||
           std::holds_alternative<logql::DropLabels>(stage) ||
           std::holds_alternative<logql::KeepLabels>(stage);
  });
}

}  // namespace

// What one thread has gathered; borrowed by one task at a time.
struct RangeScan::Worker {
  Worker(const RangeScan& scan, std::unique_ptr<WindowAccumulator> windows_in)
      : keys(scan.keys_),
        windows(std::move(windows_in)),
        runner(scan.scan_.pipeline()),
        errors_allowed(scan.errors_allowed_),
        reservation(scan.query_.budget()) {}

  // The series of a row whose labels are `labels`.
  uint32_t SeriesOf(const logql::RowLabels& labels) {
    keys.Build(labels, &key);
    return series.Intern(key);
  }
  // The series, or kRejected, of the stream's rows with this metadata where no stage looks at lines.
  Result<uint32_t> SeriesOfLabels(const Labels& stream, std::string_view metadata) {
    runner.SetStream(stream);
    if (!runner.Process(0, {}, metadata)) return SeriesByCode::kRejected;
    if (runner.labels().has_error() && !errors_allowed) return PipelineError(runner.labels());
    return SeriesOf(runner.labels());
  }
  // The same for rows whose metadata is empty or does not matter.
  Result<uint32_t> SeriesOfStream(uint32_t number, const Labels& stream) {
    if (number >= by_stream.size()) by_stream.resize(number + 1, SeriesByCode::kUnknown);
    if (by_stream[number] == SeriesByCode::kUnknown) {
      VARVE_ASSIGN_OR_RETURN(by_stream[number], SeriesOfLabels(stream, {}));
    }
    return by_stream[number];
  }
  // The same for a code of the source at hand.
  Result<uint32_t> SeriesOfCode(uint32_t code, const Labels& stream, const SourceColumns& columns) {
    uint32_t found = by_code.Find(code);
    if (found != SeriesByCode::kUnknown) return found;
    VARVE_ASSIGN_OR_RETURN(found, SeriesOfLabels(stream, columns.MetadataSet(code)));
    by_code.Set(code, found);
    return found;
  }
  void Count(uint32_t number, uint32_t interval, uint64_t rows, uint64_t line_bytes) {
    if (number == SeriesByCode::kRejected) return;
    windows->AddRows(number, interval, rows, line_bytes);
    stats.lines_after_filters += rows;
  }
  // Walks over all series, hence not after every source when there are many.
  Status CountMemorySometimes() {
    if (++sources_uncounted <= series.size() / kSeriesPerCount) return Status::Ok();
    sources_uncounted = 0;
    return CountMemory();
  }
  Status CountMemory() {
    const int64_t bytes = series.MemoryBytes() + windows->MemoryBytes();
    return bytes > reservation.bytes() ? reservation.Add(bytes - reservation.bytes()) : Status::Ok();
  }

  SeriesKeyBuilder keys;
  GroupedSeries series;
  std::unique_ptr<WindowAccumulator> windows;
  logql::PipelineRunner runner;
  const bool errors_allowed;
  std::string key;
  SeriesByCode by_code;
  std::vector<uint32_t> by_stream;
  size_t sources_uncounted = 0;
  QueryStats stats;
  MemoryReservation reservation;
};

RangeScan::RangeScan(const LogScan& scan, const WindowGrid& grid, const logql::RangeAggregation& aggregation,
                     SeriesKeyBuilder keys, bool errors_allowed)
    : query_(scan.query()),
      scan_(scan),
      grid_(grid),
      aggregation_(aggregation),
      keys_(std::move(keys)),
      errors_allowed_(errors_allowed),
      aggregates_rows_(AggregatesRows(aggregation)),
      aggregates_texts_(AggregatesTexts(aggregation.op)),
      needs_bytes_(AggregatesBytes(aggregation.op)),
      only_labels_matter_(aggregates_rows_ && (scan.pipeline().only_line_filters() ||
                                               OnlyLabelStages(aggregation.range.selector))) {}

RangeScan::~RangeScan() = default;

Result<SeriesSet> RangeScan::Run() {
  const auto& sources = scan_.sources();
  query_.engine().query_pool()->ParallelFor(sources.size(), [&](size_t i) {
    Status status = VisitSource(sources[i]);
    if (!status.ok()) query_.Fail(sources[i].source, std::move(status));
  });
  VARVE_RETURN_IF_ERROR(query_.TakeFailure());
  return Finish();
}

std::unique_ptr<RangeScan::Worker> RangeScan::BorrowWorker(Status* status) {
  {
    MutexLock lock(mu_);
    if (!idle_.empty()) {
      std::unique_ptr<Worker> worker = std::move(idle_.back());
      idle_.pop_back();
      return worker;
    }
  }
  auto windows = WindowAccumulator::Create(aggregation_, grid_);
  if (!windows.ok()) {
    *status = std::move(windows).status();
    return nullptr;
  }
  return std::make_unique<Worker>(*this, std::move(windows).value());
}

void RangeScan::ReturnWorker(std::unique_ptr<Worker> worker) {
  MutexLock lock(mu_);
  idle_.push_back(std::move(worker));
}

Status RangeScan::VisitSource(const LogScan::SourceSlices& source) {
  VARVE_RETURN_IF_ERROR(query_.CheckAlive(source.source));
  Status status;
  std::unique_ptr<Worker> worker = BorrowWorker(&status);
  VARVE_RETURN_IF_ERROR(std::move(status));
  status = CountOrRead(source, worker.get());
  if (status.ok()) status = worker->CountMemorySometimes();
  ReturnWorker(std::move(worker));
  return status;
}

Status RangeScan::CountOrRead(const LogScan::SourceSlices& source, Worker* worker) const {
  std::vector<uint32_t> to_read;
  for (const uint32_t index : source.slices) {
    VARVE_ASSIGN_OR_RETURN(const bool counted, CountFromSlice(scan_.slice(index), worker));
    if (!counted) to_read.push_back(index);
  }
  return to_read.empty() ? Status::Ok() : ReadRows(source, to_read, worker);
}

std::optional<WindowGrid::Interval> RangeScan::CountableInterval(const LogSlice& slice) const {
  if (!aggregates_rows_ || !scan_.pipeline().empty()) return std::nullopt;
  if (!slice.counts_exact || !slice.older_overlapping.empty()) return std::nullopt;
  if (!scan_.range().CoversSpan(slice.min_ts_ns, slice.max_ts_ns)) return std::nullopt;
  const WindowGrid::Interval interval = grid_.Locate(slice.min_ts_ns);
  if (slice.max_ts_ns > interval.last_ns) return std::nullopt;
  if (interval.index != WindowGrid::kGap && keys_.DependsOnMetadata(scan_.StreamLabels(slice.stream))) {
    return std::nullopt;
  }
  return interval;
}

void RangeScan::Plan(ScanPlan* plan) const {
  plan->to_read = PlannedAmount();
  ColumnMask columns = 0;
  for (const LogScan::SourceSlices& source : scan_.sources()) {
    std::vector<uint32_t> counted, to_read;
    for (const uint32_t index : source.slices) {
      (CountableInterval(scan_.slice(index)).has_value() ? counted : to_read).push_back(index);
    }
    if (to_read.empty()) AddAmount(scan_, source.source, counted, &plan->counted);
    AddAmount(scan_, source.source, to_read, &plan->to_read);
    if (!to_read.empty()) columns |= ColumnsOf(to_read);
  }
  if (scan_.has_line_filter()) {
    plan->columns = ColumnNames(columns & (kTimestamps | kLines));
    plan->late_columns = ColumnNames(columns & ~(kTimestamps | kLengths | kLines));
  } else {
    plan->columns = ColumnNames(columns);
  }
}

Result<bool> RangeScan::CountFromSlice(const LogSlice& slice, Worker* worker) const {
  const std::optional<WindowGrid::Interval> countable = CountableInterval(slice);
  if (!countable.has_value()) return false;
  const WindowGrid::Interval interval = *countable;
  if (interval.index == WindowGrid::kGap) return true;
  const Labels& stream = scan_.StreamLabels(slice.stream);
  const uint64_t rows = slice.row_end - slice.row_begin;
  VARVE_ASSIGN_OR_RETURN(const uint32_t series, worker->SeriesOfStream(slice.stream, stream));
  worker->windows->AddRows(series, interval.index, rows, slice.line_bytes);
  worker->stats.lines_processed += rows;
  worker->stats.lines_after_filters += rows;
  return true;
}

bool RangeScan::WantsMetadata(const std::vector<uint32_t>& slices) const {
  if (scan_.pipeline().needs_metadata()) return true;
  return std::any_of(slices.begin(), slices.end(), [this](uint32_t index) {
    return keys_.DependsOnMetadata(scan_.StreamLabels(scan_.slice(index).stream));
  });
}

ColumnMask RangeScan::ColumnsOf(const std::vector<uint32_t>& slices) const {
  ColumnMask want = kTimestamps;
  if (needs_bytes_) want |= kLengths;
  if (scan_.pipeline().needs_lines()) want |= kLines;
  if (WantsMetadata(slices)) want |= kMetadata;
  return want;
}

Status RangeScan::ReadRows(const LogScan::SourceSlices& source, const std::vector<uint32_t>& slices,
                           Worker* worker) const {
  SourceColumns columns(scan_.snapshot(), source.source, query_);
  const ColumnMask want = ColumnsOf(slices);
  if (!scan_.has_line_filter()) VARVE_RETURN_IF_ERROR(columns.Ensure(want));
  VARVE_ASSIGN_OR_RETURN(const RowSelection selection,
                         RowSelection::Select(scan_, slices, scan_.range(), columns));
  Status status;
  if (!selection.slices().empty()) {
    VARVE_RETURN_IF_ERROR(columns.Ensure(want));
    status =
        only_labels_matter_ ? CountRows(selection, columns, worker) : ProcessRows(selection, columns, worker);
  }
  query_.AddStats(selection.stats());
  query_.AddStats(columns.stats());
  query_.AddStats(worker->stats);
  worker->stats = QueryStats();
  return status;
}

// Rows whose lines no stage looks at (any more): what becomes of them depends on stream and metadata alone.
Status RangeScan::CountRows(const RowSelection& selection, const SourceColumns& columns,
                            Worker* worker) const {
  for (const RowSelection::SliceRows& slice : selection.slices()) {
    VARVE_RETURN_IF_ERROR(query_.CheckAlive(columns.source()));
    const bool by_metadata = columns.loaded(kMetadata) && columns.has_metadata() &&
                             (scan_.pipeline().needs_metadata() ||
                              keys_.DependsOnMetadata(scan_.StreamLabels(slice.slice->stream)));
    VARVE_RETURN_IF_ERROR(by_metadata ? CountSliceByMetadata(selection, slice, columns, worker)
                                      : CountSlice(selection, slice, columns, worker));
  }
  return Status::Ok();
}

Status RangeScan::CountSlice(const RowSelection& selection, const RowSelection::SliceRows& slice,
                             const SourceColumns& columns, Worker* worker) const {
  const int64_t* timestamps = columns.timestamps();
  const uint32_t stream = slice.slice->stream;
  for (uint32_t i = 0; i < slice.size();) {
    const uint32_t row = selection.Row(slice, i);
    const WindowGrid::Interval interval = grid_.Locate(timestamps[row]);
    uint32_t next = i;
    uint64_t line_bytes = 0;
    if (!slice.listed) {
      const uint32_t end = RowBehind(timestamps, row, slice.end, interval.last_ns);
      next += end - row;
      if (needs_bytes_) line_bytes = columns.LineBytes(row, end);
    } else {
      for (; next < slice.size() && timestamps[selection.Row(slice, next)] <= interval.last_ns; ++next) {
        if (needs_bytes_) line_bytes += columns.LineLength(selection.Row(slice, next));
      }
    }
    if (interval.index != WindowGrid::kGap) {
      VARVE_ASSIGN_OR_RETURN(const uint32_t series,
                             worker->SeriesOfStream(stream, scan_.StreamLabels(stream)));
      worker->Count(series, interval.index, next - i, line_bytes);
    }
    i = next;
  }
  return Status::Ok();
}

Status RangeScan::CountSliceByMetadata(const RowSelection& selection, const RowSelection::SliceRows& slice,
                                       const SourceColumns& columns, Worker* worker) const {
  const int64_t* timestamps = columns.timestamps();
  const Labels& stream = scan_.StreamLabels(slice.slice->stream);
  worker->by_code.StartSlice(columns.metadata_set_count());
  for (uint32_t i = 0; i < slice.size();) {
    const uint32_t first = selection.Row(slice, i);
    const WindowGrid::Interval interval = grid_.Locate(timestamps[first]);
    const uint32_t code = columns.MetadataCode(first);
    // As many rows at once as share the cell.
    uint64_t rows = 0, line_bytes = 0;
    for (uint32_t row = first; timestamps[row] <= interval.last_ns && columns.MetadataCode(row) == code;
         row = selection.Row(slice, i)) {
      if (needs_bytes_) line_bytes += columns.LineLength(row);
      ++rows;
      if (++i == slice.size()) break;
    }
    if (interval.index == WindowGrid::kGap) continue;
    VARVE_ASSIGN_OR_RETURN(const uint32_t series, worker->SeriesOfCode(code, stream, columns));
    worker->Count(series, interval.index, rows, line_bytes);
  }
  return Status::Ok();
}

Status RangeScan::ProcessRows(const RowSelection& selection, const SourceColumns& columns,
                              Worker* worker) const {
  const int64_t* timestamps = columns.timestamps();
  const bool lines = columns.loaded(kLines);
  const bool metadata = columns.loaded(kMetadata);
  const bool codes = metadata && columns.has_metadata();
  logql::PipelineRunner& runner = worker->runner;
  uint32_t seen = 0;
  for (const RowSelection::SliceRows& slice : selection.slices()) {
    runner.SetStream(scan_.StreamLabels(slice.slice->stream));
    worker->by_code.StartSlice(codes ? columns.metadata_set_count() : 1);
    WindowGrid::Interval interval;
    interval.last_ns = INT64_MIN;
    for (uint32_t i = 0; i < slice.size(); ++i) {
      if (++seen % kRowsBetweenChecks == 0) VARVE_RETURN_IF_ERROR(query_.CheckAlive(columns.source()));
      const uint32_t row = selection.Row(slice, i);
      const int64_t ts_ns = timestamps[row];
      if (ts_ns > interval.last_ns) interval = grid_.Locate(ts_ns);
      if (interval.index == WindowGrid::kGap) continue;
      const std::string_view line = lines ? columns.Line(row) : std::string_view();
      if (!runner.Process(ts_ns, line, metadata ? columns.Metadata(row) : std::string_view())) continue;
      ++worker->stats.lines_after_filters;
      const logql::RowLabels& labels = runner.labels();
      if (labels.has_error() && !errors_allowed_) return PipelineError(labels);
      uint32_t series = SeriesByCode::kUnknown;
      if (labels.modified() || labels.has_error()) {
        series = worker->SeriesOf(labels);
      } else {
        const uint32_t code = codes ? columns.MetadataCode(row) : 0;
        series = worker->by_code.Find(code);
        if (series == SeriesByCode::kUnknown) {
          series = worker->SeriesOf(labels);
          worker->by_code.Set(code, series);
        }
      }
      if (aggregates_rows_) {
        const uint64_t bytes = lines ? runner.line().size() : needs_bytes_ ? columns.LineLength(row) : 0;
        worker->windows->AddRows(series, interval.index, 1, bytes);
      } else if (aggregates_texts_) {
        worker->windows->AddText(series, interval.index, TextHash(runner.value_text()));
      } else {
        worker->windows->AddValue(series, interval.index,
                                  {ts_ns, slice.slice->stream, columns.source(), row, runner.value()});
      }
    }
  }
  return Status::Ok();
}

Result<SeriesSet> RangeScan::Finish() {
  MutexLock lock(mu_);
  SeriesSet result;
  if (idle_.empty()) return result;
  for (const auto& worker : idle_) VARVE_RETURN_IF_ERROR(worker->CountMemory());
  Worker& all = *idle_[0];
  for (size_t i = 1; i < idle_.size(); ++i) {
    Worker& other = *idle_[i];
    std::vector<uint32_t> map(other.series.size());
    for (uint32_t series = 0; series < map.size(); ++series) {
      map[series] = all.series.Intern(other.series.Key(series));
    }
    all.windows->MergeFrom(*other.windows, map);
    VARVE_RETURN_IF_ERROR(all.CountMemory());
  }
  for (const auto& worker : idle_) query_.AddStats(worker->stats);
  MemoryReservation points(query_.budget());
  for (uint32_t i = 0; i < all.series.size(); ++i) {
    if (i % 256 == 0) VARVE_RETURN_IF_ERROR(query_.CheckAlive());
    Series series;
    all.windows->Finish(i, &series.points);
    if (series.points.empty()) continue;
    VARVE_RETURN_IF_ERROR(points.Add(static_cast<int64_t>(series.points.size() * sizeof(StepPoint))));
    series.labels = DecodeSeriesKey(all.series.Key(i));
    result.push_back(std::move(series));
  }
  SortByLabels(&result);
  idle_.clear();
  return result;
}

}  // namespace varve
