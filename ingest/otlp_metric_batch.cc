#include "ingest/otlp_metric_batch.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "ingest/metric_labels.h"
#include "ingest/otlp_buckets.h"

namespace varve {
namespace {

constexpr std::string_view kServiceName = "service.name";
constexpr std::string_view kServiceNamespace = "service.namespace";
constexpr std::string_view kServiceInstance = "service.instance.id";
constexpr size_t kLabelNamesMax = 10'000;

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsIdentifying(std::string_view key) {
  return key == kServiceName || key == kServiceNamespace || key == kServiceInstance;
}

std::string_view TextOf(const std::vector<OtlpAttribute>& attributes, std::string_view key, bool* found) {
  for (const OtlpAttribute& attribute : attributes) {
    if (attribute.name != key) continue;
    *found = true;
    return attribute.value;
  }
  *found = false;
  return {};
}

// Go's FormatFloat(value, 'f', -1, 64).
std::string DecimalText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[400];
  const auto end = std::to_chars(text, std::end(text), value, std::chars_format::fixed).ptr;
  return {text, static_cast<size_t>(end - text)};
}

MetricType TypeOf(const OtlpMetricHead& metric) {
  switch (metric.kind) {
    case OtlpMetricKind::kGauge: return MetricType::kGauge;
    case OtlpMetricKind::kSum: return metric.monotonic ? MetricType::kCounter : MetricType::kGauge;
    case OtlpMetricKind::kHistogram:
    case OtlpMetricKind::kExponentialHistogram: return MetricType::kHistogram;
    case OtlpMetricKind::kSummary: return MetricType::kSummary;
    case OtlpMetricKind::kNone: break;
  }
  return MetricType::kUnknown;
}

}  // namespace

void OtlpPoint::Clear() {
  attributes.clear();
  start_ns = time_ns = 0;
  flags = 0;
  value = 0;
  count = 0;
  sum = 0;
  has_sum = false;
  bucket_counts.clear();
  bounds.clear();
  scale = 0;
  zero_count = 0;
  zero_threshold = 0;
  positive.offset = negative.offset = 0;
  positive.counts.clear();
  negative.counts.clear();
  quantiles.clear();
  exemplars.clear();
  exemplar_attributes.clear();
}

OtlpMetricBatch::OtlpMetricBatch(const OtlpMetricsConfig& config, DecodedMetrics* out, ByteArena* arena,
                                 DecodeMemory* memory)
    : config_(config), out_(out), arena_(arena), memory_(memory), text_(arena, memory) {
  out_->label_form = SeriesLabelForm::kCanonical;
}

void OtlpMetricBatch::BeginResource() {
  resource_attributes_.clear();
  promoted_.clear();
  job_ = instance_ = {};
  earliest_ns_ = UINT64_MAX;
  latest_ns_ = 0;
  has_points_ = false;
  in_scope_ = false;
  scope_labels_.clear();
}

Status OtlpMetricBatch::EndResource() {
  bool found = false;
  bool has_namespace = false;
  const std::string_view service = TextOf(resource_attributes_, kServiceName, &found);
  const std::string_view service_namespace = TextOf(resource_attributes_, kServiceNamespace, &has_namespace);
  if (found) {
    job_ = service;
    if (has_namespace) {
      VARVE_ASSIGN_OR_RETURN(job_, Copy(std::string(service_namespace) + "/" + std::string(service)));
    }
  }
  instance_ = TextOf(resource_attributes_, kServiceInstance, &found);
  for (const OtlpAttribute& attribute : resource_attributes_) {
    const bool promote = config_.promote_all_resource_attributes
                             ? !Contains(config_.ignore_resource_attributes, attribute.name)
                             : Contains(config_.promote_resource_attributes, attribute.name);
    if (!promote) continue;
    VARVE_ASSIGN_OR_RETURN(const std::string_view name, LabelName(attribute.name));
    if (!name.empty()) VARVE_RETURN_IF_ERROR(PushBack(&promoted_, LabelView{name, attribute.value}, memory_));
  }
  return Status::Ok();
}

