#include "http/tail_api.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/json_writer.h"
#include "http/error_map.h"
#include "http/form.h"
#include "http/loki_responses.h"
#include "http/query_params.h"
#include "http/tenant.h"
#include "http/tenant_query_limits.h"
#include "http/websocket.h"
#include "query/exec/blocked_queries.h"
#include "query/exec/log_cursor.h"
#include "query/exec/query_checks.h"
#include "query/logql/parser.h"
#include "query/logql/printer.h"

namespace varve {
namespace {

constexpr std::string_view kEncodingFlagsHeader = "x-loki-response-encoding-flags";
constexpr int64_t kDelaySecondsMax = 5;

// Accepts the upgrade only to say why nothing will come.
class RefusingSession final : public WebSocketSession {
 public:
  explicit RefusingSession(std::string reason) : reason_(std::move(reason)) {}
  void OnOpen(std::shared_ptr<WebSocketLink>) override {}
  WebSocketNext Next() override { return WebSocketClose{1011, reason_}; }
  void OnClosed(WebSocketEnd) override {}

 private:
  const std::string reason_;
};

struct TailParams {
  logql::ExprPtr expr;
  uint32_t limit = 0;
  int64_t start_ns = 0;
  int64_t delay_ms = 0;
};

Result<int64_t> ParseDelayMs(std::string_view value) {
  if (value.empty()) return 0;
  const bool negative = value.front() == '-';
  const std::string_view digits = value.substr(negative || value.front() == '+' ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return InvalidArgument("strconv.Atoi: parsing " + GoQuoted(value) + ": invalid syntax");
  }
  if (negative) return 0;
  int64_t seconds = 0;
  for (const char c : digits) seconds = std::min<int64_t>(seconds * 10 + (c - '0'), 1000);
  if (seconds > kDelaySecondsMax) return InvalidArgument("delay_for can't be greater than 5");
  return seconds * 1000;
}

Result<TailParams> ParseTailParams(const FormParams& params, bool legacy, int64_t now_ns) {
  TailParams out;
  VARVE_ASSIGN_OR_RETURN(out.expr, logql::ParseExpr(params.Get("query")));
  // The legacy endpoints' way to filter lines.
  if (const std::string_view regexp = params.Get("regexp"); legacy && !regexp.empty()) {
    VARVE_ASSIGN_OR_RETURN(out.expr, logql::ParseExpr(logql::Print(*out.expr) + " |~ " + GoQuoted(regexp)));
  }
  VARVE_ASSIGN_OR_RETURN(out.limit, ParseLimit(params.Get("limit")));
  VARVE_ASSIGN_OR_RETURN(const TimeBounds bounds, ParseBounds(params, now_ns));
  out.start_ns = bounds.start_ns;
  VARVE_ASSIGN_OR_RETURN(out.delay_ms, ParseDelayMs(params.Get("delay_for")));
  return out;
}

// Only flags that mean something are echoed: the header is the client's, and its size would be in every
// frame.
std::string FlagsJson(const EncodingFlags& flags) {
  return flags.categorize_labels ? "[\"categorize-labels\"]" : "";
}

}  // namespace

TailApi::TailApi(ReadContext context, TailHub* hub) : context_(std::move(context)), hub_(hub) {}

void TailApi::AddRoutes(Router* router) {
  const auto add = [&](std::string_view pattern, bool legacy) {
    router->Add({"GET", "POST"}, pattern, Worker::kQuery, [this, legacy](const HttpRequest& request) {
      TenantLookup tenant = ResolveTenant(request, context_.auth_enabled, true);
      if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
      Result<HttpResponse> response = Tail(request, tenant.name, legacy);
      return response.ok() ? std::move(*response) : LokiQueryError(response.status());
    });
  };
  add("/loki/api/v1/tail", false);
  add("/api/prom/tail", true);
}

namespace {

// The newest `limit` entries from `start_ns` on, oldest first, in frames. There is no end: what has a time to
// come and is there already would be in neither half otherwise.
Result<std::vector<std::shared_ptr<const TailFrame>>> ReadHistory(const ReadContext& context, TailHub* hub,
                                                                  const HttpRequest& http, TenantId tenant,
                                                                  const TailParams& params, TailForm form) {
  const int64_t now_ns = context.clock->NowNs();
  TimeBounds bounds{std::min(params.start_ns, now_ns), now_ns};
  VARVE_RETURN_IF_ERROR(ApplyTimeLimits(context.limits, now_ns, &bounds));
  QueryRequest request;
  request.tenant = tenant;
  request.start_ns = std::max(params.start_ns, bounds.start_ns);
  request.end_ns = std::numeric_limits<int64_t>::max();
  request.limit = params.limit;
  request.direction = Direction::kBackward;
  request.cancel = http.cancel;
  QueryLimits limits = context.limits;
  limits.max_query_length_ns = 0;  // checked above
  VARVE_ASSIGN_OR_RETURN(const auto cursor, LogCursor::Open(*context.engine, *params.expr, request, limits));
  TailEncoder encoder(form);
  MemoryReservation memory(hub->budget());
  std::vector<TailEntry> entries;
  while (entries.size() < params.limit) {
    VARVE_ASSIGN_OR_RETURN(const bool found, cursor->Next());
    if (!found) break;
    TailEntry entry = encoder.Encode(cursor->stream(), cursor->ts_ns(), cursor->line(), cursor->labels(),
                                     cursor->stored_metadata());
    entry.identity =
        TailIdentity(cursor->stream(), cursor->ts_ns(), cursor->stored_line(), cursor->stored_metadata());
    entry.arrival = std::numeric_limits<uint64_t>::max();
    VARVE_RETURN_IF_ERROR(memory.Add(entry.MemoryBytes()));
    entries.push_back(std::move(entry));
  }
  std::reverse(entries.begin(), entries.end());
  std::vector<std::shared_ptr<const TailFrame>> frames;
  Status status;
  ForEachFrame(entries, [&](size_t begin, size_t end) {
    auto frame = TailFrame::Make(form, entries, begin, end, hub->budget());
    if (frame.ok()) {
      frames.push_back(std::move(*frame));
    } else if (status.ok()) {
      status = frame.status().Clone();
    }
  });
  VARVE_RETURN_IF_ERROR(std::move(status));
  return frames;
}

}  // namespace

Result<HttpResponse> TailApi::Tail(const HttpRequest& request, const std::string& tenant, bool legacy) const {
  VARVE_ASSIGN_OR_RETURN(const FormParams form_params, FormParams::Parse(request));
  VARVE_ASSIGN_OR_RETURN(const TailParams params,
                         ParseTailParams(form_params, legacy, context_.clock->NowNs()));
  HttpResponse response;
  if (!request.web_socket_upgrade) {
    response = ErrorText(400, "Bad Request\n");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    return response;
  }
  if (!params.expr->is_log_query()) {
    response.web_socket = std::make_shared<RefusingSession>("only log selector is supported");
    return response;
  }
  QueryRequest history_request;
  history_request.end_ns = std::max(params.start_ns, context_.clock->NowNs());
  history_request.start_ns = params.start_ns;
  history_request.limit = params.limit;
  ReadContext own = context_;
  own.limits = LimitsOfTenants(context_, {tenant});
  VARVE_RETURN_IF_ERROR(CheckBlocked(form_params.Get("query"), *params.expr, own.limits));
  VARVE_RETURN_IF_ERROR(CheckLimits(*params.expr, history_request, own.limits));
  const EncodingFlags flags = EncodingFlags::Parse(request.Header(kEncodingFlagsHeader));
  TailRequest tail;
  tail.tenant = tenant;
  tail.expr = params.expr.get();
  tail.form = legacy                    ? TailForm::kLegacy
              : flags.categorize_labels ? TailForm::kCategorized
                                        : TailForm::kMerged;
  tail.delay_ms = params.delay_ms;
  if (!legacy) tail.flags_json = FlagsJson(flags);
  // Live first: what is appended while the history is read waits, and what both have is shown once.
  VARVE_ASSIGN_OR_RETURN(std::shared_ptr<TailSession> session,
                         hub_->Join(tail, own.limits.max_concurrent_tail_requests));
  std::vector<std::shared_ptr<const TailFrame>> history;
  // A tenant that was never seen has no history; the tail waits for its first push.
  const Result<TenantId> tenant_id = context_.engine->FindTenant(tenant);
  if (tenant_id.ok()) {
    VARVE_ASSIGN_OR_RETURN(history, ReadHistory(own, hub_, request, *tenant_id, params, tail.form));
  }
  VARVE_RETURN_IF_ERROR(session->GoLive(std::move(history)));
  response.web_socket = std::move(session);
  return response;
}

}  // namespace varve
