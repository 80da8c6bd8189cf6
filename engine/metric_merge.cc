#include "engine/metric_merge.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/packs/metric_pack_reader.h"
#include "engine/sample_merge.h"

namespace varve {
namespace {

constexpr uint64_t kPaceBytes = 256 << 10;

// One pack being read, standing on one of its series.
struct Input {
  Input(const PackStore* store, const PackId& pack, MetricPackDirectory read, MetricLabelReader all_labels)
      : id(pack), directory(std::move(read)), labels(std::move(all_labels)), reader(store, id, &directory) {}
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  bool AtEnd() const { return series == directory.series_count(); }
  std::string_view tenant() const { return directory.tenants[directory.TenantOf(series)]; }
  // Steps to the next series; kCorruption when its labels are damaged.
  Status Next() {
    ++series;
    return Load();
  }
  Status Load() {
    if (AtEnd() || labels.Next()) return Status::Ok();
    return Corruption("labels of series " + std::to_string(series) + " of " + id.ToString() + " are damaged");
  }

  const PackId id;
  const MetricPackDirectory directory;
  MetricLabelReader labels;
  MetricPackReader reader;
  uint32_t series = 0;
};

bool Before(const Input& a, const Input& b) {
  if (a.tenant() != b.tenant()) return a.tenant() < b.tenant();
  return MetricSeriesLess(a.labels.labels(), b.labels.labels());
}

class Merge {
 public:
  Merge(const PackStore& store, const MetricMergeOptions& options, PendingPack* pending,
        MetricMergeStats* stats, std::optional<size_t>* bad_input)
      : store_(store),
        options_(options),
        writer_(options.writer, pending),
        stats_(stats),
        bad_input_(bad_input) {}

  Status Open(const std::vector<PackId>& packs) {
    for (size_t i = 0; i < packs.size(); ++i) {
      *bad_input_ = i;
      VARVE_ASSIGN_OR_RETURN(const PackBytes bytes, store_.ReadBlock(packs[i], kPackDirectoryBlock));
      auto directory = DecodeMetricPackDirectory(bytes.view, MetricLabels::kSkip);
      if (!directory.ok()) return std::move(directory).status().WithContext(packs[i].ToString());
      auto labels = MetricLabelReader::Open(bytes.view);
      if (!labels.ok()) return std::move(labels).status().WithContext(packs[i].ToString());
      inputs_.push_back(std::make_unique<Input>(&store_, packs[i], std::move(directory).value(),
                                                std::move(labels).value()));
      VARVE_RETURN_IF_ERROR(inputs_.back()->Load());
    }
    bad_input_->reset();
    return Status::Ok();
  }

  Status Run() {
    std::vector<size_t> same;  // the inputs that stand on the next series; in order of arrival
    for (;;) {
      same.clear();
      for (size_t i = 0; i < inputs_.size(); ++i) {
        if (inputs_[i]->AtEnd()) continue;
        if (!same.empty() && Before(*inputs_[same.front()], *inputs_[i])) continue;
        if (!same.empty() && Before(*inputs_[i], *inputs_[same.front()])) same.clear();
        same.push_back(i);
      }
      if (same.empty()) return Status::Ok();
      VARVE_RETURN_IF_ERROR(MergeSeries(same));
      for (const size_t i : same) {
        *bad_input_ = i;
        VARVE_RETURN_IF_ERROR(inputs_[i]->Next());
      }
      bad_input_->reset();
    }
  }

  Result<std::optional<MetricPackDirectory>> Finish() {
    if (stats_->samples_written == 0) return std::optional<MetricPackDirectory>();
    VARVE_ASSIGN_OR_RETURN(MetricPackDirectory directory, writer_.Finish());
    stats_->bytes_written = directory.encoded_bytes;
    return std::optional<MetricPackDirectory>(std::move(directory));
  }

