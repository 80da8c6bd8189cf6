// Families of metrics that are read from counters kept elsewhere, as /metrics shows them.
//
// Threads: thread-compatible.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace varve {

using LabelList = std::vector<std::pair<std::string, std::string>>;

// Samples of one family must follow each other.
class FamilyList {
 public:
  explicit FamilyList(std::vector<prometheus::MetricFamily>* out) : out_(out) {}

  void Counter(const char* name, const char* help, double value, LabelList labels = {}) {
    Sample(name, help, prometheus::MetricType::Counter, std::move(labels)).counter.value = value;
  }
  void Counter(const char* name, const char* help, uint64_t value, LabelList labels = {}) {
    Counter(name, help, static_cast<double>(value), std::move(labels));
  }
  void Gauge(const char* name, const char* help, double value, LabelList labels = {}) {
    Sample(name, help, prometheus::MetricType::Gauge, std::move(labels)).gauge.value = value;
  }
  void Gauge(const char* name, const char* help, uint64_t value, LabelList labels = {}) {
    Gauge(name, help, static_cast<double>(value), std::move(labels));
  }

 private:
  prometheus::ClientMetric& Sample(const char* name, const char* help, prometheus::MetricType type,
                                   LabelList labels) {
    if (out_->empty() || out_->back().name != name) {
      prometheus::MetricFamily family;
      family.name = name;
      family.help = help;
      family.type = type;
      out_->push_back(std::move(family));
    }
    prometheus::ClientMetric metric;
    for (auto& [label, value] : labels) metric.label.push_back({std::move(label), std::move(value)});
    out_->back().metric.push_back(std::move(metric));
    return out_->back().metric.back();
  }

  std::vector<prometheus::MetricFamily>* const out_;
};

}  // namespace varve
