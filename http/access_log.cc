#include "http/access_log.h"

#include <spdlog/spdlog.h>

#include <array>
#include <utility>

#include "engine/base/json_writer.h"
#include "engine/model/labels.h"

namespace varve {
namespace {

constexpr size_t kTargetBytesMax = 2048;
constexpr size_t kMarkBytesMax = 256;

// Headers worth a field, and the field's name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kMarks = {{
    {"x-scope-orgid", "tenant"},
    {"x-query-tags", "query_tags"},
    {"x-dashboard-uid", "dashboard"},
    {"x-panel-id", "panel"},
    {"x-rule-uid", "rule"},
    {"user-agent", "user_agent"},
}};

bool IsPlain(std::string_view value) {
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F) return false;
  }
  return !value.empty();
}

void AppendField(std::string_view name, std::string_view value, std::string* out) {
  out->append(" ").append(name).append("=");
  if (IsPlain(value)) {
    out->append(value);
  } else {
    AppendGoQuoted(out, value);
  }
}

}  // namespace

std::string AccessLogPayload(const RequestRecord& record) {
  const HttpRequest& request = *record.request;
  std::string out = "msg=request";
  AppendField("method", request.method.empty() ? "-" : request.method, &out);
  AppendField("target", std::string_view(request.target).substr(0, kTargetBytesMax), &out);
  out.append(" status=").append(std::to_string(record.status));
  out.append(" duration_ms=").append(std::to_string(static_cast<int64_t>(record.seconds * 1000)));
  out.append(" request_bytes=").append(std::to_string(request.body.size()));
  out.append(" response_bytes=").append(std::to_string(record.response_bytes));
  AppendField("remote", request.remote, &out);
  for (const auto& [header, field] : kMarks) {
    if (const std::string_view value = request.Header(header); !value.empty()) {
      AppendField(field, value.substr(0, kMarkBytesMax), &out);
    }
  }
  return out;
}

void LogRequest(const RequestRecord& record) {
  spdlog::level::level_enum level = spdlog::level::debug;
  if (record.status >= 400 || record.seconds > kSlowRequestSeconds) level = spdlog::level::info;
  if (record.status >= 500) level = spdlog::level::warn;
  spdlog::logger* const logger = spdlog::default_logger_raw();
  if (logger == nullptr || !logger->should_log(level)) return;
  logger->log(level, "{}", AccessLogPayload(record));
}

}  // namespace varve
