#include "ingest/remote_write.h"

#include <bit>
#include <cstring>

#include "ingest/message_cursor.h"
#include "ingest/remote_write_histogram.h"

namespace varve {
namespace {

using enum WireType;

// Collects a field's pieces into one view: they are one run of the body unless other fields stand between them.
class RunOfBytes {
 public:
  Status Add(std::string_view piece, ByteArena* arena) {
    if (bytes_.empty()) {
      bytes_ = piece;
      return Status::Ok();
    }
    if (own_ == nullptr && piece.data() == bytes_.data() + bytes_.size()) [[likely]] {
      bytes_ = {bytes_.data(), bytes_.size() + piece.size()};
      return Status::Ok();
    }
    const size_t size = bytes_.size() + piece.size();
    if (size > capacity_) {
      capacity_ = 2 * size;
      char* const larger = arena->Allocate(capacity_);
      if (larger == nullptr) return arena->TakeStatus();
      std::memcpy(larger, bytes_.data(), bytes_.size());
      own_ = larger;
    }
    if (!piece.empty()) std::memcpy(own_ + bytes_.size(), piece.data(), piece.size());
    bytes_ = {own_, size};
    return Status::Ok();
  }
  std::string_view view() const { return bytes_; }

 private:
  std::string_view bytes_;
  char* own_ = nullptr;  // where the bytes are when they did not stand side by side
  size_t capacity_ = 0;
};

class Decoder {
 public:
  Decoder(DecodedMetrics* out, ByteArena* arena, DecodeMemory* memory)
      : out_(*out), arena_(arena), memory_(memory) {}

