// Query results as Loki's JSON.
//
// The order of keys is fixed, because Grafana's reader depends on it: status, warnings, data{resultType,
// encodingFlags, result, stats}; in a stream "stream", then "values", and nothing else.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/exec/query.h"

namespace varve {

// X-Loki-Response-Encoding-Flags, split on ',' and not trimmed, as it is echoed.
struct EncodingFlags {
  static EncodingFlags Parse(std::string_view header);

  std::vector<std::string> as_sent;
  // "stream" shows the index labels only, and every value has a third element with the rest.
  bool categorize_labels = false;
};

// A whole answer of /query and /query_range, newline included. `cursor` is only for those who asked for it.
std::string LokiQueryJson(const QueryResult& result, const EncodingFlags& flags,
                          const std::optional<std::string>& cursor = std::nullopt);

// About how many bytes the answer will take; the result itself takes about as many.
size_t EstimateJsonBytes(const QueryResult& result);

// Loki's statistics object with what Varve counts; what it has no notion of is 0.
void AppendLokiStats(const QueryStats& stats, std::string* out);

// {"name":"value",…}
void AppendLabelsJson(const LabelPairs& labels, std::string* out);

// Streams as clients without categorize-labels see them: metadata and parsed labels are merged into the
// stream's, so that one stream may become many. Sorted by labels; entries in the direction they came in,
// by time where several streams became one.
struct MergedStream {
  LabelPairs labels;
  std::vector<const ResultEntry*> entries;  // into the Streams that were given
};
std::vector<MergedStream> MergeCategories(const Streams& streams);

}  // namespace varve
