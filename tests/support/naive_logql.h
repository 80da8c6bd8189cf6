// LogQL evaluated the slow and obvious way: the reference for query/exec.
//
// Every step looks at every entry anew; a vector is a list of (labels, value); nothing is shared with
// query/exec but the row pipeline and the result types. Rows are run with all labels extracted, so queries
// whose parsers would be skipped (LabelNeeds) must not depend on parser errors.
// Threads: thread-compatible.
#pragma once

#include <string>
#include <vector>

#include "engine/model/labels.h"
#include "query/exec/query.h"
#include "query/logql/ast.h"

namespace varve::testing {

struct NaiveEntry {
  Labels stream;
  int64_t ts_ns = 0;
  std::string line;
  std::string metadata;  // encoded
};

class NaiveLogql {
 public:
  // `entries` in order of arrival, duplicates included.
  explicit NaiveLogql(std::vector<NaiveEntry> entries);

  // Limits are not applied. Start and end of range queries are aligned as query/exec does.
  Result<QueryResult> Run(const logql::Expr& expr, const QueryRequest& request) const;

 private:
  std::vector<NaiveEntry> entries_;  // unique; by time, then stream, then arrival
};

}  // namespace varve::testing
