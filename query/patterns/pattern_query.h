// Patterns of stored lines: what GET /loki/api/v1/patterns answers.
//
// Two passes over what a selector has in a range, in heads and packs alike, both in parallel over sources:
//   mine   kSampledLinesMax lines at most, evenly from kSampledSourcesMax sources at most (from all sources
//          when all lines fit), give the patterns (line_shape.h, shape_clusters.h);
//   count  every line is counted, per step and level, under the pattern that its shape leads to, if the filter
//          |> finds it by that pattern (pattern_set.h).
// When the range holds more than limits.max_pattern_lines, only every n-th source is counted, the numbers are
// scaled, and a warning says so. The answer does not depend on threads.
// Errors: as RunQuery.
// Threads: RunPatternQuery is thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/exec/query.h"

namespace varve {

inline constexpr uint64_t kSampledLinesMax = 200'000;
inline constexpr size_t kSampledSourcesMax = 256;
// Different shapes kept while mining, and patterns that lines are counted under. The ones that are shown are
// limited by limits.max_patterns.
inline constexpr size_t kShapesMax = 20'000;
inline constexpr size_t kCountedClustersMax = 2000;

struct PatternRequest {
  TenantId tenant = 0;
  std::vector<Matcher> matchers;
  TimeRange range;
  int64_t step_ns = kNsPerSecond;       // > 0
  const CancelToken* cancel = nullptr;  // may be null
};

struct PatternSeries {
  std::string pattern;
  std::string_view level;  // of detected_level, "unknown" when there is none
  uint64_t lines = 0;
  // Start of the step (a multiple of it), lines in it; ascending, none of them 0.
  std::vector<std::pair<int64_t, uint64_t>> samples_ns;
};

struct PatternResult {
  std::vector<PatternSeries> series;  // most lines first
  std::vector<std::string> warnings;
  QueryStats stats;
  uint64_t lines_in_patterns = 0;  // of those counted, shown or not
};

Result<PatternResult> RunPatternQuery(Engine& engine, const PatternRequest& request,
                                      const QueryLimits& limits);

}  // namespace varve
