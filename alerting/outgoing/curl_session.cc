#include "alerting/outgoing/curl_session.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <mutex>

namespace varve {
namespace {

constexpr int64_t kConnectTimeoutMsMax = 10'000;
constexpr size_t kSecretFileBytesMax = 64 << 10;

struct HandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

// The handle of this thread; null when there is no memory for one.
CURL* ThreadHandle() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  thread_local std::unique_ptr<CURL, HandleDeleter> handle;
  if (handle == nullptr) handle.reset(curl_easy_init());
  if (handle != nullptr) curl_easy_reset(handle.get());
  return handle.get();
}

long TlsVersionBits(std::string_view minimum, std::string_view maximum) {
  long bits = CURL_SSLVERSION_TLSv1_2;
  if (minimum == "TLS10") bits = CURL_SSLVERSION_TLSv1_0;
  if (minimum == "TLS11") bits = CURL_SSLVERSION_TLSv1_1;
  if (minimum == "TLS13") bits = CURL_SSLVERSION_TLSv1_3;
  if (maximum == "TLS10") bits |= CURL_SSLVERSION_MAX_TLSv1_0;
  if (maximum == "TLS11") bits |= CURL_SSLVERSION_MAX_TLSv1_1;
  if (maximum == "TLS12") bits |= CURL_SSLVERSION_MAX_TLSv1_2;
  if (maximum == "TLS13") bits |= CURL_SSLVERSION_MAX_TLSv1_3;
  return bits;
}

Status CheckReadable(const std::string& path) {
  if (path.empty() || std::ifstream(path).good()) return Status::Ok();
  return IoError("cannot read " + path);
}

}  // namespace

void CurlList::Add(const std::string& text) {
  if (curl_slist* longer = curl_slist_append(list_, text.c_str()); longer != nullptr) list_ = longer;
}

CurlSession::CurlSession(const CancelToken& cancel, int64_t timeout_ms) : handle_(ThreadHandle()), cancel_(cancel) {
  const int64_t total = std::max<int64_t>(timeout_ms, 1);
  Set(CURLOPT_NOSIGNAL, 1L);
  Set(CURLOPT_QUICK_EXIT, 1L);  // a name server that hangs holds its own thread longer than the timeout, not this one
  Set(CURLOPT_TIMEOUT_MS, static_cast<long>(total));
  Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(total, kConnectTimeoutMsMax)));
  Set(CURLOPT_ERRORBUFFER, error_.data());
  Set(CURLOPT_NOPROGRESS, 0L);
  Set(CURLOPT_XFERINFOFUNCTION, &CurlSession::Progress);
  Set(CURLOPT_XFERINFODATA, this);
}

CurlSession::~CurlSession() {
  // The handle lives on; nothing in it may point here.
  if (handle_ != nullptr) curl_easy_reset(handle_);
}

int CurlSession::Progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto* session = static_cast<CurlSession*>(self);
  session->cancelled_ = !session->cancel_.Check().ok();
  return session->cancelled_ ? 1 : 0;
}

Status CurlSession::UseTls(const TlsConfig& tls) {
  for (const std::string* file : {&tls.ca_file, &tls.cert_file, &tls.key_file}) {
    VARVE_RETURN_IF_ERROR(CheckReadable(*file));
  }
  if (!tls.ca_file.empty()) {
    Set(CURLOPT_CAINFO, tls.ca_file.c_str());
    Set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // these authorities instead of the system's
  }
  if (!tls.cert_file.empty()) Set(CURLOPT_SSLCERT, tls.cert_file.c_str());
  if (!tls.key_file.empty()) Set(CURLOPT_SSLKEY, tls.key_file.c_str());
  Set(CURLOPT_SSL_VERIFYPEER, tls.insecure_skip_verify ? 0L : 1L);
  Set(CURLOPT_SSL_VERIFYHOST, tls.insecure_skip_verify ? 0L : 2L);
  Set(CURLOPT_SSLVERSION, TlsVersionBits(tls.min_version, tls.max_version));
  return Status::Ok();
}

Status CurlSession::Perform(std::string_view where) {
  if (handle_ == nullptr) return ResourceExhausted("no memory for a libcurl handle");
  VARVE_RETURN_IF_ERROR(cancel_.Check());
  const CURLcode code = curl_easy_perform(handle_);
  if (code == CURLE_OK) return Status::Ok();
  if (cancelled_) return cancel_.Check();
  std::string words = error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
  if (concealed_.size() > 1 && words.find(concealed_) != std::string::npos) words = curl_easy_strerror(code);
  std::string message = std::string(where) + ": " + words;
  const bool file = code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
  return file ? IoError(std::move(message)) : Unavailable(std::move(message));
}

Result<UrlParts> SplitUrl(const std::string& url) {
  std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), curl_url_cleanup);
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return InvalidArgument("not a URL");
  }
  auto part = [&](CURLUPart which, unsigned flags) {
    char* text = nullptr;
    std::string out;
    if (curl_url_get(parsed.get(), which, &text, flags) == CURLUE_OK && text != nullptr) out = text;
    curl_free(text);
    return out;
  };
  UrlParts parts{part(CURLUPART_SCHEME, 0), part(CURLUPART_HOST, 0), part(CURLUPART_PORT, CURLU_DEFAULT_PORT),
                 part(CURLUPART_PATH, 0)};
  if (std::string query = part(CURLUPART_QUERY, 0); !query.empty()) parts.rest += "?" + query;
  if (parts.host.empty()) return InvalidArgument("a URL without a host");
  return parts;
}

Result<std::string> ReadSecretFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return IoError("cannot read " + path);
  std::string text(kSecretFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return IoError("cannot read " + path);
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kSecretFileBytesMax) return IoError(path + " is longer than 64 KiB");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ' || text.back() == '\t')) {
    text.pop_back();
  }
  return text;
}

}  // namespace varve
