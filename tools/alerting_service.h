// Rules, notifications and reports of a running server: what owns them, starts and stops them, and gives them new files.
//
//   VARVE_ASSIGN_OR_RETURN(AlertingFiles files, ReadAlertingFiles(config));   // before anything starts
//   AlertingService alerting(means, config, std::move(files));
//   … the server gets alerting.parts(); the engine recovers …
//   alerting.Start(url);  // state first, then missed evaluations, then on time
//   … alerting.Prepare(config) and what it returns, at a reload …
//   alerting.Stop();      // before the engine closes
//
// What happens to notifications is written to the log stream {job="varve-alerts"}; what fails is also a line of our own
// log, a few a minute.
// Threads: Start and Stop are the owner's; the rest is thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/base/per_tenant.h"
#include "engine/base/status.h"
#include "engine/engine.h"
#include "http/http_server.h"
#include "ingest/write_path.h"
#include "query/exec/query.h"
#include "query/promql/eval/query.h"
#include "tools/alerting_files.h"
#include "tools/config.h"

namespace varve {

class AlertingService {
 public:
  struct Means {
    Engine* engine = nullptr;
    WritePath* writes = nullptr;
    const PerTenant<QueryLimits>* query_limits = nullptr;
    promql::PromqlOptions promql;
  };
  // The pointed-to must outlive this.
  AlertingService(Means means, const AlertingConfig& config, AlertingFiles files);
  ~AlertingService();  // stops

  // For the server; valid as long as this.
  AlertingParts parts();

  // After the engine's recovery. What links begin with where ruler.external_url does not say it.
  // kInvalidArgument: a template of the notifications.
  Status Start(const std::string& default_external_url);
  void Stop();

  // Reads and checks the files that `config` names. What is returned puts them in force and cannot fail. After an error
  // nothing has changed.
  Result<std::function<void()>> Prepare(const AlertingConfig& config);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
