#include "ingest/metric_batch_builder.h"

#include <algorithm>

#include "engine/base/bytes.h"
#include "ingest/message_cursor.h"
#include "ingest/metric_labels.h"
#include "ingest/utf8_repair.h"

namespace varve {

void MetricBatchBuilder::RefuseSeries(const DecodedMetrics::Series& series) {
  for (uint32_t i = 0; i < series.float_count; ++i) RefuseFloat(series.float_begin + i);
  for (uint32_t i = 0; i < series.histogram_count; ++i) RefuseHistogram(series.histogram_begin + i);
  for (uint32_t i = 0; i < series.exemplar_count; ++i) RefuseExemplar(series.exemplar_begin + i);
}

void MetricBatchBuilder::TakeRejects(const RejectList& rejects) {
  if (rejects.empty()) return;
  const DecodedMetrics& decoded = scratch_.decoded;
  uint32_t first = 0;
  const auto take = [&](Marks* marks, size_t size) {
    marks->assign(size, false);
    for (uint32_t i = 0; i < size; ++i) (*marks)[i] = rejects.Contains(first + i);
    first += static_cast<uint32_t>(size);
  };
  take(&floats_, decoded.floats.size());
  take(&histograms_, decoded.histograms.size());
  take(&exemplars_, decoded.exemplars.size());
  take(&metadata_, decoded.metadata.size());
}

bool MetricBatchBuilder::AnyLeft(const DecodedMetrics::Series& series) const {
  const auto any = [](const Marks& marks, uint32_t begin, uint32_t count) {
    if (marks.empty()) return count != 0;
    const auto first = marks.begin() + begin;
    return std::find(first, first + count, false) != first + count;
  };
  return any(floats_, series.float_begin, series.float_count) ||
         any(histograms_, series.histogram_begin, series.histogram_count) ||
         any(exemplars_, series.exemplar_begin, series.exemplar_count);
}

uint64_t MetricBatchBuilder::SamplesLeft() const {
  const auto marked = [](const Marks& marks) {
    return static_cast<uint64_t>(std::count(marks.begin(), marks.end(), true));
  };
  return scratch_.decoded.floats.size() + scratch_.decoded.histograms.size() - marked(floats_) -
         marked(histograms_);
}

void MetricBatchBuilder::AddExemplar(uint32_t series, uint32_t number) {
  const DecodedMetrics::RawExemplar& raw = scratch_.decoded.exemplars[number];
  Exemplar exemplar{PackedLabels::FromUnsorted(scratch_.labels), raw.value, raw.ts_ms};
  scratch_.batch.exemplars.push_back({scratch_.ordinals[series], std::move(exemplar)});
}

// The name of a remote write 2.0 series; "" when it has none.
std::string_view MetricBatchBuilder::NameOfSeries(uint32_t series) {
  const Status read = ReadRawLabels(scratch_.decoded, scratch_.decoded.series[series].labels, &scratch_.labels);
  if (!read.ok()) return {};
  for (const LabelView& label : scratch_.labels) {
    if (label.name == kMetricName) return label.value;
  }
  return {};
}

// Whether the request has had the same metadata for a series of the same name, which remote write 2.0 repeats for
// each. Looks at the first label alone, which is __name__ from any sender that sorts.
bool MetricBatchBuilder::IsKnownMetadata(const DecodedMetrics::Metadata& raw) {
  MessageCursor refs(scratch_.decoded.series[raw.series].labels);
  const uint64_t name = refs.Varint();
  const uint64_t value = refs.Varint();
  const std::vector<std::string_view>& symbols = scratch_.decoded.symbols;
  if (!refs.ok() || name >= symbols.size() || value >= symbols.size() || symbols[name] != kMetricName) return false;
  if (scratch_.symbol_metadata.empty()) scratch_.symbol_metadata.resize(symbols.size());
  const uint64_t all = (static_cast<uint64_t>(raw.help_symbol) << 32 | raw.unit_symbol) * 8 +
                       static_cast<uint64_t>(raw.type) + 1;
  uint64_t& known = scratch_.symbol_metadata[value];
  if (known == all) return true;
  known = all;
  return false;
}

Status MetricBatchBuilder::AddMetadata(const SeriesAliasTable* seen, const SeriesAliasTable& hashes,
                                       std::string_view tenant, uint32_t length_max, MetricRefusals* refusals,
                                       DecodeMemory* memory) {
  const DecodedMetrics& decoded = scratch_.decoded;
  const SeriesAliasTable::Scope scope = (seen != nullptr ? *seen : hashes).MakeScope(tenant, "metadata");
  const auto symbol = [&](uint32_t number) {
    return number < decoded.symbols.size() ? decoded.symbols[number] : std::string_view();
  };
  std::string bytes;
  for (uint32_t i = 0; i < decoded.metadata.size(); ++i) {
    if (Marked(metadata_, i)) continue;
    DecodedMetrics::Metadata item = decoded.metadata[i];
    if (decoded.metadata_of_series) {
      const bool nothing = item.type == MetricType::kUnknown && item.help_symbol == 0 && item.unit_symbol == 0;
      if (nothing || scratch_.ordinals[item.series] == MetricScratch::kNoSeries || IsKnownMetadata(item)) continue;
      item.metric = MetricFamilyName(NameOfSeries(item.series), item.type);
      item.help = symbol(item.help_symbol);
      item.unit = symbol(item.unit_symbol);
    }
    const size_t length = item.metric.size() + item.help.size() + item.unit.size();
    if (item.metric.empty() || length > length_max || !IsValidUtf8(item.metric) || !IsValidUtf8(item.help) ||
        !IsValidUtf8(item.unit)) {
      Mark(&metadata_, decoded.metadata.size(), i);
      if (refusals != nullptr) {
        refusals->AddQuiet(
            length > length_max ? MetricDiscardReason::kMetadataTooLong : MetricDiscardReason::kInvalidLabels, 1);
      }
      continue;
    }
    if (seen != nullptr) {
      bytes.assign(1, static_cast<char>(item.type));
      for (const std::string_view part : {item.metric, item.help, item.unit}) PutLengthPrefixed(&bytes, part);
      const SeriesAliasTable::Key key = seen->MakeKey(scope, bytes);
      if (seen->MakePin().Find(key).has_value()) continue;
      metadata_keys_.push_back(key);
    }
    VARVE_RETURN_IF_ERROR(memory->Add(static_cast<int64_t>(length + sizeof(MetricMetadata))));
    scratch_.batch.metadata.push_back(
        {std::string(item.metric), item.type, std::string(item.help), std::string(item.unit)});
  }
  return Status::Ok();
}

void MetricBatchBuilder::RememberMetadata(SeriesAliasTable* seen) const {
  for (const SeriesAliasTable::Key& key : metadata_keys_) seen->Insert(key, 0);
}

void MetricBatchBuilder::BuildParts() {
  DecodedMetrics& decoded = scratch_.decoded;
  MetricBatch& batch = scratch_.batch;
  float_total_ = static_cast<uint32_t>(decoded.floats.size());
  histogram_total_ = static_cast<uint32_t>(decoded.histograms.size());
  batch.parts.reserve(decoded.series.size());
  uint32_t floats_out = 0;
  uint32_t histograms_out = 0;
  for (size_t s = 0; s < decoded.series.size(); ++s) {
    const SeriesOrdinal ordinal = scratch_.ordinals[s];
    if (ordinal != MetricScratch::kNoSeries) BuildPart(ordinal, decoded.series[s], &floats_out, &histograms_out);
  }
  decoded.floats.resize(floats_out);
  decoded.histograms.resize(histograms_out);
  if (!decoded.float_starts_ms.empty()) decoded.float_starts_ms.resize(floats_out);
  if (!decoded.histogram_starts_ms.empty()) decoded.histogram_starts_ms.resize(histograms_out);
  batch.floats.swap(decoded.floats);
  batch.float_starts_ms.swap(decoded.float_starts_ms);
  batch.histograms.swap(decoded.histograms);
  batch.histogram_starts_ms.swap(decoded.histogram_starts_ms);
}

// Moves the series' samples that are left to the front, where they are not there already.
void MetricBatchBuilder::BuildPart(SeriesOrdinal ordinal, const DecodedMetrics::Series& series, uint32_t* floats_out,
                                   uint32_t* histograms_out) {
  DecodedMetrics& decoded = scratch_.decoded;
  MetricBatch::Part part{ordinal, *floats_out, 0, *histograms_out, 0};
  if (floats_.empty() && *floats_out == series.float_begin) {
    *floats_out += series.float_count;
  } else {
    for (uint32_t i = series.float_begin; i < series.float_begin + series.float_count; ++i) {
      if (Marked(floats_, i)) continue;
      if (!decoded.float_starts_ms.empty()) decoded.float_starts_ms[*floats_out] = decoded.float_starts_ms[i];
      decoded.floats[(*floats_out)++] = decoded.floats[i];
    }
  }
  for (uint32_t i = series.histogram_begin; i < series.histogram_begin + series.histogram_count; ++i) {
    if (Marked(histograms_, i)) continue;
    if (!decoded.histogram_starts_ms.empty()) {
      decoded.histogram_starts_ms[*histograms_out] = decoded.histogram_starts_ms[i];
    }
    if (i != *histograms_out) decoded.histograms[*histograms_out] = std::move(decoded.histograms[i]);
    ++*histograms_out;
  }
  part.float_count = *floats_out - part.float_begin;
  part.histogram_count = *histograms_out - part.histogram_begin;
  if (part.float_count != 0 || part.histogram_count != 0) scratch_.batch.parts.push_back(part);
}

void MetricBatchBuilder::EncodeRejects(const MetricVerdicts* verdicts) {
  RejectList& rejects = scratch_.rejects;
  rejects.Clear();
  uint32_t first = 0;
  const auto add = [&](const Marks& marks, uint32_t size, const std::vector<SampleVerdict>* judged) {
    const bool have_verdicts = judged != nullptr && !judged->empty();
    size_t index = 0;  // in the batch
    for (uint32_t i = 0; i < size && (have_verdicts || !marks.empty()); ++i) {
      const bool refused =
          Marked(marks, i) || (have_verdicts && (*judged)[index++] != SampleVerdict::kStored);
      if (refused) rejects.Add(first + i);
    }
    first += size;
  };
  add(floats_, float_total_, verdicts != nullptr ? &verdicts->floats : nullptr);
  add(histograms_, histogram_total_, verdicts != nullptr ? &verdicts->histograms : nullptr);
  add(exemplars_, static_cast<uint32_t>(scratch_.decoded.exemplars.size()), nullptr);
  add(metadata_, static_cast<uint32_t>(scratch_.decoded.metadata.size()), nullptr);
}

}  // namespace varve
