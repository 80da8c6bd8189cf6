// Asks a report's queries for one period and makes their results fields of the entry.
//
// An instant query is asked for the period's last instant (a nanosecond, in PromQL a millisecond before its end), so that
// `count_over_time(…[$window])` covers [begin, end). A query with a step is asked for the last instant of each step.
// Queries run as the HTTP API's do: with the tenant's limits, memory and timeout.
// Errors name the query; the code is the query's.
// Threads: pure functions; they block while the queries run.
#pragma once

#include <string>
#include <string_view>

#include "alerting/reports/report_config.h"
#include "alerting/reports/report_period.h"
#include "engine/base/cancel.h"
#include "engine/engine.h"
#include "query/exec/query.h"
#include "query/promql/eval/query.h"
#include "query/templates/template_set.h"

namespace varve {

struct ReportQueryMeans {
  Engine* engine = nullptr;
  const promql::PromqlEngine* promql = nullptr;
  const QueryLimits* limits = nullptr;  // the tenant's
  const CancelToken* cancel = nullptr;
};

// $date, $window (86400s), $start and $end (seconds since 1970), $start_ms, $end_ms, $start_ns, $end_ns. Other words that
// begin with $ stay as they are.
std::string ReplaceVariables(std::string_view text, const ReportPeriod& period);

// The fields in the order of the configuration, without metric_date, computed ones and created_at.
Result<templates::DatumFields> AskQueries(const ReportConfig& report, const ReportPeriod& period,
                                          const ReportQueryMeans& means);

// The stored entry of that period, or "".
Result<std::string> FindStoredEntry(const ReportConfig& report, const ReportPeriod& period,
                                    const ReportQueryMeans& means);

}  // namespace varve
