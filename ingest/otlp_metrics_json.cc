#include <array>
#include <bit>

#include "ingest/otlp_json_reader.h"
#include "ingest/otlp_metrics_wire.h"

namespace varve {
namespace {

constexpr size_t kTraceIdDigits = 32;
constexpr size_t kSpanIdDigits = 16;
constexpr size_t kAbsent = SIZE_MAX;

constexpr char kRequest[] = "otlp: ExportMetricsServiceRequest";
constexpr char kResourceMetrics[] = "otlp: ResourceMetrics";
constexpr char kResource[] = "otlp: Resource";
constexpr char kScopeMetrics[] = "otlp: ScopeMetrics";
constexpr char kScope[] = "otlp: InstrumentationScope";
constexpr char kMetric[] = "otlp: Metric";
constexpr char kPoint[] = "otlp: DataPoint";
constexpr char kExemplar[] = "otlp: Exemplar";
constexpr char kAttributes[] = "otlp: KeyValue";

// The two spellings of a field.
using FieldName = std::array<std::string_view, 2>;

class Decoder : OtlpJsonReader {
 public:
  Decoder(std::string_view body, OtlpMetricBatch* batch, ByteArena* arena, DecodeMemory* memory)
      : OtlpJsonReader(body, arena, memory), batch_(*batch), point_(batch->point()) {}

  Status Decode() {
    if (cursor_.Peek() == '\0') return InvalidArgument("EOF");
    const bool ok = cursor_.Object(kRequest, [&](std::string_view key) {
      if (key != "resourceMetrics" && key != "resource_metrics") return cursor_.Skip(nullptr);
      return List(kRequest, [&] { return ResourceMetrics(); });
    });
    if (ok && cursor_.Peek() != '\0') Fail(kRequest, "there are bytes left after the request");
    return cursor_.TakeStatus();
  }

 private:
  // Passes over an object (or null) and notes where the values of these fields are: parts are needed in an order that
  // need not be theirs.
  template <size_t N>
  bool Locate(const char* where, const std::array<FieldName, N>& names, std::array<size_t, N>* at) {
    at->fill(kAbsent);
    return Message(where, [&](std::string_view key) {
      for (size_t i = 0; i < N; ++i) {
        if (key != names[i][0] && key != names[i][1]) continue;
        cursor_.Peek();
        (*at)[i] = cursor_.offset();
      }
      return cursor_.Skip(nullptr);
    });
  }
  template <typename Fn>
  bool ReadAt(size_t at, Fn&& fn) {
    if (at == kAbsent) return true;
    cursor_.Seek(at);
    return fn();
  }

  bool ResourceMetrics() {
    static constexpr std::array<FieldName, 2> kFields = {
        FieldName{"resource", "resource"}, FieldName{"scopeMetrics", "scope_metrics"}};
    std::array<size_t, 2> at;
    batch_.BeginResource();
    if (!Locate(kResourceMetrics, kFields, &at)) return false;
    const size_t after = cursor_.offset();
    const bool ok = ReadAt(at[0], [&] {
                      return Message(kResource, [&](std::string_view key) {
                        return key == "attributes" ? Attributes() : cursor_.Skip(nullptr);
                      });
                    }) &&
                    Add(batch_.EndResource()) &&
                    ReadAt(at[1], [&] { return List(kResourceMetrics, [&] { return ScopeMetrics(); }); }) &&
                    Add(batch_.FinishResource());
    if (ok) cursor_.Seek(after);
    return ok;
  }

  bool ScopeMetrics() {
    static constexpr std::array<FieldName, 3> kFields = {
        FieldName{"scope", "scope"}, FieldName{"schemaUrl", "schema_url"}, FieldName{"metrics", "metrics"}};
    std::array<size_t, 3> at;
    OtlpScopeHead scope;
    batch_.BeginScope();
    if (!Locate(kScopeMetrics, kFields, &at)) return false;
    const size_t after = cursor_.offset();
    const bool ok = ReadAt(at[0], [&] { return Scope(&scope); }) &&
                    ReadAt(at[1], [&] { return Text(&scope.schema_url, kScopeMetrics); }) &&
                    Add(batch_.EndScope(scope)) &&
                    ReadAt(at[2], [&] { return List(kScopeMetrics, [&] { return Metric(); }); });
    if (ok) cursor_.Seek(after);
    return ok;
  }

