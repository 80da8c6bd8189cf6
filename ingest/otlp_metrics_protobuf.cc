#include <bit>

#include "ingest/message_cursor.h"
#include "ingest/otlp_metrics_wire.h"
#include "ingest/otlp_protobuf_value.h"

namespace varve {
namespace {

using enum WireType;

constexpr size_t kTraceIdBytes = 16;
constexpr size_t kSpanIdBytes = 8;

double Double(MessageCursor* cursor) { return std::bit_cast<double>(cursor->Fixed<uint64_t>()); }
double SignedFixed(MessageCursor* cursor) {
  return static_cast<double>(static_cast<int64_t>(cursor->Fixed<uint64_t>()));
}
int32_t SignedVarint(MessageCursor* cursor) {
  const auto zigzag = static_cast<uint32_t>(cursor->Varint());
  return static_cast<int32_t>(zigzag >> 1) ^ -static_cast<int32_t>(zigzag & 1);
}

// A list of eight-byte numbers, packed.
template <typename T>
Status AddFixed(std::string_view packed, std::vector<T>* values, DecodeMemory* memory, const char* name) {
  if (packed.size() % sizeof(T) != 0) return MalformedMessage(name);
  const size_t before = values->size();
  VARVE_RETURN_IF_ERROR(memory->Add(static_cast<int64_t>(packed.size())));
  values->resize(before + packed.size() / sizeof(T));
  if (!packed.empty()) std::memcpy(values->data() + before, packed.data(), packed.size());
  return Status::Ok();
}

class Decoder {
 public:
  Decoder(OtlpMetricBatch* batch, DecodeMemory* memory)
      : batch_(*batch), point_(batch->point()), memory_(memory), reader_(memory) {}

  Status Request(std::string_view bytes) {
    return ForEachField(bytes, 1, FieldsUpTo(1), "ExportMetricsServiceRequest",
                        [&](std::string_view metrics) { return ResourceMetrics(metrics); });
  }

 private:
  // The resource is needed before the first point, wherever it stands.
  Status ResourceMetrics(std::string_view bytes) {
    constexpr char kName[] = "ResourceMetrics";
    batch_.BeginResource();
    VARVE_RETURN_IF_ERROR(ForEachField(bytes, 1, uint64_t{1} << 1, kName, [&](std::string_view resource) {
      return ForEachField(resource, 1, uint64_t{1} << 1, "Resource",
                          [&](std::string_view attribute) { return Attribute(attribute); });
    }));
    VARVE_RETURN_IF_ERROR(batch_.EndResource());
    VARVE_RETURN_IF_ERROR(ForEachField(bytes, 2, uint64_t{1} << 2, kName,
                                       [&](std::string_view metrics) { return ScopeMetrics(metrics); }));
    return batch_.FinishResource();
  }

  Status ScopeMetrics(std::string_view bytes) {
    constexpr char kName[] = "ScopeMetrics";
    OtlpScopeHead scope;
    batch_.BeginScope();
    VARVE_RETURN_IF_ERROR(ForEachField(bytes, 1, uint64_t{1} << 1, kName,
                                       [&](std::string_view message) { return Scope(message, &scope); }));
    VARVE_RETURN_IF_ERROR(ForEachField(bytes, 3, uint64_t{1} << 3, kName, [&](std::string_view url) {
      scope.schema_url = url;
      return Status::Ok();
    }));
    VARVE_RETURN_IF_ERROR(batch_.EndScope(scope));
    return ForEachField(bytes, 2, uint64_t{1} << 2, kName,
                        [&](std::string_view metric) { return Metric(metric); });
  }

