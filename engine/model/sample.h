// What a series is made of: timestamps in milliseconds, and doubles or native histograms.
//
// A stale marker says that the series ended here: a NaN of one bit pattern (Prometheus's), told from every
// other NaN by its bits alone. Every bit pattern of a double is kept as it came.
#pragma once

#include <bit>
#include <cstdint>

namespace varve {

inline constexpr uint64_t kStaleNanBits = 0x7ff0000000000002;
inline constexpr uint64_t kNormalNanBits = 0x7ff8000000000001;  // what Prometheus writes for any NaN it computes

inline double StaleNan() { return std::bit_cast<double>(kStaleNanBits); }
inline bool IsStaleNan(double value) { return std::bit_cast<uint64_t>(value) == kStaleNanBits; }

struct Sample {
  int64_t ts_ms = 0;
  double value = 0;
};

// 0: the sample has no start timestamp.
inline constexpr int64_t kNoStartMs = 0;

}  // namespace varve