  bool Scope(OtlpScopeHead* scope) {
    return Message(kScope, [&](std::string_view key) {
      if (key == "name") return Text(&scope->name, kScope);
      if (key == "version") return Text(&scope->version, kScope);
      if (key == "attributes") return Attributes();
      return cursor_.Skip(nullptr);
    });
  }

  bool Attributes() {
    return List(kAttributes, [&] { return Attribute() && Add(batch_.AddAttribute(values())); });
  }
  bool AttributesTo(std::vector<OtlpAttribute>* to) {
    return List(kAttributes, [&] { return Attribute() && Add(batch_.AddPointAttribute(values(), to)); });
  }

  bool Metric() {
    static constexpr std::array<FieldName, 8> kFields = {
        FieldName{"name", "name"},           FieldName{"description", "description"},
        FieldName{"unit", "unit"},           FieldName{"gauge", "gauge"},
        FieldName{"sum", "sum"},             FieldName{"histogram", "histogram"},
        FieldName{"summary", "summary"},     FieldName{"exponentialHistogram", "exponential_histogram"}};
    static constexpr std::array<OtlpMetricKind, 5> kKinds = {
        OtlpMetricKind::kGauge, OtlpMetricKind::kSum, OtlpMetricKind::kHistogram, OtlpMetricKind::kSummary,
        OtlpMetricKind::kExponentialHistogram};
    std::array<size_t, 8> at;
    OtlpMetricHead metric;
    if (!Locate(kMetric, kFields, &at)) return false;
    const size_t after = cursor_.offset();
    size_t data = kAbsent;
    for (size_t i = 0; i < kKinds.size(); ++i) {
      if (at[3 + i] == kAbsent) continue;
      metric.kind = kKinds[i];
      data = at[3 + i];
    }
    const bool ok = ReadAt(at[0], [&] { return Text(&metric.name, kMetric); }) &&
                    ReadAt(at[1], [&] { return Text(&metric.description, kMetric); }) &&
                    ReadAt(at[2], [&] { return Text(&metric.unit, kMetric); }) &&
                    ReadAt(data, [&] { return Data(&metric); }) &&
                    (data != kAbsent || Add(batch_.BeginMetric(metric)));
    if (ok) cursor_.Seek(after);
    return ok;
  }

  bool Data(OtlpMetricHead* metric) {
    static constexpr std::array<FieldName, 3> kFields = {
        FieldName{"aggregationTemporality", "aggregation_temporality"}, FieldName{"isMonotonic", "is_monotonic"},
        FieldName{"dataPoints", "data_points"}};
    std::array<size_t, 3> at;
    return Locate(kMetric, kFields, &at) && ReadAt(at[0], [&] { return Temporality(&metric->temporality); }) &&
           ReadAt(at[1], [&] { return Bool(&metric->monotonic); }) && Add(batch_.BeginMetric(*metric)) &&
           ReadAt(at[2], [&] { return List(kMetric, [&] { return Point(); }); });
  }

  bool Temporality(int32_t* temporality) {
    if (cursor_.Peek() != '"') return Integer(temporality, kMetric);
    std::string_view name;
    if (!cursor_.String(&name, kMetric)) return false;
    *temporality = name == "AGGREGATION_TEMPORALITY_DELTA"        ? 1
                   : name == "AGGREGATION_TEMPORALITY_CUMULATIVE" ? 2
                                                                  : 0;
    return *temporality != 0 || name == "AGGREGATION_TEMPORALITY_UNSPECIFIED" ||
           ParseOtlpInteger(name, temporality) || Fail(kMetric, "aggregationTemporality is no name or number of one");
  }

  bool Bool(bool* value) {
    std::string_view text;
    if (!cursor_.Skip(&text)) return false;
    *value = text == "true";
    return *value || text == "false" || text == "null" || Fail(kMetric, "isMonotonic is neither true nor false");
  }

  bool Point() {
    point_.Clear();
    return cursor_.Object(kPoint, [&](std::string_view key) { return PointField(key); }) && Add(batch_.AddPoint());
  }

