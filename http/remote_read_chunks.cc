#include "http/remote_read_chunks.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/base/bytes.h"
#include "http/bit_writer.h"

namespace varve {
namespace {

// Whether a value of so many bits holds `x`, in Prometheus's lopsided way.
bool Fits(int64_t x, int bits) {
  const int64_t half = int64_t{1} << (bits - 1);
  return -half < x && x <= half;
}


void PutUvarint(uint64_t value, BitWriter* out) {
  for (; value >= 0x80; value >>= 7) out->Byte(static_cast<uint8_t>(value | 0x80));
  out->Byte(static_cast<uint8_t>(value));
}

// a - b, wrapping round as Go does.
int64_t Minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

void PutTimeDifference(int64_t difference, BitWriter* out) {
  const auto bits = static_cast<uint64_t>(difference);
  if (difference == 0) return out->Bit(false);
  if (Fits(difference, 14)) {
    out->Bits(0b10, 2);
    return out->Bits(bits, 14);
  }
  if (Fits(difference, 17)) {
    out->Bits(0b110, 3);
    return out->Bits(bits, 17);
  }
  if (Fits(difference, 20)) {
    out->Bits(0b1110, 4);
    return out->Bits(bits, 20);
  }
  out->Bits(0b1111, 4);
  out->Bits(bits, 64);
}

void PutSpans(const std::vector<BucketSpan>& spans, BitWriter* out) {
  PutVarbitUint(spans.size(), out);
  for (const BucketSpan& span : spans) {
    PutVarbitUint(span.length, out);
    PutVarbitInt(span.offset, out);
  }
}

// One byte for 0 and for powers of two around the usual ones, nine for others.
void PutZeroThreshold(double threshold, BitWriter* out) {
  constexpr int kExponentMin = -242;
  constexpr int kExponentMax = 11;
  constexpr int kBias = 243;
  if (threshold == 0) return out->Byte(0);
  int exponent = 0;
  const double fraction = std::frexp(threshold, &exponent);
  if (fraction == 0.5 && exponent >= kExponentMin && exponent <= kExponentMax) {
    return out->Byte(static_cast<uint8_t>(exponent + kBias));
  }
  out->Byte(255);
  out->Double(threshold);
}

// Multiples of a thousandth up to 33554.43 as integers, others as they are.
void PutCustomBound(double bound, BitWriter* out) {
  constexpr double kLargest = 33554430;
  const double thousandths = bound * 1000;
  const bool plain = thousandths >= 0 && thousandths <= kLargest &&
                     static_cast<double>(static_cast<uint64_t>(std::round(thousandths))) / 1000 == bound;
  if (!plain) {
    out->Bit(false);
    return out->Double(bound);
  }
  PutVarbitUint(static_cast<uint64_t>(std::round(thousandths)) + 1, out);
}

void PutLayout(const NativeHistogram& h, BitWriter* out) {
  PutZeroThreshold(h.zero_threshold, out);
  PutVarbitInt(h.schema, out);
  PutSpans(h.positive_spans, out);
  PutSpans(h.negative_spans, out);
  if (!h.is_custom()) return;
  PutVarbitUint(h.custom_values.size(), out);
  for (const double bound : h.custom_values) PutCustomBound(bound, out);
}

// An integer, by the difference of its difference.
class DeltaValue {
 public:
  void Start(int64_t value) { last_ = value; }
  void Append(int64_t value, BitWriter* out) {
    const int64_t delta = Minus(value, last_);
    PutVarbitInt(Minus(delta, last_delta_), out);
    last_ = value;
    last_delta_ = delta;
  }

