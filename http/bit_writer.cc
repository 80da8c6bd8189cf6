#include "http/bit_writer.h"

#include <algorithm>
#include <array>

namespace varve {
namespace {

// Prefixes 10, 110, 1110… with these many bits behind them.
constexpr std::array<int, 7> kWidths = {3, 6, 9, 12, 18, 25, 56};

// `class_index` ones and a zero, then the value; behind the last class, eight ones and 64 bits.
void PutClass(size_t class_index, uint64_t value, BitWriter* out) {
  const auto prefix_bits = static_cast<int>(class_index) + 2;
  if (class_index == kWidths.size()) {
    out->Bits(0xff, 8);
    out->Bits(value, 64);
    return;
  }
  out->Bits((uint64_t{1} << prefix_bits) - 2, prefix_bits);
  out->Bits(value, kWidths[class_index]);
}

}  // namespace

void XorValue::Append(double value, BitWriter* out) {
  constexpr int kLeadingMax = 31;  // five bits say how many
  const auto bits = std::bit_cast<uint64_t>(value);
  const uint64_t difference = bits ^ last_;
  last_ = bits;
  if (difference == 0) return out->Bit(false);
  out->Bit(true);
  const int leading = std::min(std::countl_zero(difference), kLeadingMax);
  const int trailing = std::countr_zero(difference);
  if (leading_ != kNone && leading >= leading_ && trailing >= trailing_) {
    out->Bit(false);
    out->Bits(difference >> trailing_, 64 - leading_ - trailing_);
    return;
  }
  leading_ = leading;
  trailing_ = trailing;
  const int significant = 64 - leading - trailing;
  out->Bit(true);
  out->Bits(static_cast<uint64_t>(leading), 5);
  out->Bits(static_cast<uint64_t>(significant & 63), 6);  // 64 is written as 0, which cannot be meant
  out->Bits(difference >> trailing, significant);
}

void PutVarbitInt(int64_t value, BitWriter* out) {
  if (value == 0) return out->Bit(false);
  size_t index = 0;
  while (index < kWidths.size()) {
    const int64_t half = int64_t{1} << (kWidths[index] - 1);
    if (-half < value && value <= half) break;
    ++index;
  }
  PutClass(index, static_cast<uint64_t>(value), out);
}

void PutVarbitUint(uint64_t value, BitWriter* out) {
  if (value == 0) return out->Bit(false);
  size_t index = 0;
  while (index < kWidths.size() && value >> kWidths[index] != 0) ++index;
  PutClass(index, value, out);
}

}  // namespace varve
