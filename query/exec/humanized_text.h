// Durations and sizes as Loki's messages write them.
#pragma once

#include <cstdint>
#include <string>

namespace varve {

// As Go's time.Duration: "498193h0m0s", "1m30s", "1.5ms", "0s".
std::string GoDurationText(int64_t ns);
// As Prometheus's model.Duration: "30d1h", "5m", "250ms", "0s".
std::string PrometheusDurationText(int64_t ns);
// "82 B", "1.5 kB", "150 GB": powers of 1000, one decimal below ten.
std::string HumanizedBytes(uint64_t bytes);

}  // namespace varve
