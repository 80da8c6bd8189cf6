// Reports: queries on a schedule, their results stored as a log entry and sent to people.
//
// A run is for a date (in the report's time zone): the period before it that the schedule covers, a day for a daily report.
// It asks the queries, stores one JSON entry in {job="varve-report", report=NAME} (once per date however often it runs: the
// entry's time is the period's end, and a date that is stored is not asked again unless forced), and sends the message.
// What failed is retried as the report says; then the failure notice goes out. Runs missed while down are made up.
// Durable: per report the last date done, and the retries that are due.
// Threads: thread-safe, except that Load, Start and Stop are the owner's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/notifier.h"
#include "engine/base/clock.h"
#include "engine/base/per_tenant.h"
#include "engine/engine.h"
#include "ingest/write_path.h"
#include "query/exec/query.h"
#include "query/promql/eval/query.h"

namespace varve {

struct ReportConfig;  // report_config.h

struct ReporterMeans {
  Engine* engine = nullptr;
  WritePath* writes = nullptr;
  const promql::PromqlEngine* promql = nullptr;
  const PerTenant<QueryLimits>* query_limits = nullptr;
  Notifier* notifier = nullptr;  // whose receivers are the recipients
  const Clock* clock = &Clock::System();
};

struct ReportRun {
  std::string report;
  std::string date;   // 2026-11-19
  std::string entry;  // the stored JSON
  std::string html, text, title;
  bool stored = false;          // false: it was there already, or a dry run
  bool sent = false;
};

struct ReportStatus {
  std::string name, schedule, time_zone;
  int64_t next_run_ms = 0;
  std::string last_date;   // of the last run that succeeded
  std::string last_error;  // empty: the last attempt succeeded
  uint32_t attempts = 0;   // of the run under way
};

struct ReporterStats {
  uint64_t runs = 0, failures = 0, retries = 0, sent = 0, send_failures = 0, made_up = 0;
};

class Reporter {
 public:
  explicit Reporter(ReporterMeans means);
  ~Reporter();  // stops

  Status Load();
  void Configure(std::vector<ReportConfig> reports);
  void Start();
  void Stop();

  // Runs it now, whatever the schedule says. kNotFound: no such report; kInvalidArgument: the date.
  Result<ReportRun> Run(std::string_view name, std::string_view date, bool dry_run);
  std::vector<ReportStatus> Reports() const;
  ReporterStats Stats() const;
  // Does what is due; for tests, instead of Start.
  void RunDue(int64_t now_ms);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
