// Chunks are read back by a reader of their own, written from the format's description.
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <memory>
#include <random>
#include <string>

#include "http/bit_writer.h"
#include "http/remote_read_chunks.h"
#include "http/remote_read_message.h"

namespace varve {
namespace {

class BitReader {
 public:
  explicit BitReader(const std::string& bytes) : bytes_(bytes) {}
  uint64_t Bits(int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; ++i, ++at_) {
      const auto byte = static_cast<uint8_t>(bytes_.at(at_ >> 3));
      value = value << 1 | (byte >> (7 - (at_ & 7)) & 1);
    }
    return value;
  }
  double Double() { return std::bit_cast<double>(Bits(64)); }
  uint64_t Uvarint() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const uint64_t byte = Bits(8);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
  uint64_t VarbitUint() {
    constexpr int kWidths[] = {0, 3, 6, 9, 12, 18, 25, 56, 64};
    int ones = 0;
    while (ones < 8 && Bits(1) == 1) ++ones;
    return Bits(kWidths[ones]);
  }
  int64_t VarbitInt() {
    constexpr int kWidths[] = {0, 3, 6, 9, 12, 18, 25, 56, 64};
    int ones = 0;
    while (ones < 8 && Bits(1) == 1) ++ones;
    const int width = kWidths[ones];
    const uint64_t bits = Bits(width);
    if (width == 0 || width == 64) return static_cast<int64_t>(bits);
    const auto value = static_cast<int64_t>(bits);
    return value > int64_t{1} << (width - 1) ? value - (int64_t{1} << width) : value;
  }

 private:
  const std::string& bytes_;
  size_t at_ = 0;
};

class XorReader {
 public:
  void Start(double value) { bits_ = std::bit_cast<uint64_t>(value); }
  double Next(BitReader* in) {
    if (in->Bits(1) == 1) {
      if (in->Bits(1) == 1) {
        leading_ = static_cast<int>(in->Bits(5));
        const auto size = static_cast<int>(in->Bits(6));
        trailing_ = 64 - leading_ - (size == 0 ? 64 : size);
      }
      bits_ ^= in->Bits(64 - leading_ - trailing_) << trailing_;
    }
    return std::bit_cast<double>(bits_);
  }

 private:
  uint64_t bits_ = 0;
  int leading_ = 0;
  int trailing_ = 0;
};

// Appends the samples of an XOR chunk.
void ReadXor(const std::string& data, std::vector<int64_t>* ts_ms, std::vector<double>* values) {
  BitReader in(data);
  const uint64_t count = in.Bits(16);
  int64_t t = 0;
  uint64_t delta = 0;
  XorReader value;
  for (uint64_t i = 0; i < count; ++i) {
    if (i == 0) {
      const uint64_t zigzag = in.Uvarint();
      t = static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1);
      const double first = in.Double();
      value.Start(first);
      ts_ms->push_back(t);
      values->push_back(first);
      continue;
    }
    if (i == 1) {
      delta = in.Uvarint();
    } else {
      constexpr int kWidths[] = {0, 14, 17, 20, 64};
      int ones = 0;
      while (ones < 4 && in.Bits(1) == 1) ++ones;
      const int width = kWidths[ones];
      auto difference = static_cast<int64_t>(in.Bits(width));
      if (width != 0 && width != 64 && difference > int64_t{1} << (width - 1)) difference -= int64_t{1} << width;
      delta += static_cast<uint64_t>(difference);
    }
    t = static_cast<int64_t>(static_cast<uint64_t>(t) + delta);
    ts_ms->push_back(t);
    values->push_back(value.Next(&in));
  }
}

std::vector<BucketSpan> ReadSpans(BitReader* in) {
  std::vector<BucketSpan> spans(in->VarbitUint());
  for (BucketSpan& span : spans) {
    span.length = static_cast<uint32_t>(in->VarbitUint());
    span.offset = static_cast<int32_t>(in->VarbitInt());
  }
  return spans;
}

uint32_t BucketsOf(const std::vector<BucketSpan>& spans) {
  uint32_t count = 0;
  for (const BucketSpan& span : spans) count += span.length;
  return count;
}

double ReadZeroThreshold(BitReader* in) {
  const auto byte = static_cast<int>(in->Bits(8));
  if (byte == 0) return 0;
  return byte == 255 ? in->Double() : std::ldexp(0.5, byte - 243);
}

