#include "query/patterns/pattern_query.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "engine/base/mutex.h"
#include "engine/model/log_entry.h"
#include "query/exec/log_scan.h"
#include "query/exec/query_checks.h"
#include "query/exec/query_context.h"
#include "query/exec/row_selection.h"
#include "query/patterns/pattern_set.h"

namespace varve {
namespace {

constexpr uint32_t kRowsBetweenChecks = 1024;
// Sources mined at once; their tables are merged in order before the next ones are read.
constexpr size_t kMinedTogether = 16;
constexpr int64_t kCellBytes = 64;  // of a count, with the map's overhead

// ---- Levels -----------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 8> kLevels = {"critical", "fatal", "error", "warn",
                                                     "info",     "debug", "trace", "unknown"};
constexpr uint8_t kUnknownLevel = kLevels.size() - 1;

uint8_t LevelOf(std::string_view value) {
  for (uint8_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels[i] == value) return i;
  }
  return kUnknownLevel;
}

// The levels of a source's rows: each set of metadata is decoded once.
class RowLevels {
 public:
  explicit RowLevels(const SourceColumns& columns) : columns_(columns) {
    if (columns.has_metadata()) by_set_.assign(columns.metadata_set_count(), kUndecided);
  }
  uint8_t Of(uint32_t row, const Labels& stream) {
    if (by_set_.empty()) return LevelOf(stream.Get("detected_level"));
    const uint32_t code = columns_.MetadataCode(row);
    uint8_t& level = by_set_[code];
    if (level == kUndecided) {
      level = kAbsent;
      ForEachMetadata(columns_.MetadataSet(code), [&](std::string_view name, std::string_view value) {
        if (name == "detected_level") level = LevelOf(value);
      });
    }
    return level == kAbsent ? LevelOf(stream.Get("detected_level")) : level;
  }

 private:
  static constexpr uint8_t kUndecided = 255, kAbsent = 254;
  const SourceColumns& columns_;
  std::vector<uint8_t> by_set_;
};

// ---- Which sources ----------------------------------------------------------------------------------

using Sources = std::vector<const LogScan::SourceSlices*>;

uint64_t LinesOf(const LogScan& scan, const LogScan::SourceSlices& source) {
  uint64_t lines = 0;
  for (const uint32_t index : source.slices) {
    const LogSlice& slice = scan.slice(index);
    lines += slice.row_end - slice.row_begin;
  }
  return lines;
}

// Every n-th of `sources` in order of time, so that about `part` of all are left, at least one.
Sources EveryNth(Sources sources, size_t count_max) {
  if (sources.size() <= count_max) return sources;
  std::stable_sort(sources.begin(), sources.end(), [](const auto* a, const auto* b) {
    return a->min_ts_ns != b->min_ts_ns ? a->min_ts_ns < b->min_ts_ns : a->source < b->source;
  });
  Sources chosen;
  for (size_t i = 0; i < count_max; ++i) chosen.push_back(sources[i * sources.size() / count_max]);
  return chosen;
}

// ---- The query --------------------------------------------------------------------------------------

class PatternRun {
 public:
  PatternRun(QueryContext& query, const LogScan& scan, const PatternRequest& request)
      : query_(query), scan_(scan), request_(request), memory_(query.budget()) {}

  Result<PatternResult> Run() {
    ChooseSources();
    VARVE_RETURN_IF_ERROR(Mine());
    VARVE_RETURN_IF_ERROR(Count());
    return MakeResult();
  }

 private:
  // Pattern and level, then step.
  struct Cell {
    uint32_t pattern = 0;
    uint8_t level = 0;
    int64_t step = 0;  // floor(time / step_ns)

    bool operator==(const Cell&) const = default;
  };
  struct CellHash {
    size_t operator()(const Cell& cell) const {
      return (static_cast<size_t>(cell.step) * 0x9e3779b97f4a7c15ULL) ^
             (cell.pattern * size_t{8} + cell.level) * 0xff51afd7ed558ccdULL;
    }
  };
  using Counts = std::unordered_map<Cell, uint64_t, CellHash>;

  void ChooseSources() {
    for (const LogScan::SourceSlices& source : scan_.sources()) {
      counted_.push_back(&source);
      total_lines_ += LinesOf(scan_, source);
    }
    const uint64_t lines_max = query_.limits().max_pattern_lines;
    chosen_lines_ = total_lines_;
    if (lines_max != 0 && total_lines_ > lines_max) {
      const auto share = static_cast<double>(lines_max) / static_cast<double>(total_lines_);
      counted_ = EveryNth(
          counted_, std::max<size_t>(1, static_cast<size_t>(share * static_cast<double>(counted_.size()))));
      chosen_lines_ = 0;
      for (const auto* source : counted_) chosen_lines_ += LinesOf(scan_, *source);
    }
  }

