#include "http/prometheus_json.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "engine/base/json_writer.h"

namespace varve {
namespace {

void AppendQuotedFloat(std::string* out, double value) {
  out->push_back('"');
  AppendPromFloat(out, value);
  out->push_back('"');
}

// [1.5,"3"]
void AppendFloatPoint(std::string* out, int64_t ts_ms, double value) {
  out->push_back('[');
  AppendPromTime(out, ts_ms);
  out->push_back(',');
  AppendQuotedFloat(out, value);
  out->push_back(']');
}

void AppendHistogramPoint(std::string* out, const promql::HistogramValue& point) {
  out->push_back('[');
  AppendPromTime(out, point.ts_ms);
  out->push_back(',');
  AppendHistogramJson(out, *point.histogram);
  out->push_back(']');
}

void AppendVectorItem(std::string* out, const promql::ResultSeries& series) {
  out->append("{\"metric\":");
  AppendLabelsJson(out, series.labels);
  if (!series.histograms.empty()) {
    out->append(",\"histogram\":");
    AppendHistogramPoint(out, series.histograms.front());
  } else if (!series.floats.empty()) {
    out->append(",\"value\":");
    AppendFloatPoint(out, series.floats.front().ts_ms, series.floats.front().value);
  }
  out->push_back('}');
}

void AppendMatrixItem(std::string* out, const promql::ResultSeries& series) {
  out->append("{\"metric\":");
  AppendLabelsJson(out, series.labels);
  if (!series.floats.empty()) {
    out->append(",\"values\":[");
    for (const promql::FloatPoint& point : series.floats) {
      AppendFloatPoint(out, point.ts_ms, point.value);
      out->push_back(',');
    }
    out->back() = ']';
  }
  if (!series.histograms.empty()) {
    out->append(",\"histograms\":[");
    for (const promql::HistogramValue& point : series.histograms) {
      AppendHistogramPoint(out, point);
      out->push_back(',');
    }
    out->back() = ']';
  }
  out->push_back('}');
}

void AppendResult(std::string* out, const promql::QueryResult& result) {
  switch (result.type) {
    case promql::ValueType::kScalar:
      return AppendFloatPoint(out, result.scalar.ts_ms, result.scalar.value);
    case promql::ValueType::kString:
      out->push_back('[');
      AppendPromTime(out, result.text_ts_ms);
      out->push_back(',');
      AppendJsonString(out, result.text);
      out->push_back(']');
      return;
    case promql::ValueType::kNone:
    case promql::ValueType::kVector:
    case promql::ValueType::kMatrix: break;
  }
  out->push_back('[');
  for (const promql::ResultSeries& series : result.series) {
    if (result.type == promql::ValueType::kVector) {
      AppendVectorItem(out, series);
    } else {
      AppendMatrixItem(out, series);
    }
    out->push_back(',');
  }
  if (out->back() == ',') out->pop_back();
  out->push_back(']');
}

void AppendSteps(std::string* out, std::string_view name, const promql::QueryStats& stats) {
  out->append(",\"").append(name).append("\":[");
  for (const auto& [ts_ms, samples] : stats.queryable_samples_per_step) {
    out->push_back('[');
    AppendPromTime(out, ts_ms);
    out->push_back(',');
    AppendInt(out, samples);
    out->append("],");
  }
  if (out->back() == ',') out->pop_back();
  out->push_back(']');
}

void AppendStats(std::string* out, const promql::QueryStats& stats, StatsDetail detail) {
  const auto seconds = [&](std::string_view name, double value) {
    out->append(name);
    AppendJsonNumber(out, value);
  };
  const double evaluation = stats.prepare_seconds + stats.eval_seconds + stats.sort_seconds;
  out->append("{\"timings\":{");
  seconds("\"evalTotalTime\":", evaluation);
  seconds(",\"resultSortTime\":", stats.sort_seconds);
  seconds(",\"queryPreparationTime\":", stats.prepare_seconds);
  seconds(",\"innerEvalTime\":", stats.eval_seconds);
  seconds(",\"execQueueTime\":", 0);
  seconds(",\"execTotalTime\":", evaluation);
  out->append("},\"samples\":{");
  const bool per_step = detail == StatsDetail::kPerStep && !stats.queryable_samples_per_step.empty();
  out->append("\"totalQueryableSamples\":");
  AppendUint(out, stats.total_queryable_samples);
  if (per_step) AppendSteps(out, "totalQueryableSamplesPerStep", stats);
  out->append(",\"peakSamples\":");
  AppendUint(out, stats.peak_samples);
  out->append("}}");
}

void AppendNotes(std::string* out, std::string_view name, const std::vector<std::string>& notes) {
  if (notes.empty()) return;
  out->append(",\"").append(name).append("\":");
  AppendTextsJson(out, notes);
}

}  // namespace

void AppendPromFloat(std::string* out, double value) {
  const double magnitude = std::fabs(value);
  if (std::isfinite(value) && magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)) {
    char buffer[40];
    const auto result =
        std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
    out->append(buffer, result.ptr);
    return;
  }
  AppendGoFloat(out, value);
}

