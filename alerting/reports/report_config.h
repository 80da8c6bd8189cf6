// The reports of a configuration, read and checked: docs/reports.md has the keys.
//
// Errors: kInvalidArgument, one a line, with file, line and report:
//   varve.yaml:31: report "ssh": schedule "0 9 30 2 *" never comes: none of its months has such a day
// Threads: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/reports/cron.h"
#include "alerting/reports/local_calendar.h"
#include "alerting/reports/report_period.h"
#include "engine/base/status.h"

namespace varve {

enum class ReportLanguage : uint8_t { kLogql, kPromql };

// How a query's result becomes a field of the entry.
enum class FieldKind : uint8_t {
  kValue,     // the only value
  kCount,     // how many series
  kSum, kMin, kMax, kAvg,  // of all values
  kMaxLabel,  // the label of the series that has the highest value
  kMaxTime,   // when the highest value was, as `format` says
  kLabels,    // the values of a label, a text "a, b"
  kTop,       // the highest series, a text "a (12), b (7)"
  kTable,     // rows of labels, with this result's values as one column; queries that name one table fill its columns
  kLogLines,     // the first lines of a log query, a list
};
enum class TimeFormat : uint8_t { kHour, kTime, kDate };  // 13 · 2026-11-19 13:00 · 2026-11-19

struct ReportField {
  std::string name;
  FieldKind kind = FieldKind::kValue;
  std::vector<std::string> labels = {};  // one, but for a table
  uint32_t limit = 0;                    // of kTop, kLabels, kLogLines; 0: max_rows
  std::string column = {};          // of kTable
  TimeFormat format = TimeFormat::kHour;
};

struct ReportQuery {
  std::string name;
  std::string text;
  ReportLanguage language = ReportLanguage::kLogql;
  int64_t step_ms = 0;  // 0: asked for the period's end
  std::optional<double> default_value;  // where there is no value
  std::vector<ReportField> fields;
};

// A field, or a column of a table, that a template computes from the ones before.
struct ComputedField {
  std::string table;  // empty: a field
  std::string name;
  std::string text;
};

struct ReportTemplates {
  std::string title, text, html;  // empty: report_message.h's own; html "" with a text: no HTML
};

struct ReportConfig {
  std::string name;
  std::string where;  // file:line, for errors
  std::string tenant = "fake";
  CronSchedule schedule;
  LocalCalendar calendar = LocalCalendar::Utc();
  PeriodUnit period = PeriodUnit::kDay;
  std::vector<ReportQuery> queries;
  std::vector<ComputedField> computed;
  ReportTemplates templates;
  std::vector<std::string> receivers;
  std::vector<std::string> failure_receivers;
  uint32_t retry_attempts = 1;  // after the first
  int64_t retry_delay_ms = 300'000;
  uint32_t make_up_max = 31;    // runs missed while the server was down
  uint32_t max_rows = 1000;     // of a table or a list
};

inline constexpr size_t kReportFileBytesMax = 1 << 20;

// The list below `reports:`. `first_line` is the number of the text's first line in the file `name`; template files are
// relative to `base_dir`.
Result<std::vector<ReportConfig>> ParseReports(std::string_view yaml, std::string_view name, uint32_t first_line,
                                               std::string_view base_dir);
// A file whose only key is `reports`.
Result<std::vector<ReportConfig>> ParseReportFile(std::string_view yaml, std::string_view name,
                                                  std::string_view base_dir);
// All files that the patterns match, sorted; a pattern without a wildcard must match.
Result<std::vector<ReportConfig>> ReadReportFiles(const std::vector<std::string>& patterns);
// Of all sources together: no two of one name, and no receiver that is not among `receivers`.
Status CheckReports(const std::vector<ReportConfig>& reports, const std::vector<std::string>& receivers);

}  // namespace varve
