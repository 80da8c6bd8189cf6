#include "ingest/remote_write_histogram.h"

#include <bit>

#include "ingest/message_cursor.h"

namespace varve {
namespace {

using enum WireType;

constexpr char kName[] = "Histogram";

Status DecodeSpan(std::string_view bytes, std::vector<BucketSpan>* spans, DecodeMemory* memory) {
  MessageCursor cursor(bytes);
  BucketSpan span;
  while (!cursor.AtEnd()) {
    const uint64_t tag = cursor.Varint();
    switch (tag) {
      case Tag(1, kVarint): {
        const auto zigzag = static_cast<uint32_t>(cursor.Varint());
        span.offset = static_cast<int32_t>(zigzag >> 1) ^ -static_cast<int32_t>(zigzag & 1);
        break;
      }
      case Tag(2, kVarint): span.length = static_cast<uint32_t>(cursor.Varint()); break;
      default:
        if (!cursor.ok()) break;
        VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(2), "BucketSpan"));
    }
  }
  if (!cursor.ok()) return MalformedMessage("BucketSpan");
  VARVE_RETURN_IF_ERROR(memory->Add(2 * sizeof(span)));
  spans->push_back(span);
  return Status::Ok();
}

// Whether the spans cover this many buckets.
bool SpansCover(const std::vector<BucketSpan>& spans, size_t buckets) {
  uint64_t covered = 0;
  for (const BucketSpan& span : spans) covered += span.length;
  return covered == buckets;
}

bool SpansFitBuckets(const NativeHistogram& h) {
  return SpansCover(h.positive_spans, h.is_float ? h.positive_counts.size() : h.positive_deltas.size()) &&
         SpansCover(h.negative_spans, h.is_float ? h.negative_counts.size() : h.negative_deltas.size());
}

int64_t ZigZagOf(uint64_t value) { return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1); }

Status AddPackedDeltas(std::string_view packed, std::vector<int64_t>* deltas, DecodeMemory* memory) {
  MessageCursor cursor(packed);
  VARVE_RETURN_IF_ERROR(memory->Add(static_cast<int64_t>(packed.size() * sizeof(int64_t))));
  deltas->reserve(deltas->size() + packed.size());
  while (!cursor.AtEnd()) deltas->push_back(ZigZagOf(cursor.Varint()));
  return cursor.ok() ? Status::Ok() : MalformedMessage(kName);
}

Status AddPackedDoubles(std::string_view packed, std::vector<double>* values, DecodeMemory* memory) {
  if (packed.size() % sizeof(double) != 0) return MalformedMessage(kName);
  const size_t before = values->size();
  const size_t count = packed.size() / sizeof(double);
  VARVE_RETURN_IF_ERROR(memory->Add(static_cast<int64_t>(packed.size())));
  values->resize(before + count);
  if (count != 0) std::memcpy(values->data() + before, packed.data(), packed.size());
  return Status::Ok();
}

class Decoder {
 public:
  Decoder(NativeHistogram* out, DecodeMemory* memory) : out_(*out), memory_(memory) {}

