// VARVE_CHECK (always on) and VARVE_DCHECK (debug, sanitizer and fuzz builds): our own invariants.
//
// A failed check prints the expression and aborts. Bytes from disk or network must never trip one;
// they return kCorruption or kInvalidArgument instead.
#pragma once

namespace varve {
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression);
}  // namespace varve

#define VARVE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::varve::CheckFailed(__FILE__, __LINE__, #condition))

#ifdef VARVE_DEBUG_CHECKS
#define VARVE_DCHECK(condition) VARVE_CHECK(condition)
#else
#define VARVE_DCHECK(condition) static_cast<void>(sizeof(!(condition)))
#endif