void OtlpMetricBatch::BeginScope() {
  in_scope_ = true;
  scope_attributes_.clear();
  scope_labels_.clear();
}

Status OtlpMetricBatch::EndScope(const OtlpScopeHead& scope) {
  if (!config_.promote_scope_metadata || scope.name.empty()) return Status::Ok();
  for (const OtlpAttribute& attribute : scope_attributes_) {
    VARVE_ASSIGN_OR_RETURN(const std::string_view key, Copy("otel_scope_" + std::string(attribute.name)));
    VARVE_ASSIGN_OR_RETURN(const std::string_view name, LabelName(key));
    if (!name.empty()) VARVE_RETURN_IF_ERROR(PushBack(&scope_labels_, LabelView{name, attribute.value}, memory_));
  }
  for (const LabelView& label :
       {LabelView{"otel_scope_name", scope.name}, LabelView{"otel_scope_version", scope.version},
        LabelView{"otel_scope_schema_url", scope.schema_url}}) {
    VARVE_RETURN_IF_ERROR(PushBack(&scope_labels_, label, memory_));
  }
  return Status::Ok();
}

Status OtlpMetricBatch::AddAttribute(const OtlpValues& values) {
  return AddPointAttribute(values, in_scope_ ? &scope_attributes_ : &resource_attributes_);
}

Status OtlpMetricBatch::AddPointAttribute(const OtlpValues& values, std::vector<OtlpAttribute>* to) {
  VARVE_ASSIGN_OR_RETURN(const std::string_view text, text_.Of(values, 0));
  return PushBack(to, OtlpAttribute{values[0].key, text}, memory_);
}

Status OtlpMetricBatch::BeginMetric(const OtlpMetricHead& metric) {
  metric_ = metric;
  metric_refused_ = false;
  metadata_added_ = false;
  const bool temporal = metric.kind == OtlpMetricKind::kSum || metric.kind == OtlpMetricKind::kHistogram ||
                        metric.kind == OtlpMetricKind::kExponentialHistogram;
  constexpr int32_t kCumulative = 2;
  if (metric.kind == OtlpMetricKind::kNone) {
    return Problem("could not get aggregation temporality for " + std::string(metric.name.substr(0, 200)) +
                   " as it has unsupported metric type Empty");
  }
  if (temporal && metric.temporality != kCumulative) {
    return Problem("invalid temporality and type combination for metric \"" + std::string(metric.name.substr(0, 200)) +
                   "\"");
  }
  metric_name_ = OtlpMetricName(metric.name, metric.unit, metric.kind == OtlpMetricKind::kSum && metric.monotonic,
                                metric.kind == OtlpMetricKind::kGauge, config_);
  if (metric_name_.empty()) {
    return Problem("normalization for metric \"" + std::string(metric.name.substr(0, 200)) +
                   "\" resulted in empty name");
  }
  return Status::Ok();
}

// Of the metric: told at once, and its points are counted as they come.
Status OtlpMetricBatch::Problem(std::string text) {
  metric_refused_ = true;
  VARVE_RETURN_IF_ERROR(memory_->Add(static_cast<int64_t>(text.size() + sizeof(DecodedMetrics::Problem))));
  out_->problems.push_back({std::move(text), 0});
  return Status::Ok();
}

