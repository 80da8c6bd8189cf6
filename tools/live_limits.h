// The limits of a running server: read from the configuration at the start, and again whenever asked.
//
//   LiveLimits limits(load, config);         // load() gives the configuration as of now, flags included
//   limits.ReadOverrides();                  // before the engine starts: a bad file stops the start
//   WritePath writes(engine, limits.ingest());
//   … limits.Reload() on SIGHUP and POST /-/reload
//
// What a reload may change is what stands below `limits:`, the file that runtime_config.file named at the start, and
// what a participant has of the configuration (rules, notifications, reports). Everything is read and checked before
// anything is changed.
// Threads: thread-safe; reloads wait for each other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/mutex.h"
#include "engine/base/per_tenant.h"
#include "engine/retention_policy.h"
#include "http/limits_api.h"
#include "tools/config.h"

namespace varve {

class LiveLimits final : public LimitsSource {
 public:
  using Load = std::function<Result<Config>()>;
  // Reads and checks a participant's part of the fresh configuration. What it returns puts that in force, and cannot
  // fail; after an error nothing has changed.
  using Prepare = std::function<Result<std::function<void()>>(const Config& fresh)>;

  // `config` is what `load` gave at the start.
  LiveLimits(Load load, Config config, const Clock* clock = &Clock::System());

  // The overrides, for the first time; nothing is logged.
  Status ReadOverrides() VARVE_EXCLUDES(mu_);

  // For what reloads together with the limits. Null: nothing does (any more).
  void SetParticipant(Prepare prepare) VARVE_EXCLUDES(mu_);

  Status Reload() override VARVE_EXCLUDES(mu_);
  std::string TenantYaml(std::string_view tenant) const override VARVE_EXCLUDES(mu_);
  std::string ConfigYaml() const override VARVE_EXCLUDES(mu_);
  Stats stats() const override VARVE_EXCLUDES(mu_);

  const PerTenant<IngestLimits>* ingest() const { return &ingest_; }
  const PerTenant<QueryLimits>* query() const { return &query_; }
  const std::shared_ptr<RetentionSource>& retention() const { return retention_; }

 private:
  using Tenants = std::map<std::string, Config>;

  Result<Tenants> LoadTenants(const Config& config) const VARVE_REQUIRES(mu_);
  Status TryReload() VARVE_REQUIRES(mu_);
  void LogChanges(const Config& config, const Tenants& tenants) const VARVE_REQUIRES(mu_);
  void Publish(Config config, Tenants tenants) VARVE_REQUIRES(mu_);

  const Load load_;
  const Clock* const clock_;
  PerTenant<IngestLimits> ingest_;
  PerTenant<QueryLimits> query_;
  const std::shared_ptr<RetentionSource> retention_;

  mutable Mutex mu_;
  Prepare participant_ VARVE_GUARDED_BY(mu_);
  Config config_ VARVE_GUARDED_BY(mu_);
  Tenants tenants_ VARVE_GUARDED_BY(mu_);  // their retention_streams are their own
  Stats stats_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
