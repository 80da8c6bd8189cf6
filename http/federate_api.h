// GET /federate: the latest samples of the series that match, in Prometheus's text format.
//
// Native histograms have no form in it and are left out, but for those with custom buckets, which become classic
// ones. Stale series are left out. Names that are not [a-zA-Z_:][a-zA-Z0-9_:]* are quoted when the client's Accept
// says escaping=allow-utf-8, else escaped as it says.
// Threads: thread-safe. Ownership: the context must outlive this.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/metric_scan.h"
#include "http/prometheus_call.h"

namespace varve {

enum class NameEscaping { kUnderscores, kAllowUtf8, kDots, kValues };
// From an Accept header.
NameEscaping NameEscapingOf(std::string_view accept);
std::string_view NameEscapingText(NameEscaping escaping);
std::string EscapeName(std::string_view name, NameEscaping escaping);

// One series' latest sample: a float, or a histogram with custom buckets.
struct FederatedSample {
  PackedLabels labels;
  int64_t ts_ms = 0;
  double value = 0;
  HistogramPtr histogram;
};
// `samples` ascending by metric name.
std::string FederateText(const std::vector<FederatedSample>& samples, NameEscaping escaping);

class FederateApi {
 public:
  explicit FederateApi(const PrometheusContext* context) : context_(*context) {}

  // The router keeps pointers to this object.
  void AddRoutes(Router* router);

 private:
  HttpResponse Federate(const PromCall& call) const;
  Result<std::vector<FederatedSample>> Collect(const PromCall& call,
                                               const std::vector<std::vector<Matcher>>& selectors) const;

  const PrometheusContext& context_;
};

}  // namespace varve
