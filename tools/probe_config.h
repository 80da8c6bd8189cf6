// What `varve probe tls` checks: a JSON file.
//
//   {"interval": "1h", "timeout": "10s", "push_interval": "30s", "concurrency": 16, "ca_file": "/etc/ssl/own.pem",
//    "thresholds": {"critical": 7, "warning": 30}, "labels": {"job": "certificates"}, "renewal_log": "/var/log/renewals",
//    "domains": [{"domain": "example.com", "port": 443, "issuer": "Let's Encrypt", "address": "10.0.0.1",
//                 "thresholds": {"critical": 14}, "interval": "5m", "timeout": "5s", "ca_file": "…", "verify": true}]}
//
// or only the list of domains. Everything but "domain" may be left out; durations are texts or seconds.
// Errors: kInvalidArgument "probe.json: domains[3]: unknown key \"prot\"".
// Threads: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/labels.h"

namespace varve {

struct ProbeTarget {
  std::string domain;   // asked for by name (SNI), and what the certificate must be for
  std::string address;  // where to connect; the domain when it is not given
  uint16_t port = 443;
  std::string label;   // value of the label domain: the domain, with ":port" where it stands there several times
  std::string issuer;  // value of the label issuer; empty: as the certificate says
  double critical_days = 7;
  double warning_days = 30;
  int64_t interval_ms = 3'600'000;
  int64_t timeout_ms = 10'000;
  std::string ca_file;  // of PEM certificates that are trusted; empty: those of the system
  bool verify = true;   // whether a chain that is not trusted, or a wrong name, is an error
};

struct ProbeConfig {
  static constexpr size_t kTargetsMax = 10'000;
  static constexpr uint32_t kConcurrencyMax = 256;

  std::vector<ProbeTarget> targets;
  Labels labels;  // of every series
  int64_t push_interval_ms = 30'000;
  uint32_t concurrency = 16;
  std::string renewal_log;  // empty: beside the state
};

Result<ProbeConfig> ReadProbeConfig(const std::string& path);
// `name` stands for the file in errors.
Result<ProbeConfig> ParseProbeConfig(std::string_view text, std::string_view name);

}  // namespace varve
