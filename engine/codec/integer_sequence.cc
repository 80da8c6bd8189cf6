// The encoder divides all steps by their greatest common divisor (memory gauges move by pages), then looks at
// the sequence four ways: against its first value, against the value before, against the step before, and
// against the straight line through its ends. Each gives residuals; the way whose residuals pack smallest
// wins.
//
// Sketch. A counter read 480 times that grows by 0 to 1400: DELTA, 11 bits each, in eight miniblocks 24 bytes
// of headers, in one 4. Timestamps every 15 s with 3 ms of jitter: near a line, 3 bits each.
#include "engine/codec/integer_sequence.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "engine/codec/bit_packing.h"

namespace varve {

namespace {

enum Kind : uint8_t { kConstant = 0, kLine = 1, kFor = 2, kDelta = 3, kDelta2 = 4, kNearLine = 5 };

constexpr uint8_t kKindMask = 7;
constexpr uint8_t kDivisorFlag = 8;
constexpr unsigned kSizeShift = 4;
constexpr unsigned kOneMiniblock = 15;
constexpr uint8_t kExceptionsFlag = 0x80;
constexpr size_t kMiniblock = 64;
constexpr size_t kMiniblockHeaderBytes = 3;  // about
constexpr size_t kExceptionBits = 8;         // of its index
constexpr size_t kExceptionsHeaderBits = 16;

// Values in a miniblock of a sequence with so many residuals.
size_t MiniblockSize(unsigned size_log, size_t residuals) {
  return size_log == kOneMiniblock ? std::max<size_t>(residuals, 1) : kMiniblock << size_log;
}

uint64_t AsUnsigned(int64_t value) { return static_cast<uint64_t>(value); }

struct Width {
  unsigned width = 0;
  unsigned longest = 0;
  size_t exceptions = 0;
  size_t bits = 0;
};

// The cheapest width for values of which so many have which bit length.
Width CheapestWidth(const uint32_t (&values_of_length)[65], size_t count) {
  unsigned longest = 64;
  while (longest > 0 && values_of_length[longest] == 0) --longest;
  Width best{.width = longest, .longest = longest, .exceptions = 0, .bits = longest * count};
  size_t exceptions = 0;
  for (unsigned width = longest; width-- > 0;) {
    exceptions += values_of_length[width + 1];
    const size_t bits =
        width * count + exceptions * (kExceptionBits + longest - width) + kExceptionsHeaderBits;
    if (bits < best.bits) best = {.width = width, .longest = longest, .exceptions = exceptions, .bits = bits};
  }
  return best;
}

Width WidthOf(const int64_t* residuals, size_t count, int64_t* base) {
  int64_t least = residuals[0];
  for (size_t i = 1; i < count; ++i) least = std::min(least, residuals[i]);
  uint32_t values_of_length[65] = {};
  for (size_t i = 0; i < count; ++i) {
    ++values_of_length[std::bit_width(AsUnsigned(residuals[i]) - AsUnsigned(least))];
  }
  *base = least;
  return CheapestWidth(values_of_length, count);
}

// Bytes of the residuals in miniblocks of this size, about.
size_t PackedCost(std::span<const int64_t> residuals, size_t miniblock) {
  size_t bytes = 0;
  for (size_t begin = 0; begin < residuals.size(); begin += miniblock) {
    int64_t base = 0;
    const size_t count = std::min(miniblock, residuals.size() - begin);
    bytes += WidthOf(residuals.data() + begin, count, &base).bits / 8 + kMiniblockHeaderBytes;
  }
  return bytes;
}

void EncodeMiniblock(const int64_t* residuals, size_t count, std::string* out) {
  int64_t base = 0;
  const Width chosen = WidthOf(residuals, count, &base);
  thread_local std::vector<uint64_t> offsets;
  thread_local std::vector<uint64_t> highs;
  thread_local std::string gaps;
  offsets.resize(count);
  highs.clear();
  gaps.clear();
  size_t expected = 0;
  for (size_t i = 0; i < count; ++i) {
    offsets[i] = AsUnsigned(residuals[i]) - AsUnsigned(base);
    if (static_cast<unsigned>(std::bit_width(offsets[i])) > chosen.width) {
      highs.push_back(offsets[i] >> chosen.width);
      PutVarint(&gaps, i - expected);
      expected = i + 1;
    }
  }
  out->push_back(static_cast<char>(chosen.width | (highs.empty() ? 0U : kExceptionsFlag)));
  PutSignedVarint(out, base);
  PackBits(offsets.data(), count, chosen.width, out);
  if (highs.empty()) return;
  const unsigned high_width = chosen.longest - chosen.width;
  PutVarint(out, highs.size());
  out->push_back(static_cast<char>(high_width));
  out->append(gaps);
  PackBits(highs.data(), highs.size(), high_width, out);
}

bool DecodeExceptions(ByteReader* reader, unsigned width, std::span<uint64_t> out) {
  const uint64_t count = reader->Varint();
  const unsigned high_width = reader->Fixed<uint8_t>();
  if (!reader->ok() || count == 0 || count > out.size() || high_width == 0 || high_width > 64 - width) {
    return false;
  }
  thread_local std::vector<uint32_t> indexes;
  thread_local std::vector<uint64_t> highs;
  indexes.resize(count);
  highs.resize(count);
  uint64_t next = 0;
  for (uint32_t& index : indexes) {
    const uint64_t gap = reader->Varint();
    if (gap >= out.size() - next) return false;
    index = static_cast<uint32_t>(next + gap);
    next = index + uint64_t{1};
    if (next == out.size() && &index != &indexes.back()) return false;
  }
  const std::string_view packed = reader->Bytes(PackedBytes(count, high_width));
  if (!reader->ok()) return false;
  UnpackBits(packed.data(), count, high_width, 0, highs.data());
  for (size_t e = 0; e < count; ++e) out[indexes[e]] += highs[e] << width;
  return true;
}

bool DecodeResiduals(ByteReader* reader, unsigned size_log, std::span<uint64_t> out) {
  const size_t miniblock = MiniblockSize(size_log, out.size());
  for (size_t begin = 0; begin < out.size(); begin += miniblock) {
    const std::span<uint64_t> values = out.subspan(begin, std::min(miniblock, out.size() - begin));
    const unsigned head = reader->Fixed<uint8_t>();
    const unsigned width = head & ~unsigned{kExceptionsFlag};
    const int64_t base = reader->SignedVarint();
    if (width > 64) return false;
    const std::string_view packed = reader->Bytes(PackedBytes(values.size(), width));
    if (!reader->ok()) return false;
    UnpackBits(packed.data(), values.size(), width, AsUnsigned(base), values.data());
    if ((head & kExceptionsFlag) != 0 && !DecodeExceptions(reader, width, values)) return false;
  }
  return true;
}

// The greatest common divisor of all steps; 0 when all are 0.
uint64_t StepDivisor(std::span<const int64_t> values) {
  uint64_t divisor = 0;
  for (size_t i = 1; i < values.size() && divisor != 1; ++i) {
    const int64_t step = static_cast<int64_t>(AsUnsigned(values[i]) - AsUnsigned(values[i - 1]));
    const uint64_t size = step < 0 ? 0 - AsUnsigned(step) : AsUnsigned(step);
    if (divisor == 0 || size % divisor != 0) divisor = std::gcd(divisor, size);
  }
  return divisor;
}

// step / divisor as signed numbers; divisor divides it.
int64_t Divide(int64_t step, uint64_t divisor) {
  if (divisor == 1) return step;
  const bool negative = step < 0;
  const uint64_t size = (negative ? 0 - AsUnsigned(step) : AsUnsigned(step)) / divisor;
  return static_cast<int64_t>(negative ? 0 - size : size);
}

struct Way {
  Kind kind = kFor;
  int64_t step = 0;    // in units of the divisor
  size_t skipped = 1;  // values at the front that have no residual
};

// Residuals of `units` (units[0] is 0) seen this way.
void ResidualsOf(const Way& way, std::span<const int64_t> units, std::vector<int64_t>* out) {
  const size_t n = units.size();
  out->resize(n - way.skipped);
  int64_t* to = out->data();
  const auto minus = [](int64_t a, int64_t b) { return static_cast<int64_t>(AsUnsigned(a) - AsUnsigned(b)); };
  switch (way.kind) {
    case kFor: std::copy(units.begin() + 1, units.end(), to); break;
    case kDelta:
      for (size_t i = 1; i < n; ++i) to[i - 1] = minus(units[i], units[i - 1]);
      break;
    case kDelta2:
      for (size_t i = 2; i < n; ++i) {
        to[i - 2] = minus(minus(units[i], units[i - 1]), minus(units[i - 1], units[i - 2]));
      }
      break;
    default:
      for (size_t i = 1; i < n; ++i) {
        to[i - 1] = static_cast<int64_t>(AsUnsigned(units[i]) - AsUnsigned(way.step) * i);
      }
  }
}

// The best way to see it, and its residuals.
Way BestWay(std::span<const int64_t> units, std::vector<int64_t>* residuals) {
  const auto n = static_cast<int64_t>(units.size());
  const int64_t slope =
      static_cast<int64_t>(std::llround(static_cast<double>(units.back()) / static_cast<double>(n - 1)));
  const Way ways[] = {{.kind = kFor},
                      {.kind = kDelta},
                      {.kind = kDelta2, .step = units[1], .skipped = 2},
                      {.kind = kNearLine, .step = slope}};
  thread_local std::vector<int64_t> candidate;
  Way best;
  size_t best_bytes = std::numeric_limits<size_t>::max();
  for (const Way& way : ways) {
    if (way.kind == kNearLine && slope == 0) continue;
    ResidualsOf(way, units, &candidate);
    const size_t bytes = PackedCost(candidate, kMiniblock) + (way.step != 0 ? 2 : 0);
    if (bytes >= best_bytes) continue;
    best_bytes = bytes;
    best = way;
    residuals->swap(candidate);
  }
  return best;
}

unsigned BestMiniblock(std::span<const int64_t> residuals) {
  unsigned best = 0;
  if (residuals.size() <= kMiniblock) return best;
  size_t best_bytes = PackedCost(residuals, kMiniblock);
  for (const unsigned size_log : {1U, 2U, kOneMiniblock}) {
    const size_t bytes = PackedCost(residuals, MiniblockSize(size_log, residuals.size()));
    if (bytes < best_bytes) {
      best_bytes = bytes;
      best = size_log;
    }
  }
  return best;
}

}  // namespace

void EncodeIntegerSequence(std::span<const int64_t> values, std::string* out) {
  if (values.empty()) return;
  const size_t n = values.size();
  const uint64_t divisor = StepDivisor(values);
  if (divisor == 0) {
    out->push_back(kConstant);
    PutSignedVarint(out, values[0]);
    return;
  }
  thread_local std::vector<int64_t> units;  // distance from the first value
  units.resize(n);
  units[0] = 0;
  bool straight = true;
  for (size_t i = 1; i < n; ++i) {
    const auto step = static_cast<int64_t>(AsUnsigned(values[i]) - AsUnsigned(values[i - 1]));
    const int64_t unit_step = Divide(step, divisor);
    units[i] = static_cast<int64_t>(AsUnsigned(units[i - 1]) + AsUnsigned(unit_step));
    straight &= unit_step == units[1];
  }
  const auto scaled = [divisor](int64_t step) { return static_cast<int64_t>(AsUnsigned(step) * divisor); };
  if (straight) {
    out->push_back(kLine);
    PutSignedVarint(out, values[0]);
    PutSignedVarint(out, scaled(units[1]));
    return;
  }
  thread_local std::vector<int64_t> residuals;
  const Way way = BestWay(units, &residuals);
  const unsigned size_log = BestMiniblock(residuals);
  out->push_back(static_cast<char>(way.kind | (divisor > 1 ? kDivisorFlag : 0U) | (size_log << kSizeShift)));
  if (divisor > 1) PutVarint(out, divisor);
  PutSignedVarint(out, values[0]);
  if (way.kind == kDelta2 || way.kind == kNearLine) PutSignedVarint(out, scaled(way.step));
  const size_t miniblock = MiniblockSize(size_log, residuals.size());
  for (size_t begin = 0; begin < residuals.size(); begin += miniblock) {
    EncodeMiniblock(residuals.data() + begin, std::min(miniblock, residuals.size() - begin), out);
  }
}

bool DecodeIntegerSequence(ByteReader* reader, std::span<int64_t> out) {
  if (out.empty()) return true;
  if (out.size() > kIntegerSequenceMax) return false;
  const unsigned head = reader->Fixed<uint8_t>();
  const unsigned kind = head & kKindMask;
  const unsigned size_log = head >> kSizeShift;
  const bool packed = kind >= kFor;
  if (!reader->ok() || kind > kNearLine || (!packed && head != kind)) return false;
  const uint64_t divisor = (head & kDivisorFlag) != 0 ? reader->Varint() : 1;
  const uint64_t first = AsUnsigned(reader->SignedVarint());
  const bool stepped = kind == kLine || kind == kDelta2 || kind == kNearLine;
  const uint64_t step = stepped ? AsUnsigned(reader->SignedVarint()) : 0;
  if (!reader->ok() || (kind == kDelta2 && out.size() < 2)) return false;
  // The same bytes, modulo 2^64.
  uint64_t* const v = reinterpret_cast<uint64_t*>(out.data());
  const size_t n = out.size();
  v[0] = first;
  if (packed) {
    const size_t skipped = kind == kDelta2 ? 2 : 1;
    if (!DecodeResiduals(reader, size_log, std::span(v, n).subspan(skipped))) return false;
  }
  switch (kind) {
    case kConstant: std::fill_n(v, n, first); break;
    case kLine:
      for (size_t i = 0; i < n; ++i) v[i] = first + step * i;
      break;
    case kFor:
      for (size_t i = 1; i < n; ++i) v[i] = first + divisor * v[i];
      break;
    case kDelta: {
      uint64_t value = first;
      for (size_t i = 1; i < n; ++i) v[i] = value += divisor * v[i];
      break;
    }
    case kDelta2: {
      uint64_t slope = step;
      uint64_t value = v[1] = first + step;
      for (size_t i = 2; i < n; ++i) {
        slope += divisor * v[i];
        v[i] = value += slope;
      }
      break;
    }
    default:
      for (size_t i = 1; i < n; ++i) v[i] = first + step * i + divisor * v[i];
  }
  return true;
}

}  // namespace varve
