// Alertmanager's API v2 of the built-in notifier: /api/v2/{status,receivers,alerts,alerts/groups,silences,silence/{id}}.
//
// Only at that root: Grafana tells kinds of Alertmanagers apart by which root answers. docs/http_api.md has the endpoints.
// Threads: thread-safe. Ownership: what is pointed to must outlive this.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/status.h"
#include "http/message.h"
#include "http/router.h"

namespace varve {

class Notifier;

struct AlertmanagerContext {
  Notifier* notifier = nullptr;  // never null
  bool auth_enabled = false;
  const Clock* clock = &Clock::System();
  std::function<bool()> ready;  // whether alerts and silences are loaded; null: always
};

class AlertmanagerApi {
 public:
  explicit AlertmanagerApi(AlertmanagerContext context);

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  using Answer = HttpResponse (AlertmanagerApi::*)(const HttpRequest&, const std::string& tenant) const;

  HttpResponse GetStatus(const HttpRequest& request, const std::string& tenant) const;
  HttpResponse Receivers(const HttpRequest& request, const std::string& tenant) const;
  HttpResponse Alerts(const HttpRequest& request, const std::string& tenant) const;
  HttpResponse Groups(const HttpRequest& request, const std::string& tenant) const;
  HttpResponse PostAlerts(const HttpRequest& request, const std::string& tenant) const;
  HttpResponse Silences(const HttpRequest& request, const std::string& tenant) const;
  HttpResponse PostSilence(const HttpRequest& request, const std::string& tenant) const;
  HttpResponse GetSilence(const HttpRequest& request, const std::string& tenant) const;
  HttpResponse DeleteSilence(const HttpRequest& request, const std::string& tenant) const;
  int64_t NowMs() const;

  const AlertmanagerContext context_;
  const int64_t started_ms_;
};

}  // namespace varve
