// Almost every metric is a decimal: a count, or seconds with two digits. So each value is tried as k / 10^e
// with one e for the sequence, the smallest that fits all; then as k * 10^-e, because exporters that compute
// int * 1e-6 give values like 2.1586410000000003 that only this form has exactly. What fits neither is
// patched when it is rare; else the doubles' bits are the integers, whose steps are at least shorter than 64
// bits.
#include "engine/codec/double_sequence.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "engine/codec/integer_sequence.h"
#include "engine/model/sample.h"

namespace varve {

namespace {

enum Form : uint8_t { kBits = 0, kDiv = 1, kMul = 2 };
enum PatchKind : uint8_t { kStale = 0, kNan = 1, kRaw = 2 };

constexpr uint8_t kFormMask = 3;
constexpr uint8_t kPatchesFlag = 4;
constexpr uint8_t kReservedFlag = 8;
constexpr unsigned kExponentShift = 4;
constexpr int kDivExponentMax = 15;
constexpr int kMulExponentMax = 9;
// Beyond it neighbouring integers are no longer doubles of their own.
constexpr double kScaledMax = 9007199254740992.0;  // 2^53

constexpr double kPowers[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
constexpr double kFractions[] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9};

uint64_t Bits(double value) { return std::bit_cast<uint64_t>(value); }

struct Scale {
  Form form = kBits;
  int exponent = 0;
};

double Unscaled(int64_t k, const Scale& scale) {
  const auto value = static_cast<double>(k);
  return scale.form == kDiv ? value / kPowers[scale.exponent] : value * kFractions[scale.exponent];
}

// Whether `value` is Unscaled of some integer, which is then `*k`.
bool Fits(double value, const Scale& scale, int64_t* k) {
  const double scaled = value * kPowers[scale.exponent];
  if (!(std::fabs(scaled) < kScaledMax)) return false;
  // Halves only matter below 2^52, and above it adding one would round.
  const double half = std::fabs(scaled) < kScaledMax / 2 ? std::copysign(0.5, scaled) : 0;
  *k = static_cast<int64_t>(scaled + half);
  return Bits(Unscaled(*k, scale)) == Bits(value);
}

// The scale of this form that fits as the values go by, and in `misfits` how many it does not fit; gives up,
// with more than `misfits_max` of them, early.
Scale FindScale(Form form, std::span<const double> values, size_t misfits_max, size_t* misfits) {
  Scale scale{.form = form, .exponent = form == kMul ? 1 : 0};
  const int exponent_max = form == kMul ? kMulExponentMax : kDivExponentMax;
  int64_t k = 0;
  size_t unfit = 0;
  for (const double value : values) {
    if (Fits(value, scale, &k)) continue;
    Scale finer = scale;
    while (++finer.exponent <= exponent_max && !Fits(value, finer, &k)) {
    }
    if (finer.exponent <= exponent_max) {
      scale = finer;
    } else if (++unfit > misfits_max) {
      break;
    }
  }
  if (unfit <= misfits_max) {  // what fitted a coarser scale need not fit this one
    unfit = static_cast<size_t>(
        std::count_if(values.begin(), values.end(), [&](double value) { return !Fits(value, scale, &k); }));
  }
  *misfits = unfit;
  return scale;
}

class PatchWriter {
 public:
  void Pass() { ++gap_; }
  void Patch(double value) {
    if (length_ != 0 && gap_ == 0 && Bits(value) == Bits(value_)) {
      ++length_;
      return;
    }
    Flush();
    value_ = value;
    length_ = 1;
    run_gap_ = gap_;
    gap_ = 0;
  }
  bool empty() const { return length_ == 0; }
  void AppendTo(std::string* out) {
    Flush();
    PutVarint(out, runs_);
    out->append(bytes_);
  }

 private:
  void Flush() {
    if (length_ == 0) return;
    ++runs_;
    PutVarint(&bytes_, run_gap_);
    PutVarint(&bytes_, length_);
    const uint64_t bits = Bits(value_);
    const PatchKind kind = bits == kStaleNanBits ? kStale : bits == kNormalNanBits ? kNan : kRaw;
    bytes_.push_back(static_cast<char>(kind));
    if (kind == kRaw) PutFixed(&bytes_, bits);
  }

