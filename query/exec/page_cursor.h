// The text by which a client asks for the next page of a log query.
//
// It holds all that the pages of one query must share, times resolved, so that a client repeats only the
// query; and the entry that the last page ended with. Hexadecimal, of fixed length, with a checksum: a text
// that was cut, changed or made up by somebody who does not take trouble is refused, and one made up with
// trouble only names another place in the client's own data. Threads: values.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "query/exec/query.h"
#include "query/logql/ast.h"

namespace varve {

// The cursor behind `last`, an entry of the answer to `request`.
std::string EncodePageCursor(const logql::Expr& expr, const QueryRequest& request, const EntryPosition& last);

// Sets what the pages share, and `after`, in `request`; turns paging on. kInvalidArgument: not a cursor of
// ours, or of another query.
Status ApplyPageCursor(std::string_view cursor, const logql::Expr& expr, QueryRequest* request);

}  // namespace varve
