#include "tools/live_limits.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace varve {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

RetentionPolicy PolicyOf(const Config& config, const std::map<std::string, Config>& tenants) {
  RetentionPolicy::Tenants own;
  for (const auto& [name, tenant] : tenants) {
    own[name] = {.period_ns = tenant.engine.retention_ns, .streams = tenant.retention_streams};
  }
  return RetentionPolicy(config.engine.retention_ns, config.retention_streams, std::move(own));
}

// A value for the log: on one line it stands between quotes, so it may hold none.
std::string Loggable(std::string value) {
  std::replace(value.begin(), value.end(), '"', '\'');
  std::replace(value.begin(), value.end(), '\n', ' ');
  return value;
}

// Calls fn(name, old, new) for each limit whose value differs.
template <typename Fn>
void ForEachDifference(const Config& before, const Config& after, Fn&& fn) {
  const Values old_values = LimitValues(before);
  const Values new_values = LimitValues(after);
  for (size_t i = 0; i < new_values.size(); ++i) {
    if (old_values[i].second != new_values[i].second) {
      fn(new_values[i].first, old_values[i].second, new_values[i].second);
    }
  }
}

}  // namespace

LiveLimits::LiveLimits(Load load, Config config, const Clock* clock)
    : load_(std::move(load)),
      clock_(clock),
      ingest_(config.ingest),
      query_(config.query),
      retention_(std::make_shared<RetentionSource>(PolicyOf(config, {}))),
      config_(std::move(config)) {
  const MutexLock lock(mu_);
  stats_.last_success_ns = clock_->NowNs();
}

Result<LiveLimits::Tenants> LiveLimits::LoadTenants(const Config& config) const {
  if (config_.runtime_config_file.empty()) return Tenants();
  return ReadOverridesFile(config_.runtime_config_file, config);
}

Status LiveLimits::ReadOverrides() {
  const MutexLock lock(mu_);
  VARVE_ASSIGN_OR_RETURN(Tenants tenants, LoadTenants(config_));
  Publish(config_, std::move(tenants));
  return Status::Ok();
}

void LiveLimits::SetParticipant(Prepare prepare) {
  const MutexLock lock(mu_);
  participant_ = std::move(prepare);
}

Status LiveLimits::Reload() {
  const MutexLock lock(mu_);
  Status status = TryReload();
  stats_.last_succeeded = status.ok();
  if (status.ok()) {
    ++stats_.reloads_succeeded;
    stats_.last_success_ns = clock_->NowNs();
  } else {
    ++stats_.reloads_failed;
    spdlog::error("msg=\"configuration not reloaded; what is in force stays\" error=\"{}\"",
                  Loggable(std::string(status.message())));
  }
  return status;
}

Status LiveLimits::TryReload() {
  VARVE_ASSIGN_OR_RETURN(const Config fresh, load_());
  Config config = config_;
  CopyLimits(fresh, &config);
  VARVE_ASSIGN_OR_RETURN(Tenants tenants, LoadTenants(config));
  std::function<void()> apply;
  if (participant_ != nullptr) {
    VARVE_ASSIGN_OR_RETURN(apply, participant_(fresh));
    CopyAlertingFiles(fresh, &config);
  }
  LogChanges(config, tenants);
  Publish(std::move(config), std::move(tenants));
  if (apply != nullptr) apply();
  return Status::Ok();
}

void LiveLimits::LogChanges(const Config& config, const Tenants& tenants) const {
  size_t changes = 0;
  ForEachDifference(config_, config, [&](const auto& name, const auto& before, const auto& after) {
    ++changes;
    spdlog::info("msg=\"limit changed\" limit={} from=\"{}\" to=\"{}\"", name, Loggable(before),
                 Loggable(after));
  });
  const auto own = [](const Tenants& of, const std::string& name, const Config& defaults) {
    const auto found = of.find(name);
    Config none = defaults;
    none.retention_streams.clear();
    return found == of.end() ? none : found->second;
  };
  Tenants names = tenants;
  names.insert(tenants_.begin(), tenants_.end());
  for (const auto& [name, unused] : names) {
    ForEachDifference(own(tenants_, name, config_), own(tenants, name, config),
                      [&](const auto& limit, const auto& before, const auto& after) {
                        ++changes;
                        spdlog::info("msg=\"limit changed\" tenant=\"{}\" limit={} from=\"{}\" to=\"{}\"",
                                     Loggable(name), limit, Loggable(before), Loggable(after));
                      });
  }
  spdlog::info("msg=\"limits reloaded\" changes={} tenants_with_overrides={}", changes, tenants.size());
}

void LiveLimits::Publish(Config config, Tenants tenants) {
  PerTenant<IngestLimits>::Overrides ingest;
  PerTenant<QueryLimits>::Overrides query;
  stats_.tenants_overridden = tenants.size();
  stats_.values_overridden = 0;
  Config without_rules = config;
  without_rules.retention_streams.clear();
  for (const auto& [name, tenant] : tenants) {
    ingest[name] = std::make_shared<const IngestLimits>(tenant.ingest);
    query[name] = std::make_shared<const QueryLimits>(tenant.query);
    ForEachDifference(without_rules, tenant, [&](const auto&...) { ++stats_.values_overridden; });
  }
  ingest_.Replace(config.ingest, std::move(ingest));
  query_.Replace(config.query, std::move(query));
  retention_->Replace(PolicyOf(config, tenants));
  config_ = std::move(config);
  tenants_ = std::move(tenants);
}

std::string LiveLimits::TenantYaml(std::string_view tenant) const {
  const MutexLock lock(mu_);
  const auto own = tenants_.find(std::string(tenant));
  Config effective = own == tenants_.end() ? config_ : own->second;
  if (effective.retention_streams.empty()) effective.retention_streams = config_.retention_streams;
  std::string yaml;
  for (const auto& [name, value] : LimitValues(effective)) yaml += name + ": " + value + "\n";
  return yaml;
}

std::string LiveLimits::ConfigYaml() const {
  const MutexLock lock(mu_);
  return ToYaml(config_);
}

LimitsSource::Stats LiveLimits::stats() const {
  const MutexLock lock(mu_);
  return stats_;
}

}  // namespace varve
