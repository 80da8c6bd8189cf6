// The certificate that a server presents: one TLS handshake.
//
// Threads: thread-safe; a check blocks for at most its timeout (looking up the name excepted, which the system bounds).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "tools/probe_config.h"

namespace varve {

struct CertificateCheck {
  bool presented = false;  // a certificate was: the fields about it are set
  int64_t not_after_s = 0;
  std::string serial;  // hexadecimal, at most kNameBytesMax of it
  std::string issuer;  // organisation, or common name: what the server says, at most kNameBytesMax of it
  std::string error;   // why it cannot be trusted, or why there is none; empty = all is well
  double seconds = 0;  // it took
};

// A name of a certificate is any text, of up to 100 KB; the standard allows 64 characters.
inline constexpr size_t kNameBytesMax = 256;
// `name`, cut between characters where it is longer.
std::string ShortName(std::string_view name);

class CertificateChecker {
 public:
  // Reads the CA files. kInvalidArgument names a bad one.
  static Result<std::unique_ptr<CertificateChecker>> Create(const ProbeConfig& config);
  struct Impl;
  explicit CertificateChecker(std::unique_ptr<const Impl> impl);
  ~CertificateChecker();
  CertificateChecker(const CertificateChecker&) = delete;
  CertificateChecker& operator=(const CertificateChecker&) = delete;

  // Never fails: what went wrong is in the answer. That a certificate has expired is no error here.
  CertificateCheck Check(const ProbeTarget& target) const;

 private:
  const std::unique_ptr<const Impl> impl_;
};

}  // namespace varve
