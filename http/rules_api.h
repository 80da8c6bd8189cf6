// Rules and alerts with their state: Prometheus's GET /api/v1/rules, /alerts and /alertmanagers, and rules and alerts of Loki's ruler below
// /prometheus/api/v1. How rules are made: ruler_config_api.h.
//
// Threads: thread-safe. Ownership: what is pointed to must outlive this.
#pragma once

#include <string>

#include "http/message.h"
#include "http/prometheus_call.h"
#include "http/router.h"

namespace varve {

class ExternalAlertmanagers;
class Ruler;

class RulesApi {
 public:
  // `ruler` may be null: then there are no rules; likewise `external`.
  RulesApi(const PrometheusContext* context, const Ruler* ruler, const ExternalAlertmanagers* external)
      : context_(*context), ruler_(ruler), external_(external) {}

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  Result<HttpResponse> PrometheusRules(const PromCall& call) const;
  Result<HttpResponse> PrometheusAlerts(const PromCall& call) const;
  Result<HttpResponse> Alertmanagers() const;
  HttpResponse LokiRules(const HttpRequest& request, const std::string& tenant) const;
  HttpResponse LokiAlerts(const HttpRequest& request, const std::string& tenant) const;

  const PrometheusContext& context_;
  const Ruler* const ruler_;
  const ExternalAlertmanagers* const external_;
};

}  // namespace varve
