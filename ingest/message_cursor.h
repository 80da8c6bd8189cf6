// A position in one protobuf message: what the readers of protobuf pushes share.
//
// After a malformed byte ok() is false and every later read gives nothing, so that a walk checks once, at its
// end. Nothing is copied and nothing recurses: a field that is a message is read with a cursor of its own.
// Threads: thread-compatible. Ownership: views point into the bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace varve {

enum class WireType : uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroupStart = 3,
  kGroupEnd = 4,
  kFixed32 = 5
};

constexpr uint64_t Tag(uint32_t field, WireType type) { return field << 3 | static_cast<uint32_t>(type); }

class MessageCursor {
 public:
  explicit MessageCursor(std::string_view bytes) : p_(bytes.data()), end_(p_ + bytes.size()) {}

  bool AtEnd() const { return p_ == end_; }
  const char* position() const { return p_; }
  bool ok() const { return ok_; }

  uint64_t Varint() {
    if (p_ != end_ && static_cast<uint8_t>(*p_) < 0x80) [[likely]]
      return static_cast<uint8_t>(*p_++);
    return LongVarint();
  }
  std::string_view Bytes() {
    const uint64_t size = Varint();
    if (!ok_ || size > static_cast<uint64_t>(end_ - p_)) [[unlikely]] {
      Fail();
      return {};
    }
    const std::string_view bytes(p_, size);
    p_ += size;
    return bytes;
  }
  // A fixed32 or fixed64.
  template <typename T>
  T Fixed() {
    T value{};
    if (static_cast<size_t>(end_ - p_) < sizeof(T)) {
      Fail();
    } else {
      std::memcpy(&value, p_, sizeof(T));
      p_ += sizeof(T);
    }
    return value;
  }
  // Passes over a field's value. False when it is malformed.
  bool Skip(uint32_t wire_type);

 private:
  static constexpr int kGroupDepthMax = 64;

  void Fail() {
    ok_ = false;
    p_ = end_;
  }
  uint64_t LongVarint();

  const char* p_;
  const char* end_;
  bool ok_ = true;
};

// kInvalidArgument: "proto: Stream: unexpected EOF or malformed field".
Status MalformedMessage(const char* message_name);

// For a tag that none of the message's fields has: skips an unknown field, refuses a known one of the wrong
// type. Bit n of `known_fields` stands for field n.
Status SkipUnknownField(MessageCursor* cursor, uint64_t tag, uint64_t known_fields, const char* message_name);

// For SkipUnknownField: the fields from 1 to `last`.
constexpr uint64_t FieldsUpTo(uint32_t last) { return (uint64_t{2} << last) - 2; }

}  // namespace varve