  Status Request1(std::string_view body) {
    out_.label_form = SeriesLabelForm::kMessages;
    MessageCursor cursor(body);
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      if (tag == Tag(1, kBytes)) [[likely]] {
        const std::string_view series = cursor.Bytes();
        if (cursor.ok()) VARVE_RETURN_IF_ERROR(Series1(series));
      } else if (tag == Tag(3, kBytes)) {
        const std::string_view metadata = cursor.Bytes();
        if (cursor.ok()) VARVE_RETURN_IF_ERROR(Metadata1(metadata));
      } else if (cursor.ok()) {
        VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(3) & ~(1U << 2), "WriteRequest"));
      }
    }
    return cursor.ok() ? Status::Ok() : MalformedMessage("WriteRequest");
  }

  Status Request2(std::string_view body) {
    out_.label_form = SeriesLabelForm::kSymbols;
    out_.metadata_of_series = true;
    out_.empty_series_are_errors = true;
    MessageCursor cursor(body);
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      if (tag == Tag(5, kBytes)) [[likely]] {
        const std::string_view series = cursor.Bytes();
        if (cursor.ok()) VARVE_RETURN_IF_ERROR(Series2(series));
      } else if (tag == Tag(4, kBytes)) {
        const std::string_view symbol = cursor.Bytes();
        if (cursor.ok()) VARVE_RETURN_IF_ERROR(PushBack(&out_.symbols, symbol, memory_));
      } else if (cursor.ok()) {
        VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, 1U << 4 | 1U << 5, "Request"));
      }
    }
    return cursor.ok() ? Status::Ok() : MalformedMessage("Request");
  }

 private:
  Status Series1(std::string_view bytes) {
    MessageCursor cursor(bytes);
    DecodedMetrics::Series series = out_.BeginSeries();
    RunOfBytes labels;
    while (!cursor.AtEnd()) {
      const char* const field = cursor.position();
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kBytes): {
          const std::string_view label = cursor.Bytes();
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(
              labels.Add({field, static_cast<size_t>(label.data() + label.size() - field)}, arena_));
          break;
        }
        case Tag(2, kBytes): VARVE_RETURN_IF_ERROR(AddSample(cursor.Bytes(), FieldsUpTo(2))); break;
        case Tag(3, kBytes): VARVE_RETURN_IF_ERROR(Exemplar1(cursor.Bytes())); break;
        case Tag(4, kBytes): VARVE_RETURN_IF_ERROR(AddHistogram(cursor.Bytes())); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(4), "TimeSeries"));
      }
    }
    if (!cursor.ok()) return MalformedMessage("TimeSeries");
    series.labels = labels.view();
    out_.EndSeries(&series);
    return PushBack(&out_.series, series, memory_);
  }

  Status Series2(std::string_view bytes) {
    MessageCursor cursor(bytes);
    DecodedMetrics::Series series = out_.BeginSeries();
    RunOfBytes labels;
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kBytes): VARVE_RETURN_IF_ERROR(labels.Add(cursor.Bytes(), arena_)); break;
        case Tag(1, kVarint): VARVE_RETURN_IF_ERROR(AddVarint(&cursor, &labels)); break;
        case Tag(2, kBytes): VARVE_RETURN_IF_ERROR(AddSample(cursor.Bytes(), FieldsUpTo(3))); break;
        case Tag(3, kBytes): VARVE_RETURN_IF_ERROR(AddHistogram(cursor.Bytes())); break;
        case Tag(4, kBytes): VARVE_RETURN_IF_ERROR(Exemplar2(cursor.Bytes())); break;
        case Tag(5, kBytes): VARVE_RETURN_IF_ERROR(Metadata2(cursor.Bytes())); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(5), "TimeSeries"));
      }
    }
    if (!cursor.ok()) return MalformedMessage("TimeSeries");
    series.labels = labels.view();
    out_.EndSeries(&series);
    return PushBack(&out_.series, series, memory_);
  }

  // One number of a list that is not packed. Packed, it is the same bytes without the tag.
  Status AddVarint(MessageCursor* cursor, RunOfBytes* list) {
    const char* const begin = cursor->position();
    cursor->Varint();
    if (!cursor->ok()) return Status::Ok();
    return list->Add({begin, static_cast<size_t>(cursor->position() - begin)}, arena_);
  }

  Status AddSample(std::string_view bytes, uint64_t fields) {
    MessageCursor cursor(bytes);
    Sample sample;
    int64_t start_ms = kNoStartMs;
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kFixed64): sample.value = std::bit_cast<double>(cursor.Fixed<uint64_t>()); break;
        case Tag(2, kVarint): sample.ts_ms = static_cast<int64_t>(cursor.Varint()); break;
        case Tag(3, kVarint):
          if (fields == FieldsUpTo(3)) {
            start_ms = static_cast<int64_t>(cursor.Varint());
            break;
          }
          [[fallthrough]];
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, fields, "Sample"));
      }
    }
    if (!cursor.ok()) return MalformedMessage("Sample");
    VARVE_RETURN_IF_ERROR(AddStartMs(&out_.float_starts_ms, out_.floats.size(), start_ms, memory_));
    return PushBack(&out_.floats, sample, memory_);
  }

  Status AddHistogram(std::string_view bytes) {
    int64_t start_ms = kNoStartMs;
    const size_t index = out_.histograms.size();
    VARVE_RETURN_IF_ERROR(DecodeRemoteWriteHistogram(bytes, &out_, &start_ms, memory_));
    return AddStartMs(&out_.histogram_starts_ms, index, start_ms, memory_);
  }

  Status Exemplar1(std::string_view bytes) {
    MessageCursor cursor(bytes);
    DecodedMetrics::RawExemplar exemplar;
    RunOfBytes labels;
    while (!cursor.AtEnd()) {
      const char* const field = cursor.position();
      const uint64_t tag = cursor.Varint();
      if (tag == Tag(1, kBytes)) {
        const std::string_view label = cursor.Bytes();
        if (!cursor.ok()) break;
        VARVE_RETURN_IF_ERROR(
            labels.Add({field, static_cast<size_t>(label.data() + label.size() - field)}, arena_));
      } else {
        VARVE_RETURN_IF_ERROR(ExemplarNumber(&cursor, tag, &exemplar));
      }
    }
    if (!cursor.ok()) return MalformedMessage("Exemplar");
    exemplar.labels = labels.view();
    return PushBack(&out_.exemplars, exemplar, memory_);
  }

  Status Exemplar2(std::string_view bytes) {
    MessageCursor cursor(bytes);
    DecodedMetrics::RawExemplar exemplar;
    RunOfBytes labels;
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kBytes): VARVE_RETURN_IF_ERROR(labels.Add(cursor.Bytes(), arena_)); break;
        case Tag(1, kVarint): VARVE_RETURN_IF_ERROR(AddVarint(&cursor, &labels)); break;
        default: VARVE_RETURN_IF_ERROR(ExemplarNumber(&cursor, tag, &exemplar));
      }
    }
    if (!cursor.ok()) return MalformedMessage("Exemplar");
    exemplar.labels = labels.view();
    return PushBack(&out_.exemplars, exemplar, memory_);
  }

  static Status ExemplarNumber(MessageCursor* cursor, uint64_t tag, DecodedMetrics::RawExemplar* exemplar) {
    switch (tag) {
      case Tag(2, kFixed64): exemplar->value = std::bit_cast<double>(cursor->Fixed<uint64_t>()); break;
      case Tag(3, kVarint): exemplar->ts_ms = static_cast<int64_t>(cursor->Varint()); break;
      default:
        if (cursor->ok()) return SkipUnknownField(cursor, tag, FieldsUpTo(3), "Exemplar");
    }
    return Status::Ok();
  }

  static MetricType TypeOf(uint64_t number) {
    return number <= static_cast<uint64_t>(MetricType::kStateset) ? static_cast<MetricType>(number)
                                                                  : MetricType::kUnknown;
  }

  Status Metadata1(std::string_view bytes) {
    MessageCursor cursor(bytes);
    DecodedMetrics::Metadata metadata;
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kVarint): metadata.type = TypeOf(cursor.Varint()); break;
        case Tag(2, kBytes): metadata.metric = cursor.Bytes(); break;
        case Tag(4, kBytes): metadata.help = cursor.Bytes(); break;
        case Tag(5, kBytes): metadata.unit = cursor.Bytes(); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(
              SkipUnknownField(&cursor, tag, FieldsUpTo(5) & ~(1U << 3), "MetricMetadata"));
      }
    }
    if (!cursor.ok()) return MalformedMessage("MetricMetadata");
    return PushBack(&out_.metadata, metadata, memory_);
  }

  Status Metadata2(std::string_view bytes) {
    MessageCursor cursor(bytes);
    DecodedMetrics::Metadata metadata;
    metadata.series = static_cast<uint32_t>(out_.series.size());
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kVarint): metadata.type = TypeOf(cursor.Varint()); break;
        case Tag(3, kVarint): metadata.help_symbol = static_cast<uint32_t>(cursor.Varint()); break;
        case Tag(4, kVarint): metadata.unit_symbol = static_cast<uint32_t>(cursor.Varint()); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(4) & ~(1U << 2), "Metadata"));
      }
    }
    if (!cursor.ok()) return MalformedMessage("Metadata");
    return PushBack(&out_.metadata, metadata, memory_);
  }

  DecodedMetrics& out_;
  ByteArena* const arena_;
  DecodeMemory* const memory_;
};

}  // namespace

Status DecodeRemoteWrite1(std::string_view body, DecodedMetrics* out, ByteArena* arena, DecodeMemory* memory) {
  return Decoder(out, arena, memory).Request1(body);
}

Status DecodeRemoteWrite2(std::string_view body, DecodedMetrics* out, ByteArena* arena, DecodeMemory* memory) {
  return Decoder(out, arena, memory).Request2(body);
}

}  // namespace varve
