// Which rows a delete request covers, as compiled code.
//
// The engine does not know LogQL: it asks a factory (EngineOptions::row_filter_factory, made in
// query/exec/delete_filter.h) to compile a request's query, once when it comes and once at every start.
// Threads: a RowFilter is immutable and thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/labels.h"
#include "engine/scan.h"

namespace varve {

class RowFilter {
 public:
  virtual ~RowFilter() = default;
  // Whether it takes any of the stream's rows.
  virtual bool TakesStream(const Labels& stream) const = 0;
  // What TakeRows must be given. 0: of a stream that is taken, every row is.
  virtual ColumnMask columns() const = 0;
  // Removes from `rows` (ascending rows of a stream that is taken) those that the filter does not take.
  virtual void TakeRows(const Labels& stream, const LogColumns& columns, std::vector<uint32_t>* rows) const = 0;
};

// kInvalidArgument says what is wrong with the query.
using RowFilterFactory = std::function<Result<std::unique_ptr<const RowFilter>>(std::string_view query)>;

}  // namespace varve
