// What limits hold for a tenant, and how they are read anew.
//
//   GET  /config/tenant/v1/limits         the effective limits as YAML
//   GET  /loki/api/v1/drilldown-limits    those that Grafana's Logs Drilldown asks for, as JSON
//   POST /-/reload                        reads the files again
//
// The first two want X-Scope-OrgID even where authentication is off, as Loki's do.
// Threads: thread-safe. Ownership: the source and what it points to must outlive this.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/base/per_tenant.h"
#include "engine/engine.h"
#include "http/message.h"
#include "http/router.h"
#include "ingest/limits.h"
#include "query/exec/query.h"

namespace varve {

// Where limits come from.
class LimitsSource {
 public:
  struct Stats {
    uint64_t reloads_succeeded = 0;
    uint64_t reloads_failed = 0;
    int64_t last_success_ns = 0;  // the start counts
    bool last_succeeded = true;
    uint64_t tenants_overridden = 0;
    uint64_t values_overridden = 0;
  };
  virtual ~LimitsSource() = default;

  // Reads the configuration files again. After an error everything is as it was; the message says why.
  virtual Status Reload() = 0;
  // The effective limits as YAML: names without a section.
  virtual std::string TenantYaml(std::string_view tenant) const = 0;
  // The whole configuration in effect, as a file.
  virtual std::string ConfigYaml() const = 0;
  virtual Stats stats() const = 0;
};

// What the APIs need to know to answer for the tenant of the moment.
struct LimitsContext {
  const Engine* engine = nullptr;
  const PerTenant<QueryLimits>* query = nullptr;
  const PerTenant<IngestLimits>* ingest = nullptr;
  LimitsSource* source = nullptr;  // null: nothing to reload, no YAML
};

class LimitsApi {
 public:
  explicit LimitsApi(LimitsContext context) : context_(context) {}
  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  HttpResponse TenantLimits(const std::string& tenant) const;
  HttpResponse DrilldownLimits(const std::string& tenant) const;
  HttpResponse Reload() const;

  const LimitsContext context_;
};

}  // namespace varve
