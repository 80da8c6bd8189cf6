// A vector expression's value: series whose labels are known and whose columns are made one at a time.
//
// Selectors, functions over them and their like are computed series by series, so that an aggregation can fold
// them without all of them being there at once; a matrix that is there already hides behind the same interface.
// Annotations, counts and scratch memory of a worker are in its ProduceTask.
// Threads: labels and Produce are thread-safe; each series is produced at most once.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/metric_scan.h"
#include "query/promql/eval/sample_tracker.h"
#include "query/promql/functions/range_functions.h"
#include "query/promql/values/annotations.h"
#include "query/promql/values/step_column.h"

namespace varve::promql {

// Memory and results of one worker while it produces series after series.
struct ProduceTask {
  // Of one level of range functions: a subquery's inside has a level of its own.
  struct Buffers {
    SeriesSamples samples;
    std::vector<HistogramPoint> histograms;
    StepColumn column;
    std::unique_ptr<SlidingForm> sliding;  // of the range function of this level
    MakeSlidingFn sliding_of = nullptr;    // what made it
  };
  Buffers* BuffersOfLevel(size_t level) {
    while (levels.size() <= level) levels.push_back(std::make_unique<Buffers>());
    return levels[level].get();
  }

  Annotations notes;
  SampleStats stats;
  uint64_t window_samples = 0;  // most that one window or series held
  MemoryBudget* budget = nullptr;
  std::vector<std::unique_ptr<Buffers>> levels;

  // Counts the samples of a window, and looks now and then whether the query is to go on: one series alone can
  // keep a worker busy for hours.
  Status Worked(uint64_t samples) {
    constexpr uint64_t kSamplesBetweenLooks = 1 << 20;
    worked += samples + 16;
    if (worked < kSamplesBetweenLooks) return Status::Ok();
    worked = 0;
    return check_alive ? check_alive() : Status::Ok();
  }
  std::function<Status()> check_alive;  // fails once the query is to stop; may be empty; thread-safe
  uint64_t worked = 0;                  // since the last look
};

class SeriesProducer {
 public:
  virtual ~SeriesProducer() = default;
  virtual size_t size() const = 0;
  virtual const PackedLabels& labels(size_t series) const = 0;
  // With delayed name removal: the name goes at the end.
  virtual bool drop_name(size_t series) const = 0;
  // How many levels of ProduceTask::Buffers it and those inside it use.
  virtual size_t levels() const = 0;
  // Replaces `out`, whose size becomes the grid's steps. The column may be empty.
  virtual Status Produce(size_t series, ProduceTask* task, StepColumn* out) = 0;
};
using ProducerPtr = std::unique_ptr<SeriesProducer>;

// A matrix with the charge for it.
struct ChargedMatrix {
  StepMatrix series;
  Charge charge;
};

// Columns are moved out by Produce.
class MatrixProducer final : public SeriesProducer {
 public:
  MatrixProducer(StepMatrix series, Charge charge) : series_(std::move(series)), charge_(std::move(charge)) {}
  size_t size() const override { return series_.size(); }
  const PackedLabels& labels(size_t series) const override { return series_[series].labels; }
  bool drop_name(size_t series) const override { return series_[series].drop_name; }
  size_t levels() const override { return 0; }
  Status Produce(size_t series, ProduceTask* task, StepColumn* out) override;
  ChargedMatrix Take() { return {std::move(series_), std::move(charge_)}; }

 private:
  StepMatrix series_;
  Charge charge_;
};

// The only step of `inner` at every one of `steps` steps.
class RepeatProducer final : public SeriesProducer {
 public:
  RepeatProducer(ProducerPtr inner, size_t steps) : inner_(std::move(inner)), steps_(steps) {}
  size_t size() const override { return inner_->size(); }
  const PackedLabels& labels(size_t series) const override { return inner_->labels(series); }
  bool drop_name(size_t series) const override { return inner_->drop_name(series); }
  size_t levels() const override { return inner_->levels() + 1; }
  Status Produce(size_t series, ProduceTask* task, StepColumn* out) override;

 private:
  ProducerPtr inner_;
  const size_t steps_;
};

bool IsEmptyColumn(const StepColumn& column);
// Floats and histograms of a column, counted as samples.
uint64_t SamplesIn(const StepColumn& column);
int64_t MemoryBytes(const StepColumn& column);
// Without metric name, type and unit.
PackedLabels DropMetricLabels(const PackedLabels& labels);
bool HasMetricLabels(const PackedLabels& labels);

}  // namespace varve::promql
