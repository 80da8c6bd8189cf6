// The annotations that functions of range vectors make, in Prometheus's words (prom_surface 4.11).
//
// Threads: as RangeCall's notes.
#pragma once

#include <string_view>

#include "query/promql/functions/range_functions.h"

namespace varve::promql {

void NoteMixedKinds(const RangeCall& call);          // floats and histograms in one window
void NoteIgnoredHistograms(const RangeCall& call);   // beside floats, by a function of floats
void NoteStartOverlap(const RangeCall& call);
void NoteInvalidQuantile(const RangeCall& call, double quantile);
void NoteNotACounter(const RangeCall& call);         // a gauge histogram given to rate
void NoteNotAGauge(const RangeCall& call);
void NoteMixedSchemas(const RangeCall& call);        // exponential and custom buckets
void NoteReconciledBounds(const RangeCall& call, std::string_view operation);
void NoteConflictingResets(const RangeCall& call, std::string_view operation);

}  // namespace varve::promql
