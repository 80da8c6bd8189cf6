// The hash of a label set as Prometheus computes it: limit_ratio chooses by it.
#pragma once

#include "engine/model/packed_labels.h"

namespace varve::promql {

// In [0, 1]: the hash over its greatest value.
double LabelHashFraction(const PackedLabels& labels);

}  // namespace varve::promql
