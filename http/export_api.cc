#include "http/export_api.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/json_writer.h"
#include "http/body_source.h"
#include "http/query_params.h"
#include "http/row_json.h"
#include "query/exec/blocked_queries.h"
#include "query/exec/log_cursor.h"
#include "query/logql/parser.h"

namespace varve {
namespace {

constexpr std::string_view kNdjson = "application/x-ndjson";
constexpr size_t kPieceBytes = 128 << 10;
// A piece, and its compressed form, while they are on their way.
constexpr int64_t kPieceMemoryBytes = 2 * static_cast<int64_t>(kPieceBytes);

class ExportSource final : public BodySource {
 public:
  ExportSource(std::unique_ptr<LogCursor> cursor, uint64_t limit, QueryCounters* counters,
               MemoryBudget* budget)
      : cursor_(std::move(cursor)), limit_(limit), counters_(counters), memory_(budget) {}
  ~ExportSource() override {
    if (counters_ == nullptr) return;
    if (failed_) {
      counters_->Count(Cancelled("failed while it ran"));
      return;
    }
    QueryResult done;
    done.stats = cursor_->stats();
    done.stats.entries_returned = written_;
    counters_->Count(std::move(done));
  }

  // Makes the first piece, so that an error in it can still be the answer's status.
  Status Begin() {
    VARVE_RETURN_IF_ERROR(memory_.Add(kPieceMemoryBytes));
    return Fill(&first_.emplace());
  }

  BodyPiece Next() override {
    BodyPiece piece;
    if (first_.has_value()) {
      piece = std::move(*first_);
      first_.reset();
      return piece;
    }
    if (const Status status = Fill(&piece); !status.ok()) {
      piece.bytes.append("{\"error\":");
      AppendJsonString(&piece.bytes, status.message());
      piece.bytes.append("}\n");
      piece.broken = true;
    }
    return piece;
  }

 private:
  Status Fill(BodyPiece* piece) {
    failed_ = true;
    while (piece->bytes.size() < kPieceBytes) {
      bool found = false;
      if (written_ < limit_) {
        VARVE_ASSIGN_OR_RETURN(found, cursor_->Next());
      }
      if (!found) {
        piece->last = true;
        break;
      }
      AppendLine(&piece->bytes);
      ++written_;
    }
    failed_ = false;
    return Status::Ok();
  }

  void AppendLine(std::string* out) {
    writer_.SetRow(cursor_->labels());
    out->append("{\"ts\":\"");
    AppendInt(out, cursor_->ts_ns());
    out->append("\",\"stream\":");
    writer_.AppendStream(out);
    out->append(",\"line\":");
    AppendJsonString(out, cursor_->line());
    out->append(",\"metadata\":");
    writer_.AppendMetadata(out);
    out->append(",\"parsed\":");
    writer_.AppendParsed(out);
    out->append("}\n");
  }

  const std::unique_ptr<LogCursor> cursor_;
  const uint64_t limit_;
  QueryCounters* const counters_;
  MemoryReservation memory_;
  RowLabelWriter writer_;
  std::optional<BodyPiece> first_;
  uint64_t written_ = 0;
  bool failed_ = true;
};

// 0 or absent: all.
Result<uint64_t> ParseExportLimit(std::string_view value) {
  if (value.empty() || value == "0") return std::numeric_limits<uint64_t>::max();
  VARVE_ASSIGN_OR_RETURN(const uint32_t limit, ParseLimit(value));
  return uint64_t{limit};
}

}  // namespace

ExportApi::ExportApi(ReadContext context) : context_(std::move(context)) {}

void ExportApi::AddRoutes(Router* router) {
  router->Add({"GET", "POST"}, "/loki/api/v1/export", Worker::kQuery, [this](const HttpRequest& request) {
    return AnswerRead(context_, request, [this](const ReadCall& call) { return Export(call); });
  });
}

Result<HttpResponse> ExportApi::Export(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(TimeBounds bounds, ParseBounds(call.params, call.now_ns));
  VARVE_ASSIGN_OR_RETURN(const uint64_t limit, ParseExportLimit(call.params.Get("limit")));
  QueryRequest request;
  request.direction = Direction::kForward;
  if (const std::string_view direction = call.params.Get("direction"); !direction.empty()) {
    VARVE_ASSIGN_OR_RETURN(request.direction, ParseDirection(direction));
  }
  VARVE_ASSIGN_OR_RETURN(const logql::ExprPtr expr, logql::ParseExpr(call.params.Get("query")));
  VARVE_RETURN_IF_ERROR(CheckBlocked(call.params.Get("query"), *expr, call.context.limits));
  if (bounds.end_ns < bounds.start_ns) {
    return InvalidArgument("end timestamp must not be before or equal to start time");
  }
  VARVE_RETURN_IF_ERROR(ApplyTimeLimits(call.context.limits, call.now_ns, &bounds));
  request.tenant = call.tenant;
  request.start_ns = bounds.start_ns;
  request.end_ns = std::max(bounds.start_ns, bounds.end_ns);
  request.limit = 0;
  request.cancel = call.request.cancel;
  // How long it takes is up to the client that reads it; one that does not is cut by the transport.
  QueryLimits limits = call.context.limits;
  limits.query_timeout_ms = 0;
  VARVE_ASSIGN_OR_RETURN(auto cursor, LogCursor::Open(*context_.engine, *expr, request, limits));
  auto source = std::make_shared<ExportSource>(std::move(cursor), limit, context_.counters,
                                               context_.engine->query_budget());
  VARVE_RETURN_IF_ERROR(source->Begin());
  HttpResponse response;
  response.content_type = kNdjson;
  response.body_source = std::move(source);
  return response;
}

}  // namespace varve
