#include "tools/retrying_post.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace varve {
namespace {

constexpr int64_t kFirstBackoffMs = 200;
constexpr int64_t kBackoffMsMax = 10'000;

}  // namespace

Result<HttpAnswer> PostWithRetries(ApiClient* client, std::string_view path, std::string_view content_type,
                                   std::string_view body, uint32_t retries, bool* reached_server) {
  int64_t backoff_ms = kFirstBackoffMs;
  for (uint32_t attempt = 0;; ++attempt) {
    Result<HttpAnswer> answer = client->Post(path, content_type, body);
    if (!answer.ok() && !*reached_server) return std::move(answer).status();
    const bool retry = !answer.ok() || answer->status == 429 || answer->status >= 500;
    if (!retry) {
      *reached_server = true;
      return answer;
    }
    if (attempt == retries) {
      if (!answer.ok()) return std::move(answer).status();
      return Unavailable(fmt::format("gave up after {} tries; the last answer was {}: {}", attempt + 1,
                                     answer->status, answer->body.substr(0, 500)));
    }
    const int64_t asked_ms = answer.ok() ? answer->retry_after_ms : 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(std::clamp(asked_ms, backoff_ms, kBackoffMsMax)));
    backoff_ms = std::min(backoff_ms * 2, kBackoffMsMax);
  }
}

}  // namespace varve
