// OTLP's dense buckets as the spans and deltas of a native histogram.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/native_histogram.h"

namespace varve {

// counts[i] is that of bucket i + offset; 2^scale_down neighbours become one; `shift` is added to the index of the
// result. False when an index or a count is beyond what can be stored.
bool MakeSpans(const std::vector<uint64_t>& counts, int32_t offset, int32_t scale_down, int32_t shift,
               std::vector<BucketSpan>* spans, std::vector<int64_t>* deltas);

}  // namespace varve