  std::string bytes_;
  uint64_t runs_ = 0;
  uint64_t gap_ = 0;      // values passed since the run being made
  uint64_t run_gap_ = 0;  // before that run
  uint64_t length_ = 0;   // of it
  double value_ = 0;
};

void EncodeWith(const Scale& scale, std::span<const double> values, std::string* out) {
  thread_local std::vector<int64_t> integers;
  integers.clear();
  PatchWriter patches;
  for (const double value : values) {
    int64_t k = static_cast<int64_t>(Bits(value));
    const bool fits = scale.form == kBits ? !std::isnan(value) : Fits(value, scale, &k);
    if (fits) {
      integers.push_back(k);
      patches.Pass();
    } else {
      patches.Patch(value);
    }
  }
  out->push_back(static_cast<char>(scale.form | (patches.empty() ? 0U : kPatchesFlag) |
                                   (static_cast<unsigned>(scale.exponent) << kExponentShift)));
  if (!patches.empty()) patches.AppendTo(out);
  EncodeIntegerSequence(integers, out);
}

// Moves the `dense` values at the end of `out` to where the patches leave them room. `patches` has been read
// once.
void ApplyPatches(ByteReader patches, uint64_t runs, size_t dense, std::span<double> out) {
  size_t from = out.size() - dense;
  size_t to = 0;
  for (uint64_t r = 0; r < runs; ++r) {
    const uint64_t gap = patches.Varint();
    const uint64_t length = patches.Varint();
    const uint8_t kind = patches.Fixed<uint8_t>();
    const uint64_t bits = kind == kStale ? kStaleNanBits
                          : kind == kNan ? kNormalNanBits
                                         : patches.Fixed<uint64_t>();
    std::copy_n(out.begin() + static_cast<ptrdiff_t>(from), gap, out.begin() + static_cast<ptrdiff_t>(to));
    std::fill_n(out.begin() + static_cast<ptrdiff_t>(to + gap), length, std::bit_cast<double>(bits));
    from += gap;
    to += gap + length;
  }
}

// Reads the patches over: how many values they leave to the sequence.
bool SkipPatches(ByteReader* reader, uint64_t runs, size_t n, size_t* dense) {
  uint64_t room = n;
  uint64_t patched = 0;
  for (uint64_t r = 0; r < runs; ++r) {
    const uint64_t gap = reader->Varint();
    const uint64_t length = reader->Varint();
    const unsigned kind = reader->Fixed<uint8_t>();
    if (kind == kRaw) reader->Fixed<uint64_t>();
    if (!reader->ok() || kind > kRaw || length == 0 || gap > room || length > room - gap) return false;
    room -= gap + length;
    patched += length;
  }
  *dense = n - patched;
  return true;
}

void Unscale(std::span<const int64_t> integers, const Scale& scale, double* out) {
  const size_t n = integers.size();
  const int64_t* const k = integers.data();
  if (scale.form == kBits) {
    for (size_t i = 0; i < n; ++i) out[i] = std::bit_cast<double>(k[i]);
  } else if (scale.exponent == 0) {
    for (size_t i = 0; i < n; ++i) out[i] = static_cast<double>(k[i]);
  } else if (scale.form == kDiv) {
    const double power = kPowers[scale.exponent];
    for (size_t i = 0; i < n; ++i) out[i] = static_cast<double>(k[i]) / power;
  } else {
    const double fraction = kFractions[scale.exponent];
    for (size_t i = 0; i < n; ++i) out[i] = static_cast<double>(k[i]) * fraction;
  }
}

}  // namespace

void EncodeDoubleSequence(std::span<const double> values, std::string* out) {
  if (values.empty()) return;
  // NaNs are patches in every form.
  const size_t nans = static_cast<size_t>(
      std::count_if(values.begin(), values.end(), [](double value) { return std::isnan(value); }));
  const size_t misfits_max = nans + (values.size() - nans) / 4;
  size_t misfits = 0;
  Scale scale = FindScale(kDiv, values, misfits_max, &misfits);
  if (misfits > nans) {
    size_t mul_misfits = 0;
    const Scale mul = FindScale(kMul, values, misfits_max, &mul_misfits);
    if (mul_misfits < misfits) {
      scale = mul;
      misfits = mul_misfits;
    }
  }
  if (misfits == nans) return EncodeWith(scale, values, out);
  thread_local std::string scaled;
  scaled.clear();
  if (misfits <= misfits_max) EncodeWith(scale, values, &scaled);
  const size_t start = out->size();
  EncodeWith(Scale{}, values, out);
  if (misfits <= misfits_max && scaled.size() < out->size() - start) {
    out->resize(start);
    out->append(scaled);
  }
}

bool DecodeDoubleSequence(ByteReader* reader, std::span<double> out) {
  if (out.empty()) return true;
  const unsigned head = reader->Fixed<uint8_t>();
  const Scale scale{.form = static_cast<Form>(head & kFormMask),
                    .exponent = static_cast<int>(head >> kExponentShift)};
  const int exponent_min = scale.form == kMul ? 1 : 0;
  const int exponent_max = scale.form == kDiv ? kDivExponentMax : scale.form == kMul ? kMulExponentMax : 0;
  if (!reader->ok() || (head & kReservedFlag) != 0 || scale.form > kMul || scale.exponent < exponent_min ||
      scale.exponent > exponent_max) {
    return false;
  }
  size_t dense = out.size();
  uint64_t runs = 0;
  if ((head & kPatchesFlag) != 0) {
    runs = reader->Varint();
    if (!reader->ok() || runs == 0 || runs > out.size()) return false;
  }
  const ByteReader patches = *reader;
  if (!SkipPatches(reader, runs, out.size(), &dense)) return false;
  thread_local std::vector<int64_t> integers;
  if (integers.size() < dense) integers.resize(dense);
  const std::span<int64_t> decoded(integers.data(), dense);
  if (!DecodeIntegerSequence(reader, decoded)) return false;
  Unscale(decoded, scale, out.data() + (out.size() - dense));
  if (runs != 0) ApplyPatches(patches, runs, dense, out);
  return true;
}

}  // namespace varve
