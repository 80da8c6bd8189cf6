// Putting the samples of one series together that lie in several places: heads, packs.
//
// Threads: functions of their arguments only.
#pragma once

#include <cstdint>

#include "engine/metric_scan.h"

namespace varve {

// Replaces `older` by both, ascending by time; at a time that both have, `older`'s sample stays. Each is ascending
// and has one sample a time, floats and histograms together. Returns how many of `newer`'s were left out.
uint64_t MergeSamples(const SeriesSamples& newer, SeriesSamples* older);

}  // namespace varve
