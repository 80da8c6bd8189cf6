// What operates the process: ready, metrics, config, buildinfo, flush, log_level, services.
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

class AdminApi {
 public:
  // `config_yaml` gives the configuration in effect.
  AdminApi(Engine* engine, const Metrics* metrics, std::function<std::string()> config_yaml);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

  enum class Phase { kStarting, kRunning, kStopping };
  void SetPhase(Phase phase) { phase_.store(phase, std::memory_order_relaxed); }

 private:
  HttpResponse Ready() const;
  HttpResponse Services() const;
  HttpResponse LogLevel(const HttpRequest& request) const;

  Engine* const engine_;
  const Metrics* const metrics_;
  const std::function<std::string()> config_yaml_;
  std::atomic<Phase> phase_{Phase::kStarting};  // written by the owner, read by handlers; publishes nothing
};

}  // namespace varve