  // Runs `visit` for each source; the lowest one's error is the query's.
  template <typename Visit>
  Status ForEach(size_t count, const Visit& visit) {
    query_.engine().query_pool()->ParallelFor(count, [&](size_t i) {
      Status status = visit(i);
      if (!status.ok()) query_.Fail(i, std::move(status));
    });
    return query_.TakeFailure();
  }

  // Calls fn(stream, row, columns) for the source's rows in range, duplicates left out.
  template <typename Fn>
  Status ForEachRow(const LogScan::SourceSlices& source, size_t rank, bool counts, const Fn& fn) {
    VARVE_RETURN_IF_ERROR(query_.CheckAlive(rank));
    SourceColumns columns(scan_.snapshot(), source.source, query_);
    VARVE_RETURN_IF_ERROR(columns.Ensure(kTimestamps | kLines | kMetadata));
    VARVE_ASSIGN_OR_RETURN(const RowSelection selection,
                           RowSelection::Select(scan_, source.slices, request_.range, columns));
    uint32_t seen = 0;
    for (const RowSelection::SliceRows& slice : selection.slices()) {
      for (uint32_t i = 0; i < slice.size(); ++i) {
        if (++seen % kRowsBetweenChecks == 0) VARVE_RETURN_IF_ERROR(query_.CheckAlive(rank));
        fn(slice, i, selection.Row(slice, i), columns);
      }
    }
    QueryStats stats = selection.stats();
    if (!counts) stats = QueryStats();  // the lines that are mined are counted too
    stats.sources_loaded += columns.stats().sources_loaded;
    stats.bytes_on_disk_read += columns.stats().bytes_on_disk_read;
    query_.AddStats(stats);
    return Status::Ok();
  }

  Status Mine() {
    // Few lines may lie in many small sources: then all of them are mined.
    const bool all_lines = chosen_lines_ <= kSampledLinesMax;
    const Sources sources = all_lines ? counted_ : EveryNth(counted_, kSampledSourcesMax);
    const uint64_t lines_of_each = all_lines ? kSampledLinesMax : kSampledLinesMax / sources.size();
    ShapeTable all(kShapesMax);
    for (size_t first = 0; first < sources.size(); first += kMinedTogether) {
      const size_t count = std::min(kMinedTogether, sources.size() - first);
      std::vector<ShapeTable> tables(count, ShapeTable(kShapesMax));
      VARVE_RETURN_IF_ERROR(ForEach(count, [&](size_t i) {
        return MineSource(*sources[first + i], i, lines_of_each, &tables[i]);
      }));
      for (ShapeTable& table : tables) all.Merge(std::move(table));
      if (all.MemoryBytes() > memory_.bytes()) {
        VARVE_RETURN_IF_ERROR(memory_.Add(all.MemoryBytes() - memory_.bytes()));
      }
      VARVE_RETURN_IF_ERROR(query_.CheckAlive());
    }
    patterns_ = PatternSet::Mine(all.Take(), kCountedClustersMax);
    return Status::Ok();
  }

  // Every n-th line of the source, and the first ones of each slice, so that small streams are seen.
  Status MineSource(const LogScan::SourceSlices& source, size_t rank, uint64_t lines_max, ShapeTable* table) {
    constexpr uint32_t kFirstRows = 4;
    const uint64_t stride = std::max<uint64_t>(1, LinesOf(scan_, source) / std::max<uint64_t>(lines_max, 1));
    MemoryReservation memory(query_.budget());
    std::vector<ShapeToken> tokens;
    uint64_t at = 0;
    Status status;
    VARVE_RETURN_IF_ERROR(ForEachRow(
        source, rank, false,
        [&](const RowSelection::SliceRows&, uint32_t i, uint32_t row, const SourceColumns& columns) {
          if (at++ % stride != 0 && i >= kFirstRows) return;
          const std::string_view line = columns.Line(row);
          SplitLine(line, &tokens);
          table->Add(line, tokens);
          if (status.ok() && table->MemoryBytes() > memory.bytes()) status = memory.Add(kMinedBytesStep);
        }));
    return status;
  }

  Status Count() {
    return ForEach(counted_.size(), [this](size_t i) { return CountSource(*counted_[i], i); });
  }

