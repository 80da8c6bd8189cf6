#include "query/exec/log_cursor.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "query/exec/log_scan.h"
#include "query/exec/ordered_rows.h"
#include "query/exec/query_checks.h"
#include "query/exec/query_context.h"
#include "query/exec/stream_order.h"
#include "query/logql/pipeline.h"

namespace varve {
namespace {

constexpr uint32_t kRowsBetweenChecks = 1024;
// A source's share of LogCursor::kBatchBytes is not smaller than this.
constexpr size_t kSourceBytesMin = 8 << 10;

// The next rows of one source, as they are stored, copied out of its columns.
class RowBatch {
 public:
  struct Row {
    RowPosition position;
    uint32_t stream = 0;                                   // in the snapshot
    uint32_t begin = 0, line_size = 0, metadata_size = 0;  // in bytes_
  };

  // `rows_first`: how many the first Fill takes; each later one takes kRowsGrowth times as many.
  RowBatch(const LogScan::SourceSlices& source, size_t rows_first, MemoryBudget* budget)
      : source_(source), memory_(budget), rows_max_(rows_first) {}

  // Replaces the rows by those behind them: at least one, unless there is none.
  Status Fill(const LogScan& scan, const StreamOrder& order, Direction direction, size_t bytes_max);
  // Whether Fill may find more.
  bool more() const { return more_; }
  bool empty() const { return next_ == rows_.size(); }
  const Row& front() const { return rows_[next_]; }
  std::string_view line() const { return std::string_view(bytes_).substr(front().begin, front().line_size); }
  std::string_view metadata() const {
    return std::string_view(bytes_).substr(front().begin + front().line_size, front().metadata_size);
  }
  void Pop() { ++next_; }

 private:
  static constexpr size_t kRowsGrowth = 8;

  void Append(const OrderedRows& rows);

  const LogScan::SourceSlices& source_;
  MemoryReservation memory_;
  size_t rows_max_;
  std::string bytes_;  // with padding behind the last row, as in LogColumns
  std::vector<Row> rows_;
  size_t next_ = 0;
  std::optional<RowPosition> last_;  // of the rows so far
  bool more_ = true;
};

void RowBatch::Append(const OrderedRows& rows) {
  Row row;
  row.position = rows.position();
  row.stream = rows.stream();
  row.begin = static_cast<uint32_t>(bytes_.size());
  row.line_size = static_cast<uint32_t>(rows.stored_line().size());
  row.metadata_size = static_cast<uint32_t>(rows.stored_metadata().size());
  bytes_.append(rows.stored_line()).append(rows.stored_metadata());
  rows_.push_back(row);
}

Status RowBatch::Fill(const LogScan& scan, const StreamOrder& order, Direction direction, size_t bytes_max) {
  rows_.clear();
  bytes_.clear();
  next_ = 0;
  TimeRange range = scan.range();
  if (last_.has_value() && direction == Direction::kForward) range.begin_ns = last_->ts_ns;
  if (last_.has_value() && direction == Direction::kBackward) {
    range.end_ns = std::min(range.end_ns, last_->ts_ns + 1);  // no overflow: last_ is below the scan's end
  }
  VARVE_ASSIGN_OR_RETURN(const auto rows, OrderedRows::Open(scan, order, source_, range, direction));
  for (; !rows->AtEnd(); rows->Next()) {
    if (last_.has_value() && !ComesBefore(direction, *last_, rows->position())) continue;
    const bool full = rows_.size() == rows_max_ || bytes_.size() + rows_.size() * sizeof(Row) >= bytes_max;
    if (!rows_.empty() && full) break;
    VARVE_RETURN_IF_ERROR(rows->EnsureStored());
    Append(*rows);
  }
  bytes_.append(LogColumns::kLinePaddingBytes, '\0');
  more_ = !rows->AtEnd();
  if (rows_max_ < std::numeric_limits<size_t>::max() / kRowsGrowth) rows_max_ *= kRowsGrowth;
  if (!rows_.empty()) last_ = rows_.back().position;
  scan.query().AddStats(rows->stats());
  const auto bytes = static_cast<int64_t>(bytes_.capacity() + rows_.capacity() * sizeof(Row));
  return bytes <= memory_.bytes() ? Status::Ok() : memory_.Add(bytes - memory_.bytes());
}

// How many sources overlap at most, at any time. `order` is ascending by begin (forward) or descending by
// end.
size_t OverlappingMax(const std::vector<const LogScan::SourceSlices*>& order, Direction direction) {
  std::priority_queue<int64_t, std::vector<int64_t>, std::greater<>> ends;
  size_t most = 0;
  for (const LogScan::SourceSlices* source : order) {
    // Backward is forward in negated time; ~t, as -t does not exist for the smallest.
    const bool forward = direction == Direction::kForward;
    const int64_t begin = forward ? source->min_ts_ns : ~source->max_ts_ns;
    while (!ends.empty() && ends.top() < begin) ends.pop();
    ends.push(forward ? source->max_ts_ns : ~source->min_ts_ns);
    most = std::max(most, ends.size());
  }
  return most;
}

}  // namespace

struct LogCursor::State {
  State(Engine& engine, const QueryRequest& request_in, const QueryLimits& limits_in)
      : request(request_in), limits(limits_in), query(engine, request, limits) {}

