// Any bytes: a configuration of reports, a schedule and a record of their state are refused or taken; what is taken can be
// used.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "alerting/reports/report_config.h"
#include "alerting/reports/report_fields.h"
#include "alerting/reports/report_queries.h"
#include "alerting/reports/report_state.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace varve;  // NOLINT(google-build-using-namespace): one function
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<std::vector<ReportConfig>> reports = ParseReportFile(text, "f", "/nonexistent");
  if (!reports.ok()) VARVE_CHECK(!reports.status().message().empty());
  const LocalCalendar berlin = *LocalCalendar::Load("Europe/Berlin");
  if (const Result<CronSchedule> schedule = CronSchedule::Parse(text); schedule.ok()) {
    int64_t at = 1'790'000'000;
    for (int i = 0; i < 3; ++i) {
      const int64_t next = schedule->Next(at, berlin);
      VARVE_CHECK(next > at);
      const PeriodUnit unit = GuessPeriodUnit(*schedule);
      const ReportPeriod period = LastPeriodBefore(next, unit, berlin);
      VARVE_CHECK(period.begin_s < period.end_s && period.end_s <= next);
      const Result<ReportPeriod> again = PeriodOf(period.date, unit, berlin);
      VARVE_CHECK(again.ok() && *again == period);
      at = next;
    }
  }
  PeriodOf(text, PeriodUnit::kHour, berlin).IgnoreError("only its crashes are of interest");
  ReplaceVariables(text, {"2026-11-19", 0, 86400});
  if (const Result<ReportState> state = DecodeReportState(text); state.ok()) {
    VARVE_CHECK(*DecodeReportState(EncodeReportState(*state)) == *state);
  }
  if (const Result<templates::DatumFields> entry = ParseEntry(text); entry.ok()) {
    VARVE_CHECK(ParseEntry(EntryJson(*entry)).ok());
  }
  return 0;
}
