#include "query/promql/eval/producer.h"

#include <algorithm>

#include "engine/base/bytes.h"

namespace varve::promql {
namespace {

bool IsMetricLabel(std::string_view name) {
  return name == kMetricName || name == "__type__" || name == "__unit__";
}

}  // namespace

Status MatrixProducer::Produce(size_t series, ProduceTask* /*task*/, StepColumn* out) {
  *out = std::move(series_[series].column);
  return Status::Ok();
}

Status RepeatProducer::Produce(size_t series, ProduceTask* task, StepColumn* out) {
  ProduceTask::Buffers* buffers = task->BuffersOfLevel(inner_->levels());
  SampleStats outer = std::move(task->stats);
  task->stats = {};
  const Status status = inner_->Produce(series, task, &buffers->column);
  const uint64_t samples = task->stats.total;
  task->stats = std::move(outer);
  VARVE_RETURN_IF_ERROR(status.Clone());
  for (size_t step = 0; step < steps_ && samples != 0; ++step) task->stats.Count(step, samples);
  out->Resize(steps_);
  const Point point = buffers->column.Get(0);
  if (point.kind == PointKind::kNone) return Status::Ok();
  if (point.kind == PointKind::kFloat) {
    std::fill(out->kinds.begin(), out->kinds.end(), PointKind::kFloat);
    std::fill(out->values.begin(), out->values.end(), point.value);
    return Status::Ok();
  }
  for (size_t step = 0; step < steps_; ++step) out->SetHistogram(step, point.histogram);
  return Status::Ok();
}

bool IsEmptyColumn(const StepColumn& column) {
  return std::all_of(column.kinds.begin(), column.kinds.end(), [](PointKind kind) { return kind == PointKind::kNone; });
}

uint64_t SamplesIn(const StepColumn& column) {
  uint64_t samples = static_cast<uint64_t>(std::count(column.kinds.begin(), column.kinds.end(), PointKind::kFloat));
  if (column.histograms.empty()) return samples;
  for (size_t step = 0; step < column.kinds.size(); ++step) {
    if (column.kinds[step] == PointKind::kHistogram) samples += column.histograms[step]->SampleSize();
  }
  return samples;
}

int64_t MemoryBytes(const StepColumn& column) {
  int64_t bytes = static_cast<int64_t>(column.kinds.capacity() * sizeof(PointKind) +
                                       column.values.capacity() * sizeof(double) +
                                       column.histograms.capacity() * sizeof(FloatHistogramPtr));
  const FloatHistogram* last = nullptr;
  for (const FloatHistogramPtr& histogram : column.histograms) {
    if (histogram == nullptr || histogram.get() == last) continue;
    last = histogram.get();
    bytes += histogram->MemoryBytes();
  }
  return bytes;
}

bool HasMetricLabels(const PackedLabels& labels) {
  for (const LabelView& label : labels) {
    if (IsMetricLabel(label.name)) return true;
  }
  return false;
}

PackedLabels DropMetricLabels(const PackedLabels& labels) {
  std::string bytes;
  bytes.reserve(labels.canonical().size());
  for (const LabelView& label : labels) {
    if (IsMetricLabel(label.name)) continue;
    PutLengthPrefixed(&bytes, label.name);
    PutLengthPrefixed(&bytes, label.value);
  }
  return PackedLabels::FromCanonical(std::move(bytes));
}

}  // namespace varve::promql
