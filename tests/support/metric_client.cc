#include "tests/support/metric_client.h"

#include <bit>

#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr char kRecordMark = '\0';  // an empty tenant, which no record of logs has

std::string Words(const HistogramPtr& histogram) {
  std::string out = "histogram " + std::to_string(histogram->count) + " " +
                    std::to_string(std::bit_cast<uint64_t>(histogram->sum)) + " hint " +
                    std::to_string(static_cast<int>(histogram->hint));
  for (const int64_t delta : histogram->positive_deltas) out += " " + std::to_string(delta);
  return out;
}

std::string Words(double value) { return "float " + std::to_string(std::bit_cast<uint64_t>(value)); }

void Encode(const TestMetricPush& push, const MetricVerdicts& verdicts, const std::string& tenant, std::string* out) {
  out->push_back(kRecordMark);
  PutLengthPrefixed(out, tenant);
  size_t floats = 0;
  size_t histograms = 0;
  const auto refused = [](const std::vector<SampleVerdict>& all, size_t i) {
    return !all.empty() && (all[i] == SampleVerdict::kConflict || all[i] == SampleVerdict::kTooOld);
  };
  for (const TestMetricPush::Series& series : push.series) {
    std::string samples;
    uint64_t count = 0;
    for (const TestSample& sample : series.samples) {
      const bool is_float = sample.histogram == nullptr;
      if (is_float ? refused(verdicts.floats, floats++) : refused(verdicts.histograms, histograms++)) continue;
      ++count;
      PutSignedVarint(&samples, sample.ts_ms);
      PutSignedVarint(&samples, sample.start_ms);
      samples.push_back(is_float ? 0 : 1);
      PutFixed<uint64_t>(&samples, std::bit_cast<uint64_t>(is_float ? sample.value : sample.histogram->sum));
      if (!is_float) PutVarint(&samples, sample.histogram->count);
    }
    PutLengthPrefixed(out, series.labels.canonical());
    PutVarint(out, count);
    *out += samples;
  }
}

Status MakeBatch(MetricStore* store, TenantId tenant, const TestMetricPush& push, MetricBatch* batch) {
  for (const TestMetricPush::Series& series : push.series) {
    MetricBatch::Part part;
    VARVE_ASSIGN_OR_RETURN(part.series, store->InternSeries(tenant, series.labels, 0));
    part.float_begin = static_cast<uint32_t>(batch->floats.size());
    part.histogram_begin = static_cast<uint32_t>(batch->histograms.size());
    for (const TestSample& sample : series.samples) {
      if (sample.histogram != nullptr) {
        batch->histograms.push_back({.ts_ms = sample.ts_ms, .histogram = sample.histogram});
        batch->histogram_starts_ms.push_back(sample.start_ms);
      } else {
        batch->floats.push_back({.ts_ms = sample.ts_ms, .value = sample.value});
        batch->float_starts_ms.push_back(sample.start_ms);
      }
    }
    part.float_count = static_cast<uint32_t>(batch->floats.size()) - part.float_begin;
    part.histogram_count = static_cast<uint32_t>(batch->histograms.size()) - part.histogram_begin;
    batch->parts.push_back(part);
  }
  return Status::Ok();
}

}  // namespace

PackedLabels MetricLabelsOf(std::vector<LabelView> labels) { return PackedLabels::FromUnsorted(std::move(labels)); }

HistogramPtr OneBucketHistogram(uint64_t count, double sum) {
  NativeHistogram histogram;
  histogram.count = count;
  histogram.sum = sum;
  histogram.positive_spans = {{.offset = 1, .length = 1}};
  histogram.positive_deltas = {static_cast<int64_t>(count)};
  return std::make_shared<const NativeHistogram>(std::move(histogram));
}

SampleVerdict OnlyVerdict(const MetricVerdicts& verdicts) {
  if (!verdicts.floats.empty()) return verdicts.floats[0];
  return verdicts.histograms.empty() ? SampleVerdict::kStored : verdicts.histograms[0];
}

