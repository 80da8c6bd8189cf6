#include "query/exec/cached_evaluation.h"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>

#include "query/exec/log_scan.h"
#include "query/exec/metric_query.h"
#include "query/logql/printer.h"

namespace varve {
namespace {

using logql::Expr;
using logql::RangeAggregation;
using logql::VectorOp;

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

int64_t SubtractClamped(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b > 0 ? INT64_MIN : INT64_MAX;
}

// A template that may ask for the time of day. Any mention counts: to be sure costs more than to be careful.
bool MayAskForTheTime(const std::string& template_text) {
  return template_text.find("now") != std::string::npos;
}

bool DependsOnTheClock(const logql::LogSelector& selector) {
  return std::any_of(selector.stages.begin(), selector.stages.end(), [](const logql::Stage& stage) {
    if (const auto* line = std::get_if<logql::LineFormat>(&stage))
      return MayAskForTheTime(line->template_text);
    const auto* labels = std::get_if<logql::LabelFormat>(&stage);
    return labels != nullptr && std::any_of(labels->assignments.begin(), labels->assignments.end(),
                                            [](const logql::LabelFormat::Assignment& assignment) {
                                              return !assignment.is_rename &&
                                                     MayAskForTheTime(assignment.value);
                                            });
  });
}

// Whether series of its result have different labels, whatever they had before.
bool SeparatesSeries(VectorOp op) {
  switch (op) {
    case VectorOp::kTopk:
    case VectorOp::kBottomk:
    case VectorOp::kApproxTopk:
    case VectorOp::kSort:
    case VectorOp::kSortDesc: return false;
    default: return true;
  }
}

// Finds what the expression reads. The depth of the tree has been checked (query_checks.h).
class ReadFinder {
 public:
  // `separated`: an aggregation around `expr` makes its series' labels unique, and their order not matter.
  bool Visit(const Expr& expr, bool separated) {
    if (const auto* range = std::get_if<RangeAggregation>(&expr.node)) {
      reads_.push_back(range);
      return !DependsOnTheClock(range->range.selector);
    }
    if (const auto* vector = std::get_if<logql::VectorAggregation>(&expr.node)) {
      return Visit(*vector->operand, separated || SeparatesSeries(vector->op));
    }
    if (const auto* binary = std::get_if<logql::BinaryOperation>(&expr.node)) {
      const bool still_separated = separated && !IsSetOp(binary->op);
      return Visit(*binary->left, still_separated) && Visit(*binary->right, still_separated);
    }
    if (const auto* replace = std::get_if<logql::LabelReplace>(&expr.node)) {
      return separated && Visit(*replace->operand, true);
    }
    return !expr.is_log_query();
  }
  const std::vector<const RangeAggregation*>& reads() const { return reads_; }

 private:
  std::vector<const RangeAggregation*> reads_;
};

struct LabelsBefore {
  bool operator()(const LabelPairs* a, const LabelPairs* b) const { return *a < *b; }
};

class CachedEvaluation {
 public:
  CachedEvaluation(QueryContext& query, const StepGrid& steps, const Expr& expr)
      : query_(query), cache_(*query.request().cache), steps_(steps), expr_(expr), memory_(query.budget()) {
    ReadFinder finder;
    finder.Visit(expr, false);
    reads_ = finder.reads();
    for (const RangeAggregation* read : reads_)
      longest_range_ns_ = std::max(longest_range_ns_, read->range.range_ns);
    first_number_ = FloorDivide(steps.first_ns, steps.step_ns);
    steps_per_extent_ = std::bit_floor(std::max(1u, steps.count / 8));
    key_.query = std::make_shared<const std::string>(
        std::to_string(query.request().tenant) + " " + std::to_string(steps.step_ns) + " " +
        std::to_string(steps_per_extent_) + " " + logql::Print(expr));
  }

  Result<MetricValue> Run(uint32_t series_max) {
    LookUp();
    const std::vector<StepRun> runs = MissingRuns();
    const bool at_once = runs.size() == 1 && runs[0].begin == 0 && runs[0].end == steps_.count;
    query_.set_evaluated_in_parts(!at_once);
    if (!at_once) VARVE_RETURN_IF_ERROR(CheckReads());
    for (const StepRun& run : runs) VARVE_RETURN_IF_ERROR(Evaluate(run));
    SeriesSet joined;
    VARVE_RETURN_IF_ERROR(Join(&joined));
    if (series_max == 0 || joined.size() <= series_max) Keep();
    query_.AddStats(stats_);
    query_.set_evaluated_in_parts(false);
    return MetricValue(std::move(joined));
  }

