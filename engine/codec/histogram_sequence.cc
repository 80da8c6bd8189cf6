// Neighbours that share a layout make a run, encoded bucket by bucket: the absolute count of one bucket over
// time is a counter like any other, and an integer sequence packs it to a few bits a sample.
#include "engine/codec/histogram_sequence.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <utility>

#include "engine/codec/double_sequence.h"
#include "engine/codec/integer_sequence.h"
#include "engine/codec/metric_chunk.h"

namespace varve {

namespace {

constexpr unsigned kFloatCounts = 1;
constexpr unsigned kCustomBounds = 2;

size_t PositiveBuckets(const NativeHistogram& h) {
  return h.is_float ? h.positive_counts.size() : h.positive_deltas.size();
}
size_t NegativeBuckets(const NativeHistogram& h) {
  return h.is_float ? h.negative_counts.size() : h.negative_deltas.size();
}

bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<uint64_t>(a[i]) != std::bit_cast<uint64_t>(b[i])) return false;
  }
  return true;
}

bool SameLayout(const NativeHistogram& a, const NativeHistogram& b) {
  return a.is_float == b.is_float && a.schema == b.schema &&
         std::bit_cast<uint64_t>(a.zero_threshold) == std::bit_cast<uint64_t>(b.zero_threshold) &&
         a.positive_spans == b.positive_spans && a.negative_spans == b.negative_spans &&
         PositiveBuckets(a) == PositiveBuckets(b) && NegativeBuckets(a) == NegativeBuckets(b) &&
         SameBits(a.custom_values, b.custom_values);
}

void PutSpans(const std::vector<BucketSpan>& spans, std::string* out) {
  PutVarint(out, spans.size());
  for (const BucketSpan& span : spans) {
    PutSignedVarint(out, span.offset);
    PutVarint(out, span.length);
  }
}

void PutLayout(const NativeHistogram& h, std::string* out) {
  out->push_back(
      static_cast<char>((h.is_float ? kFloatCounts : 0U) | (h.custom_values.empty() ? 0U : kCustomBounds)));
  PutSignedVarint(out, h.schema);
  PutFixed(out, std::bit_cast<uint64_t>(h.zero_threshold));
  PutSpans(h.positive_spans, out);
  PutSpans(h.negative_spans, out);
  if (!h.custom_values.empty()) {
    PutVarint(out, h.custom_values.size());
    for (const double bound : h.custom_values) PutFixed(out, std::bit_cast<uint64_t>(bound));
  }
  PutVarint(out, PositiveBuckets(h));
  PutVarint(out, NegativeBuckets(h));
}

bool ReadSpans(ByteReader* reader, std::vector<BucketSpan>* spans) {
  const uint64_t count = reader->Varint();
  if (!reader->ok() || count > kHistogramBucketsMax || count > reader->remaining() / 2) return false;
  spans->resize(count);
  for (BucketSpan& span : *spans) {
    const int64_t offset = reader->SignedVarint();
    const uint64_t length = reader->Varint();
    if (!reader->ok() || offset != static_cast<int32_t>(offset) || length > UINT32_MAX) return false;
    span = {.offset = static_cast<int32_t>(offset), .length = static_cast<uint32_t>(length)};
  }
  return true;
}

// Into an otherwise empty histogram whose vectors of buckets get their sizes.
bool ReadLayout(ByteReader* reader, NativeHistogram* h) {
  const unsigned flags = reader->Fixed<uint8_t>();
  const int64_t schema = reader->SignedVarint();
  h->zero_threshold = std::bit_cast<double>(reader->Fixed<uint64_t>());
  if (!reader->ok() || flags > 3 || schema != static_cast<int32_t>(schema)) return false;
  h->is_float = (flags & kFloatCounts) != 0;
  h->schema = static_cast<int32_t>(schema);
  if (!ReadSpans(reader, &h->positive_spans) || !ReadSpans(reader, &h->negative_spans)) return false;
  if ((flags & kCustomBounds) != 0) {
    const uint64_t count = reader->Varint();
    if (!reader->ok() || count == 0 || count > kHistogramBucketsMax || count > reader->remaining() / 8)
      return false;
    h->custom_values.resize(count);
    for (double& bound : h->custom_values) bound = std::bit_cast<double>(reader->Fixed<uint64_t>());
  }
  const uint64_t positive = reader->Varint();
  const uint64_t negative = reader->Varint();
  // Each bucket is a column of two bytes at least.
  if (!reader->ok() || positive > kHistogramBucketsMax || negative > kHistogramBucketsMax ||
      (positive + negative) > reader->remaining() / 2) {
    return false;
  }
  if (h->is_float) {
    h->positive_counts.resize(positive);
    h->negative_counts.resize(negative);
  } else {
    h->positive_deltas.resize(positive);
    h->negative_deltas.resize(negative);
  }
  return true;
}

