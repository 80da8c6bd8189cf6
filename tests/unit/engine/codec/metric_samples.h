// Samples of many shapes for tests of the metric codec, and comparing them bit by bit.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/metric_scan.h"
#include "engine/model/sample.h"

namespace varve {

inline bool SameHistogram(const NativeHistogram& a, const NativeHistogram& b) {
  const auto bits = [](const std::vector<double>& values) {
    std::vector<uint64_t> out;
    for (const double value : values) out.push_back(std::bit_cast<uint64_t>(value));
    return out;
  };
  const auto equal = [](double x, double y) {
    return std::bit_cast<uint64_t>(x) == std::bit_cast<uint64_t>(y);
  };
  if (a.is_float != b.is_float || a.hint != b.hint || a.schema != b.schema || !equal(a.sum, b.sum) ||
      !equal(a.zero_threshold, b.zero_threshold) || a.positive_spans != b.positive_spans ||
      a.negative_spans != b.negative_spans || bits(a.custom_values) != bits(b.custom_values)) {
    return false;
  }
  if (a.is_float) {
    return equal(a.float_count, b.float_count) && equal(a.float_zero_count, b.float_zero_count) &&
           bits(a.positive_counts) == bits(b.positive_counts) &&
           bits(a.negative_counts) == bits(b.negative_counts);
  }
  return a.count == b.count && a.zero_count == b.zero_count && a.positive_deltas == b.positive_deltas &&
         a.negative_deltas == b.negative_deltas;
}

inline void ExpectSameSamples(const SeriesSamples& a, const SeriesSamples& b, const std::string& what) {
  ASSERT_EQ(a.float_ts_ms, b.float_ts_ms) << what;
  ASSERT_EQ(a.floats.size(), b.floats.size()) << what;
  for (size_t i = 0; i < a.floats.size(); ++i) {
    ASSERT_EQ(std::bit_cast<uint64_t>(a.floats[i]), std::bit_cast<uint64_t>(b.floats[i]))
        << what << " float " << i;
  }
  ASSERT_EQ(a.float_starts_ms, b.float_starts_ms) << what;
  ASSERT_EQ(a.histograms.size(), b.histograms.size()) << what;
  for (size_t i = 0; i < a.histograms.size(); ++i) {
    ASSERT_EQ(a.histograms[i].ts_ms, b.histograms[i].ts_ms) << what;
    ASSERT_TRUE(SameHistogram(*a.histograms[i].histogram, *b.histograms[i].histogram))
        << what << " histogram " << i;
  }
  ASSERT_EQ(a.histogram_starts_ms, b.histogram_starts_ms) << what;
}

// The part of `samples` that lies in the range.
inline SeriesSamples Clipped(const SeriesSamples& samples, MetricRange range) {
  SeriesSamples out;
  for (size_t i = 0; i < samples.floats.size(); ++i) {
    if (!range.Contains(samples.float_ts_ms[i])) continue;
    out.float_ts_ms.push_back(samples.float_ts_ms[i]);
    out.floats.push_back(samples.floats[i]);
    if (!samples.float_starts_ms.empty()) out.float_starts_ms.push_back(samples.float_starts_ms[i]);
  }
  for (size_t i = 0; i < samples.histograms.size(); ++i) {
    if (!range.Contains(samples.histograms[i].ts_ms)) continue;
    out.histograms.push_back(samples.histograms[i]);
    if (!samples.histogram_starts_ms.empty())
      out.histogram_starts_ms.push_back(samples.histogram_starts_ms[i]);
  }
  return out;
}

using Random = std::mt19937_64;

inline constexpr int kValueShapes = 14;

// `count` values of one of the shapes that metrics have.
inline std::vector<double> RandomValues(Random* random, int shape, size_t count) {
  const auto below = [random](uint64_t n) { return static_cast<double>((*random)() % n); };
  std::vector<double> values;
  double at = below(1 << 20);
  const double strange[] = {StaleNan(),
                            std::bit_cast<double>(kNormalNanBits),
                            -0.0,
                            0.0,
                            5e-324,
                            std::numeric_limits<double>::infinity(),
                            -std::numeric_limits<double>::infinity(),
                            std::bit_cast<double>(0xfff8dead0000beefULL),
                            std::numeric_limits<double>::max(),
                            1};
  for (size_t i = 0; i < count; ++i) {
    switch (shape) {
      case 0: break;                                                           // constant
      case 1: at += below(1400); break;                                        // counter
      case 2: at = std::round((at + below(1400) / 100) * 100) / 100; break;    // seconds, two decimals
      case 3: at = std::round(at + below(1 << 20) - (1 << 19)) * 4096; break;  // pages
      case 4: at += 15; break;                                                 // a straight line
      case 5: at = below(100) < 2 ? 0 : at + below(40); break;                 // with resets
      case 6: at = std::sqrt(below(1 << 30)); break;                           // true doubles
      case 7: at = below(1'000'000) * 1e-6; break;                             // int * 1e-6
      case 8: at = below(4) == 0 ? strange[(*random)() % 10] : std::floor(below(50)); break;
      case 9: at = std::bit_cast<double>((*random)()); break;                // any bits
      case 10: at = i > count / 2 ? StaleNan() : 17; break;                  // ends
      case 11: at = below(100) == 0 ? 1e15 + below(1000) : below(3); break;  // outliers
      case 12: at = below(20) == 0 ? 1.0 / 3 : below(1000) / 8; break;       // mostly decimals
      default: at = below(2) == 0 ? 9007199254740993.0 + below(1 << 30) : -below(1ULL << 62); break;
    }
    values.push_back(at);
  }
  return values;
}

// `count` ascending timestamps in [begin, begin + length).
inline std::vector<int64_t> RandomTimes(Random* random, int shape, int64_t begin, int64_t length,
                                        size_t count) {
  std::vector<int64_t> ts;
  const auto n = static_cast<int64_t>(count);
  const int64_t step = length / n;
  for (int64_t i = 0; i < n; ++i) {
    const auto jitter = static_cast<int64_t>((*random)() % static_cast<uint64_t>(step));
    switch (shape) {
      case 0: ts.push_back(begin + i * step); break;
      case 1: ts.push_back(begin + i * step + std::min<int64_t>(jitter, jitter % 7)); break;
      default: ts.push_back(begin + i * step + jitter); break;
    }
  }
  return ts;
}

inline std::shared_ptr<NativeHistogram> RandomHistogram(Random* random, int layout) {
  const auto below = [random](uint64_t n) { return static_cast<int64_t>((*random)() % n); };
  auto h = std::make_shared<NativeHistogram>();
  h->is_float = layout % 2 == 1;
  h->hint = static_cast<CounterResetHint>(below(4));
  h->schema = layout % 5 == 4 ? kCustomBucketsSchema : layout % 9 - 4;
  h->zero_threshold = layout % 3 == 0 ? 1e-128 : 0.001;
  h->sum = below(10) == 0 ? StaleNan() : static_cast<double>(below(1'000'000)) / 100;
  const auto positive = static_cast<size_t>(layout % 7);
  const auto negative = static_cast<size_t>(layout % 4);
  h->positive_spans = {{layout, static_cast<uint32_t>(positive)}, {-layout, 0}};
  if (negative != 0) h->negative_spans = {{-3, static_cast<uint32_t>(negative)}};
  if (h->is_custom()) h->custom_values = {0.1, 0.25, std::numeric_limits<double>::infinity()};
  if (h->is_float) {
    h->float_count = static_cast<double>(below(1 << 20)) / 4;
    h->float_zero_count = static_cast<double>(below(100));
    for (size_t i = 0; i < positive; ++i) h->positive_counts.push_back(static_cast<double>(below(999)) / 3);
    for (size_t i = 0; i < negative; ++i) h->negative_counts.push_back(-0.0);
  } else {
    h->count = (*random)();
    h->zero_count = static_cast<uint64_t>(below(100));
    for (size_t i = 0; i < positive; ++i) h->positive_deltas.push_back(static_cast<int64_t>((*random)()));
    for (size_t i = 0; i < negative; ++i) h->negative_deltas.push_back(below(7) - 3);
  }
  return h;
}

// Samples of a random shape in the range; floats, histograms or both, with starts or without.
inline SeriesSamples RandomSamples(Random* random, int64_t begin, int64_t length, size_t count_max) {
  SeriesSamples samples;
  const int parts = static_cast<int>((*random)() % 4);  // mostly floats
  const size_t count = 1 + (*random)() % count_max;
  const std::vector<int64_t> ts =
      RandomTimes(random, static_cast<int>((*random)() % 3), begin, length, count);
  const bool starts = (*random)() % 3 == 0;
  const std::vector<double> values =
      RandomValues(random, static_cast<int>((*random)() % kValueShapes), count);
  int layout = static_cast<int>((*random)() % 50);
  for (size_t i = 0; i < count; ++i) {
    const int64_t start =
        (*random)() % 9 == 0 ? kNoStartMs : ts[i] - static_cast<int64_t>((*random)() % 2) * 15000;
    if (parts == 3 || (parts == 2 && (*random)() % 2 == 0)) {
      if ((*random)() % 20 == 0) layout = static_cast<int>((*random)() % 50);
      samples.histograms.push_back({.ts_ms = ts[i], .histogram = RandomHistogram(random, layout)});
      if (starts) samples.histogram_starts_ms.push_back(start);
    } else {
      samples.float_ts_ms.push_back(ts[i]);
      samples.floats.push_back(values[i]);
      if (starts) samples.float_starts_ms.push_back(start);
    }
  }
  const auto none = [](std::vector<int64_t>* all) {
    if (std::all_of(all->begin(), all->end(), [](int64_t start) { return start == kNoStartMs; }))
      all->clear();
  };
  none(&samples.float_starts_ms);
  none(&samples.histogram_starts_ms);
  return samples;
}

}  // namespace varve