struct DeltaReader {
  int64_t value = 0;
  int64_t delta = 0;
  int64_t Next(BitReader* in) { return value += delta += in->VarbitInt(); }
};

// The histograms of a chunk; the first has the header's hint, the others that of their place.
std::vector<HistogramSample> ReadHistograms(const ReadChunk& chunk) {
  BitReader in(chunk.data);
  const uint64_t count = in.Bits(16);
  const uint64_t header = in.Bits(8) >> 6;
  NativeHistogram layout;
  layout.is_float = chunk.encoding == ChunkEncoding::kFloatHistogram;
  layout.zero_threshold = ReadZeroThreshold(&in);
  layout.schema = static_cast<int32_t>(in.VarbitInt());
  layout.positive_spans = ReadSpans(&in);
  layout.negative_spans = ReadSpans(&in);
  if (layout.is_custom()) {
    layout.custom_values.resize(in.VarbitUint());
    for (double& bound : layout.custom_values) {
      const uint64_t thousandths = in.VarbitUint();
      bound = thousandths == 0 ? in.Double() : static_cast<double>(thousandths - 1) / 1000;
    }
  }
  const size_t positive = BucketsOf(layout.positive_spans);
  const size_t buckets = positive + BucketsOf(layout.negative_spans);
  DeltaReader ts, count_reader, zero_reader;
  std::vector<DeltaReader> deltas(buckets);
  XorReader sum;
  std::vector<XorReader> floats(buckets + 2);
  std::vector<HistogramSample> out;
  for (uint64_t i = 0; i < count; ++i) {
    NativeHistogram h = layout;
    constexpr CounterResetHint kFirst[] = {CounterResetHint::kUnknown, CounterResetHint::kNotReset,
                                           CounterResetHint::kReset, CounterResetHint::kGauge};
    h.hint = i == 0 || header == 3 ? kFirst[header] : CounterResetHint::kNotReset;
    ts.Next(&in);
    const auto next_float = [&](XorReader* reader) {
      if (i != 0) return reader->Next(&in);
      const double first = in.Double();
      reader->Start(first);
      return first;
    };
    if (i == 0) ts.delta = 0;
    if (layout.is_float) {
      h.float_count = next_float(&floats[buckets]);
      h.float_zero_count = next_float(&floats[buckets + 1]);
      h.sum = next_float(&sum);
    } else {
      if (i == 0) {
        count_reader.value = static_cast<int64_t>(in.VarbitUint());
        zero_reader.value = static_cast<int64_t>(in.VarbitUint());
      } else {
        count_reader.Next(&in);
        zero_reader.Next(&in);
      }
      h.count = static_cast<uint64_t>(count_reader.value);
      h.zero_count = static_cast<uint64_t>(zero_reader.value);
      h.sum = next_float(&sum);
    }
    for (size_t at = 0; at < buckets; ++at) {
      if (layout.is_float) {
        (at < positive ? h.positive_counts : h.negative_counts).push_back(next_float(&floats[at]));
      } else {
        deltas[at].Next(&in);
        if (i == 0) deltas[at].delta = 0;
        (at < positive ? h.positive_deltas : h.negative_deltas).push_back(deltas[at].value);
      }
    }
    out.push_back({ts.value, std::make_shared<const NativeHistogram>(std::move(h))});
  }
  return out;
}

NativeHistogram IntegerHistogram(uint64_t n) {
  NativeHistogram h;
  h.schema = 1;
  h.zero_threshold = 0.001;
  h.zero_count = n;
  h.positive_spans = {{-3, 2}, {5, 1}};
  h.positive_deltas = {static_cast<int64_t>(n), 1, -1};
  h.negative_spans = {{0, 1}};
  h.negative_deltas = {static_cast<int64_t>(2 * n)};
  h.count = n + n + (n + 1) + n + 2 * n;
  h.sum = static_cast<double>(n) * 1.25;
  return h;
}

HistogramSample At(int64_t ts_ms, NativeHistogram h) {
  return {ts_ms, std::make_shared<const NativeHistogram>(std::move(h))};
}