Status OtlpMetricBatch::AddPoint() {
  has_points_ = true;
  earliest_ns_ = std::min(earliest_ns_, point_.time_ns);
  latest_ns_ = std::max(latest_ns_, point_.time_ns);
  if (metric_refused_) {
    ++out_->problems.back().samples;
    return Status::Ok();
  }
  if (!metadata_added_) {
    metadata_added_ = true;
    DecodedMetrics::Metadata metadata;
    VARVE_ASSIGN_OR_RETURN(metadata.metric, Copy(metric_name_));
    VARVE_ASSIGN_OR_RETURN(metadata.unit, Copy(OtlpUnitName(metric_.unit)));
    metadata.help = metric_.description;
    metadata.type = TypeOf(metric_);
    VARVE_RETURN_IF_ERROR(PushBack(&out_->metadata, metadata, memory_));
  }
  VARVE_RETURN_IF_ERROR(BuildLabels(point_.attributes, true));
  switch (metric_.kind) {
    case OtlpMetricKind::kGauge: point_.exemplars.clear(); [[fallthrough]];
    case OtlpMetricKind::kSum: {
      DecodedMetrics::Series series = out_->BeginSeries();
      VARVE_RETURN_IF_ERROR(AddFloat(point_.value));
      VARVE_RETURN_IF_ERROR(AddExemplars(-INFINITY, INFINITY));
      return AddSeries(&series, "", {}, {});
    }
    case OtlpMetricKind::kHistogram:
      return config_.convert_histograms_to_nhcb ? AddCustomBuckets() : AddClassicHistogram();
    case OtlpMetricKind::kExponentialHistogram: return AddExponential();
    case OtlpMetricKind::kSummary: return AddSummary();
    case OtlpMetricKind::kNone: break;
  }
  return Status::Ok();
}

// --- Labels ---------------------------------------------------------------------------------------

Result<std::string_view> OtlpMetricBatch::Copy(std::string_view text) {
  if (text.empty()) return std::string_view();
  char* const out = arena_->Allocate(text.size());
  if (out == nullptr) return arena_->TakeStatus();
  std::memcpy(out, text.data(), text.size());
  return std::string_view(out, text.size());
}

// Names come again and again. Views in the table live as long as the request.
Result<std::string_view> OtlpMetricBatch::LabelName(std::string_view name) {
  if (const auto known = label_names_.find(name); known != label_names_.end()) return known->second;
  VARVE_ASSIGN_OR_RETURN(const std::string_view built, Copy(OtlpLabelName(name, config_)));
  if (label_names_.size() < kLabelNamesMax) {
    VARVE_RETURN_IF_ERROR(memory_->Add(64));
    label_names_.emplace(name, built);
  }
  return built;
}

std::string_view OtlpMetricBatch::Get(std::string_view name) const {
  for (const LabelView& label : labels_) {
    if (label.name == name) return label.value;
  }
  return {};
}

Status OtlpMetricBatch::Set(std::string_view name, std::string_view value) {
  for (LabelView& label : labels_) {
    if (label.name != name) continue;
    label.value = value;
    return Status::Ok();
  }
  return PushBack(&labels_, LabelView{name, value}, memory_);
}

// Attributes of one point can be many only in a hostile request; Set is linear, so they are bounded.
Status OtlpMetricBatch::AddAttributeLabels(const std::vector<OtlpAttribute>& attributes, bool of_point) {
  constexpr size_t kAttributesMax = 2000;
  if (attributes.size() > kAttributesMax) {
    return InvalidArgument("otlp: more than " + std::to_string(kAttributesMax) +
                           " attributes of one point or resource (the limit of Varve)");
  }
  sorted_.assign(attributes.begin(), attributes.end());
  std::stable_sort(sorted_.begin(), sorted_.end(),
                   [](const OtlpAttribute& a, const OtlpAttribute& b) { return a.name < b.name; });
  for (const OtlpAttribute& attribute : sorted_) {
    if (of_point ? attribute.name == kMetricName
                 : IsIdentifying(attribute.name) && !config_.keep_identifying_resource_attributes) {
      continue;
    }
    VARVE_ASSIGN_OR_RETURN(const std::string_view name, LabelName(attribute.name));
    if (name.empty()) continue;  // nothing is left of it
    const std::string_view there = Get(name);
    if (there.empty() || !config_.escape()) {
      VARVE_RETURN_IF_ERROR(Set(name, attribute.value));
      continue;
    }
    // Two attributes become one label.
    VARVE_ASSIGN_OR_RETURN(const std::string_view both,
                           Copy(std::string(there) + ";" + std::string(attribute.value)));
    VARVE_RETURN_IF_ERROR(Set(name, both));
  }
  return Status::Ok();
}

