// One mail to an SMTP server, by libcurl: STARTTLS, implicit TLS, AUTH PLAIN, LOGIN and CRAM-MD5.
//
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/outgoing/http_client.h"
#include "engine/base/cancel.h"
#include "engine/base/status.h"

namespace varve {

struct SmtpServer {
  std::string host, port;
  std::string hello = "localhost";  // what EHLO says
  enum class Tls { kNone, kStartTls, kImplicit } tls = Tls::kStartTls;  // kStartTls: a server without it is an error
  TlsConfig tls_config;
  std::string username, password, identity;  // username empty: no login
  std::string cram_md5_secret;               // instead of the password, where the server offers CRAM-MD5
  int64_t timeout_ms = 30'000;
};

struct SmtpEnvelope {
  std::string sender;                   // bare addresses
  std::vector<std::string> recipients;  // every one must be accepted
};

// `message`: header and body with CRLF; dots are stuffed here. kUnavailable: what failed, in libcurl's words after
// host:port (never a password). kInvalidArgument: addresses or names that hold control characters. kIoError. kCancelled.
Status SendMail(const SmtpServer& server, const SmtpEnvelope& envelope, std::string_view message,
                const CancelToken& cancel);

}  // namespace varve
