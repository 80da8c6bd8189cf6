// What operates the process: ready, metrics, config, buildinfo, flush, log_level, services, shutdown.
//
// Threads: thread-safe. Ownership: engine and metrics must outlive this.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "engine/engine.h"
#include "http/message.h"
#include "http/metrics.h"
#include "http/router.h"

namespace varve {

struct AdminOptions {
  // The configuration in effect: sections of `  key: value` lines.
  std::function<std::string()> config_yaml;
  std::string config_defaults_yaml;  // the same of what is in effect when nothing is said
  std::function<void()> terminate;   // ends the process as SIGTERM does; null = it cannot be asked to
};

class AdminApi {
 public:
  AdminApi(Engine* engine, const Metrics* metrics, AdminOptions options);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

  enum class Phase { kStarting, kRunning, kStopping };
  void SetPhase(Phase phase) { phase_.store(phase, std::memory_order_relaxed); }
  bool running() const { return phase_.load(std::memory_order_relaxed) == Phase::kRunning; }

 private:
  HttpResponse Ready() const;
  HttpResponse Services() const;
  HttpResponse Config(const HttpRequest& request) const;
  HttpResponse LogLevel(const HttpRequest& request) const;
  HttpResponse Flush() const;
  HttpResponse PrepareShutdown(const HttpRequest& request);
  HttpResponse Shutdown(const HttpRequest& request) const;

  Engine* const engine_;
  const Metrics* const metrics_;
  const AdminOptions options_;
  std::atomic<Phase> phase_{Phase::kStarting};  // written by the owner, read by handlers; publishes nothing
  std::atomic<bool> shutdown_prepared_{false};   // written and read by handlers; publishes nothing
};

}  // namespace varve
