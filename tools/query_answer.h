// Reads what /loki/api/v1/query, query_range, labels and series answer.
//
// Errors: kCorruption when the answer is not what the API promises; what else is in it is ignored.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "query/exec/query.h"

namespace varve {

// Streams, matrix, vector or scalar, with warnings; statistics stay zero.
Result<QueryResult> ParseQueryAnswer(const std::string& json);
// A message of a live tail; streams in the order of the message.
struct TailFrameAnswer {
  Streams streams;
  size_t dropped = 0;  // entries that the server left out
};
Result<TailFrameAnswer> ParseTailFrame(const std::string& json);
// `data` as a list of texts.
Result<std::vector<std::string>> ParseTextListAnswer(const std::string& json);
// `data` as a list of label sets.
Result<std::vector<LabelPairs>> ParseLabelSetsAnswer(const std::string& json);

}  // namespace varve
