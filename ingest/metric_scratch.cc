#include "ingest/metric_scratch.h"

namespace varve {
namespace {

constexpr size_t kKeepBytes = 8 << 20;  // of each part

template <typename T>
void Trim(std::vector<T>* items) {
  items->clear();
  if (items->capacity() * sizeof(T) > kKeepBytes) std::vector<T>().swap(*items);
}

}  // namespace

void MetricScratch::Clear() {
  outer.ClearAndTrim(kKeepBytes);
  packed.ClearAndTrim(kKeepBytes);
  arena.Reset(nullptr);
  decoded.metadata_of_series = false;
  decoded.empty_series_are_errors = false;
  Trim(&decoded.symbols);
  Trim(&decoded.series);
  Trim(&decoded.floats);
  Trim(&decoded.float_starts_ms);
  Trim(&decoded.histograms);
  Trim(&decoded.histogram_starts_ms);
  Trim(&decoded.exemplars);
  Trim(&decoded.metadata);
  decoded.problems.clear();
  Trim(&keys);
  Trim(&ordinals);
  Trim(&symbol_hashes);
  Trim(&symbol_metadata);
  Trim(&labels);
  Trim(&batch.parts);
  Trim(&batch.floats);
  Trim(&batch.float_starts_ms);
  Trim(&batch.histograms);
  Trim(&batch.histogram_starts_ms);
  Trim(&batch.exemplars);
  Trim(&batch.metadata);
  rejects.Clear();
  record.clear();
  if (record.capacity() > kKeepBytes) std::string().swap(record);
}

}  // namespace varve
