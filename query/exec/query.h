// Runs a parsed LogQL query against the engine.
//
// Log queries answer with entries, metric queries with a matrix (range), vector or scalar (instant).
// Work is spread over the engine's query pool, one task a source; limits, the deadline and the memory
// budget hold for the query as a whole.
// Errors: kInvalidArgument / kExecution with Loki's text, kResourceExhausted for the byte budgets,
// kDeadlineExceeded, kCancelled, kCorruption naming the block.
// Threads: RunQuery is thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/engine.h"
#include "engine/model/regex.h"
#include "query/logql/ast.h"

namespace varve {

// Queries that are refused before they run (limits.blocked_queries, as Loki's). Every condition that is set
// must hold; one with neither pattern nor hash blocks all queries of its types.
struct BlockedQuery {
  std::string pattern;             // the whole query, blanks around it aside; or a regular expression
  bool regex = false;              // … found anywhere in the query
  uint32_t hash = 0;               // FNV-1 of the query's text, as Loki logs it; 0 = none
  std::vector<std::string> types;  // of metric, filter, limited; empty = all
  Regex compiled;                  // of `pattern` where `regex`; null = not compiled yet
};

struct QueryLimits {
  int64_t max_query_length_ns = (30 * 24 + 1) * kNsPerHour;  // limits.max_query_length; 0 = none
  int64_t max_query_lookback_ns = 0;                         // limits.max_query_lookback; 0 = none
  int64_t max_query_range_ns = 0;                            // limits.max_query_range, of [5m]; 0 = none
  uint32_t max_entries_limit_per_query = 5000;               // limits.max_entries_limit_per_query; 0 = none
  uint32_t max_query_series = 500;                           // limits.max_query_series, of the final result
  uint32_t max_streams_matchers_per_query = 1000;
  uint32_t max_points_per_series = 11000;
  int64_t max_query_bytes_read = 0;              // 0 = none
  int64_t max_query_memory_bytes = 512LL << 20;  // limits.max_query_memory, of one query
  int64_t query_timeout_ms = 60'000;             // limits.query_timeout
  std::vector<std::string> required_labels;
  uint32_t minimum_labels_number = 0;
  uint32_t cardinality_limit = 0;      // streams that one selector may select; 0 = none
  uint32_t max_regex_size = 64 << 10;  // bytes of each regular expression's text; 0 = none
  std::vector<BlockedQuery> blocked_queries;

  bool volume_enabled = true;                       // index/volume and index/volume_range; else 404
  uint32_t volume_max_series = 10000;               // of their answers; 0 = none
  uint32_t max_concurrent_tail_requests = 1000;     // of a tenant; 0 = none
  std::string deletion_mode = "filter-and-delete";  // or filter-only, disabled
  // Of /patterns (query/patterns/pattern_query.h).
  uint32_t max_pattern_lines = 20'000'000;  // limits.max_pattern_lines; 0 = none
  uint32_t max_patterns = 300;              // limits.max_patterns
  uint32_t pattern_lines_min = 10;          // limits.pattern_lines_min
};

class ResultCache;

struct QueryPlan;

enum class Direction { kBackward, kForward };

// Names an entry among those of a log query, whatever arrives later (log_page.h).
struct EntryPosition {
  int64_t ts_ns = 0;
  uint64_t stream_hash = 0;
  uint64_t index = 0;  // among the query's entries of that time and hash, the first to arrive first

  bool operator==(const EntryPosition&) const = default;
};

struct QueryRequest {
  TenantId tenant = 0;
  // Range: start ≤ end, step > 0 for metric queries. Instant: start == end == the evaluation time.
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  int64_t step_ns = 0;
  int64_t interval_ns = 0;  // thins log results
  uint32_t limit = 100;     // entries of a log query
  Direction direction = Direction::kBackward;
  bool instant = false;
  // Log queries: say where the answer ends when it is full; answer with what comes behind an entry.
  bool paging = false;
  std::optional<EntryPosition> after;
  // More series than limits.max_query_series: answer with that many and a warning instead of an error.
  bool partial_series = false;
  // Where parts of answers are looked up and kept; null: nowhere. Range queries of metrics only.
  ResultCache* cache = nullptr;
  // Null, or filled with what the query reads; it runs only if the plan says so (query_plan.h).
  QueryPlan* plan = nullptr;
  const CancelToken* cancel = nullptr;  // may be null
};

// ---- Results ----
// name/value pairs sorted by name.
using LabelPairs = std::vector<std::pair<std::string, std::string>>;

struct ResultEntry {
  int64_t ts_ns = 0;
  std::string line;
  LabelPairs metadata;  // structured metadata that is still there at the end of the pipeline
  LabelPairs parsed;    // extracted and formatted labels, __error__ and __error_details__ included
};
// The entries that share the same index labels (what `categorize-labels` shows as "stream"); http merges
// metadata and parsed labels into the stream for clients that do not ask for categories.
struct ResultStream {
  LabelPairs labels;
  std::vector<ResultEntry> entries;  // in the direction asked for
};
struct Streams {
  std::vector<ResultStream> streams;  // sorted by labels
};

struct Point {
  int64_t t_ms = 0;
  double value = 0;
};
struct ResultSeries {
  LabelPairs labels;
  std::vector<Point> points;  // ascending; exactly one in a vector
};
struct MatrixResult {
  std::vector<ResultSeries> series;  // sorted by labels
};
struct VectorResult {
  std::vector<ResultSeries> series;  // sorted by labels, or as sort/sort_desc/topk left them
};
struct ScalarResult {
  int64_t t_ms = 0;
  double value = 0;
};

// What the result cache was asked for and gave; as Loki's "cache.result" counts.
struct ResultCacheStats {
  uint64_t requests = 0;
  uint64_t entries_requested = 0;
  uint64_t entries_found = 0;
  uint64_t entries_stored = 0;
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
  int64_t length_served_ns = 0;  // steps found, times the step
};

// What was done; http prints it as Loki's "stats".
struct QueryStats {
  uint64_t streams = 0;
  uint64_t sources = 0;  // blocks and head pieces considered
  uint64_t sources_loaded = 0;
  uint64_t bytes_on_disk_read = 0;
  uint64_t lines_processed = 0;  // rows that filters or counting looked at
  uint64_t bytes_processed = 0;  // their line bytes
  uint64_t metadata_bytes_processed = 0;
  uint64_t lines_after_filters = 0;
  uint64_t duplicates = 0;
  uint64_t entries_returned = 0;
  uint64_t head_lines = 0;
  uint64_t head_bytes = 0;
  ResultCacheStats result_cache;
  double exec_seconds = 0;
};

struct QueryResult {
  std::variant<Streams, MatrixResult, VectorResult, ScalarResult> data;
  std::vector<std::string> warnings;
  std::optional<EntryPosition> last;  // with paging, of a full page: the entry it ends with
  QueryStats stats;
};

Result<QueryResult> RunQuery(Engine& engine, const logql::Expr& expr, const QueryRequest& request,
                             const QueryLimits& limits);

}  // namespace varve