bool WithinLimits(const NativeHistogram& h) {
  return PositiveBuckets(h) <= kHistogramBucketsMax && NegativeBuckets(h) <= kHistogramBucketsMax &&
         h.positive_spans.size() <= kHistogramBucketsMax && h.negative_spans.size() <= kHistogramBucketsMax &&
         h.custom_values.size() <= kHistogramBucketsMax;
}

using Run = std::span<const HistogramSample>;

template <typename Field>
void PutDoubles(Run run, std::string* out, const Field& field) {
  std::vector<double> column;
  column.reserve(run.size());
  for (const HistogramSample& sample : run) column.push_back(field(*sample.histogram));
  EncodeDoubleSequence(column, out);
}

template <typename Field>
void PutIntegers(Run run, std::string* out, const Field& field) {
  std::vector<int64_t> column;
  column.reserve(run.size());
  for (const HistogramSample& sample : run) column.push_back(static_cast<int64_t>(field(*sample.histogram)));
  EncodeIntegerSequence(column, out);
}

void PutIntegerBuckets(Run run, std::vector<int64_t> NativeHistogram::*deltas, std::string* out) {
  std::vector<int64_t> absolute(run.size(), 0);
  const size_t buckets = (run[0].histogram.get()->*deltas).size();
  for (size_t b = 0; b < buckets; ++b) {
    for (size_t i = 0; i < run.size(); ++i) {
      const int64_t delta = (run[i].histogram.get()->*deltas)[b];
      absolute[i] = static_cast<int64_t>(static_cast<uint64_t>(absolute[i]) + static_cast<uint64_t>(delta));
    }
    EncodeIntegerSequence(absolute, out);
  }
}

void PutFloatBuckets(Run run, std::vector<double> NativeHistogram::*counts, std::string* out) {
  const size_t buckets = (run[0].histogram.get()->*counts).size();
  for (size_t b = 0; b < buckets; ++b) {
    PutDoubles(run, out, [&](const NativeHistogram& h) { return (h.*counts)[b]; });
  }
}

void PutRun(Run run, std::string* out) {
  const NativeHistogram& layout = *run[0].histogram;
  PutVarint(out, run.size());
  PutLayout(layout, out);
  PutDoubles(run, out, [](const NativeHistogram& h) { return h.sum; });
  if (layout.is_float) {
    PutDoubles(run, out, [](const NativeHistogram& h) { return h.float_count; });
    PutDoubles(run, out, [](const NativeHistogram& h) { return h.float_zero_count; });
    PutFloatBuckets(run, &NativeHistogram::positive_counts, out);
    PutFloatBuckets(run, &NativeHistogram::negative_counts, out);
  } else {
    PutIntegers(run, out, [](const NativeHistogram& h) { return h.count; });
    PutIntegers(run, out, [](const NativeHistogram& h) { return h.zero_count; });
    PutIntegerBuckets(run, &NativeHistogram::positive_deltas, out);
    PutIntegerBuckets(run, &NativeHistogram::negative_deltas, out);
  }
}

// Reads the columns of a run; those of its histograms that are asked for are `made`, from number `skip` on.
class RunReader {
 public:
  RunReader(ByteReader* reader, size_t count, size_t skip,
            std::span<const std::shared_ptr<NativeHistogram>> made)
      : reader_(reader), skip_(skip), made_(made), integers_(count), doubles_(count) {}

  bool Read(const NativeHistogram& layout) {
    if (!Doubles([](NativeHistogram& h, double v) { h.sum = v; })) return false;
    if (layout.is_float) {
      return Doubles([](NativeHistogram& h, double v) { h.float_count = v; }) &&
             Doubles([](NativeHistogram& h, double v) { h.float_zero_count = v; }) &&
             FloatBuckets(&NativeHistogram::positive_counts, layout.positive_counts.size()) &&
             FloatBuckets(&NativeHistogram::negative_counts, layout.negative_counts.size());
    }
    return Integers([](NativeHistogram& h, int64_t v) { h.count = static_cast<uint64_t>(v); }) &&
           Integers([](NativeHistogram& h, int64_t v) { h.zero_count = static_cast<uint64_t>(v); }) &&
           IntegerBuckets(&NativeHistogram::positive_deltas, layout.positive_deltas.size()) &&
           IntegerBuckets(&NativeHistogram::negative_deltas, layout.negative_deltas.size());
  }

