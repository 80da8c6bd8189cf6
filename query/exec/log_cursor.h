// A log query as a stream: every entry that passes the pipeline, in order, without a limit and without memory
// that grows with the answer.
//
//   VARVE_ASSIGN_OR_RETURN(auto cursor, LogCursor::Open(engine, *expr, request, limits));
//   for (;;) {
//     VARVE_ASSIGN_OR_RETURN(const bool found, cursor->Next());
//     if (!found) break;
//     use(cursor->ts_ns(), cursor->line(), cursor->labels());
//   }
//
// One snapshot serves the whole answer, so nothing is lost or doubled however slowly it is read; it keeps
// what it shows readable, and so on disk, until the cursor goes. Sources are opened when their turn comes;
// rows are copied out of them in batches, and the source is given back. The batches of all sources that
// overlap in time share kBatchBytes, so that an hour of many gigabytes takes no more memory than a quiet one,
// but reads blocks several times (from the block cache, if it holds them). Order: as ordered_rows.h; entries
// of one stream at one time in the order of arrival, or its reverse. Errors: those of RunQuery. request.limit
// only says how many entries the reader will want (0: all of them), request.interval_ns is not looked at.
// limits.query_timeout is: 0 for a reader that takes its time. Threads: thread-compatible. Ownership: keeps
// copies of request and limits; request.cancel must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/engine.h"
#include "query/exec/query.h"
#include "query/logql/ast.h"
#include "query/logql/row_labels.h"

namespace varve {

class LogCursor {
 public:
  // Of rows waiting in memory, over all sources; more only when single lines are longer than their share.
  static constexpr size_t kBatchBytes = 32 << 20;

  // `expr` is only needed during the call. kInvalidArgument: a metric query, or beyond a limit.
  static Result<std::unique_ptr<LogCursor>> Open(Engine& engine, const logql::Expr& expr,
                                                 const QueryRequest& request, const QueryLimits& limits);
  ~LogCursor();
  LogCursor(const LogCursor&) = delete;
  LogCursor& operator=(const LogCursor&) = delete;

  // Moves to the next entry. False: there is none. After an error the cursor is of no more use.
  Result<bool> Next();

  // Of the entry at the cursor; views end with the next call of Next.
  int64_t ts_ns() const;
  StreamOrdinal stream() const;
  const Labels& stream_labels() const;
  std::string_view line() const;
  const logql::RowLabels& labels() const;
  // As they were pushed, before the pipeline; with stream and time they are the entry's identity.
  std::string_view stored_line() const;
  std::string_view stored_metadata() const;

  // What was read so far.
  QueryStats stats() const;

 private:
  struct State;
  explicit LogCursor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace varve