// Fills labels_ with everything but the name.
Status OtlpMetricBatch::BuildLabels(const std::vector<OtlpAttribute>& attributes, bool of_point) {
  labels_.clear();
  VARVE_RETURN_IF_ERROR(AddAttributeLabels(attributes, of_point));
  if (of_point) {
    for (const LabelView& label : promoted_) {
      if (Get(label.name).empty()) VARVE_RETURN_IF_ERROR(Set(label.name, label.value));
    }
  }
  if (!job_.empty()) VARVE_RETURN_IF_ERROR(Set("job", job_));
  if (!instance_.empty()) VARVE_RETURN_IF_ERROR(Set("instance", instance_));
  if (of_point) {
    for (const LabelView& label : scope_labels_) VARVE_RETURN_IF_ERROR(Set(label.name, label.value));
  }
  return Status::Ok();
}

// labels_ with __name__ and perhaps one more, in place of one of that name.
Result<std::string_view> OtlpMetricBatch::EncodeLabels(std::string_view name, std::string_view extra_name,
                                                       std::string_view extra_value) {
  encoded_.clear();
  const auto put = [&](std::string_view label, std::string_view value) {
    PutLengthPrefixed(&encoded_, label);
    PutLengthPrefixed(&encoded_, value);
  };
  put(kMetricName, name);
  for (const LabelView& label : labels_) {
    if (!label.value.empty() && label.name != extra_name) put(label.name, label.value);
  }
  if (!extra_name.empty()) put(extra_name, extra_value);
  return Copy(encoded_);
}

// --- Samples --------------------------------------------------------------------------------------

Status OtlpMetricBatch::AddFloat(double value) {
  const Sample sample{PointMs(), point_.no_recorded_value() ? StaleNan() : value};
  VARVE_RETURN_IF_ERROR(AddStartMs(&out_->float_starts_ms, out_->floats.size(),
                                   static_cast<int64_t>(point_.start_ns / 1'000'000), memory_));
  return PushBack(&out_->floats, sample, memory_);
}

// Ends `series`, whose samples have been added.
Status OtlpMetricBatch::AddSeries(DecodedMetrics::Series* series, std::string_view suffix,
                                  std::string_view extra_name, std::string_view extra_value) {
  const std::string name = metric_name_ + std::string(suffix);
  VARVE_ASSIGN_OR_RETURN(series->labels, EncodeLabels(name, extra_name, extra_value));
  out_->EndSeries(series);
  return PushBack(&out_->series, *series, memory_);
}

Status OtlpMetricBatch::AddClassicHistogram() {
  const auto add = [&](std::string_view suffix, double value, std::string_view le, double above, double up_to) {
    DecodedMetrics::Series series = out_->BeginSeries();
    VARVE_RETURN_IF_ERROR(AddFloat(value));
    if (!le.empty()) VARVE_RETURN_IF_ERROR(AddExemplars(above, up_to));
    return AddSeries(&series, suffix, le.empty() ? std::string_view() : "le", le);
  };
  if (point_.has_sum) VARVE_RETURN_IF_ERROR(add("_sum", point_.sum, {}, 0, 0));
  VARVE_RETURN_IF_ERROR(add("_count", static_cast<double>(point_.count), {}, 0, 0));
  uint64_t cumulative = 0;
  double above = -INFINITY;
  for (size_t i = 0; i < point_.bounds.size() && i < point_.bucket_counts.size(); ++i) {
    cumulative += point_.bucket_counts[i];
    VARVE_RETURN_IF_ERROR(
        add("_bucket", static_cast<double>(cumulative), DecimalText(point_.bounds[i]), above, point_.bounds[i]));
    above = point_.bounds[i];
  }
  return add("_bucket", static_cast<double>(point_.count), "+Inf", above, INFINITY);
}