  // The fields of all kinds of points: no two kinds have one name for different things.
  bool PointField(std::string_view key) {
    if (key == "attributes") return AttributesTo(&point_.attributes);
    if (key == "startTimeUnixNano" || key == "start_time_unix_nano") return Integer(&point_.start_ns, kPoint);
    if (key == "timeUnixNano" || key == "time_unix_nano") return Integer(&point_.time_ns, kPoint);
    if (key == "flags") return Integer(&point_.flags, kPoint);
    if (key == "asDouble" || key == "as_double") return RealOrNull(&point_.value, key);
    if (key == "asInt" || key == "as_int") return IntegerValue(&point_.value);
    if (key == "exemplars") return List(kPoint, [&] { return Exemplar(); });
    if (key == "count") return Integer(&point_.count, kPoint);
    if (key == "sum") {
      if (cursor_.ConsumeNull()) return true;
      point_.has_sum = true;
      return Real(&point_.sum, kPoint, "sum");
    }
    return HistogramField(key);
  }

  bool HistogramField(std::string_view key) {
    if (key == "bucketCounts" || key == "bucket_counts") return Counts(&point_.bucket_counts);
    if (key == "explicitBounds" || key == "explicit_bounds") {
      return List(kPoint, [&] {
        double bound = 0;
        return Real(&bound, kPoint, "explicitBounds") && Add(PushBack(&point_.bounds, bound, memory_));
      });
    }
    if (key == "scale") return Integer(&point_.scale, kPoint);
    if (key == "zeroCount" || key == "zero_count") return Integer(&point_.zero_count, kPoint);
    if (key == "zeroThreshold" || key == "zero_threshold") return RealOrNull(&point_.zero_threshold, key);
    if (key == "positive") return Buckets(&point_.positive);
    if (key == "negative") return Buckets(&point_.negative);
    if (key == "quantileValues" || key == "quantile_values") return List(kPoint, [&] { return Quantile(); });
    return cursor_.Skip(nullptr);
  }

  bool RealOrNull(double* value, std::string_view key) {
    return cursor_.ConsumeNull() || Real(value, kPoint, std::string(key).c_str());
  }
  bool IntegerValue(double* value) {
    int64_t integer = 0;
    if (!Integer(&integer, kPoint)) return false;
    *value = static_cast<double>(integer);
    return true;
  }
  bool Counts(std::vector<uint64_t>* counts) {
    return List(kPoint, [&] {
      uint64_t count = 0;
      return Integer(&count, kPoint) && Add(PushBack(counts, count, memory_));
    });
  }
  bool Buckets(OtlpBuckets* buckets) {
    return Message(kPoint, [&](std::string_view key) {
      if (key == "offset") return Integer(&buckets->offset, kPoint);
      if (key == "bucketCounts" || key == "bucket_counts") return Counts(&buckets->counts);
      return cursor_.Skip(nullptr);
    });
  }
  bool Quantile() {
    OtlpPoint::Quantile quantile;
    return Message(kPoint,
                   [&](std::string_view key) {
                     if (key == "quantile") return RealOrNull(&quantile.quantile, key);
                     if (key == "value") return RealOrNull(&quantile.value, key);
                     return cursor_.Skip(nullptr);
                   }) &&
           Add(PushBack(&point_.quantiles, quantile, memory_));
  }

  bool Exemplar() {
    OtlpExemplar exemplar;
    exemplar.attributes_begin = static_cast<uint32_t>(point_.exemplar_attributes.size());
    const bool ok = Message(kExemplar, [&](std::string_view key) {
      if (key == "timeUnixNano" || key == "time_unix_nano") return Integer(&exemplar.time_ns, kExemplar);
      if (key == "asDouble" || key == "as_double") return RealOrNull(&exemplar.value, key);
      if (key == "asInt" || key == "as_int") return IntegerValue(&exemplar.value);
      if (key == "traceId" || key == "trace_id") return Id(&exemplar.trace_id, kTraceIdDigits, kExemplar, "traceId");
      if (key == "spanId" || key == "span_id") return Id(&exemplar.span_id, kSpanIdDigits, kExemplar, "spanId");
      if (key == "filteredAttributes" || key == "filtered_attributes") {
        return AttributesTo(&point_.exemplar_attributes);
      }
      return cursor_.Skip(nullptr);
    });
    exemplar.attributes_end = static_cast<uint32_t>(point_.exemplar_attributes.size());
    return ok && Add(PushBack(&point_.exemplars, exemplar, memory_));
  }

  OtlpMetricBatch& batch_;
  OtlpPoint& point_;
};

}  // namespace

Status DecodeOtlpMetricsJson(std::string_view body, OtlpMetricBatch* batch, ByteArena* arena,
                             DecodeMemory* memory) {
  return Decoder(body, batch, arena, memory).Decode();
}

}  // namespace varve
