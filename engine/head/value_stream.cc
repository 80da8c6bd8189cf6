#include "engine/head/value_stream.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace varve {
namespace {

// Tokens of the decimal form: a varint. From kDifference on it is a zigzag difference; 0 differences may be a run.
constexpr uint64_t kEscape = 0;   // 8 bytes follow
constexpr uint64_t kZeroRun = 1;  // a byte follows: how many
constexpr uint64_t kDifference = 2;

constexpr uint8_t kExponentMax = 9;
constexpr double kPowers[kExponentMax + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
constexpr double kExactMax = 9007199254740992.0;  // 2^53

// Whether `value` is k / 10^exponent to the bit.
bool IsDecimal(double value, uint8_t exponent, int64_t* k) {
  const double power = kPowers[exponent];
  const double scaled = value * power;
  if (!(std::abs(scaled) <= kExactMax)) return false;  // also NaN
  const auto rounded = static_cast<int64_t>(std::nearbyint(scaled));
  const double back = exponent == 0 ? static_cast<double>(rounded) : static_cast<double>(rounded) / power;
  if (std::bit_cast<uint64_t>(back) != std::bit_cast<uint64_t>(value)) return false;
  *k = rounded;
  return true;
}

}  // namespace

ValueStream::~ValueStream() {
  if (capacity_ > sizeof(inline_)) std::free(heap_);
}

ValueStream::ValueStream(ValueStream&& other) noexcept
    : size_(other.size_),
      capacity_(other.capacity_),
      count_(other.count_),
      escapes_(other.escapes_),
      exponent_(other.exponent_),
      form_(other.form_),
      tail_(other.tail_),
      last_k_(other.last_k_),
      last_bits_(other.last_bits_) {
  std::memcpy(inline_, other.inline_, sizeof(inline_));
  other.capacity_ = sizeof(inline_);
  other.size_ = 0;
  other.count_ = 0;
}

uint8_t* ValueStream::Grow(uint32_t bytes) {
  const uint32_t needed = size_ + bytes;
  if (needed > capacity_) {
    VARVE_CHECK(size_ <= std::numeric_limits<uint32_t>::max() / 4);
    const bool was_inline = capacity_ == sizeof(inline_);
    // Malloc deals in sixteens; a little more than needed, so that growing does not copy too often.
    const uint32_t capacity = ((needed + needed / 4 + 24) / 16) * 16 + 8;
    void* const memory = std::realloc(was_inline ? nullptr : heap_, capacity);
    VARVE_CHECK(memory != nullptr);
    if (was_inline) std::memcpy(memory, inline_, size_);
    heap_ = static_cast<uint8_t*>(memory);
    capacity_ = capacity;
  }
  uint8_t* const at = (capacity_ > sizeof(inline_) ? heap_ : inline_) + size_;
  size_ = needed;
  return at;
}

void ValueStream::PutVarint(uint64_t value) {
  while (value >= 0x80) {
    PutByte(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  PutByte(static_cast<uint8_t>(value));
}

void ValueStream::PutDifference(int64_t difference) {
  if (difference != 0) {
    PutVarint(ZigZag(difference) + kDifference);
    tail_ = Tail::kOther;
    return;
  }
  uint8_t* const bytes = capacity_ > sizeof(inline_) ? heap_ : inline_;
  switch (tail_) {
    case Tail::kZeroRun:
      if (bytes[size_ - 1] < UINT8_MAX) {
        ++bytes[size_ - 1];
        return;
      }
      break;
    case Tail::kZero:
      bytes[size_ - 1] = static_cast<uint8_t>(kZeroRun);
      PutByte(2);
      tail_ = Tail::kZeroRun;
      return;
    case Tail::kOther:
      break;
  }
  PutByte(static_cast<uint8_t>(kDifference));
  tail_ = Tail::kZero;
}

void ValueStream::PutEscape(uint64_t bits) {
  PutByte(static_cast<uint8_t>(kEscape));
  std::memcpy(Grow(sizeof(bits)), &bits, sizeof(bits));
  tail_ = Tail::kOther;
}

// A byte: 0 for the value before once more, else 0x80 | leading zero bytes << 3 | (length - 1), and the bytes.
void ValueStream::PutBits(uint64_t bits) {
  const uint64_t changed = bits ^ last_bits_;
  if (changed == 0) {
    PutByte(0);
    return;
  }
  const unsigned leading = static_cast<unsigned>(std::countl_zero(changed)) / 8;
  const unsigned trailing = static_cast<unsigned>(std::countr_zero(changed)) / 8;
  const unsigned length = 8 - leading - trailing;
  PutByte(static_cast<uint8_t>(0x80 | leading << 3 | (length - 1)));
  const uint64_t shifted = changed >> (trailing * 8);
  std::memcpy(Grow(length), &shifted, length);
}

void ValueStream::Clear() {
  size_ = 0;
  count_ = 0;
  escapes_ = 0;
  tail_ = Tail::kOther;
  last_k_ = 0;
  last_bits_ = 0;
}

bool ValueStream::Rewrite(uint8_t exponent, double value) {
  std::vector<double> values;
  Read(0, count_, &values);
  int64_t k = 0;
  for (const double one : values) {
    int64_t before = 0;
    if (IsDecimal(one, exponent_, &before) && !IsDecimal(one, exponent, &k)) return false;
  }
  values.push_back(value);
  Clear();
  exponent_ = exponent;
  for (const double one : values) {
    if (IsDecimal(one, exponent, &k)) {
      PutDifference(k - last_k_);
      last_k_ = k;
    } else {
      PutEscape(std::bit_cast<uint64_t>(one));
      ++escapes_;
    }
    last_bits_ = std::bit_cast<uint64_t>(one);
    ++count_;
  }
  return true;
}

void ValueStream::RewriteAsBits(double value) {
  std::vector<double> values;
  Read(0, count_, &values);
  values.push_back(value);
  Clear();
  form_ = Form::kBits;
  for (const double one : values) {
    PutBits(std::bit_cast<uint64_t>(one));
    last_bits_ = std::bit_cast<uint64_t>(one);
    ++count_;
  }
}

void ValueStream::Append(double value) {
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  if (form_ == Form::kBits) {
    PutBits(bits);
    last_bits_ = bits;
    ++count_;
    return;
  }
  int64_t k = 0;
  if (IsDecimal(value, exponent_, &k)) {
    PutDifference(k - last_k_);
    last_k_ = k;
    last_bits_ = bits;
    ++count_;
    return;
  }
  if (std::isfinite(value)) {
    for (uint8_t exponent = exponent_ + 1; exponent <= kExponentMax; ++exponent) {
      if (IsDecimal(value, exponent, &k)) {
        if (Rewrite(exponent, value)) return;
        break;
      }
    }
  }
  if (escapes_ >= 8 && escapes_ >= count_ / 4) {
    RewriteAsBits(value);
    return;
  }
  PutEscape(bits);
  ++escapes_;
  last_bits_ = bits;
  ++count_;
}

void ValueStream::Read(uint32_t begin, uint32_t end, std::vector<double>* out) const {
  const uint8_t* p = data();
  uint32_t i = 0;
  const auto emit = [&](double value, uint32_t times) {
    for (; times != 0 && i < end; --times, ++i) {
      if (i >= begin) out->push_back(value);
    }
  };
  if (form_ == Form::kBits) {
    uint64_t bits = 0;
    while (i < end) {
      const uint8_t head = *p++;
      if (head != 0) {
        const unsigned length = (head & 7u) + 1;
        const unsigned leading = (head >> 3) & 7u;
        uint64_t changed = 0;
        std::memcpy(&changed, p, length);
        p += length;
        bits ^= changed << ((8 - leading - length) * 8);
      }
      emit(std::bit_cast<double>(bits), 1);
    }
    return;
  }
  const double power = kPowers[exponent_];
  int64_t k = 0;
  while (i < end) {
    uint64_t token = *p++;
    if (token >= 0x80) {
      token &= 0x7F;
      for (unsigned shift = 7;; shift += 7) {
        const uint8_t byte = *p++;
        token |= static_cast<uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) break;
      }
    }
    if (token == kEscape) {
      uint64_t bits = 0;
      std::memcpy(&bits, p, sizeof(bits));
      p += sizeof(bits);
      emit(std::bit_cast<double>(bits), 1);
      continue;
    }
    uint32_t times = 1;
    if (token == kZeroRun) {
      times = *p++;
    } else {
      k += UnZigZag(token - kDifference);
    }
    emit(exponent_ == 0 ? static_cast<double>(k) : static_cast<double>(k) / power, times);
  }
}

}  // namespace varve
