#include "tools/probe_certificate.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

namespace varve {
namespace {

using Steady = std::chrono::steady_clock;

struct Free {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(addrinfo* p) const { freeaddrinfo(p); }
};
using Context = std::unique_ptr<SSL_CTX, Free>;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() { Close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void Reset(int fd) {
    Close();
    fd_ = fd;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Until the socket is ready for `events`; false: the time is over.
bool Await(int fd, short events, Steady::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
    if (left <= 0) return false;
    pollfd waiting{.fd = fd, .events = events, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 1'000'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

std::string TimedOut(const ProbeTarget& target) { return fmt::format("no answer within {} ms", target.timeout_ms); }

// Connects; what is wrong, or "".
std::string Connect(const ProbeTarget& target, Steady::time_point deadline, Socket* out) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(target.address.c_str(), std::to_string(target.port).c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, Free> addresses(found);
  if (code != 0) return fmt::format("cannot look up {}: {}", target.address, gai_strerror(code));
  std::string error = "no address";
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    out->Reset(socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (out->fd() < 0) continue;
    if (connect(out->fd(), address->ai_addr, address->ai_addrlen) == 0) return "";
    int failure = errno;
    if (failure == EINPROGRESS) {
      if (!Await(out->fd(), POLLOUT, deadline)) return TimedOut(target);
      socklen_t size = sizeof(failure);
      getsockopt(out->fd(), SOL_SOCKET, SO_ERROR, &failure, &size);
    }
    if (failure == 0) return "";
    error = fmt::format("cannot connect to {}:{}: {}", target.address, target.port, std::strerror(failure));
  }
  return error;
}

std::string SslError() {
  const unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "the connection was closed" : reason;
}

std::string Handshake(SSL* ssl, const ProbeTarget& target, Steady::time_point deadline) {
  ERR_clear_error();
  while (true) {
    const int done = SSL_connect(ssl);
    if (done == 1) return "";
    const int error = SSL_get_error(ssl, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return "TLS handshake: " + SslError();
    if (!Await(SSL_get_fd(ssl), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) return TimedOut(target);
  }
}

std::string NamePart(const X509_NAME* name, int nid) {
  const int at = X509_NAME_get_index_by_NID(name, nid, -1);
  if (at < 0) return "";
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return "";
  std::string out = ShortName({reinterpret_cast<const char*>(text), static_cast<size_t>(size)});
  OPENSSL_free(text);
  return out;
}

std::string SerialOf(const X509* certificate) {
  BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  char* const text = number == nullptr ? nullptr : BN_bn2hex(number);
  std::string out = text == nullptr ? "" : ShortName(text);
  OPENSSL_free(text);
  BN_free(number);
  return out;
}

void Describe(SSL* ssl, const ProbeTarget& target, CertificateCheck* check) {
  const std::unique_ptr<X509, Free> certificate(SSL_get1_peer_certificate(ssl));
  tm date{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &date) != 1) {
    check->error = "no certificate was presented";
    return;
  }
  check->presented = true;
  check->not_after_s = timegm(&date);
  check->serial = SerialOf(certificate.get());
  const X509_NAME* const issuer = X509_get_issuer_name(certificate.get());
  check->issuer = NamePart(issuer, NID_organizationName);
  if (check->issuer.empty()) check->issuer = NamePart(issuer, NID_commonName);
  const long verified = SSL_get_verify_result(ssl);
  if (target.verify && verified != X509_V_OK && verified != X509_V_ERR_CERT_HAS_EXPIRED) {
    check->error = X509_verify_cert_error_string(verified);
  }
}

Result<Context> MakeContext(const std::string& ca_file) {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return InternalError("OpenSSL did not start");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);  // the result is looked at afterwards
  const bool read = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                                    : SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) == 1;
  if (!read) return InvalidArgument(fmt::format("ca_file {}: cannot be read as PEM: {}", ca_file, SslError()));
  return context;
}

}  // namespace

std::string ShortName(std::string_view name) {
  size_t size = std::min(name.size(), kNameBytesMax);
  while (size > 0 && size < name.size() && (static_cast<uint8_t>(name[size]) & 0xC0) == 0x80) --size;
  return std::string(name.substr(0, size));
}

struct CertificateChecker::Impl {
  std::map<std::string, Context> contexts;  // by CA file
};

CertificateChecker::CertificateChecker(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
CertificateChecker::~CertificateChecker() = default;

Result<std::unique_ptr<CertificateChecker>> CertificateChecker::Create(const ProbeConfig& config) {
  auto impl = std::make_unique<Impl>();
  for (const ProbeTarget& target : config.targets) {
    Context& context = impl->contexts[target.ca_file];
    if (context != nullptr) continue;
    VARVE_ASSIGN_OR_RETURN(context, MakeContext(target.ca_file));
  }
  return std::make_unique<CertificateChecker>(std::move(impl));
}

CertificateCheck CertificateChecker::Check(const ProbeTarget& target) const {
  CertificateCheck check;
  const auto start = Steady::now();
  const auto deadline = start + std::chrono::milliseconds(target.timeout_ms);
  Socket socket(-1);
  check.error = Connect(target, deadline, &socket);
  const std::unique_ptr<SSL, Free> ssl(SSL_new(impl_->contexts.at(target.ca_file).get()));
  if (check.error.empty() && ssl == nullptr) check.error = "OpenSSL has no memory";
  if (check.error.empty()) {
    SSL_set_fd(ssl.get(), socket.fd());
    in6_addr address;
    const bool is_address = inet_pton(AF_INET, target.domain.c_str(), &address) == 1 ||
                            inet_pton(AF_INET6, target.domain.c_str(), &address) == 1;
    if (is_address) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), target.domain.c_str());
    } else {
      SSL_set_tlsext_host_name(ssl.get(), target.domain.c_str());
      SSL_set1_host(ssl.get(), target.domain.c_str());
    }
    check.error = Handshake(ssl.get(), target, deadline);
  }
  if (check.error.empty()) Describe(ssl.get(), target, &check);
  check.seconds = std::chrono::duration<double>(Steady::now() - start).count();
  return check;
}

}  // namespace varve
