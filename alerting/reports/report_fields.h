// From a query's result to a field, and from fields to the JSON of a stored entry and back.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/reports/report_config.h"
#include "engine/base/status.h"
#include "query/templates/template_set.h"

namespace varve {

// What a query of either language answers.
struct QueryValues {
  struct Point {
    int64_t t_ms = 0;
    double value = 0;
  };
  struct Series {
    std::vector<std::pair<std::string, std::string>> labels;
    std::vector<Point> points;  // not empty, ascending
  };
  std::vector<Series> series;
  std::vector<std::string> lines;  // of a log query
  int64_t step_ms = 0;             // between points; 0: one instant
};

// Adds the field, or the rows and the column of a table. kExecution: the result does not fit.
Status AddField(const ReportField& field, const ReportQuery& query, const QueryValues& values,
                const ReportConfig& report, const ReportPeriod& period, templates::DatumFields* fields);

// A whole number as one, so that templates print 1234567 and not 1.234567e+06.
templates::Datum NumberDatum(double value);
templates::Datum TextDatum(std::string text);
templates::Datum TimeDatum(int64_t utc_s);
templates::Datum ListDatum(templates::DatumList list);
// Out of line: GCC 12 takes the variant's members for uninitialised where it inlines these.
void PutField(templates::DatumFields* fields, std::string_view name, templates::Datum value);
void PutItem(templates::DatumList* list, templates::DatumFields fields);
// Null when there is none.
templates::Datum* FindField(templates::DatumFields* fields, std::string_view name);

// NaN and infinities are null.
std::string DatumJson(const templates::Datum& datum);
std::string EntryJson(const templates::DatumFields& fields);
// kCorruption: not a JSON object.
Result<templates::DatumFields> ParseEntry(std::string_view json);

}  // namespace varve
