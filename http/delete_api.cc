#include "http/delete_api.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/json_writer.h"
#include "http/error_map.h"
#include "http/tenant.h"
#include "http/tenant_query_limits.h"
#include "query/exec/humanized_text.h"

namespace varve {
namespace {

constexpr std::string_view kBadInterval = "invalid max_interval: valid time units are 's', 'm', 'h'";

HttpResponse Refusal(int status, const std::string& text) { return ErrorText(status, text + "\n"); }

HttpResponse NoContent() {
  HttpResponse response;
  response.status = 204;
  return response;
}

// `1h30m`, `90s`: numbers with units, fractions allowed, in whole seconds and at least one.
Result<int64_t> ParseIntervalNs(std::string_view text) {
  double seconds = 0;
  if (text.empty()) return InvalidArgument(std::string(kBadInterval));
  while (!text.empty()) {
    double number = 0;
    const auto [after, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || !(number >= 0)) return InvalidArgument(std::string(kBadInterval));
    text.remove_prefix(static_cast<size_t>(after - text.data()));
    const char unit = text.empty() ? '\0' : text[0];
    if (unit != 's' && unit != 'm' && unit != 'h') return InvalidArgument(std::string(kBadInterval));
    text.remove_prefix(1);
    seconds += number * (unit == 'h' ? 3600 : unit == 'm' ? 60 : 1);
  }
  if (!(seconds >= 1) || seconds > 1e9 || seconds != std::floor(seconds)) {
    return InvalidArgument(std::string(kBadInterval));
  }
  return static_cast<int64_t>(seconds) * kNsPerSecond;
}

struct Range {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};

Result<Range> ParseRange(const FormParams& params, int64_t now_ns) {
  Range range;
  if (params.Get("start").empty()) return InvalidArgument("start time not set");
  auto start = ParseDeleteTimeNs(params.Get("start"));
  if (!start.ok()) return InvalidArgument("invalid start time: " + start.status().message());
  range.start_ns = *start;
  range.end_ns = now_ns;
  if (!params.Get("end").empty()) {
    auto end = ParseDeleteTimeNs(params.Get("end"));
    if (!end.ok()) return InvalidArgument("invalid end time: " + end.status().message());
    range.end_ns = *end;
  }
  if (range.end_ns > now_ns) return InvalidArgument("deletes in the future are not allowed");
  if (range.start_ns >= range.end_ns) {
    return InvalidArgument("start time can't be greater than or equal to end time");
  }
  return range;
}

Status CheckInterval(std::string_view text, const Range& range, int64_t max_interval_ns) {
  if (text.empty()) return Status::Ok();
  VARVE_ASSIGN_OR_RETURN(const int64_t interval_ns, ParseIntervalNs(text));
  if (max_interval_ns != 0 && interval_ns > max_interval_ns) {
    return InvalidArgument("max_interval can't be greater than " + GoDurationText(max_interval_ns));
  }
  if (interval_ns > range.end_ns - range.start_ns) {
    return InvalidArgument("max_interval can't be greater than the interval to be deleted (" +
                           GoDurationText(range.end_ns - range.start_ns) + ")");
  }
  return Status::Ok();
}

// Seconds with what is needed of milliseconds: 1700000000, 1700000000.25.
std::string SecondsText(int64_t ns) {
  const int64_t ms = ns / kNsPerMs;
  std::string text = std::to_string(ms / 1000);
  if (int64_t rest = ms % 1000; rest > 0) {
    std::string digits = std::to_string(rest + 1000).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text;
}

std::string StateText(const DeleteRequest& request) {
  switch (request.state) {
    case DeleteRequest::State::kReceived: return "received";
    case DeleteRequest::State::kRemoving: return std::to_string(PercentDone(request)) + "% Complete";
    case DeleteRequest::State::kProcessed: return "processed";
    case DeleteRequest::State::kCancelled: return "cancelled";
  }
  return "received";
}

void AppendRequest(const DeleteRequest& request, std::string* out) {
  out->append("{\"request_id\":");
  AppendJsonString(out, request.id);
  out->append(",\"start_time\":").append(SecondsText(request.start_ns));
  out->append(",\"end_time\":").append(SecondsText(request.end_ns));
  out->append(",\"query\":");
  AppendJsonString(out, request.query);
  out->append(",\"status\":");
  AppendJsonString(out, StateText(request));
  out->append(",\"created_at\":").append(SecondsText(request.created_ns));
  out->append(",\"user_id\":\"\"}");
}

}  // namespace

Result<int64_t> ParseDeleteTimeNs(std::string_view value) {
  const bool digits = std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  // ParseTimeNs takes more forms than belong here; a date has dashes.
  if (digits ? value.size() == 10 : value.size() >= 20 && value[4] == '-') {
    Result<int64_t> parsed = ParseTimeNs(value, 0);
    if (parsed.ok()) return parsed;
  }
  return InvalidArgument("require unix seconds or RFC3339 format");
}

void DeleteApi::AddRoutes(Router* router) {
  using Answer = HttpResponse (DeleteApi::*)(std::string_view, const FormParams&) const;
  const auto add = [&](std::vector<std::string> methods, Answer answer) {
    router->Add(std::move(methods), "/loki/api/v1/delete", Worker::kQuery,
                [this, answer](const HttpRequest& request) {
                  TenantLookup tenant = ResolveTenant(request, context_.auth_enabled, true);
                  if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
                  if (LimitsOfTenants(context_, {tenant.name}).deletion_mode == "disabled") {
                    return Refusal(403, "deletion is not available for this tenant");
                  }
                  HttpRequest url;  // nothing of the body counts
                  url.method = "GET";
                  url.url_query = request.url_query;
                  const Result<FormParams> params = FormParams::Parse(url);
                  if (!params.ok()) return Refusal(400, params.status().message());
                  return (this->*answer)(tenant.name, *params);
                });
  };
  add({"PUT", "POST"}, &DeleteApi::Add);
  add({"GET"}, &DeleteApi::List);
  add({"DELETE"}, &DeleteApi::Cancel);
  router->Add({"GET"}, "/loki/api/v1/cache/generation_numbers", Worker::kInline,
              [this](const HttpRequest& request) {
                TenantLookup tenant = ResolveTenant(request, context_.auth_enabled, true);
                if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
                const uint64_t generation = context_.engine->DeleteGeneration(tenant.name);
                return JsonResponse("\"" + (generation == 0 ? "" : std::to_string(generation)) + "\"\n");
              });
}

HttpResponse DeleteApi::Add(std::string_view tenant, const FormParams& params) const {
  const std::string_view query = params.Get("query");
  if (query.empty()) return Refusal(400, "query not set");
  // Compiled first, because Loki looks at the query before it looks at the times.
  if (const RowFilterFactory& factory = context_.engine->options().row_filter_factory; factory != nullptr) {
    if (const auto filter = factory(query); !filter.ok()) {
      HttpResponse response = Refusal(400, "invalid query expression");
      std::string reason = filter.status().message();
      std::replace_if(
          reason.begin(), reason.end(), [](char c) { return c < ' ' || c == '\x7f'; }, ' ');
      response.headers.emplace_back("X-Varve-Reason", std::move(reason));
      return response;
    }
  }
  const Result<Range> range = ParseRange(params, context_.clock->NowNs());
  if (!range.ok()) return Refusal(400, range.status().message());
  if (const Status interval = CheckInterval(params.Get("max_interval"), *range, max_interval_ns_);
      !interval.ok()) {
    return Refusal(400, interval.message());
  }
  const auto added = context_.engine->AddDelete(tenant, query, range->start_ns, range->end_ns);
  if (!added.ok()) return LokiPushError(added.status());
  HttpResponse response = NoContent();
  response.headers.emplace_back("X-Delete-Request-ID", added->id);
  return response;
}

HttpResponse DeleteApi::List(std::string_view tenant, const FormParams& params) const {
  Range shown{INT64_MIN, INT64_MAX};
  if (!params.Get("start").empty() && !params.Get("end").empty()) {
    const auto start = ParseDeleteTimeNs(params.Get("start"));
    if (!start.ok()) return Refusal(400, "invalid start time: " + start.status().message());
    const auto end = ParseDeleteTimeNs(params.Get("end"));
    if (!end.ok()) return Refusal(400, "invalid end time: " + end.status().message());
    shown = {*start, *end};
  }
  std::string out = "[";
  for (const DeleteRequest& request : context_.engine->ListDeletes(tenant)) {  // ascending by creation
    if (request.end_ns < shown.start_ns || request.start_ns > shown.end_ns) continue;
    if (out.size() > 1) out.push_back(',');
    AppendRequest(request, &out);
  }
  return JsonResponse(out.append("]\n"));
}

HttpResponse DeleteApi::Cancel(std::string_view tenant, const FormParams& params) const {
  const std::string_view id = params.Get("request_id");
  if (id.empty()) return Refusal(400, "request_id not set");
  const Status cancelled = context_.engine->CancelDelete(tenant, id, params.Get("force") == "true");
  switch (cancelled.code()) {
    case Code::kOk: return NoContent();
    case Code::kOutOfRange:
      return Refusal(
          400, "Cancellation of partially completed delete request or delete request past the deadline of " +
                   GoDurationText(context_.engine->options().delete_cancel_period_ns) +
                   " since its creation is not allowed. To force, use the ?force query parameter");
    default: return LokiPushError(cancelled);
  }
}

}  // namespace varve
