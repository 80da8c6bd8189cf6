// Reads a metric pack block by block: every timeline, every chunk, and that they are what the directory says.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/packs/metric_pack_reader.h"
#include "engine/packs/pack_store.h"

namespace varve {

namespace {

Status Disagree(const std::string& what) { return Corruption("block and pack directory disagree: " + what); }

bool Ascend(const SeriesSamples& samples, size_t floats_before, size_t histograms_before) {
  for (size_t i = std::max<size_t>(floats_before, 1); i < samples.float_ts_ms.size(); ++i) {
    if (samples.float_ts_ms[i] <= samples.float_ts_ms[i - 1]) return false;
  }
  for (size_t i = std::max<size_t>(histograms_before, 1); i < samples.histograms.size(); ++i) {
    if (samples.histograms[i].ts_ms <= samples.histograms[i - 1].ts_ms) return false;
  }
  return true;
}

Status CheckTimelines(MetricPackReader* reader, uint32_t number) {
  VARVE_ASSIGN_OR_RETURN(const auto timelines, reader->ReadTimelines(number));
  std::vector<int64_t> ts_ms;
  for (uint32_t t = 0; t < timelines->count(); ++t) {
    ts_ms.clear();
    VARVE_RETURN_IF_ERROR(timelines->Append(timelines->first() + t, &ts_ms));
  }
  return Status::Ok();
}

Status CheckChunks(MetricPackReader* reader, uint32_t number, const MetricPackBlock& block) {
  VARVE_ASSIGN_OR_RETURN(const auto chunks, reader->ReadChunks(number));
  uint64_t floats = 0;
  uint64_t histograms = 0;
  int64_t min_ts_ms = INT64_MAX;
  int64_t max_ts_ms = INT64_MIN;
  SeriesSamples samples;  // of one series
  for (uint32_t c = 0; c < chunks->chunk_count(); ++c) {
    if (c != 0 && chunks->SeriesOf(c) != chunks->SeriesOf(c - 1)) samples.Clear();
    const size_t floats_before = samples.floats.size();
    const size_t histograms_before = samples.histograms.size();
    VARVE_RETURN_IF_ERROR(chunks->ReadChunk(c, {}, reader->TimelinesOf(block.span), &samples));
    if (!Ascend(samples, floats_before, histograms_before)) {
      return Corruption("timestamps of chunk " + std::to_string(c) + " are not in order");
    }
    if (samples.floats.size() > floats_before) {
      floats += samples.floats.size() - floats_before;
      min_ts_ms = std::min(min_ts_ms, samples.float_ts_ms[floats_before]);
      max_ts_ms = std::max(max_ts_ms, samples.float_ts_ms.back());
    }
    if (samples.histograms.size() > histograms_before) {
      histograms += samples.histograms.size() - histograms_before;
      min_ts_ms = std::min(min_ts_ms, samples.histograms[histograms_before].ts_ms);
      max_ts_ms = std::max(max_ts_ms, samples.histograms.back().ts_ms);
    }
  }
  if (floats != block.floats || histograms != block.histograms) return Disagree("samples");
  if (min_ts_ms != block.min_ts_ms || max_ts_ms != block.max_ts_ms) return Disagree("time span");
  return Status::Ok();
}

}  // namespace

bool VerifyMetricPack(const PackStore& store, const PackId& id,
                      const std::function<void(PackDamage)>& on_damage) {
  auto directory = ReadMetricPackDirectory(store, id, MetricLabels::kRead);
  Status order;
  for (uint32_t s = 1; directory.ok() && order.ok() && s < directory->series_count(); ++s) {
    if (directory->TenantOf(s) == directory->TenantOf(s - 1) &&
        !MetricSeriesLess(directory->LabelsOf(s - 1), directory->LabelsOf(s))) {
      order = Corruption("metric pack directory: series " + std::to_string(s) + " is out of order");
    }
  }
  if (!directory.ok() || !order.ok()) {
    on_damage({id, kPackDirectoryBlock, directory.ok() ? std::move(order) : std::move(directory).status()});
    return false;
  }
  bool sound = true;
  MetricPackReader reader(&store, id, &*directory);
  for (uint32_t number = 0; number < directory->blocks.size(); ++number) {
    const MetricPackBlock& block = directory->blocks[number];
    Status status = block.kind == MetricBlockKind::kTimelines ? CheckTimelines(&reader, number)
                                                              : CheckChunks(&reader, number, block);
    if (status.ok()) continue;
    sound = false;
    on_damage({id, number,
               std::move(status).WithContext("block " + std::to_string(number) + " of " + id.ToString())});
  }
  return sound;
}

}  // namespace varve
