// The values of one series in a head, compressed as they come: append at the end, read from the begin.
//
// Most series count or measure in decimals: a value is kept as an integer k with value = k / 10^exponent, exact to the
// bit, and only the difference to the one before is stored; equal values in a row cost two bytes in all. What is no
// such decimal (a stale marker, an infinity, -0) is escaped and costs nine; when too much is escaped, the stream
// changes to the differing bytes of doubles.
// Memory: 16 bytes lie in the object, more on the heap.
// Threads: thread-compatible.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace varve {

class ValueStream {
 public:
  ValueStream() = default;
  ~ValueStream();
  ValueStream(ValueStream&& other) noexcept;
  ValueStream& operator=(ValueStream&&) = delete;

  void Append(double value);
  uint32_t count() const { return count_; }
  uint64_t last_bits() const { return last_bits_; }  // of the newest value; not when empty
  // Values [begin, end) to `out`; what lies before `begin` is decoded too.
  void Read(uint32_t begin, uint32_t end, std::vector<double>* out) const;
  // Beyond the object itself.
  int64_t heap_bytes() const { return capacity_ > sizeof(inline_) ? capacity_ : 0; }

 private:
  enum class Form : uint8_t { kDecimal, kBits };
  // What the newest token is, if the next may be joined to it.
  enum class Tail : uint8_t { kOther, kZero, kZeroRun };

  const uint8_t* data() const { return capacity_ > sizeof(inline_) ? heap_ : inline_; }
  uint8_t* Grow(uint32_t bytes);
  void PutByte(uint8_t byte) { *Grow(1) = byte; }
  void PutVarint(uint64_t value);
  void PutDifference(int64_t difference);
  void PutEscape(uint64_t bits);
  void PutBits(uint64_t bits);
  void Clear();
  // Writes all values and `value` again, as decimals of `exponent`; false, and nothing changed, when one would be
  // escaped that is none now.
  bool Rewrite(uint8_t exponent, double value);
  void RewriteAsBits(double value);

  union {
    uint8_t inline_[16];
    uint8_t* heap_;  // when capacity_ is more
  };
  uint32_t size_ = 0;
  uint32_t capacity_ = sizeof(inline_);
  uint32_t count_ = 0;
  uint16_t escapes_ = 0;
  uint8_t exponent_ = 0;
  Form form_ : 4 = Form::kDecimal;
  Tail tail_ : 4 = Tail::kOther;
  int64_t last_k_ = 0;
  uint64_t last_bits_ = 0;
};

}  // namespace varve