  Status Scope(std::string_view bytes, OtlpScopeHead* scope) {
    MessageCursor cursor(bytes);
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kBytes): scope->name = cursor.Bytes(); break;
        case Tag(2, kBytes): scope->version = cursor.Bytes(); break;
        case Tag(3, kBytes): VARVE_RETURN_IF_ERROR(Attribute(cursor.Bytes())); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(3), "InstrumentationScope"));
      }
    }
    return cursor.ok() ? Status::Ok() : MalformedMessage("InstrumentationScope");
  }

  Status Attribute(std::string_view bytes) {
    VARVE_RETURN_IF_ERROR(reader_.ReadKeyValue(bytes, &values_));
    return batch_.AddAttribute(values_);
  }
  Status AttributeTo(std::string_view bytes, std::vector<OtlpAttribute>* to) {
    VARVE_RETURN_IF_ERROR(reader_.ReadKeyValue(bytes, &values_));
    return batch_.AddPointAttribute(values_, to);
  }

  Status Metric(std::string_view bytes) {
    MessageCursor cursor(bytes);
    OtlpMetricHead metric;
    std::string_view data;
    const auto take = [&](OtlpMetricKind kind) {
      metric.kind = kind;
      data = cursor.Bytes();
    };
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kBytes): metric.name = cursor.Bytes(); break;
        case Tag(2, kBytes): metric.description = cursor.Bytes(); break;
        case Tag(3, kBytes): metric.unit = cursor.Bytes(); break;
        case Tag(5, kBytes): take(OtlpMetricKind::kGauge); break;
        case Tag(7, kBytes): take(OtlpMetricKind::kSum); break;
        case Tag(9, kBytes): take(OtlpMetricKind::kHistogram); break;
        case Tag(10, kBytes): take(OtlpMetricKind::kExponentialHistogram); break;
        case Tag(11, kBytes): take(OtlpMetricKind::kSummary); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(3), "Metric"));
      }
    }
    if (!cursor.ok()) return MalformedMessage("Metric");
    return Data(data, &metric);
  }

  // The temporality may stand behind the points that it is about.
  Status Data(std::string_view bytes, OtlpMetricHead* metric) {
    constexpr char kName[] = "Metric";
    MessageCursor cursor(bytes);
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(2, kVarint): metric->temporality = static_cast<int32_t>(cursor.Varint()); break;
        case Tag(3, kVarint): metric->monotonic = cursor.Varint() != 0; break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, 0, kName));
      }
    }
    if (!cursor.ok()) return MalformedMessage(kName);
    VARVE_RETURN_IF_ERROR(batch_.BeginMetric(*metric));
    return ForEachField(bytes, 1, uint64_t{1} << 1, kName, [&](std::string_view point) {
      point_.Clear();
      switch (metric->kind) {
        case OtlpMetricKind::kHistogram: VARVE_RETURN_IF_ERROR(HistogramPoint(point)); break;
        case OtlpMetricKind::kExponentialHistogram: VARVE_RETURN_IF_ERROR(ExponentialPoint(point)); break;
        case OtlpMetricKind::kSummary: VARVE_RETURN_IF_ERROR(SummaryPoint(point)); break;
        default: VARVE_RETURN_IF_ERROR(NumberPoint(point));
      }
      return batch_.AddPoint();
    });
  }

  // Reads a point: `field` reads one that is not a time, and says whether it knew the tag.
  template <typename Fn>
  Status Point(std::string_view bytes, const char* name, uint64_t known_fields, Fn&& field) {
    MessageCursor cursor(bytes);
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      if (tag == Tag(2, kFixed64)) {
        point_.start_ns = cursor.Fixed<uint64_t>();
      } else if (tag == Tag(3, kFixed64)) {
        point_.time_ns = cursor.Fixed<uint64_t>();
      } else {
        bool known = true;
        VARVE_RETURN_IF_ERROR(field(&cursor, tag, &known));
        if (!known && cursor.ok()) {
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, known_fields | 1U << 2 | 1U << 3, name));
        }
      }
    }
    return cursor.ok() ? Status::Ok() : MalformedMessage(name);
  }

  Status NumberPoint(std::string_view bytes) {
    return Point(bytes, "NumberDataPoint", FieldsUpTo(8) & ~(1U << 1),
                 [&](MessageCursor* cursor, uint64_t tag, bool* known) {
                   switch (tag) {
                     case Tag(4, kFixed64): point_.value = Double(cursor); break;
                     case Tag(5, kBytes): return Exemplar(cursor->Bytes());
                     case Tag(6, kFixed64): point_.value = SignedFixed(cursor); break;
                     case Tag(7, kBytes): return AttributeTo(cursor->Bytes(), &point_.attributes);
                     case Tag(8, kVarint): point_.flags = static_cast<uint32_t>(cursor->Varint()); break;
                     default: *known = false;
                   }
                   return Status::Ok();
                 });
  }

  Status HistogramPoint(std::string_view bytes) {
    constexpr char kName[] = "HistogramDataPoint";
    return Point(bytes, kName, FieldsUpTo(12) & ~(1U << 1), [&](MessageCursor* cursor, uint64_t tag, bool* known) {
      switch (tag) {
        case Tag(4, kFixed64): point_.count = cursor->Fixed<uint64_t>(); break;
        case Tag(5, kFixed64):
          point_.sum = Double(cursor);
          point_.has_sum = true;
          break;
        case Tag(6, kBytes): return AddFixed(cursor->Bytes(), &point_.bucket_counts, memory_, kName);
        case Tag(6, kFixed64): return PushBack(&point_.bucket_counts, cursor->Fixed<uint64_t>(), memory_);
        case Tag(7, kBytes): return AddFixed(cursor->Bytes(), &point_.bounds, memory_, kName);
        case Tag(7, kFixed64): return PushBack(&point_.bounds, Double(cursor), memory_);
        case Tag(8, kBytes): return Exemplar(cursor->Bytes());
        case Tag(9, kBytes): return AttributeTo(cursor->Bytes(), &point_.attributes);
        case Tag(10, kVarint): point_.flags = static_cast<uint32_t>(cursor->Varint()); break;
        case Tag(11, kFixed64):
        case Tag(12, kFixed64): cursor->Fixed<uint64_t>(); break;  // min and max
        default: *known = false;
      }
      return Status::Ok();
    });
  }

  Status ExponentialPoint(std::string_view bytes) {
    constexpr char kName[] = "ExponentialHistogramDataPoint";
    return Point(bytes, kName, FieldsUpTo(14), [&](MessageCursor* cursor, uint64_t tag, bool* known) {
      switch (tag) {
        case Tag(1, kBytes): return AttributeTo(cursor->Bytes(), &point_.attributes);
        case Tag(4, kFixed64): point_.count = cursor->Fixed<uint64_t>(); break;
        case Tag(5, kFixed64):
          point_.sum = Double(cursor);
          point_.has_sum = true;
          break;
        case Tag(6, kVarint): point_.scale = SignedVarint(cursor); break;
        case Tag(7, kFixed64): point_.zero_count = cursor->Fixed<uint64_t>(); break;
        case Tag(8, kBytes): return Buckets(cursor->Bytes(), &point_.positive);
        case Tag(9, kBytes): return Buckets(cursor->Bytes(), &point_.negative);
        case Tag(10, kVarint): point_.flags = static_cast<uint32_t>(cursor->Varint()); break;
        case Tag(11, kBytes): return Exemplar(cursor->Bytes());
        case Tag(12, kFixed64):
        case Tag(13, kFixed64): cursor->Fixed<uint64_t>(); break;  // min and max
        case Tag(14, kFixed64): point_.zero_threshold = Double(cursor); break;
        default: *known = false;
      }
      return Status::Ok();
    });
  }

  Status Buckets(std::string_view bytes, OtlpBuckets* buckets) {
    constexpr char kName[] = "Buckets";
    MessageCursor cursor(bytes);
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kVarint): buckets->offset = SignedVarint(&cursor); break;
        case Tag(2, kVarint): VARVE_RETURN_IF_ERROR(PushBack(&buckets->counts, cursor.Varint(), memory_)); break;
        case Tag(2, kBytes): {
          MessageCursor counts(cursor.Bytes());
          while (!counts.AtEnd()) VARVE_RETURN_IF_ERROR(PushBack(&buckets->counts, counts.Varint(), memory_));
          if (!counts.ok()) return MalformedMessage(kName);
          break;
        }
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(2), kName));
      }
    }
    return cursor.ok() ? Status::Ok() : MalformedMessage(kName);
  }

  Status SummaryPoint(std::string_view bytes) {
    return Point(bytes, "SummaryDataPoint", FieldsUpTo(8) & ~(1U << 1),
                 [&](MessageCursor* cursor, uint64_t tag, bool* known) {
                   switch (tag) {
                     case Tag(4, kFixed64): point_.count = cursor->Fixed<uint64_t>(); break;
                     case Tag(5, kFixed64): point_.sum = Double(cursor); break;
                     case Tag(6, kBytes): return Quantile(cursor->Bytes());
                     case Tag(7, kBytes): return AttributeTo(cursor->Bytes(), &point_.attributes);
                     case Tag(8, kVarint): point_.flags = static_cast<uint32_t>(cursor->Varint()); break;
                     default: *known = false;
                   }
                   return Status::Ok();
                 });
  }

  Status Quantile(std::string_view bytes) {
    constexpr char kName[] = "ValueAtQuantile";
    MessageCursor cursor(bytes);
    OtlpPoint::Quantile quantile;
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kFixed64): quantile.quantile = Double(&cursor); break;
        case Tag(2, kFixed64): quantile.value = Double(&cursor); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(2), kName));
      }
    }
    if (!cursor.ok()) return MalformedMessage(kName);
    return PushBack(&point_.quantiles, quantile, memory_);
  }

  Status Exemplar(std::string_view bytes) {
    constexpr char kName[] = "Exemplar";
    MessageCursor cursor(bytes);
    OtlpExemplar exemplar;
    std::string_view trace_id;
    std::string_view span_id;
    exemplar.attributes_begin = static_cast<uint32_t>(point_.exemplar_attributes.size());
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(2, kFixed64): exemplar.time_ns = cursor.Fixed<uint64_t>(); break;
        case Tag(3, kFixed64): exemplar.value = Double(&cursor); break;
        case Tag(4, kBytes): span_id = cursor.Bytes(); break;
        case Tag(5, kBytes): trace_id = cursor.Bytes(); break;
        case Tag(6, kFixed64): exemplar.value = SignedFixed(&cursor); break;
        case Tag(7, kBytes): VARVE_RETURN_IF_ERROR(AttributeTo(cursor.Bytes(), &point_.exemplar_attributes)); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(7) & ~(1U << 1), kName));
      }
    }
    if (!cursor.ok()) return MalformedMessage(kName);
    VARVE_ASSIGN_OR_RETURN(exemplar.trace_id, IdText(trace_id, kTraceIdBytes, "TraceID"));
    VARVE_ASSIGN_OR_RETURN(exemplar.span_id, IdText(span_id, kSpanIdBytes, "SpanID"));
    exemplar.attributes_end = static_cast<uint32_t>(point_.exemplar_attributes.size());
    return PushBack(&point_.exemplars, exemplar, memory_);
  }

  Result<std::string_view> IdText(std::string_view id, size_t size, const char* name) {
    if (!id.empty() && id.size() != size) {
      return InvalidArgument(std::string("proto: Exemplar: invalid length for ") + name);
    }
    if (id.find_first_not_of('\0') == std::string_view::npos) return std::string_view();
    return batch_.text().OfHex(id);
  }

  OtlpMetricBatch& batch_;
  OtlpPoint& point_;
  DecodeMemory* const memory_;
  OtlpProtobufValueReader reader_;
  OtlpValues values_;
};

}  // namespace

Status DecodeOtlpMetricsProtobuf(std::string_view body, OtlpMetricBatch* batch, DecodeMemory* memory) {
  return Decoder(batch, memory).Request(body);
}

}  // namespace varve
