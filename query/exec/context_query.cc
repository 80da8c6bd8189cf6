#include "query/exec/context_query.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "query/exec/found_entry.h"
#include "query/exec/query_checks.h"
#include "query/exec/query_context.h"

namespace varve {
namespace {

constexpr uint32_t kRowsBetweenChecks = 1024;
// Distances from the anchor that are searched, one after the other; then all there is.
constexpr int64_t kWindowsNs[] = {10 * kNsPerSecond, 600 * kNsPerSecond, 10 * kNsPerHour,
                                  15 * 24 * kNsPerHour};

int64_t Minus(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_sub_overflow(a, b, &result) ? INT64_MIN : result;
}
int64_t Plus(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

// A label as the answer shows it, wherever it comes from; "" when absent.
std::string_view LabelOf(const FoundEntry& found, const Labels& stream, const std::string& name) {
  for (const LabelPairs* pairs : {&found.entry.parsed, &found.entry.metadata}) {
    for (const auto& [key, value] : *pairs) {
      if (key == name) return value;
    }
  }
  if (!found.stream_labels.has_value()) return stream.Get(name);
  for (const auto& [key, value] : *found.stream_labels) {
    if (key == name) return value;
  }
  return {};
}

class ContextRun {
 public:
  ContextRun(QueryContext& query, const logql::LogSelector& selector, const ContextRequest& request)
      : query_(query), selector_(selector), request_(request) {}

  Result<ContextResult> Run() {
    VARVE_RETURN_IF_ERROR(FindStream());
    for (size_t i = 0; i <= std::size(kWindowsNs); ++i) {
      const TimeRange range = Window(i);
      VARVE_RETURN_IF_ERROR(Look(range));
      const bool enough = before_.size() == request_.before && after_.size() == request_.after;
      if (enough || (range.begin_ns == Whole().begin_ns && range.end_ns == Whole().end_ns)) break;
    }
    ContextResult result;
    result.before = static_cast<uint32_t>(before_.size());
    result.after = static_cast<uint32_t>(after_.size());
    std::vector<FoundEntry> entries(std::make_move_iterator(before_.rbegin()),
                                    std::make_move_iterator(before_.rend()));
    entries.push_back(std::move(*anchor_));
    entries.insert(entries.end(), std::make_move_iterator(after_.begin()),
                   std::make_move_iterator(after_.end()));
    result.streams = GroupByStream(*scan_, std::move(entries));
    return result;
  }

 private:
  TimeRange Whole() const {
    TimeRange range = request_.range;
    if (const int64_t length_ns = query_.limits().max_query_length_ns; length_ns > 0) {
      range.begin_ns = std::max(range.begin_ns, Minus(request_.time_ns, length_ns / 2));
      range.end_ns = std::min(range.end_ns, Plus(request_.time_ns, length_ns / 2));
    }
    // The anchor itself is always in it.
    range.begin_ns = std::min(range.begin_ns, request_.time_ns);
    range.end_ns = std::max(range.end_ns, Plus(request_.time_ns, 1));
    return range;
  }

  TimeRange Window(size_t i) const {
    TimeRange range = Whole();
    if (i == std::size(kWindowsNs)) return range;
    range.begin_ns = std::max(range.begin_ns, Minus(request_.time_ns, kWindowsNs[i]));
    range.end_ns = std::min(range.end_ns, Plus(request_.time_ns, kWindowsNs[i]));
    return range;
  }

  Status Open(TimeRange range) {
    anchor_.reset();
    order_.reset();
    VARVE_ASSIGN_OR_RETURN(scan_, LogScan::Open(query_, selector_, std::nullopt, logql::LabelNeeds(), range));
    // One order for both ways, so that they are each other's reverse.
    order_.emplace(scan_->snapshot().streams(), Direction::kForward);
    return FindAnchor();
  }

  // Finds the anchor by itself first; for neighbours of its stream alone only that is read from then on.
  Status FindStream() {
    VARVE_RETURN_IF_ERROR(Open({request_.time_ns, Plus(request_.time_ns, 1)}));
    if (!request_.same_stream) return Status::Ok();
    stream_ = &scan_->StreamLabels(anchor_->stream);
    for (const Label& label : *stream_) {
      VARVE_ASSIGN_OR_RETURN(Matcher matcher, Matcher::Create(label.name, MatchOp::kEqual, label.value));
      selector_.matchers.push_back(std::move(matcher));
    }
    return Status::Ok();
  }

  bool IsWanted(const Labels& stream) const { return stream_ == nullptr || *stream_ == stream; }

  // The first entry of that time, in order, that is the one described.
  Status FindAnchor() {
    const TimeRange range{request_.time_ns, Plus(request_.time_ns, 1)};
    for (const LogScan::SourceSlices& source : scan_->sources()) {
      if (!range.OverlapsSpan(source.min_ts_ns, source.max_ts_ns)) continue;
      VARVE_RETURN_IF_ERROR(query_.CheckAlive());
      VARVE_ASSIGN_OR_RETURN(const auto rows,
                             OrderedRows::Open(*scan_, *order_, source, range, Direction::kForward));
      for (; !rows->AtEnd(); rows->Next()) {
        if (anchor_.has_value() && anchor_->position < rows->position()) break;
        if (!IsWanted(scan_->StreamLabels(rows->stream()))) continue;
        VARVE_ASSIGN_OR_RETURN(const bool passed, rows->Process());
        if (!passed) continue;
        FoundEntry found = TakeEntry(*scan_, *rows);
        if (IsDescribed(found)) anchor_ = std::move(found);
      }
      query_.AddStats(rows->stats());
    }
    return anchor_.has_value() ? Status::Ok()
                               : NotFound("no such entry at " + std::to_string(request_.time_ns));
  }

  bool IsDescribed(const FoundEntry& found) const {
    if (request_.line.has_value() && *request_.line != found.entry.line) return false;
    const Labels& stream = scan_->StreamLabels(found.stream);
    return std::all_of(request_.labels.begin(), request_.labels.end(), [&](const Matcher& matcher) {
      return matcher.Matches(LabelOf(found, stream, matcher.name()));
    });
  }

  Status Look(TimeRange range) {
    VARVE_RETURN_IF_ERROR(Open(range));
    VARVE_ASSIGN_OR_RETURN(before_, Collect(Direction::kBackward, request_.before));
    VARVE_ASSIGN_OR_RETURN(after_, Collect(Direction::kForward, request_.after));
    return Status::Ok();
  }

  // The next `count` entries from the anchor on, nearest first. Sources are opened when their turn comes.
  Result<std::vector<FoundEntry>> Collect(Direction direction, uint32_t count) {
    TimeRange range = scan_->range();
    (direction == Direction::kForward ? range.begin_ns : range.end_ns) =
        direction == Direction::kForward ? request_.time_ns : Plus(request_.time_ns, 1);
    const std::vector<const LogScan::SourceSlices*> order = SourcesFrom(range, direction);
    std::vector<std::unique_ptr<OrderedRows>> open;
    FoundEntries found(query_.budget());
    size_t next = 0;
    for (uint32_t seen = 0; found.size() < count;) {
      if (++seen % kRowsBetweenChecks == 1) VARVE_RETURN_IF_ERROR(query_.CheckAlive());
      std::erase_if(open, [](const auto& rows) { return rows->AtEnd(); });
      OrderedRows* first = nullptr;
      for (const auto& rows : open) {
        if (first == nullptr || ComesBefore(direction, rows->position(), first->position()))
          first = rows.get();
      }
      if (next < order.size() &&
          (first == nullptr || !StartsBehind(*order[next], first->position().ts_ns, direction))) {
        VARVE_ASSIGN_OR_RETURN(auto rows,
                               OrderedRows::Open(*scan_, *order_, *order[next++], range, direction));
        while (!rows->AtEnd() && !ComesBefore(direction, anchor_->position, rows->position())) rows->Next();
        query_.AddStats(rows->stats());
        open.push_back(std::move(rows));
        continue;
      }
      if (first == nullptr) break;
      if (IsWanted(scan_->StreamLabels(first->stream()))) {
        VARVE_ASSIGN_OR_RETURN(const bool passed, first->Process());
        if (passed) VARVE_RETURN_IF_ERROR(found.Add(TakeEntry(*scan_, *first)));
      }
      first->Next();
    }
    return found.Take();
  }

  std::vector<const LogScan::SourceSlices*> SourcesFrom(TimeRange range, Direction direction) const {
    std::vector<const LogScan::SourceSlices*> order;
    for (const LogScan::SourceSlices& source : scan_->sources()) {
      if (range.OverlapsSpan(source.min_ts_ns, source.max_ts_ns)) order.push_back(&source);
    }
    std::stable_sort(order.begin(), order.end(), [direction](const auto* a, const auto* b) {
      return direction == Direction::kForward ? a->min_ts_ns < b->min_ts_ns : a->max_ts_ns > b->max_ts_ns;
    });
    return order;
  }

  // Whether all of the source's rows come after every row at `ts_ns`.
  static bool StartsBehind(const LogScan::SourceSlices& source, int64_t ts_ns, Direction direction) {
    return direction == Direction::kForward ? source.min_ts_ns > ts_ns : source.max_ts_ns < ts_ns;
  }

  QueryContext& query_;
  logql::LogSelector selector_;
  const ContextRequest& request_;
  const Labels* stream_ = nullptr;  // the only one wanted
  // Of the window that is being looked at.
  std::unique_ptr<LogScan> scan_;
  std::optional<StreamOrder> order_;
  std::optional<FoundEntry> anchor_;
  std::vector<FoundEntry> before_, after_;  // nearest first
};

}  // namespace

Result<ContextResult> RunContextQuery(Engine& engine, const logql::LogSelector& selector,
                                      const ContextRequest& request, const QueryLimits& limits) {
  const auto started = std::chrono::steady_clock::now();
  QueryRequest query_request;
  query_request.tenant = request.tenant;
  query_request.start_ns = query_request.end_ns = request.time_ns;
  query_request.limit = std::max(request.before, request.after);
  query_request.cancel = request.cancel;
  VARVE_RETURN_IF_ERROR(CheckLimits({selector}, query_request, limits));
  QueryContext query(engine, query_request, limits);
  VARVE_ASSIGN_OR_RETURN(ContextResult result, ContextRun(query, selector, request).Run());
  result.stats = query.stats();
  result.stats.entries_returned = uint64_t{result.before} + result.after + 1;
  result.stats.exec_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return result;
}

}  // namespace varve