TEST(XorChunk, HasTheBytesThatPrometheusWrites) {
  // Two samples by hand: 2, varint(1000) = e8 07... zigzag(1000)=2000=d0 0f; 1.0; delta 500=f4 03; same value: bit 0.
  const std::vector<int64_t> ts_ms = {1000, 1500};
  const std::vector<double> values = {1.0, 1.0};
  const std::string expected("\x00\x02\xd0\x0f\x3f\xf0\x00\x00\x00\x00\x00\x00\xf4\x03\x00", 15);
  EXPECT_EQ(expected, EncodeXorChunk(ts_ms, values));
}

TEST(XorChunk, GivesBackEveryTimeAndEveryBit) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const int64_t steps[] = {0, 1, 15'000, 15'001, 8191, 8192, 65'536, 524'289, 1LL << 40};
  for (int round = 0; round < 200; ++round) {
    SeriesSamples samples;
    int64_t t = static_cast<int64_t>(random() % (1ULL << 42)) - (1LL << 41);
    double value = 1;
    for (size_t i = 0, n = 1 + random() % 500; i < n; ++i) {
      t += 1 + steps[random() % std::size(steps)];
      const uint64_t kind = random() % 4;
      if (kind == 0) value = std::bit_cast<double>(random());
      if (kind == 1) value += 1;
      if (kind == 2) value = StaleNan();
      samples.float_ts_ms.push_back(t);
      samples.floats.push_back(value);
    }
    std::vector<int64_t> ts_ms;
    std::vector<double> values;
    for (const ReadChunk& chunk : EncodeChunks(samples)) {
      const size_t before = ts_ms.size();
      ReadXor(chunk.data, &ts_ms, &values);
      ASSERT_LE(ts_ms.size() - before, kChunkSamplesMax);
      EXPECT_EQ(chunk.min_ms, ts_ms[before]);
      EXPECT_EQ(chunk.max_ms, ts_ms.back());
    }
    ASSERT_EQ(samples.float_ts_ms, ts_ms);
    ASSERT_EQ(samples.floats.size(), values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint64_t>(samples.floats[i]), std::bit_cast<uint64_t>(values[i]));
    }
  }
}

