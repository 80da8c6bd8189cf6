// Any bytes: the LogQL parser refuses or accepts them, and what it accepts prints to text with the same tree.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "query/logql/parser.h"
#include "query/logql/printer.h"
#include "tests/support/logql_ast.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace varve;  // NOLINT(google-build-using-namespace): one function
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  logql::ParseMatchers(text).IgnoreError("only its crashes are of interest");
  const Result<logql::ExprPtr> parsed = logql::ParseExprWithoutValidation(text);
  if (!parsed.ok()) {
    VARVE_CHECK(!parsed.status().message().empty());
    return 0;
  }
  const std::string printed = logql::Print(**parsed);
  // Escapes can make the printed form longer than a query may be.
  if (printed.size() < logql::kQueryBytesMax) {
    const Result<logql::ExprPtr> again = logql::ParseExprWithoutValidation(printed);
    VARVE_CHECK(again.ok());
    VARVE_CHECK(logql::Dump(**again) == logql::Dump(**parsed));
  }
  logql::PrintPretty(**parsed);
  return 0;
}