Status OtlpMetricBatch::AddNative(NativeHistogram histogram) {
  if (point_.no_recorded_value()) {
    NativeHistogram stale;
    stale.schema = histogram.schema;
    stale.custom_values = histogram.custom_values;
    stale.sum = StaleNan();
    histogram = std::move(stale);
  } else {
    histogram.count = point_.count;
    histogram.sum = point_.has_sum ? point_.sum : 0;
  }
  DecodedMetrics::Series series = out_->BeginSeries();
  VARVE_RETURN_IF_ERROR(memory_->Add(histogram.MemoryBytes()));
  VARVE_RETURN_IF_ERROR(AddStartMs(&out_->histogram_starts_ms, out_->histograms.size(),
                                   static_cast<int64_t>(point_.start_ns / 1'000'000), memory_));
  MetricBatch::Histogram sample{PointMs(), std::make_shared<const NativeHistogram>(std::move(histogram))};
  VARVE_RETURN_IF_ERROR(PushBack(&out_->histograms, std::move(sample), memory_));
  VARVE_RETURN_IF_ERROR(AddExemplars(-INFINITY, INFINITY));
  return AddSeries(&series, "", {}, {});
}

Status OtlpMetricBatch::AddExponential() {
  NativeHistogram histogram;
  if (point_.scale < kHistogramSchemaMin) {
    out_->problems.push_back({"cannot convert exponential to native histogram. Scale must be >= " +
                                  std::to_string(kHistogramSchemaMin) + ", was " + std::to_string(point_.scale) +
                                  ": metric \"" + std::string(metric_.name.substr(0, 200)) + "\"",
                              1});
    return Status::Ok();
  }
  const int32_t scale_down = std::max(0, point_.scale - kHistogramSchemaMax);
  histogram.schema = std::min(point_.scale, kHistogramSchemaMax);
  // A schema beyond 8 by 31 and more steps: all of one sign falls into one bucket of two.
  const int32_t shift = std::min(scale_down, 31);
  histogram.zero_threshold = point_.zero_threshold > 0 ? point_.zero_threshold : 1e-128;
  histogram.zero_count = point_.zero_count;
  const bool fits = MakeSpans(point_.positive.counts, point_.positive.offset, shift, 1, &histogram.positive_spans,
                              &histogram.positive_deltas) &&
                    MakeSpans(point_.negative.counts, point_.negative.offset, shift, 1, &histogram.negative_spans,
                              &histogram.negative_deltas);
  if (!fits) {
    out_->problems.push_back({"buckets of an exponential histogram are beyond what an index can say: metric \"" +
                                  std::string(metric_.name.substr(0, 200)) + "\"",
                              1});
    return Status::Ok();
  }
  return AddNative(std::move(histogram));
}

Status OtlpMetricBatch::AddCustomBuckets() {
  NativeHistogram histogram;
  histogram.schema = kCustomBucketsSchema;
  histogram.custom_values = point_.bounds;
  if (!MakeSpans(point_.bucket_counts, 0, 0, 0, &histogram.positive_spans, &histogram.positive_deltas)) {
    out_->problems.push_back(
        {"buckets of a histogram are too large: metric \"" + std::string(metric_.name.substr(0, 200)) + "\"", 1});
    return Status::Ok();
  }
  return AddNative(std::move(histogram));
}

Status OtlpMetricBatch::AddSummary() {
  const auto add = [&](std::string_view suffix, double value, std::string_view quantile) {
    DecodedMetrics::Series series = out_->BeginSeries();
    VARVE_RETURN_IF_ERROR(AddFloat(value));
    return AddSeries(&series, suffix, quantile.empty() ? std::string_view() : "quantile", quantile);
  };
  VARVE_RETURN_IF_ERROR(add("_sum", point_.sum, {}));
  VARVE_RETURN_IF_ERROR(add("_count", static_cast<double>(point_.count), {}));
  for (const OtlpPoint::Quantile& quantile : point_.quantiles) {
    VARVE_RETURN_IF_ERROR(add("", quantile.value, DecimalText(quantile.quantile)));
  }
  return Status::Ok();
}