 private:
  template <typename Set>
  bool Doubles(const Set& set) {
    if (!DecodeDoubleSequence(reader_, doubles_)) return false;
    for (size_t i = 0; i < made_.size(); ++i) set(*made_[i], doubles_[skip_ + i]);
    return true;
  }
  template <typename Set>
  bool Integers(const Set& set) {
    if (!DecodeIntegerSequence(reader_, integers_)) return false;
    for (size_t i = 0; i < made_.size(); ++i) set(*made_[i], integers_[skip_ + i]);
    return true;
  }
  bool FloatBuckets(std::vector<double> NativeHistogram::*counts, size_t buckets) {
    for (size_t b = 0; b < buckets; ++b) {
      if (!Doubles([&](NativeHistogram& h, double v) { (h.*counts)[b] = v; })) return false;
    }
    return true;
  }
  bool IntegerBuckets(std::vector<int64_t> NativeHistogram::*deltas, size_t buckets) {
    std::vector<int64_t> before(integers_.size(), 0);
    for (size_t b = 0; b < buckets; ++b) {
      if (!DecodeIntegerSequence(reader_, integers_)) return false;
      for (size_t i = 0; i < made_.size(); ++i) {
        ((*made_[i]).*deltas)[b] = static_cast<int64_t>(static_cast<uint64_t>(integers_[skip_ + i]) -
                                                        static_cast<uint64_t>(before[skip_ + i]));
      }
      before.swap(integers_);
    }
    return true;
  }

  ByteReader* const reader_;
  const size_t skip_;
  const std::span<const std::shared_ptr<NativeHistogram>> made_;
  std::vector<int64_t> integers_;
  std::vector<double> doubles_;
};

}  // namespace

Status EncodeHistogramSequence(std::span<const HistogramSample> samples, std::string* out) {
  std::vector<int64_t> hints;
  std::vector<size_t> begins;
  for (size_t i = 0; i < samples.size(); ++i) {
    const NativeHistogram& h = *samples[i].histogram;
    if (!WithinLimits(h)) return InvalidArgument("a histogram has more buckets than can be stored");
    hints.push_back(static_cast<int64_t>(h.hint));
    if (i == 0 || !SameLayout(*samples[i - 1].histogram, h)) begins.push_back(i);
  }
  EncodeIntegerSequence(hints, out);
  PutVarint(out, begins.size());
  for (size_t r = 0; r < begins.size(); ++r) {
    const size_t end = r + 1 < begins.size() ? begins[r + 1] : samples.size();
    PutRun(samples.subspan(begins[r], end - begins[r]), out);
  }
  return Status::Ok();
}

uint64_t HistogramCells(const NativeHistogram& h) {
  return PositiveBuckets(h) + NegativeBuckets(h) + h.positive_spans.size() + h.negative_spans.size() +
         h.custom_values.size();
}

bool DecodeHistogramSequence(ByteReader* reader, size_t count, size_t begin, size_t end,
                             std::vector<HistogramPtr>* out) {
  std::vector<int64_t> hints(count);
  if (!DecodeIntegerSequence(reader, hints)) return false;
  const uint64_t runs = reader->Varint();
  if (!reader->ok() || runs > count) return false;
  std::vector<std::shared_ptr<NativeHistogram>> made;
  uint64_t cells = 0;
  size_t done = 0;
  for (uint64_t r = 0; r < runs; ++r) {
    const uint64_t length = reader->Varint();
    NativeHistogram layout;
    if (!reader->ok() || length == 0 || length > count - done || !ReadLayout(reader, &layout)) return false;
    cells += length * HistogramCells(layout);
    if (cells > kChunkHistogramCellsMax && count != 1) return false;
    made.clear();
    const size_t first = std::max(begin, done);
    const size_t last = std::min<size_t>(end, done + length);
    for (size_t i = first; i < last; ++i) {
      made.push_back(std::make_shared<NativeHistogram>(layout));
      if (hints[i] < 0 || hints[i] > static_cast<int64_t>(CounterResetHint::kGauge)) return false;
      made.back()->hint = static_cast<CounterResetHint>(hints[i]);
    }
    if (!RunReader(reader, length, made.empty() ? 0 : first - done, made).Read(layout)) return false;
    for (auto& histogram : made) out->push_back(std::move(histogram));
    done += length;
  }
  return done == count;
}

}  // namespace varve
