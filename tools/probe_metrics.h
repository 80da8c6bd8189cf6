// The metrics of `varve probe tls` as a remote write request (version 1, protobuf in a snappy block).
//
//   certificate_expiry_days{domain,issuer}                          days left, with their fraction
//   certificate_expiry_status{domain,status}                        1 for the status that holds, else 0
//   certificate_renewal_attempts_total{domain,result}               success, failure
//   certificate_check_duration_seconds_{bucket,sum,count}           of all checks
// and the labels of the configuration.
// Threads: thread-safe (pure functions).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tools/probe_certificate.h"
#include "tools/probe_config.h"
#include "tools/probe_state.h"

namespace varve {

// expired, critical, warning, ok or error.
std::string_view CertificateStatus(const ProbeTarget& target, const CertificateCheck& check, int64_t now_ms);
double CertificateDays(const CertificateCheck& check, int64_t now_ms);

// `checks` is by ProbeTarget::label; a domain that is not in it was not checked yet.
std::string ProbeMetricsBody(const ProbeConfig& config, const std::map<std::string, CertificateCheck>& checks,
                             const ProbeState& state, int64_t now_ms);

}  // namespace varve