  Status Run(std::string_view bytes, int64_t* ts_ms, int64_t* start_ms) {
    MessageCursor cursor(bytes);
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      if (Number(&cursor, tag, ts_ms, start_ms)) continue;
      VARVE_RETURN_IF_ERROR(Repeated(&cursor, tag));
    }
    return cursor.ok() ? Status::Ok() : MalformedMessage(kName);
  }

 private:
  static double Double(MessageCursor* cursor) { return std::bit_cast<double>(cursor->Fixed<uint64_t>()); }

  // Reads a field that is one number; false when the tag is none of these.
  bool Number(MessageCursor* cursor, uint64_t tag, int64_t* ts_ms, int64_t* start_ms) {
    switch (tag) {
      case Tag(1, kVarint):
        out_.count = cursor->Varint();
        out_.float_count = 0;
        out_.is_float = false;
        return true;
      case Tag(2, kFixed64):
        out_.float_count = Double(cursor);
        out_.count = 0;
        out_.is_float = true;
        return true;
      case Tag(3, kFixed64): out_.sum = Double(cursor); return true;
      case Tag(4, kVarint): out_.schema = static_cast<int32_t>(ZigZagOf(cursor->Varint())); return true;
      case Tag(5, kFixed64): out_.zero_threshold = Double(cursor); return true;
      case Tag(6, kVarint):
        out_.zero_count = cursor->Varint();
        out_.float_zero_count = 0;
        return true;
      case Tag(7, kFixed64):
        out_.float_zero_count = Double(cursor);
        out_.zero_count = 0;
        return true;
      case Tag(14, kVarint): {
        const uint64_t hint = cursor->Varint();
        out_.hint = hint <= 3 ? static_cast<CounterResetHint>(hint) : CounterResetHint::kUnknown;
        return true;
      }
      case Tag(15, kVarint): *ts_ms = static_cast<int64_t>(cursor->Varint()); return true;
      case Tag(17, kVarint): *start_ms = static_cast<int64_t>(cursor->Varint()); return true;
      default: return false;
    }
  }

  Status Repeated(MessageCursor* cursor, uint64_t tag) {
    switch (tag) {
      case Tag(8, kBytes): return DecodeSpan(cursor->Bytes(), &out_.negative_spans, memory_);
      case Tag(9, kBytes): return AddPackedDeltas(cursor->Bytes(), &out_.negative_deltas, memory_);
      case Tag(9, kVarint): return PushBack(&out_.negative_deltas, ZigZagOf(cursor->Varint()), memory_);
      case Tag(10, kBytes): return AddPackedDoubles(cursor->Bytes(), &out_.negative_counts, memory_);
      case Tag(10, kFixed64): return PushBack(&out_.negative_counts, Double(cursor), memory_);
      case Tag(11, kBytes): return DecodeSpan(cursor->Bytes(), &out_.positive_spans, memory_);
      case Tag(12, kBytes): return AddPackedDeltas(cursor->Bytes(), &out_.positive_deltas, memory_);
      case Tag(12, kVarint): return PushBack(&out_.positive_deltas, ZigZagOf(cursor->Varint()), memory_);
      case Tag(13, kBytes): return AddPackedDoubles(cursor->Bytes(), &out_.positive_counts, memory_);
      case Tag(13, kFixed64): return PushBack(&out_.positive_counts, Double(cursor), memory_);
      case Tag(16, kBytes): return AddPackedDoubles(cursor->Bytes(), &out_.custom_values, memory_);
      case Tag(16, kFixed64): return PushBack(&out_.custom_values, Double(cursor), memory_);
      default: return cursor->ok() ? SkipUnknownField(cursor, tag, FieldsUpTo(17), kName) : Status::Ok();
    }
  }

  NativeHistogram& out_;
  DecodeMemory* const memory_;
};

}  // namespace

Status DecodeRemoteWriteHistogram(std::string_view bytes, DecodedMetrics* out, int64_t* start_ms,
                                  DecodeMemory* memory) {
  VARVE_RETURN_IF_ERROR(memory->Add(static_cast<int64_t>(sizeof(NativeHistogram) + 64)));
  auto histogram = std::make_shared<NativeHistogram>();
  MetricBatch::Histogram sample;
  VARVE_RETURN_IF_ERROR(Decoder(histogram.get(), memory).Run(bytes, &sample.ts_ms, start_ms));
  // One that does not fit is refused when it is validated.
  if (SpansFitBuckets(*histogram)) ReduceSchema(histogram.get());
  histogram->positive_deltas.shrink_to_fit();
  histogram->negative_deltas.shrink_to_fit();
  sample.histogram = std::move(histogram);
  return PushBack(&out->histograms, std::move(sample), memory);
}

}  // namespace varve
