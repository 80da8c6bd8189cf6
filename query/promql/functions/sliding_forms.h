// The sliding forms of functions over windows (range_functions.h).
//
// Each does its work over the whole series once and then answers a window from that. All give the plain form's bits.
// Threads: thread-compatible; one series at a time.
#pragma once

#include <memory>

#include "query/promql/functions/range_functions.h"

namespace varve::promql {

std::unique_ptr<SlidingForm> MakeSlidingRate();
std::unique_ptr<SlidingForm> MakeSlidingIncrease();
std::unique_ptr<SlidingForm> MakeSlidingResets();
std::unique_ptr<SlidingForm> MakeSlidingChanges();
std::unique_ptr<SlidingForm> MakeSlidingMin();
std::unique_ptr<SlidingForm> MakeSlidingMax();
// Only for series of whole numbers, whose sums are exact in any order.
std::unique_ptr<SlidingForm> MakeSlidingSum();
std::unique_ptr<SlidingForm> MakeSlidingAvg();

}  // namespace varve::promql