 private:
  // Steps [begin, end) of the query that fall into one extent.
  struct Part {
    int64_t extent = 0;
    uint32_t begin = 0, end = 0;
    std::optional<uint64_t> generation;  // read before the evaluation
    bool found = false;
    std::shared_ptr<const CachedExtent> data;
  };
  struct StepRun {
    uint32_t begin = 0, end = 0;
  };

  // The number of everything that steps [first, first + count), numbered from 1970, are computed from.
  std::optional<uint64_t> Generation(int64_t first, uint32_t count) const {
    const int64_t first_ns = first * steps_.step_ns;
    const int64_t last_ns = first_ns + static_cast<int64_t>(count - 1) * steps_.step_ns;
    uint64_t sum = 0;
    for (const RangeAggregation* read : reads_) {
      const int64_t begin_ns =
          SubtractClamped(SubtractClamped(first_ns, read->range.offset_ns), read->range.range_ns);
      const int64_t end_ns = SubtractClamped(last_ns, read->range.offset_ns);
      // The window is (begin, end].
      const auto number =
          query_.engine().DataGeneration({SubtractClamped(begin_ns, -1), SubtractClamped(end_ns, -1)});
      if (!number.has_value()) return std::nullopt;
      sum += *number;
    }
    return sum;
  }

  void LookUp() {
    for (uint32_t begin = 0; begin < steps_.count;) {
      Part part;
      const int64_t number = first_number_ + begin;
      part.extent = FloorDivide(number, steps_per_extent_);
      part.begin = begin;
      const int64_t left = (part.extent + 1) * steps_per_extent_ - number;
      part.end = static_cast<uint32_t>(std::min<int64_t>(steps_.count, begin + left));
      begin = part.end;
      part.generation = Generation(number, part.end - part.begin);
      Find(&part);
      parts_.push_back(std::move(part));
    }
    stats_.result_cache.requests = 1;
    stats_.result_cache.entries_requested = parts_.size();
  }

