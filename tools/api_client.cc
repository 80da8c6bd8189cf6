#include "tools/api_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include "tools/alert_answer.h"

namespace varve {
namespace {

struct HandleCloser {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListCloser {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListCloser>;

size_t TakeBody(const char* data, size_t size, size_t count, void* target) {
  auto* body = static_cast<std::string*>(target);
  const size_t bytes = size * count;
  if (body->size() + bytes > ApiClient::kAnswerBytesMax) return 0;  // libcurl gives up with WRITE_ERROR
  body->append(data, bytes);
  return bytes;
}

int AskToStop(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<std::function<bool()>*>(stop))() ? 1 : 0;
}

void AddHeader(const std::string& line, HeaderList* headers) {
  headers->reset(curl_slist_append(headers->release(), line.c_str()));
}

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
        c == '.' || c == '~') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

struct ApiClient::Impl {
  ServerAddress address;
  int64_t timeout_ms = 0;
  std::function<bool()> stop;
  std::unique_ptr<CURL, HandleCloser> handle{curl_easy_init()};

  // `body` null: nothing is sent. `method` null: POST or GET, by whether there is a body.
  Result<HttpAnswer> Send(const std::string& url, std::string_view content_type, const std::string_view* body,
                          const char* method = nullptr, std::string_view content_encoding = {});
};

ApiClient::ApiClient(ServerAddress address) : impl_(std::make_unique<Impl>()) {
  while (address.url.ends_with('/')) address.url.pop_back();
  if (address.url.find("://") == std::string::npos) address.url.insert(0, "http://");
  impl_->address = std::move(address);
}

ApiClient::~ApiClient() = default;

Result<HttpAnswer> ApiClient::Impl::Send(const std::string& url, std::string_view content_type,
                                         const std::string_view* body, const char* method,
                                         std::string_view content_encoding) {
  CURL* curl = handle.get();
  if (curl == nullptr) return InternalError("libcurl did not start");
  curl_easy_reset(curl);  // keeps the connection
  HttpAnswer answer;
  HeaderList headers;
  if (!address.tenant.empty()) AddHeader("X-Scope-OrgID: " + address.tenant, &headers);
  if (body != nullptr) {
    AddHeader(fmt::format("Content-Type: {}", content_type), &headers);
    if (!content_encoding.empty()) AddHeader(fmt::format("Content-Encoding: {}", content_encoding), &headers);
    AddHeader("Expect:", &headers);  // no waiting for "100 Continue"
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
  } else {
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
  }
  if (method != nullptr) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "varve");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  if (timeout_ms != 0) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
  if (stop) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, AskToStop);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop);
  }
  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_WRITE_ERROR) {
    return TooLarge(fmt::format("the answer of {} is larger than {} bytes", address.url, kAnswerBytesMax));
  }
  if (code != CURLE_OK) {
    return Unavailable(
        fmt::format("cannot reach {}: {} (is `varve serve` running? --addr or VARVE_ADDR name "
                    "another address)",
                    address.url, *reason != '\0' ? reason : curl_easy_strerror(code)));
  }
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_off_t seconds = 0;
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
  answer.retry_after_ms = static_cast<int64_t>(seconds) * 1000;
  return answer;
}

void ApiClient::SetTimeout(int64_t timeout_ms, std::function<bool()> stop) {
  impl_->timeout_ms = timeout_ms;
  impl_->stop = std::move(stop);
}

Result<HttpAnswer> ApiClient::Get(std::string_view path, const Parameters& parameters) {
  std::string url = impl_->address.url + std::string(path);
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    url += fmt::format("{}{}={}", separator, Escape(name), Escape(value));
    separator = '&';
  }
  return impl_->Send(url, "", nullptr);
}

Result<HttpAnswer> ApiClient::Post(std::string_view path, std::string_view content_type,
                                   std::string_view body, std::string_view content_encoding) {
  return impl_->Send(impl_->address.url + std::string(path), content_type, &body, nullptr, content_encoding);
}

Result<HttpAnswer> ApiClient::Delete(std::string_view path) {
  return impl_->Send(impl_->address.url + std::string(path), "", nullptr, "DELETE");
}

Status ApiClient::ErrorOf(HttpAnswer answer) {
  while (answer.body.ends_with('\n')) answer.body.pop_back();
  answer.body = ErrorText(answer.body);
  if (answer.body == "no org id") answer.body += " (the server has tenants: --tenant NAME)";
  constexpr size_t kShownBytesMax = 2000;
  if (answer.body.size() > kShownBytesMax) answer.body.resize(kShownBytesMax);
  if (answer.body.empty()) answer.body = fmt::format("the server answered with status {}", answer.status);
  return answer.status < 500 ? InvalidArgument(std::move(answer.body)) : Unavailable(std::move(answer.body));
}

Result<std::string> ApiClient::GetText(std::string_view path, const Parameters& parameters) {
  VARVE_ASSIGN_OR_RETURN(HttpAnswer answer, Get(path, parameters));
  if (answer.status == 200) return std::move(answer.body);
  return ErrorOf(std::move(answer));
}

std::string ApiClient::EscapePathSegment(std::string_view text) { return Escape(text); }

}  // namespace varve
