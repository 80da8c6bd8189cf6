// Reports: queries on a schedule, their results stored as a log entry and sent to people.
//
//   Reporter reporter(means);
//   reporter.Load();                      // what was done and what is due, from before the last stop
//   reporter.Configure(reports);          // again at every reload
//   reporter.Start();  …  reporter.Stop();
//
// A run is for a period, named by its first date in the report's time zone; when the schedule comes, for the last period
// that is over. It asks the queries, stores one JSON entry in {job="varve-report", report=NAME} at the period's end, and
// sends the message to the receivers.
// Once per date: a period whose entry is stored is not asked again, its entry is what is sent. So a kill -9 between
// storing and recording, which makes the run come again, adds nothing; and runs of one report never overlap.
// What failed, queries or deliveries, is tried again as the report says, without what succeeded; then the failure notice
// goes out. Runs missed while down are made up, oldest first, at most make_up_max of a report.
// Durable, in a record "reports/NAME": until when the schedule is dealt with, the runs under way with their attempts and
// who is still to be told, the last date that succeeded.
// A report whose receiver hangs holds up no other, as long as fewer than `threads` hang.
// Threads: thread-safe, except that Load, Start and Stop are the owner's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/receiver.h"
#include "engine/base/cancel.h"
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
  // One attempt at a message to a receiver of alertmanager.yml: Notifier::Send. Blocks; thread-safe.
  std::function<Delivery(std::string_view receiver, const Message& message, const CancelToken& cancel)> send;
  std::string external_url;  // ruler.external_url, for templates
  uint32_t threads = 4;
  const Clock* clock = &Clock::System();
  // What went wrong, a line each, for the log; may be null. Quick, any thread.
  std::function<void(std::string_view report, std::string_view text)> notice;
};

struct ReportRun {
  std::string report;
  std::string date;   // 2026-11-19
  std::string entry;  // the stored JSON
  std::string html, text, title;
  bool stored = false;  // false: it was there already, or a dry run
  bool sent = false;    // to every receiver; false in a dry run
  std::string error;    // of the first delivery that failed
};

struct ReportStatus {
  std::string name, tenant, schedule, time_zone, period;
  std::vector<std::string> receivers;
  int64_t next_run_ms = 0;
  std::string last_date;   // of the last run that succeeded
  std::string last_error;  // empty: the last attempt succeeded
  uint32_t attempts = 0;   // that failed, of the run under way
  uint32_t runs_due = 0;   // under way or waiting for their next attempt
};

struct ReporterStats {
  uint64_t runs = 0;           // that succeeded, by the schedule or by hand
  uint64_t failures = 0;       // attempts that failed
  uint64_t retries = 0;        // attempts after the first
  uint64_t given_up = 0;       // runs whose attempts were used up
  uint64_t sent = 0, send_failures = 0;  // messages to a receiver, failure notices included
  uint64_t made_up = 0;        // runs of times missed while the server was down
  uint64_t not_made_up = 0;    // more than make_up_max
  uint64_t record_failures = 0;  // writes of durable state
};

class Reporter {
 public:
  explicit Reporter(ReporterMeans means);
  ~Reporter();  // stops

  // kCorruption: a record; the others are loaded.
  Status Load();
  // State of reports that are no longer there is forgotten; a report seen for the first time starts with the next time
  // of its schedule.
  void Configure(std::vector<ReportConfig> reports);
  // Before Configure: ReporterMeans::external_url, where it is only known once the server listens.
  void SetExternalUrl(std::string url);
  void Start();
  // Cancels what runs; it comes again after the next Start.
  void Stop();

  // Runs it now, whatever the schedule says, once: no retries, no failure notice. A dry run neither stores nor sends.
  // kNotFound: no such report; kInvalidArgument: the date, or a period that is not over (a dry run may be of one).
  // Other errors are the queries' or the store's.
  Result<ReportRun> Run(std::string_view name, std::string_view date, bool dry_run);
  std::vector<ReportStatus> Reports() const;
  ReporterStats Stats() const;
  // Does what is due, on the caller's thread; for tests, instead of Start.
  void RunDue(int64_t now_ms);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