  void Find(Part* part) {
    key_.extent = part->extent;
    std::shared_ptr<const CachedExtent> extent = cache_.Find(key_);
    const int64_t first = first_number_ + part->begin;
    const bool covers = extent != nullptr && extent->first_step <= first &&
                        first_number_ + part->end <= extent->first_step + extent->step_count;
    if (!covers) {
      cache_.counters().misses.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    if (Generation(extent->first_step, extent->step_count) != std::optional(extent->generation)) {
      cache_.counters().misses.fetch_add(1, std::memory_order_relaxed);
      cache_.counters().stale.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    cache_.counters().hits.fetch_add(1, std::memory_order_relaxed);
    ResultCacheStats& stats = stats_.result_cache;
    ++stats.entries_found;
    stats.bytes_received += static_cast<uint64_t>(extent->MemoryBytes());
    stats.length_served_ns += static_cast<int64_t>(part->end - part->begin) * steps_.step_ns;
    part->found = true;
    part->data = std::move(extent);
  }

  std::vector<StepRun> MissingRuns() const {
    std::vector<StepRun> runs;
    for (const Part& part : parts_) {
      if (part.found) continue;
      const bool near = !runs.empty() && static_cast<int64_t>(part.begin - runs.back().end) <=
                                             longest_range_ns_ / steps_.step_ns;
      if (near) {
        runs.back().end = part.end;
      } else {
        runs.push_back({part.begin, part.end});
      }
    }
    return runs;
  }

  // limits.max_query_bytes_read and cardinality_limit are about what the query reads, not about what is left
  // to read.
  Status CheckReads() const {
    if (query_.limits().max_query_bytes_read <= 0 && query_.limits().cardinality_limit == 0)
      return Status::Ok();
    logql::LabelNeeds nothing;
    nothing.all = false;
    for (const RangeAggregation* read : reads_) {
      VARVE_ASSIGN_OR_RETURN(const WindowGrid grid,
                             WindowGrid::Create(steps_, read->range.range_ns, read->range.offset_ns));
      VARVE_ASSIGN_OR_RETURN(const auto scan, LogScan::Open(query_, read->range.selector, read->range.unwrap,
                                                            nothing, grid.scan_range()));
    }
    return Status::Ok();
  }

  Status Evaluate(const StepRun& run) {
    StepGrid grid = steps_;
    grid.first_ns = steps_.TimeNs(run.begin);
    grid.count = run.end - run.begin;
    VARVE_ASSIGN_OR_RETURN(const MetricValue value, EvaluateMetric(query_, grid, expr_));
    const auto* series = std::get_if<SeriesSet>(&value);
    VARVE_CHECK(series != nullptr);       // only expressions that read nothing are numbers
    query_.set_evaluated_in_parts(true);  // what can fail from here on is ours
    for (Part& part : parts_) {
      if (!part.found && part.begin >= run.begin && part.end <= run.end) {
        VARVE_RETURN_IF_ERROR(Cut(*series, run, &part));
      }
    }
    return Status::Ok();
  }

  // Takes the part's steps out of the run's result.
  Status Cut(const SeriesSet& series, const StepRun& run, Part* part) {
    auto extent = std::make_shared<CachedExtent>();
    extent->first_step = first_number_ + part->begin;
    extent->step_count = part->end - part->begin;
    extent->generation = part->generation.value_or(0);
    const uint32_t begin = part->begin - run.begin;
    const uint32_t end = part->end - run.begin;
    // From steps of the run to steps of the extent.
    const int64_t shift = extent->first_step - part->extent * steps_per_extent_ - begin;
    const auto before = [](const StepPoint& point, uint32_t step) { return point.step < step; };
    for (const Series& one : series) {
      const auto from = std::lower_bound(one.points.begin(), one.points.end(), begin, before);
      const auto to = std::lower_bound(from, one.points.end(), end, before);
      if (from == to) continue;
      Series cut{one.labels, std::vector<StepPoint>(from, to)};
      for (StepPoint& point : cut.points) point.step = static_cast<uint32_t>(point.step + shift);
      extent->series.push_back(std::move(cut));
    }
    VARVE_RETURN_IF_ERROR(memory_.Add(extent->MemoryBytes()));
    part->data = std::move(extent);
    return query_.CheckAlive();
  }

  Status Join(SeriesSet* joined) {
    std::map<const LabelPairs*, std::vector<StepPoint>, LabelsBefore> by_labels;
    for (const Part& part : parts_) {
      const int64_t shift = part.extent * steps_per_extent_ - first_number_;  // to steps of the query
      int64_t bytes = 0;
      for (const Series& one : part.data->series) {
        std::vector<StepPoint>* points = nullptr;
        for (const StepPoint& point : one.points) {
          const int64_t step = point.step + shift;
          if (step < part.begin || step >= part.end) continue;
          if (points == nullptr) points = &by_labels[&one.labels];
          points->push_back({static_cast<uint32_t>(step), point.value});
        }
        bytes += static_cast<int64_t>(one.points.size() * sizeof(StepPoint));
      }
      VARVE_RETURN_IF_ERROR(memory_.Add(bytes));
      VARVE_RETURN_IF_ERROR(query_.CheckAlive());
    }
    joined->reserve(by_labels.size());
    for (auto& [labels, points] : by_labels) joined->push_back({*labels, std::move(points)});
    return Status::Ok();
  }

  void Keep() {
    for (const Part& part : parts_) {
      if (part.found || !part.generation.has_value()) continue;
      // Changed meanwhile: nobody could use it.
      if (Generation(part.data->first_step, part.data->step_count) != part.generation) continue;
      key_.extent = part.extent;
      if (!cache_.Insert(key_, part.data)) continue;
      ++stats_.result_cache.entries_stored;
      stats_.result_cache.bytes_sent += static_cast<uint64_t>(part.data->MemoryBytes());
    }
  }

  QueryContext& query_;
  ResultCache& cache_;
  const StepGrid& steps_;
  const Expr& expr_;
  std::vector<const RangeAggregation*> reads_;
  int64_t longest_range_ns_ = 0;
  int64_t first_number_ = 0;  // of the query's first step
  uint32_t steps_per_extent_ = 1;
  ResultCache::Key key_;
  std::vector<Part> parts_;  // in order
  MemoryReservation memory_;
  QueryStats stats_;
};

}  // namespace

bool MayCache(const Expr& expr) {
  ReadFinder finder;
  return finder.Visit(expr, false) && !finder.reads().empty();
}

Result<MetricValue> EvaluateCached(QueryContext& query, const StepGrid& steps, const Expr& expr,
                                   uint32_t series_max) {
  // Far from the ends of representable time, where aligning extents could leave it.
  constexpr int64_t kFar = int64_t{1} << 62;
  if (steps.first_ns < -kFar || steps.TimeNs(steps.count - 1) > kFar)
    return EvaluateMetric(query, steps, expr);
  return CachedEvaluation(query, steps, expr).Run(series_max);
}

}  // namespace varve
