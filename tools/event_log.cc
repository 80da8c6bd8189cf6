#include "tools/event_log.h"

#include <algorithm>

#include "engine/base/json_writer.h"
#include "engine/base/time.h"

namespace varve {
namespace {

constexpr std::string_view kStream = R"({"streams":[{"stream":{"job":"varve-alerts"},"values":[)";

std::string PushBody(const std::vector<std::pair<int64_t, std::string>>& lines) {
  std::string body(kStream);
  for (const auto& [ts_ms, line] : lines) {
    if (body.back() != '[') body.push_back(',');
    body.append("[\"");
    AppendInt(&body, ts_ms * kNsPerMs);
    body.append("\",");
    AppendJsonString(&body, line);
    body.push_back(']');
  }
  return body.append("]}]}");
}

}  // namespace

void EventLog::Add(std::string_view tenant, int64_t ts_ms, std::string line) {
  const MutexLock lock(mu_);
  if (lines_ >= kLinesMax) {
    ++dropped_;
    return;
  }
  ++lines_;
  auto found = waiting_.find(tenant);
  if (found == waiting_.end()) found = waiting_.emplace(tenant, Lines()).first;
  found->second.emplace_back(ts_ms, std::move(line));
}

Status EventLog::Flush() {
  std::map<std::string, Lines, std::less<>> taken;
  {
    const MutexLock lock(mu_);
    taken.swap(waiting_);
    lines_ = 0;
  }
  Status failure;
  for (const auto& [tenant, lines] : taken) {
    const std::string body = PushBody(lines);
    PushOutcome outcome =
        writes_->Push({.tenant = tenant, .content_type = "application/json", .content_encoding = {}, .body = body});
    if (outcome.status.ok()) continue;
    // Limits would refuse them again; a store that is full or shut may take them later.
    const bool later = outcome.status.code() == Code::kStorageFull || outcome.status.code() == Code::kUnavailable;
    if (later) {
      for (const auto& [ts_ms, line] : lines) Add(tenant, ts_ms, line);
    } else {
      const MutexLock lock(mu_);
      dropped_ += lines.size() - std::min<uint64_t>(lines.size(), outcome.entries_stored);
    }
    failure = std::move(outcome.status);
  }
  return failure;
}

uint64_t EventLog::dropped() const {
  const MutexLock lock(mu_);
  return dropped_;
}

}  // namespace varve
