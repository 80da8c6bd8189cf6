// A push's entries on their way to the live tails: the columns of a source, copied once.
//
// Threads: immutable after Make. Ownership: owns its bytes, which count against a budget.
#pragma once

#include <memory>
#include <vector>

#include "engine/append_batch.h"
#include "engine/base/memory_budget.h"
#include "engine/scan.h"

namespace varve {

struct TailBatch {
  struct Part {
    StreamOrdinal stream = 0;
    uint32_t row_begin = 0;
    uint32_t row_end = 0;
  };

  explicit TailBatch(MemoryBudget* budget) : memory(budget) {}

  LogColumns columns;  // all of them
  std::vector<Part> parts;
  MemoryReservation memory;
};

// The entries of the given streams (indexes into batch.streams), in order. kResourceExhausted.
Result<std::unique_ptr<const TailBatch>> MakeTailBatch(const AppendBatch& batch,
                                                       const std::vector<uint32_t>& streams,
                                                       MemoryBudget* budget);

}  // namespace varve