Result<MetricVerdicts> MetricClient::Push(const TestMetricPush& push) {
  MetricBatch batch;
  VARVE_RETURN_IF_ERROR(MakeBatch(store_, tenant_, push, &batch));
  std::string record;
  return store_->Append(tenant_, batch, [&](const MetricVerdicts& verdicts) -> std::string_view {
    Encode(push, verdicts, tenant_name_, &record);
    return record;
  });
}

Result<MetricVerdicts> MetricClient::Push(const PackedLabels& labels, int64_t ts_ms, double value) {
  TestMetricPush push;
  push.series.push_back({.labels = labels, .samples = {{.ts_ms = ts_ms, .value = value}}});
  return Push(push);
}

Result<TestMetricContents> MetricClient::ReadAll(const std::vector<Matcher>& matchers, MetricRange range) const {
  VARVE_ASSIGN_OR_RETURN(const auto snapshot, store_->Snapshot(tenant_, matchers, range));
  TestMetricContents contents;
  SeriesSamples samples;
  for (size_t i = 0; i < snapshot->size(); ++i) {
    if (i > 0 && !(snapshot->labels(i - 1) < snapshot->labels(i))) return InternalError("series do not ascend");
    VARVE_RETURN_IF_ERROR(snapshot->Read(i, range, nullptr, &samples));
    if (samples.empty()) continue;
    std::map<int64_t, std::string>& of_series = contents[snapshot->labels(i).ToString()];
    const auto add = [&](int64_t ts_ms, std::string words, const std::vector<int64_t>& starts, size_t k) {
      if (!starts.empty() && starts[k] != kNoStartMs) words += " since " + std::to_string(starts[k]);
      return range.Contains(ts_ms) && of_series.emplace(ts_ms, std::move(words)).second;
    };
    for (size_t k = 0; k < samples.floats.size(); ++k) {
      if (k > 0 && samples.float_ts_ms[k - 1] >= samples.float_ts_ms[k]) return InternalError("floats do not ascend");
      if (!add(samples.float_ts_ms[k], Words(samples.floats[k]), samples.float_starts_ms, k)) {
        return InternalError("a time occurs twice, or lies outside");
      }
    }
    for (size_t k = 0; k < samples.histograms.size(); ++k) {
      if (k > 0 && samples.histograms[k - 1].ts_ms >= samples.histograms[k].ts_ms) {
        return InternalError("histograms do not ascend");
      }
      if (!add(samples.histograms[k].ts_ms, Words(samples.histograms[k].histogram), samples.histogram_starts_ms, k)) {
        return InternalError("a time occurs twice, or lies outside");
      }
    }
  }
  return contents;
}

bool IsMetricTestRecord(std::string_view record) { return !record.empty() && record[0] == kRecordMark; }

Status ReplayMetricTestRecord(Engine* engine, std::string_view record, ReplaySink* sink) {
  ByteReader reader(record.substr(1));
  const std::string tenant_name(reader.LengthPrefixed());
  TestMetricPush push;
  while (reader.ok() && reader.remaining() != 0) {
    TestMetricPush::Series& series = push.series.emplace_back();
    series.labels = PackedLabels::FromCanonical(std::string(reader.LengthPrefixed()));
    for (uint64_t count = reader.Varint(); count != 0 && reader.ok(); --count) {
      TestSample& sample = series.samples.emplace_back();
      sample.ts_ms = reader.SignedVarint();
      sample.start_ms = reader.SignedVarint();
      const bool is_float = reader.Fixed<uint8_t>() == 0;
      sample.value = std::bit_cast<double>(reader.Fixed<uint64_t>());
      if (!is_float) sample.histogram = OneBucketHistogram(reader.Varint(), sample.value);
    }
  }
  if (!reader.ok()) return Corruption("test record: malformed");
  VARVE_ASSIGN_OR_RETURN(const TenantId tenant, engine->InternTenant(tenant_name));
  MetricBatch batch;
  VARVE_RETURN_IF_ERROR(MakeBatch(&engine->metrics(), tenant, push, &batch));
  sink->OnMetrics(tenant, batch);
  return Status::Ok();
}

}  // namespace varve