  Status CountSource(const LogScan::SourceSlices& source, size_t rank) {
    PatternAssigner assigner(patterns_);
    Counts counts;
    std::optional<RowLevels> levels;
    uint64_t found_lines = 0;
    const auto add = [&](const RowSelection::SliceRows& slice, uint32_t, uint32_t row,
                         const SourceColumns& columns) {
      const std::optional<uint32_t> pattern = assigner.Find(columns.Line(row));
      if (!pattern.has_value()) return;
      if (!levels.has_value()) levels.emplace(columns);
      const int64_t ts_ns = columns.timestamps()[row];
      const int64_t step = ts_ns / request_.step_ns - (ts_ns % request_.step_ns < 0 ? 1 : 0);
      ++counts[{*pattern, levels->Of(row, scan_.StreamLabels(slice.slice->stream)), step}];
      ++found_lines;
    };
    VARVE_RETURN_IF_ERROR(ForEachRow(source, rank, true, add));
    MutexLock lock(mu_);
    const size_t before = counts_.size();
    for (const auto& [cell, lines] : counts) counts_[cell] += lines;
    found_lines_ += found_lines;
    return memory_.Add(static_cast<int64_t>(counts_.size() - before) * kCellBytes);
  }

  PatternResult MakeResult() {
    MutexLock lock(mu_);
    std::map<std::pair<uint32_t, uint8_t>, PatternSeries> by_pattern;
    const double scale =
        chosen_lines_ == 0 ? 1 : static_cast<double>(total_lines_) / static_cast<double>(chosen_lines_);
    for (const auto& [cell, lines] : counts_) {
      PatternSeries& series = by_pattern[{cell.pattern, cell.level}];
      const uint64_t scaled =
          scale == 1 ? lines : static_cast<uint64_t>(static_cast<double>(lines) * scale + 0.5);
      series.lines += scaled;
      series.samples_ns.emplace_back(cell.step * request_.step_ns, scaled);
    }
    PatternResult result;
    for (auto& [key, series] : by_pattern) {
      series.pattern = patterns_.text(key.first);
      series.level = kLevels[key.second];
      std::sort(series.samples_ns.begin(), series.samples_ns.end());
      result.series.push_back(std::move(series));
    }
    std::sort(result.series.begin(), result.series.end(), [](const PatternSeries& a, const PatternSeries& b) {
      if (a.lines != b.lines) return a.lines > b.lines;
      return a.pattern != b.pattern ? a.pattern < b.pattern : a.level < b.level;
    });
    HideSmall(&result.series);
    if (scale != 1) {
      result.warnings.push_back("partial: patterns were counted in " + std::to_string(chosen_lines_) +
                                " of " + std::to_string(total_lines_) +
                                " lines and scaled up (limits.max_pattern_lines)");
    }
    result.lines_in_patterns = found_lines_;
    return result;
  }

  void HideSmall(std::vector<PatternSeries>* series) const {
    std::map<std::string_view, uint64_t> totals;
    for (const PatternSeries& one : *series) totals[one.pattern] += one.lines;
    const uint64_t lines_min = query_.limits().pattern_lines_min;
    std::vector<PatternSeries> shown;
    for (PatternSeries& one : *series) {
      if (totals[one.pattern] >= lines_min && shown.size() < query_.limits().max_patterns)
        shown.push_back(one);
    }
    *series = std::move(shown);
  }

  static constexpr int64_t kMinedBytesStep = 1 << 20;

  QueryContext& query_;
  const LogScan& scan_;
  const PatternRequest& request_;
  Sources counted_;
  uint64_t total_lines_ = 0;
  uint64_t chosen_lines_ = 0;
  PatternSet patterns_;
  Mutex mu_;
  MemoryReservation memory_;  // while counting: guarded by mu_
  Counts counts_ VARVE_GUARDED_BY(mu_);
  uint64_t found_lines_ VARVE_GUARDED_BY(mu_) = 0;
};

}  // namespace

Result<PatternResult> RunPatternQuery(Engine& engine, const PatternRequest& request,
                                      const QueryLimits& limits) {
  QueryRequest query_request;
  query_request.tenant = request.tenant;
  query_request.start_ns = request.range.begin_ns;
  query_request.end_ns = request.range.end_ns;
  query_request.cancel = request.cancel;
  logql::LogSelector selector;
  selector.matchers = request.matchers;
  VARVE_RETURN_IF_ERROR(CheckLimits({selector}, query_request, limits));
  QueryContext query(engine, query_request, limits);
  VARVE_ASSIGN_OR_RETURN(const auto scan,
                         LogScan::Open(query, selector, std::nullopt, logql::LabelNeeds(), request.range));
  VARVE_ASSIGN_OR_RETURN(PatternResult result, PatternRun(query, *scan, request).Run());
  result.stats = query.stats();
  return result;
}

}  // namespace varve
