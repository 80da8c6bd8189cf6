// Label values as byte sizes, exactly as go-humanize's ParseBytes reads them: "1.5KiB", "12kb", "4 MB",
// "1,000B", "10". Units without "i" are powers of 1000.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace varve::logql {

// False: `error` (may be null) says why in its words: `unhandled size name: e3`.
bool ParseByteSize(std::string_view text, uint64_t* bytes, std::string* error);

}  // namespace varve::logql
