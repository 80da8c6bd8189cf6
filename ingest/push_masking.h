// limits.mask applied to a push that is taken apart.
//
// Threads: thread-safe.
#pragma once

#include <cstdint>

#include "engine/base/status.h"
#include "ingest/byte_arena.h"
#include "ingest/decoded_push.h"
#include "ingest/mask.h"

namespace varve {

// Masks every line and every value of structured metadata; text that is not UTF-8 is repaired first, so that no byte
// of a secret hides behind one that no expression matches. What changes moves to the arena, at most `size_max` bytes
// of it: kTooLarge beyond.
Status MaskPush(const LineMask& mask, int64_t size_max, DecodedPush* decoded, ByteArena* arena, MaskCounts* counts);

}  // namespace varve