 private:
  Status MergeSeries(const std::vector<size_t>& same) {
    hidden_.resize(same.size());
    // The day's spans of which some input may have samples of the series.
    spans_.clear();
    for (size_t k = 0; k < same.size(); ++k) {
      Input& input = *inputs_[same[k]];
      hidden_[k].clear();
      if (options_.hidden) options_.hidden(same[k], input.tenant(), input.labels.labels(), &hidden_[k]);
      blocks_.clear();
      input.directory.FindChunks(input.series, {}, &blocks_);
      for (const uint32_t block : blocks_) {
        spans_.push_back(SpanOf(input.directory.blocks[block].span.begin_ms, 0).begin_ms);
      }
    }
    std::sort(spans_.begin(), spans_.end());
    spans_.erase(std::unique(spans_.begin(), spans_.end()), spans_.end());
    bool added = false;
    for (const int64_t begin_ms : spans_) {
      VARVE_RETURN_IF_ERROR(MergeSpan(same, {.begin_ms = begin_ms, .length_ms = kMetricSpanMs}));
      if (merged_.empty()) continue;
      if (!added) {
        const Input& input = *inputs_[same.front()];
        VARVE_RETURN_IF_ERROR(writer_.AddSeries(input.directory.fingerprints[input.series], input.tenant(),
                                                input.labels.labels()));
        added = true;
      }
      VARVE_RETURN_IF_ERROR(writer_.AddSamples(merged_));
      stats_->samples_written += merged_.size();
    }
    return Pace();
  }

  // Fills merged_ with the span's samples of the series that `same` stand on.
  Status MergeSpan(const std::vector<size_t>& same, const MetricSpan& span) {
    merged_.Clear();
    for (size_t k = 0; k < same.size(); ++k) {
      Input& input = *inputs_[same[k]];
      samples_.Clear();
      const uint64_t bytes_before = input.reader.bytes_read();
      *bad_input_ = same[k];
      VARVE_RETURN_IF_ERROR(
          input.reader.Read(input.series, {.min_ms = span.begin_ms, .max_ms = span.last_ms()}, &samples_));
      bad_input_->reset();
      stats_->bytes_read += input.reader.bytes_read() - bytes_before;
      stats_->samples_read += samples_.size();
      stats_->samples_hidden += DropHidden(hidden_[k], &samples_);
      stats_->samples_dropped += MergeSamples(samples_, &merged_);
    }
    return Status::Ok();
  }

  Status Pace() {
    const uint64_t bytes = stats_->bytes_read + writer_.bytes_written();
    if (options_.pace == nullptr || bytes - paced_bytes_ < kPaceBytes) return Status::Ok();
    const uint64_t more = bytes - paced_bytes_;
    paced_bytes_ = bytes;
    return options_.pace(more);
  }

  const PackStore& store_;
  const MetricMergeOptions& options_;
  MetricPackWriter writer_;
  MetricMergeStats* const stats_;
  std::optional<size_t>* const bad_input_;
  std::vector<std::unique_ptr<Input>> inputs_;
  uint64_t paced_bytes_ = 0;
  // Of the series being merged.
  std::vector<std::vector<MetricRange>> hidden_;
  std::vector<int64_t> spans_;
  std::vector<uint32_t> blocks_;
  SeriesSamples samples_;
  SeriesSamples merged_;
};

// Keeps the elements whose index `keep` is set.
template <typename T>
void Keep(const std::vector<bool>& keep, std::vector<T>* values) {
  if (values->empty()) return;
  size_t to = 0;
  for (size_t i = 0; i < keep.size(); ++i) {
    if (keep[i]) (*values)[to++] = std::move((*values)[i]);
  }
  values->resize(to);
}

}  // namespace

uint64_t DropHidden(const std::vector<MetricRange>& hidden, SeriesSamples* samples) {
  if (hidden.empty()) return 0;
  const auto visible = [&](int64_t ts_ms) {
    return std::none_of(hidden.begin(), hidden.end(),
                        [ts_ms](const MetricRange& r) { return r.Contains(ts_ms); });
  };
  const size_t before = samples->size();
  std::vector<bool> keep;
  for (const int64_t ts_ms : samples->float_ts_ms) keep.push_back(visible(ts_ms));
  Keep(keep, &samples->float_ts_ms);
  Keep(keep, &samples->floats);
  Keep(keep, &samples->float_starts_ms);
  keep.clear();
  for (const HistogramSample& sample : samples->histograms) keep.push_back(visible(sample.ts_ms));
  Keep(keep, &samples->histograms);
  Keep(keep, &samples->histogram_starts_ms);
  return before - samples->size();
}

Result<std::optional<MetricPackDirectory>> MergeMetricPacks(const std::vector<PackId>& inputs,
                                                            const PackStore& store,
                                                            const MetricMergeOptions& options,
                                                            PendingPack* pending, MetricMergeStats* stats,
                                                            std::optional<size_t>* bad_input) {
  Merge merge(store, options, pending, stats, bad_input);
  VARVE_RETURN_IF_ERROR(merge.Open(inputs));
  VARVE_RETURN_IF_ERROR(merge.Run());
  return merge.Finish();
}

}  // namespace varve