 private:
  int64_t last_ = 0;
  int64_t last_delta_ = 0;
};

void PutIntegerHistograms(std::span<const HistogramSample> samples, BitWriter* out) {
  const NativeHistogram& first = *samples.front().histogram;
  DeltaValue ts, count, zero_count;
  XorValue sum;
  std::vector<DeltaValue> buckets(first.positive_deltas.size() + first.negative_deltas.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    const NativeHistogram& h = *samples[i].histogram;
    const auto bucket = [&](size_t at) {
      const size_t positive = h.positive_deltas.size();
      return at < positive ? h.positive_deltas[at] : h.negative_deltas[at - positive];
    };
    if (i == 0) {
      PutVarbitInt(samples[i].ts_ms, out);
      PutVarbitUint(h.count, out);
      PutVarbitUint(h.zero_count, out);
      out->Double(h.sum);
      ts.Start(samples[i].ts_ms);
      count.Start(static_cast<int64_t>(h.count));
      zero_count.Start(static_cast<int64_t>(h.zero_count));
      sum.Start(h.sum);
      for (size_t at = 0; at < buckets.size(); ++at) {
        PutVarbitInt(bucket(at), out);
        buckets[at].Start(bucket(at));
      }
      continue;
    }
    ts.Append(samples[i].ts_ms, out);
    count.Append(static_cast<int64_t>(h.count), out);
    zero_count.Append(static_cast<int64_t>(h.zero_count), out);
    sum.Append(h.sum, out);
    for (size_t at = 0; at < buckets.size(); ++at) buckets[at].Append(bucket(at), out);
  }
}

void PutFloatHistograms(std::span<const HistogramSample> samples, BitWriter* out) {
  const NativeHistogram& first = *samples.front().histogram;
  DeltaValue ts;
  std::vector<XorValue> values(3 + first.positive_counts.size() + first.negative_counts.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    const NativeHistogram& h = *samples[i].histogram;
    if (i == 0) {
      PutVarbitInt(samples[i].ts_ms, out);
      ts.Start(samples[i].ts_ms);
    } else {
      ts.Append(samples[i].ts_ms, out);
    }
    size_t at = 0;
    const auto put = [&](double value) {
      if (i == 0) {
        out->Double(value);
        values[at].Start(value);
      } else {
        values[at].Append(value, out);
      }
      ++at;
    };
    put(h.float_count);
    put(h.float_zero_count);
    put(h.sum);
    for (const double bucket : h.positive_counts) put(bucket);
    for (const double bucket : h.negative_counts) put(bucket);
  }
}

bool IsStale(const HistogramSample& sample) { return IsStaleNan(sample.histogram->sum); }

bool SameLayout(const NativeHistogram& a, const NativeHistogram& b) {
  return a.is_float == b.is_float && a.schema == b.schema && a.zero_threshold == b.zero_threshold &&
         a.positive_spans == b.positive_spans && a.negative_spans == b.negative_spans &&
         a.custom_values == b.custom_values && a.positive_deltas.size() == b.positive_deltas.size() &&
         a.negative_deltas.size() == b.negative_deltas.size() &&
         a.positive_counts.size() == b.positive_counts.size() &&
         a.negative_counts.size() == b.negative_counts.size();
}

bool AnyBelow(const std::vector<double>& now, const std::vector<double>& before) {
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i] < before[i]) return true;
  }
  return false;
}

bool AnyCountBelow(const std::vector<int64_t>& now, const std::vector<int64_t>& before) {
  int64_t count_now = 0;
  int64_t count_before = 0;
  for (size_t i = 0; i < now.size(); ++i) {
    count_now += now[i];
    count_before += before[i];
    if (count_now < count_before) return true;
  }
  return false;
}

// Whether some count went down; of two of one layout.
bool IsReset(const NativeHistogram& now, const NativeHistogram& before) {
  return now.count < before.count || now.zero_count < before.zero_count ||
         now.float_count < before.float_count || now.float_zero_count < before.float_zero_count ||
         AnyCountBelow(now.positive_deltas, before.positive_deltas) ||
         AnyCountBelow(now.negative_deltas, before.negative_deltas) ||
         AnyBelow(now.positive_counts, before.positive_counts) ||
         AnyBelow(now.negative_counts, before.negative_counts);
}

bool IsGauge(const HistogramSample& sample) { return sample.histogram->hint == CounterResetHint::kGauge; }

// Whether `now` may stand behind `before` in a chunk, where it will be read as "no reset" (or as a gauge).
bool MayFollow(const HistogramSample& now, const HistogramSample& before) {
  if (IsStale(now) || IsStale(before) || IsGauge(now) != IsGauge(before)) return false;
  if (!SameLayout(*now.histogram, *before.histogram)) return false;
  if (IsGauge(now)) return true;
  return now.histogram->hint != CounterResetHint::kReset && !IsReset(*now.histogram, *before.histogram);
}

