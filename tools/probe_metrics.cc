#include "tools/probe_metrics.h"

#include <fmt/format.h>
#include <snappy.h>

#include <array>
#include <protozero/pbf_writer.hpp>
#include <utility>
#include <vector>

namespace varve {
namespace {

// Field numbers of prometheus.WriteRequest, TimeSeries, Label, Sample and MetricMetadata.
constexpr protozero::pbf_tag_type kSeries = 1;
constexpr protozero::pbf_tag_type kMetadata = 3;
constexpr protozero::pbf_tag_type kSeriesLabels = 1;
constexpr protozero::pbf_tag_type kSeriesSamples = 2;
constexpr protozero::pbf_tag_type kLabelName = 1;
constexpr protozero::pbf_tag_type kLabelValue = 2;
constexpr protozero::pbf_tag_type kSampleValue = 1;
constexpr protozero::pbf_tag_type kSampleTimestamp = 2;
constexpr protozero::pbf_tag_type kMetadataType = 1;
constexpr protozero::pbf_tag_type kMetadataName = 2;
constexpr protozero::pbf_tag_type kMetadataHelp = 4;
enum MetricType : int32_t { kCounter = 1, kGauge = 2, kHistogram = 3 };

constexpr std::array<std::string_view, 5> kStatuses = {"expired", "critical", "warning", "ok", "error"};

class Request {
 public:
  Request(const Labels& common, int64_t now_ms) : common_(common), now_ms_(now_ms) {}

  void Family(std::string_view name, MetricType type, std::string_view help) {
    protozero::pbf_writer request(bytes_);
    protozero::pbf_writer metadata(request, kMetadata);
    metadata.add_enum(kMetadataType, type);
    metadata.add_string(kMetadataName, name.data(), name.size());
    metadata.add_string(kMetadataHelp, help.data(), help.size());
  }

  void Sample(std::string_view name, std::vector<Label> labels, double value) {
    labels.insert(labels.end(), common_.begin(), common_.end());
    labels.push_back({"__name__", std::string(name)});
    protozero::pbf_writer request(bytes_);
    protozero::pbf_writer series(request, kSeries);
    for (const Label& label : Labels::FromUnsorted(std::move(labels))) {
      protozero::pbf_writer pair(series, kSeriesLabels);
      pair.add_string(kLabelName, label.name);
      pair.add_string(kLabelValue, label.value);
    }
    protozero::pbf_writer sample(series, kSeriesSamples);
    sample.add_double(kSampleValue, value);
    sample.add_int64(kSampleTimestamp, now_ms_);
  }

  std::string Compressed() const {
    std::string body;
    snappy::Compress(bytes_.data(), bytes_.size(), &body);
    return body;
  }

 private:
  const Labels& common_;
  const int64_t now_ms_;
  std::string bytes_;
};

void AddDurations(const ProbeState& state, Request* request) {
  constexpr std::string_view kName = "certificate_check_duration_seconds";
  request->Family(kName, kHistogram, "How long checks of certificates took.");
  uint64_t count = 0;
  for (size_t i = 0; i < state.checks.size(); ++i) {
    count += state.checks[i];
    const std::string bound = i < ProbeState::kBounds.size() ? fmt::format("{}", ProbeState::kBounds[i]) : "+Inf";
    request->Sample(std::string(kName) + "_bucket", {{"le", bound}}, static_cast<double>(count));
  }
  request->Sample(std::string(kName) + "_sum", {}, state.check_seconds);
  request->Sample(std::string(kName) + "_count", {}, static_cast<double>(count));
}

}  // namespace

double CertificateDays(const CertificateCheck& check, int64_t now_ms) {
  return (static_cast<double>(check.not_after_s) - static_cast<double>(now_ms) / 1000) / 86400;
}

std::string_view CertificateStatus(const ProbeTarget& target, const CertificateCheck& check, int64_t now_ms) {
  if (!check.presented) return "error";
  const double days = CertificateDays(check, now_ms);
  if (days <= 0) return "expired";
  if (!check.error.empty()) return "error";
  if (days <= target.critical_days) return "critical";
  return days <= target.warning_days ? "warning" : "ok";
}

std::string ProbeMetricsBody(const ProbeConfig& config, const std::map<std::string, CertificateCheck>& checks,
                             const ProbeState& state, int64_t now_ms) {
  Request request(config.labels, now_ms);
  request.Family("certificate_expiry_days", kGauge, "Days until the certificate of a domain expires.");
  request.Family("certificate_expiry_status", kGauge, "1 for the status that a domain's certificate has.");
  request.Family("certificate_renewal_attempts_total", kCounter, "Renewals of certificates, by result.");
  for (const ProbeTarget& target : config.targets) {
    const auto renewals = state.domains.find(target.label);
    const ProbeState::Domain counted = renewals == state.domains.end() ? ProbeState::Domain() : renewals->second;
    request.Sample("certificate_renewal_attempts_total", {{"domain", target.label}, {"result", "success"}},
                   static_cast<double>(counted.successes));
    request.Sample("certificate_renewal_attempts_total", {{"domain", target.label}, {"result", "failure"}},
                   static_cast<double>(counted.failures));
    const auto found = checks.find(target.label);
    if (found == checks.end()) continue;
    const CertificateCheck& check = found->second;
    const std::string_view status = CertificateStatus(target, check, now_ms);
    for (const std::string_view name : kStatuses) {
      request.Sample("certificate_expiry_status", {{"domain", target.label}, {"status", std::string(name)}},
                     name == status ? 1 : 0);
    }
    if (!check.presented) continue;
    request.Sample("certificate_expiry_days",
                   {{"domain", target.label}, {"issuer", target.issuer.empty() ? check.issuer : target.issuer}},
                   CertificateDays(check, now_ms));
  }
  AddDurations(state, &request);
  return request.Compressed();
}

}  // namespace varve
