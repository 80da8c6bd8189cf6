// Bits, most significant first, as Prometheus's chunks have them.
//
// Threads: thread-compatible.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

namespace varve {

class BitWriter {
 public:
  void Bit(bool bit) { Bits(bit ? 1 : 0, 1); }
  void Byte(uint8_t byte) { Bits(byte, 8); }
  // The `count` lowest bits of `value`.
  void Bits(uint64_t value, int count) {
    while (count > 0) {
      if (free_ == 0) {
        bytes_.push_back('\0');
        free_ = 8;
      }
      const int taken = count < free_ ? count : free_;
      const uint64_t bits = (value >> (count - taken)) & ((uint64_t{1} << taken) - 1);
      bytes_.back() = static_cast<char>(static_cast<uint8_t>(bytes_.back()) | bits << (free_ - taken));
      free_ -= taken;
      count -= taken;
    }
  }
  void Double(double value) { Bits(std::bit_cast<uint64_t>(value), 64); }

  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
  int free_ = 0;  // bits of the last byte
};

// A value by its difference from the one before, as Gorilla has it.
class XorValue {
 public:
  void Start(double value) { last_ = std::bit_cast<uint64_t>(value); }
  void Append(double value, BitWriter* out);

 private:
  static constexpr int kNone = 0xff;
  uint64_t last_ = 0;
  int leading_ = kNone;
  int trailing_ = 0;
};

// The difference between this time and the one before, less the difference before that, and other integers that
// are mostly small: 1, 5, 9, 13, 17, 24, 32, 64 or 72 bits.
void PutVarbitInt(int64_t value, BitWriter* out);
void PutVarbitUint(uint64_t value, BitWriter* out);

}  // namespace varve