ReadChunk HistogramChunkOf(std::span<const HistogramSample> samples, const HistogramSample* before) {
  const NativeHistogram& first = *samples.front().histogram;
  CounterResetHint hint = first.hint;
  // What follows without a gap is known to be no reset, or to be one.
  if (hint == CounterResetHint::kUnknown && before != nullptr && !IsStale(*before) && !IsStale(samples.front()) &&
      SameLayout(*before->histogram, first)) {
    hint = IsReset(first, *before->histogram) ? CounterResetHint::kReset : CounterResetHint::kNotReset;
  }
  ReadChunk chunk;
  chunk.min_ms = samples.front().ts_ms;
  chunk.max_ms = samples.back().ts_ms;
  chunk.encoding = first.is_float ? ChunkEncoding::kFloatHistogram : ChunkEncoding::kHistogram;
  chunk.data = EncodeHistogramChunk(samples, hint);
  return chunk;
}

}  // namespace

std::string EncodeXorChunk(std::span<const int64_t> ts_ms, std::span<const double> values) {
  BitWriter out;
  out.Bits(ts_ms.size(), 16);
  int64_t last_delta = 0;
  XorValue value;
  for (size_t i = 0; i < ts_ms.size(); ++i) {
    if (i == 0) {
      PutUvarint(ZigZag(ts_ms[i]), &out);
      out.Double(values[i]);
      value.Start(values[i]);
      continue;
    }
    const int64_t delta = Minus(ts_ms[i], ts_ms[i - 1]);
    if (i == 1) {
      PutUvarint(static_cast<uint64_t>(delta), &out);
    } else {
      PutTimeDifference(Minus(delta, last_delta), &out);
    }
    last_delta = delta;
    value.Append(values[i], &out);
  }
  return out.Take();
}

std::string EncodeHistogramChunk(std::span<const HistogramSample> samples, CounterResetHint hint) {
  BitWriter out;
  out.Bits(samples.size(), 16);
  constexpr uint8_t kHeaders[] = {0b00, 0b10, 0b01, 0b11};  // by CounterResetHint
  out.Byte(static_cast<uint8_t>(kHeaders[static_cast<size_t>(hint) & 3] << 6));
  const NativeHistogram& first = *samples.front().histogram;
  if (IsStale(samples.front())) {
    NativeHistogram marker;
    marker.is_float = first.is_float;
    marker.sum = first.sum;
    const HistogramSample alone{samples.front().ts_ms, std::make_shared<const NativeHistogram>(marker)};
    PutLayout(marker, &out);
    first.is_float ? PutFloatHistograms({&alone, 1}, &out) : PutIntegerHistograms({&alone, 1}, &out);
    return out.Take();
  }
  PutLayout(first, &out);
  first.is_float ? PutFloatHistograms(samples, &out) : PutIntegerHistograms(samples, &out);
  return out.Take();
}

std::vector<ReadChunk> EncodeChunks(const SeriesSamples& samples) {
  std::vector<ReadChunk> chunks;
  const std::span<const int64_t> ts_ms(samples.float_ts_ms);
  const std::span<const double> floats(samples.floats);
  const std::span<const HistogramSample> histograms(samples.histograms);
  size_t f = 0;
  size_t h = 0;
  while (f < ts_ms.size() || h < histograms.size()) {
    if (h == histograms.size() || (f < ts_ms.size() && ts_ms[f] < histograms[h].ts_ms)) {
      size_t end = f + 1;
      while (end < ts_ms.size() && end - f < kChunkSamplesMax &&
             (h == histograms.size() || ts_ms[end] < histograms[h].ts_ms)) {
        ++end;
      }
      chunks.push_back({ts_ms[f], ts_ms[end - 1], ChunkEncoding::kXor,
                        EncodeXorChunk(ts_ms.subspan(f, end - f), floats.subspan(f, end - f))});
      f = end;
      continue;
    }
    size_t end = h + 1;
    while (end < histograms.size() && end - h < kChunkSamplesMax &&
           (f == ts_ms.size() || histograms[end].ts_ms < ts_ms[f]) &&
           MayFollow(histograms[end], histograms[end - 1])) {
      ++end;
    }
    const bool follows = h > 0 && (f == 0 || ts_ms[f - 1] < histograms[h - 1].ts_ms);
    chunks.push_back(HistogramChunkOf(histograms.subspan(h, end - h), follows ? &histograms[h - 1] : nullptr));
    h = end;
  }
  return chunks;
}

}  // namespace varve
