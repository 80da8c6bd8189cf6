// Differences are taken modulo 2^64, so the span from the least to the greatest int64 works too.
#include "engine/codec/timestamps.h"

#include <numeric>
#include <vector>

#include "engine/codec/integers.h"

namespace varve {

void EncodeTimestamps(std::span<const int64_t> timestamps_ns, std::span<const LogBlockStream> streams,
                      int64_t least_ns, std::string* out) {
  std::vector<uint64_t> firsts;
  std::vector<uint64_t> deltas;
  std::string divisors;
  firsts.reserve(streams.size());
  deltas.reserve(timestamps_ns.size());
  size_t row = 0;
  for (const LogBlockStream& stream : streams) {
    firsts.push_back(static_cast<uint64_t>(timestamps_ns[row]) - static_cast<uint64_t>(least_ns));
    const size_t end = row + stream.row_count;
    const size_t delta_begin = deltas.size();
    uint64_t divisor = 0;
    for (++row; row < end; ++row) {
      const uint64_t delta =
          static_cast<uint64_t>(timestamps_ns[row]) - static_cast<uint64_t>(timestamps_ns[row - 1]);
      deltas.push_back(delta);
      if (divisor != 1) divisor = std::gcd(divisor, delta);
    }
    if (stream.row_count == 1) continue;
    PutVarint(&divisors, divisor);
    if (divisor == 0) {
      deltas.resize(delta_begin);
    } else if (divisor != 1) {
      for (size_t i = delta_begin; i < deltas.size(); ++i) deltas[i] /= divisor;
    }
  }
  EncodeIntegers(firsts, out);
  out->append(divisors);
  EncodeIntegers(deltas, out);
}

bool DecodeTimestamps(ByteReader* reader, std::span<const LogBlockStream> streams, int64_t least_ns,
                      std::span<int64_t> out) {
  std::vector<uint64_t> firsts(streams.size());
  if (!DecodeIntegers(reader, firsts)) return false;
  std::vector<uint64_t> divisors(streams.size(), 0);
  size_t delta_count = 0;
  for (size_t s = 0; s < streams.size(); ++s) {
    if (streams[s].row_count < 2) continue;
    divisors[s] = reader->Varint();
    if (divisors[s] != 0) delta_count += streams[s].row_count - 1;
  }
  if (!reader->ok()) return false;
  std::vector<uint64_t> deltas(delta_count);
  if (!DecodeIntegers(reader, deltas) || !reader->AtEnd()) return false;

  size_t row = 0;
  const uint64_t* delta = deltas.data();
  for (size_t s = 0; s < streams.size(); ++s) {
    uint64_t ts = static_cast<uint64_t>(least_ns) + firsts[s];
    const uint64_t divisor = divisors[s];
    const size_t end = row + streams[s].row_count;
    out[row++] = static_cast<int64_t>(ts);
    for (; row < end; ++row) {
      if (divisor != 0) ts += *delta++ * divisor;
      out[row] = static_cast<int64_t>(ts);
    }
  }
  return true;
}

}  // namespace varve
