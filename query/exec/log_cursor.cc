#include "query/exec/log_cursor.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "query/exec/log_scan.h"
#include "query/exec/ordered_rows.h"
#include "query/exec/query_checks.h"
#include "query/exec/query_context.h"
#include "query/exec/stream_order.h"

namespace varve {
namespace {

constexpr uint32_t kRowsBetweenChecks = 1024;

}  // namespace

struct LogCursor::State {
  State(Engine& engine, const QueryRequest& request_in, const QueryLimits& limits_in)
      : request(request_in), limits(limits_in), query(engine, request, limits) {}

  // Orders open_: the source whose row comes first is in front.
  bool Later(const std::unique_ptr<OrderedRows>& a, const std::unique_ptr<OrderedRows>& b) const {
    return ComesBefore(request.direction, b->position(), a->position());
  }
  void Push(std::unique_ptr<OrderedRows> rows) {
    open.push_back(std::move(rows));
    std::push_heap(open.begin(), open.end(), [this](const auto& a, const auto& b) { return Later(a, b); });
  }
  std::unique_ptr<OrderedRows> Pop() {
    std::pop_heap(open.begin(), open.end(), [this](const auto& a, const auto& b) { return Later(a, b); });
    std::unique_ptr<OrderedRows> rows = std::move(open.back());
    open.pop_back();
    return rows;
  }
  // Whether the next unopened source may hold a row that comes before the first open one.
  bool MustOpenNext() const {
    if (next == order.size()) return false;
    if (open.empty()) return true;
    const int64_t ts_ns = open.front()->position().ts_ns;
    return request.direction == Direction::kForward ? order[next]->min_ts_ns <= ts_ns
                                                    : order[next]->max_ts_ns >= ts_ns;
  }
  Status OpenNext() {
    VARVE_RETURN_IF_ERROR(query.CheckAlive());
    VARVE_ASSIGN_OR_RETURN(auto rows, OrderedRows::Open(*scan, *stream_order, *order[next++], scan->range(),
                                                        request.direction));
    if (rows->AtEnd()) {
      query.AddStats(rows->stats());
    } else {
      Push(std::move(rows));
    }
    return Status::Ok();
  }

  const QueryRequest request;
  const QueryLimits limits;
  QueryContext query;  // refers to both
  std::unique_ptr<LogScan> scan;
  std::unique_ptr<StreamOrder> stream_order;
  std::vector<const LogScan::SourceSlices*> order;  // as the query wants them
  size_t next = 0;                                  // in order
  std::vector<std::unique_ptr<OrderedRows>> open;   // a heap
  std::unique_ptr<OrderedRows> current;             // holds the row at the cursor
  uint32_t seen = 0;
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
  VARVE_ASSIGN_OR_RETURN(
      state->scan, LogScan::Open(state->query, *selector, std::nullopt, logql::LabelNeeds(), range));
  const Direction direction = request.direction;
  state->stream_order = std::make_unique<StreamOrder>(state->scan->snapshot().streams(), direction);
  for (const LogScan::SourceSlices& source : state->scan->sources()) state->order.push_back(&source);
  std::stable_sort(state->order.begin(), state->order.end(), [direction](const auto* a, const auto* b) {
    return direction == Direction::kForward ? a->min_ts_ns < b->min_ts_ns : a->max_ts_ns > b->max_ts_ns;
  });
  return std::unique_ptr<LogCursor>(new LogCursor(std::move(state)));  // NOLINT: private constructor
}

Result<bool> LogCursor::Next() {
  State& state = *state_;
  for (;;) {
    if (state.current != nullptr) {
      state.current->Next();
      if (state.current->AtEnd()) {
        state.query.AddStats(state.current->stats());
        state.current.reset();
      } else {
        state.Push(std::move(state.current));
      }
    }
    if (++state.seen % kRowsBetweenChecks == 0) VARVE_RETURN_IF_ERROR(state.query.CheckAlive());
    while (state.MustOpenNext()) VARVE_RETURN_IF_ERROR(state.OpenNext());
    if (state.open.empty()) return false;
    state.current = state.Pop();
    VARVE_ASSIGN_OR_RETURN(const bool passed, state.current->Process());
    if (passed) return true;
  }
}

int64_t LogCursor::ts_ns() const { return state_->current->position().ts_ns; }
StreamOrdinal LogCursor::stream() const {
  return state_->scan->snapshot().streams()[state_->current->stream()].ordinal;
}
const Labels& LogCursor::stream_labels() const {
  return state_->scan->StreamLabels(state_->current->stream());
}
std::string_view LogCursor::line() const { return state_->current->line(); }
const logql::RowLabels& LogCursor::labels() const { return state_->current->labels(); }
std::string_view LogCursor::stored_line() const { return state_->current->stored_line(); }
std::string_view LogCursor::stored_metadata() const { return state_->current->stored_metadata(); }

QueryStats LogCursor::stats() const { return state_->query.stats(); }

}  // namespace varve