void AppendPromTime(std::string* out, int64_t ts_ms) {
  // The magnitude as unsigned, so that the most negative value has one too.
  const uint64_t magnitude = ts_ms < 0 ? ~static_cast<uint64_t>(ts_ms) + 1 : static_cast<uint64_t>(ts_ms);
  if (ts_ms < 0) out->push_back('-');
  AppendUint(out, magnitude / 1000);
  const auto fraction = static_cast<uint32_t>(magnitude % 1000);
  if (fraction == 0) return;
  const char digits[] = {'.', static_cast<char>('0' + fraction / 100),
                         static_cast<char>('0' + fraction / 10 % 10),
                         static_cast<char>('0' + fraction % 10)};
  out->append(digits, sizeof(digits));
}

void AppendLabelsJson(std::string* out, const PackedLabels& labels) {
  out->push_back('{');
  for (const LabelView& label : labels) {
    if (out->back() != '{') out->push_back(',');
    AppendJsonString(out, label.name);
    out->push_back(':');
    AppendJsonString(out, label.value);
  }
  out->push_back('}');
}

void AppendTextsJson(std::string* out, const std::vector<std::string>& texts) {
  out->push_back('[');
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i != 0) out->push_back(',');
    AppendJsonString(out, texts[i]);
  }
  out->push_back(']');
}

void AppendHistogramJson(std::string* out, const promql::FloatHistogram& histogram) {
  out->append("{\"count\":");
  AppendQuotedFloat(out, histogram.count());
  out->append(",\"sum\":");
  AppendQuotedFloat(out, histogram.sum());
  bool found_bucket = false;
  for (size_t slot = 0; slot < histogram.slots(); ++slot) {
    const promql::HistogramBucket bucket = histogram.BucketAt(slot);
    if (bucket.count == 0) continue;
    out->append(found_bucket ? ",[" : ",\"buckets\":[[");
    found_bucket = true;
    AppendInt(out, bucket.boundary_rule());
    for (const double number : {bucket.lower, bucket.upper, bucket.count}) {
      out->push_back(',');
      AppendQuotedFloat(out, number);
    }
    out->push_back(']');
  }
  out->append(found_bucket ? "]}" : "}");
}

void AppendQueryData(std::string* out, const promql::QueryResult& result, StatsDetail stats) {
  out->append("{\"resultType\":");
  AppendJsonString(out, promql::ApiType(result.type));
  out->append(",\"result\":");
  AppendResult(out, result);
  if (stats != StatsDetail::kNone) {
    out->append(",\"stats\":");
    AppendStats(out, result.stats, stats);
  }
  out->push_back('}');
}

size_t EstimateQueryBytes(const promql::QueryResult& result) {
  constexpr size_t kSeriesBytes = 64;
  constexpr size_t kFloatBytes = 40;
  constexpr size_t kHistogramBytes = 96;
  constexpr size_t kBucketBytes = 80;
  constexpr size_t kStepBytes = 32;
  size_t bytes = 1024 + result.text.size() + result.stats.queryable_samples_per_step.size() * kStepBytes;
  for (const promql::ResultSeries& series : result.series) {
    bytes += kSeriesBytes + 2 * series.labels.canonical().size() + kFloatBytes * series.floats.size();
    for (const promql::HistogramValue& point : series.histograms) {
      bytes += kHistogramBytes + kBucketBytes * point.histogram->slots();
    }
  }
  return bytes;
}

void AppendExemplarsJson(std::string* out, const std::vector<ExemplarSeries>& series) {
  out->push_back('[');
  for (const ExemplarSeries& one : series) {
    if (out->back() != '[') out->push_back(',');
    out->append("{\"seriesLabels\":");
    AppendLabelsJson(out, one.series);
    out->append(",\"exemplars\":[");
    for (const Exemplar& exemplar : one.exemplars) {
      if (out->back() != '[') out->push_back(',');
      out->append("{\"labels\":");
      AppendLabelsJson(out, exemplar.labels);
      out->append(",\"value\":");
      AppendQuotedFloat(out, exemplar.value);
      out->append(",\"timestamp\":");
      AppendPromTime(out, exemplar.ts_ms);
      out->push_back('}');
    }
    out->append("]}");
  }
  out->push_back(']');
}

HttpResponse PromSuccess(std::string data, const std::vector<std::string>& warnings,
                         const std::vector<std::string>& infos) {
  std::string body = "{\"status\":\"success\",\"data\":";
  body.reserve(body.size() + data.size() + 64);
  body.append(data);
  data.clear();
  data.shrink_to_fit();
  AppendNotes(&body, "warnings", warnings);
  AppendNotes(&body, "infos", infos);
  body.push_back('}');
  HttpResponse response;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

HttpResponse PromError(int status, std::string_view type, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = "{\"status\":\"error\",\"errorType\":";
  AppendJsonString(&response.body, type);
  response.body.append(",\"error\":");
  AppendJsonString(&response.body, message);
  response.body.push_back('}');
  return response;
}

}  // namespace varve
