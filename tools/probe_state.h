// What `varve probe tls` counts, and keeps over restarts: renewals of certificates, and how long checks took.
//
// A certificate that ends later than the one seen before, with another serial number, is a renewal that succeeded. A hook
// may report successes and failures too (renewal log: lines "DOMAIN success|failure", what follows is ignored); a success
// that is both reported and seen counts once.
// Threads: thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "tools/probe_certificate.h"
#include "tools/probe_config.h"

namespace varve {

struct ProbeState {
  // Bounds of the buckets of certificate_check_duration_seconds; +Inf follows.
  static constexpr std::array<double, 9> kBounds = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
  // A report this long after the change was seen is about that change.
  static constexpr int64_t kReportAfterChangeS = 600;

  struct Domain {
    uint64_t successes = 0;
    uint64_t failures = 0;
    std::string serial;  // of the last certificate seen; empty = none yet
    int64_t not_after_s = 0;
    int64_t changed_s = 0;  // when a change was seen that nobody had reported
    bool reported = false;  // a success was, and the certificate has not changed since
    bool operator==(const Domain&) const = default;
  };

  std::map<std::string, Domain> domains;  // by ProbeTarget::label
  std::array<uint64_t, kBounds.size() + 1> checks{};  // by bucket, not cumulative
  double check_seconds = 0;
  // The renewal log: which file, and how far it is read.
  uint64_t log_inode = 0;
  uint64_t log_offset = 0;

  // True: the certificate was renewed.
  bool AddCheck(const std::string& label, const CertificateCheck& check, int64_t now_s);
  void AddReport(const std::string& label, bool success, int64_t now_s);
};

std::string PrintProbeState(const ProbeState& state);
// kCorruption.
Result<ProbeState> ParseProbeState(std::string_view text);

// Reads what was appended to the renewal log. `log` gets lines about what cannot be read. True: something was.
bool ReadRenewals(const std::string& path, const ProbeConfig& config, int64_t now_s, ProbeState* state,
                  std::vector<std::string>* log);

}  // namespace varve