  // Orders `open`: the source whose row comes first is in front.
  bool Later(const std::unique_ptr<RowBatch>& a, const std::unique_ptr<RowBatch>& b) const {
    return ComesBefore(request.direction, b->front().position, a->front().position);
  }
  // Fills the batch if it is used up, and lines it up unless its source is, too.
  Status Push(std::unique_ptr<RowBatch> batch) {
    if (batch->empty() && batch->more()) {
      VARVE_RETURN_IF_ERROR(query.CheckAlive());
      VARVE_RETURN_IF_ERROR(batch->Fill(*scan, *stream_order, request.direction, source_bytes));
    }
    if (batch->empty()) return Status::Ok();
    open.push_back(std::move(batch));
    std::push_heap(open.begin(), open.end(), [this](const auto& a, const auto& b) { return Later(a, b); });
    return Status::Ok();
  }
  std::unique_ptr<RowBatch> Pop() {
    std::pop_heap(open.begin(), open.end(), [this](const auto& a, const auto& b) { return Later(a, b); });
    std::unique_ptr<RowBatch> batch = std::move(open.back());
    open.pop_back();
    return batch;
  }
  // Whether the next unopened source may hold a row that comes before the first open one.
  bool MustOpenNext() const {
    if (next == order.size()) return false;
    if (open.empty()) return true;
    const int64_t ts_ns = open.front()->front().position.ts_ns;
    return request.direction == Direction::kForward ? order[next]->min_ts_ns <= ts_ns
                                                    : order[next]->max_ts_ns >= ts_ns;
  }
  // Whether the row at the cursor passes.
  bool Process() {
    const RowBatch::Row& row = current->front();
    if (row.stream != runner_stream) {
      runner_stream = row.stream;
      runner->SetStream(scan->StreamLabels(runner_stream));
    }
    return runner->Process(row.position.ts_ns, current->line(), current->metadata());
  }

  const QueryRequest request;
  const QueryLimits limits;
  QueryContext query;  // refers to both
  std::unique_ptr<LogScan> scan;
  std::unique_ptr<StreamOrder> stream_order;
  std::vector<const LogScan::SourceSlices*> order;  // as the query wants them
  size_t source_bytes = 0;                          // of a batch
  size_t rows_first = 0;
  size_t next = 0;                              // in order
  std::vector<std::unique_ptr<RowBatch>> open;  // a heap
  std::unique_ptr<RowBatch> current;            // its first row is the one at the cursor
  std::unique_ptr<logql::PipelineRunner> runner;
  uint32_t runner_stream = ~uint32_t{0};
  uint32_t seen = 0;
  uint64_t passed = 0;
};

LogCursor::LogCursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogCursor::~LogCursor() = default;

Result<std::unique_ptr<LogCursor>> LogCursor::Open(Engine& engine, const logql::Expr& expr,
                                                   const QueryRequest& request, const QueryLimits& limits) {
  const auto* const selector = std::get_if<logql::LogSelector>(&expr.node);
  if (selector == nullptr) return InvalidArgument("only log selector is supported");
  VARVE_RETURN_IF_ERROR(CheckLimits(expr, request, limits));
  auto state = std::make_unique<State>(engine, request, limits);
  TimeRange range{request.start_ns, request.end_ns};
  if (range.begin_ns == range.end_ns && range.end_ns != std::numeric_limits<int64_t>::max()) ++range.end_ns;
  VARVE_ASSIGN_OR_RETURN(state->scan,
                         LogScan::Open(state->query, *selector, std::nullopt, logql::LabelNeeds(), range));
  const Direction direction = request.direction;
  state->stream_order = std::make_unique<StreamOrder>(state->scan->snapshot().streams(), direction);
  for (const LogScan::SourceSlices& source : state->scan->sources()) state->order.push_back(&source);
  std::stable_sort(state->order.begin(), state->order.end(), [direction](const auto* a, const auto* b) {
    return direction == Direction::kForward ? a->min_ts_ns < b->min_ts_ns : a->max_ts_ns > b->max_ts_ns;
  });
  state->source_bytes =
      std::max(kSourceBytesMin, kBatchBytes / std::max<size_t>(OverlappingMax(state->order, direction), 1));
  state->rows_first = request.limit == 0 ? std::numeric_limits<size_t>::max() : request.limit;
  state->runner = std::make_unique<logql::PipelineRunner>(state->scan->pipeline());
  return std::unique_ptr<LogCursor>(new LogCursor(std::move(state)));  // NOLINT: private constructor
}

Result<bool> LogCursor::Next() {
  State& state = *state_;
  for (;;) {
    if (state.current != nullptr) {
      state.current->Pop();
      VARVE_RETURN_IF_ERROR(state.Push(std::move(state.current)));
    }
    if (++state.seen % kRowsBetweenChecks == 0) VARVE_RETURN_IF_ERROR(state.query.CheckAlive());
    while (state.MustOpenNext()) {
      VARVE_RETURN_IF_ERROR(state.Push(
          std::make_unique<RowBatch>(*state.order[state.next++], state.rows_first, state.query.budget())));
    }
    if (state.open.empty()) return false;
    state.current = state.Pop();
    if (!state.Process()) continue;
    ++state.passed;
    return true;
  }
}

int64_t LogCursor::ts_ns() const { return state_->current->front().position.ts_ns; }
StreamOrdinal LogCursor::stream() const {
  return state_->scan->snapshot().streams()[state_->runner_stream].ordinal;
}
const Labels& LogCursor::stream_labels() const { return state_->scan->StreamLabels(state_->runner_stream); }
std::string_view LogCursor::line() const { return state_->runner->line(); }
const logql::RowLabels& LogCursor::labels() const { return state_->runner->labels(); }
std::string_view LogCursor::stored_line() const { return state_->current->line(); }
std::string_view LogCursor::stored_metadata() const { return state_->current->metadata(); }

QueryStats LogCursor::stats() const {
  QueryStats stats = state_->query.stats();
  stats.lines_after_filters = state_->passed;
  return stats;
}

}  // namespace varve
