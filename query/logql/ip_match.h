// ip("…"): finds addresses in text and compares them with an address, a CIDR block or a range a-b.
//
// An address in text is a maximal run of the characters IPv4 (or IPv6) addresses are made of, so "10.0.0.1.5"
// is none, and neither is "1.1.1.1." with its dot. IPv4-mapped IPv6 addresses are IPv6.
// Threads: immutable, share freely.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace varve::logql {

struct IpAddress {
  bool is_v6 = false;
  std::array<uint8_t, 16> bytes{};  // network order; IPv4 uses the first four

  bool operator==(const IpAddress&) const = default;
  auto operator<=>(const IpAddress&) const = default;
};

// Strict: four decimal octets without leading zeros, or RFC 4291 text. No zones, ports or brackets.
bool ParseIpAddress(std::string_view text, IpAddress* address);

class IpMatcher {
 public:
  // kInvalidArgument: `ip: invalid pattern: "hello"`.
  static Result<IpMatcher> Create(const std::string& pattern);

  bool Matches(const IpAddress& address) const { return low_ <= address && address <= high_; }
  // Whether any address in `text` matches.
  bool MatchesAny(std::string_view text) const;

 private:
  bool MatchesAnyV4(std::string_view text) const;

  IpAddress low_, high_;  // inclusive, of one family
};

}  // namespace varve::logql
