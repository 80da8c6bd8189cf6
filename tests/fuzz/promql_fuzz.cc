// Any bytes: the PromQL parser refuses or accepts them, and what it accepts prints to text that parses to the same
// text again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "query/promql/syntax/durations.h"
#include "query/promql/syntax/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace varve;  // NOLINT(google-build-using-namespace): one function
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  promql::ParseSelector(text).IgnoreError("only its crashes are of interest");
  promql::ParseMetric(text).IgnoreError("only its crashes are of interest");
  promql::ParseDuration(text).IgnoreError("only its crashes are of interest");
  Result<promql::ExprPtr> parsed = promql::ParseExpr(text);
  if (!parsed.ok()) {
    VARVE_CHECK(!parsed.status().message().empty());
    return 0;
  }
  promql::Prettify(**parsed);
  promql::ToAstJson(**parsed);
  VARVE_CHECK(promql::Selectors(**parsed).size() <= size);
  const std::string printed = promql::ToString(**parsed);
  // Not so: escapes that make the printed form longer than a query may be; +Inf, whose sign is read as an operator
  // where an operator stands before or ^ behind it; offsets and ranges below a millisecond, which print as 0s.
  const bool comparable = printed.size() < promql::kQueryBytesMax && printed.find("Inf") == std::string::npos &&
                          printed.find("[0s") == std::string::npos && printed.find(":0s]") == std::string::npos;
  if (comparable) {
    const Result<promql::ExprPtr> again = promql::ParseExpr(printed);
    VARVE_CHECK(again.ok());
    VARVE_CHECK(promql::ToString(**again) == printed);
  }
  promql::ResolveDurations({.step_ms = 15'000, .range_ms = 3'600'000}, parsed->get())
      .IgnoreError("a duration may be negative");
  return 0;
}