// Those with a value in (above, up_to]; a value that is no number goes with the last.
Status OtlpMetricBatch::AddExemplars(double above, double up_to) {
  for (const OtlpExemplar& exemplar : point_.exemplars) {
    const bool inside = std::isnan(exemplar.value)
                            ? up_to == INFINITY
                            : (exemplar.value > above || above == -INFINITY) && exemplar.value <= up_to;
    if (inside) VARVE_RETURN_IF_ERROR(AddExemplar(exemplar));
  }
  return Status::Ok();
}

Status OtlpMetricBatch::AddExemplar(const OtlpExemplar& exemplar) {
  std::vector<LabelView> labels;
  if (!exemplar.trace_id.empty()) labels.push_back({"trace_id", exemplar.trace_id});
  if (!exemplar.span_id.empty()) labels.push_back({"span_id", exemplar.span_id});
  const size_t ids = labels.size();
  for (uint32_t i = exemplar.attributes_begin; i < exemplar.attributes_end; ++i) {
    const OtlpAttribute& attribute = point_.exemplar_attributes[i];
    const bool known = std::any_of(labels.begin(), labels.begin() + static_cast<ptrdiff_t>(ids),
                                   [&](const LabelView& label) { return label.name == attribute.name; });
    if (!known) labels.push_back(attribute);
  }
  // The attributes all together or not at all.
  if (ExemplarRunes(labels) > kExemplarRunesMax) labels.resize(ids);
  std::string bytes;
  for (const LabelView& label : labels) {
    PutLengthPrefixed(&bytes, label.name);
    PutLengthPrefixed(&bytes, label.value);
  }
  DecodedMetrics::RawExemplar raw;
  VARVE_ASSIGN_OR_RETURN(raw.labels, Copy(bytes));
  raw.value = exemplar.value;
  raw.ts_ms = exemplar.time_ns != 0 ? static_cast<int64_t>(exemplar.time_ns / 1'000'000) : PointMs();
  return PushBack(&out_->exemplars, raw, memory_);
}

// --- target_info ----------------------------------------------------------------------------------

Status OtlpMetricBatch::FinishResource() {
  if (!has_points_ || (job_.empty() && instance_.empty())) return Status::Ok();
  const bool more = std::any_of(resource_attributes_.begin(), resource_attributes_.end(),
                                [](const OtlpAttribute& attribute) { return !IsIdentifying(attribute.name); });
  return more ? AddTargetInfo() : Status::Ok();
}

// From the earliest point to the latest, so often that a query in between finds it.
Status OtlpMetricBatch::AddTargetInfo() {
  VARVE_RETURN_IF_ERROR(BuildLabels(resource_attributes_, false));
  metric_name_ = "target_info";
  point_.Clear();
  DecodedMetrics::Series series = out_->BeginSeries();
  const uint64_t span_ns = latest_ns_ - earliest_ns_;
  const uint64_t step_ns = std::max<uint64_t>(kTargetInfoIntervalNs, span_ns / kTargetInfoSamplesMax + 1);
  for (uint64_t offset = 0; offset < span_ns; offset += step_ns) {
    point_.time_ns = earliest_ns_ + offset;
    VARVE_RETURN_IF_ERROR(AddFloat(1));
  }
  point_.time_ns = latest_ns_;
  VARVE_RETURN_IF_ERROR(AddFloat(1));
  VARVE_RETURN_IF_ERROR(AddSeries(&series, "", {}, {}));
  DecodedMetrics::Metadata metadata;
  metadata.metric = "target_info";
  metadata.help = "Target metadata";
  metadata.type = MetricType::kGauge;
  return PushBack(&out_->metadata, metadata, memory_);
}

}  // namespace varve