TEST(HistogramChunk, GivesBackIntegerHistograms) {
  SeriesSamples samples;
  for (uint64_t i = 1; i <= 10; ++i) samples.histograms.push_back(At(static_cast<int64_t>(i) * 15'000, IntegerHistogram(i * i)));
  const std::vector<ReadChunk> chunks = EncodeChunks(samples);
  ASSERT_EQ(1u, chunks.size());
  EXPECT_EQ(ChunkEncoding::kHistogram, chunks[0].encoding);
  const std::vector<HistogramSample> read = ReadHistograms(chunks[0]);
  ASSERT_EQ(10u, read.size());
  for (size_t i = 0; i < read.size(); ++i) {
    NativeHistogram expected = *samples.histograms[i].histogram;
    expected.hint = i == 0 ? CounterResetHint::kUnknown : CounterResetHint::kNotReset;
    EXPECT_EQ(samples.histograms[i].ts_ms, read[i].ts_ms);
    EXPECT_TRUE(BitEqual(expected, *read[i].histogram)) << i;
  }
}

TEST(HistogramChunk, IsCutAtResetsLayoutsMarkersAndFloats) {
  SeriesSamples samples;
  NativeHistogram custom;
  custom.schema = kCustomBucketsSchema;
  custom.custom_values = {0.1, 33554.43, 33554.431, -1, 1e9};
  custom.is_float = true;
  custom.float_count = 3.5;
  custom.sum = -0.0;
  custom.positive_spans = {{0, 2}};
  custom.positive_counts = {1.5, 2};
  NativeHistogram marker = IntegerHistogram(0);
  marker.sum = StaleNan();
  samples.histograms = {At(1000, IntegerHistogram(5)), At(2000, IntegerHistogram(6)),
                        At(3000, IntegerHistogram(2)),  // a reset
                        At(4000, marker), At(6000, custom), At(7000, custom)};
  samples.float_ts_ms = {5000};
  samples.floats = {1};
  const std::vector<ReadChunk> chunks = EncodeChunks(samples);
  ASSERT_EQ(5u, chunks.size());
  const ChunkEncoding kinds[] = {ChunkEncoding::kHistogram, ChunkEncoding::kHistogram, ChunkEncoding::kHistogram,
                                 ChunkEncoding::kXor, ChunkEncoding::kFloatHistogram};
  for (size_t i = 0; i < chunks.size(); ++i) EXPECT_EQ(kinds[i], chunks[i].encoding) << i;
  EXPECT_EQ(CounterResetHint::kReset, ReadHistograms(chunks[1]).front().histogram->hint);
  EXPECT_TRUE(IsStaleNan(ReadHistograms(chunks[2]).front().histogram->sum));
  const std::vector<HistogramSample> floats = ReadHistograms(chunks[4]);
  ASSERT_EQ(2u, floats.size());
  EXPECT_TRUE(BitEqual(custom, *floats[0].histogram));
  EXPECT_EQ(7000, floats[1].ts_ms);
}

TEST(HistogramChunk, GaugesMayGoDown) {
  SeriesSamples samples;
  for (const uint64_t n : {9u, 3u, 7u}) {
    NativeHistogram gauge = IntegerHistogram(n);
    gauge.hint = CounterResetHint::kGauge;
    samples.histograms.push_back(At(static_cast<int64_t>(samples.histograms.size()) * 1000, gauge));
  }
  const std::vector<ReadChunk> chunks = EncodeChunks(samples);
  ASSERT_EQ(1u, chunks.size());
  for (const HistogramSample& sample : ReadHistograms(chunks[0])) {
    EXPECT_EQ(CounterResetHint::kGauge, sample.histogram->hint);
  }
}

TEST(Varbits, TakeWhatTheyShould) {
  for (const int64_t value : {int64_t{0}, int64_t{1}, int64_t{-3}, int64_t{4}, int64_t{-4}, int64_t{5}, int64_t{32},
                              int64_t{-2047}, int64_t{131072}, int64_t{-16777216}, int64_t{1} << 55,
                              std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    BitWriter out;
    PutVarbitInt(value, &out);
    const std::string bytes = out.Take();
    EXPECT_EQ(value, BitReader(bytes).VarbitInt());
  }
  BitWriter out;
  PutVarbitInt(4, &out);
  EXPECT_EQ(std::string("\xa0", 1), out.bytes());  // 10 100
}

TEST(RemoteRead, ChecksumsAreCastagnolis) {
  EXPECT_EQ(0xe3069283u, Crc32c("123456789"));
  EXPECT_EQ(0u, Crc32c(""));
}

TEST(RemoteRead, RequestsAreDecoded) {
  // Query{start=1000, end=2000, matcher{=~, "a", "b|c"}}, accepted: 1.
  const std::string query = std::string("\x08\xe8\x07\x10\xd0\x0f\x1a\x0a\x08\x02\x12\x01") + "a\x1a\x03" + "b|c";
  const std::string plain = "\x0a" + std::string(1, static_cast<char>(query.size())) + query + "\x10\x01";
  const Result<RemoteReadRequest> request = DecodeRemoteRead(CompressSnappy(plain));
  ASSERT_TRUE(request.ok()) << request.status().ToString();
  EXPECT_EQ(ReadResponseType::kStreamedXorChunks, request.value().type);
  ASSERT_EQ(1u, request.value().queries.size());
  EXPECT_EQ(1000, request.value().queries[0].range.min_ms);
  EXPECT_EQ(2000, request.value().queries[0].range.max_ms);
  ASSERT_EQ(1u, request.value().queries[0].matchers.size());
  EXPECT_TRUE(request.value().queries[0].matchers[0].Matches("c"));
  EXPECT_FALSE(request.value().queries[0].matchers[0].Matches("bc"));
}

TEST(RemoteRead, GarbageIsRefused) {
  EXPECT_EQ("snappy: corrupt input", DecodeRemoteRead("\xff\xff\xff\xff\xff\xff").status().message());
  EXPECT_EQ(Code::kInvalidArgument, DecodeRemoteRead(CompressSnappy("\x0a\x05x")).status().code());
  EXPECT_EQ(Code::kInvalidArgument, DecodeRemoteRead(CompressSnappy("\x10\x07")).status().code());  // no such type
  // Claims 30 MB in a few bytes.
  EXPECT_EQ("snappy: corrupt input", DecodeRemoteRead("\x80\x80\x80\x0e\x00\x00").status().message());
}

}  // namespace
}  // namespace varve
