#include "http/fields_api.h"

#include <limits>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "engine/base/json_writer.h"
#include "query/logql/parser.h"

namespace varve {
namespace {

constexpr uint32_t kDefaultFieldLimit = 1000;
constexpr uint32_t kDefaultLineLimit = 100;

void AppendStrings(const std::vector<std::string>& strings, std::string* out) {
  out->push_back('[');
  for (size_t i = 0; i < strings.size(); ++i) {
    if (i != 0) out->push_back(',');
    AppendJsonString(out, strings[i]);
  }
  out->push_back(']');
}

Result<uint32_t> FieldLimit(const ReadCall& call) {
  const std::string_view limit = call.params.Get("limit");
  return ParseLimit(limit.empty() ? call.params.Get("field_limit") : limit, kDefaultFieldLimit);
}

// Runs the query and looks at its lines.
Result<FieldDetector> Detect(const ReadCall& call, size_t fields_max) {
  VARVE_ASSIGN_OR_RETURN(const TimeBounds bounds, ParseListBounds(call));
  VARVE_ASSIGN_OR_RETURN(const logql::ExprPtr expr, logql::ParseExpr(call.params.Get("query")));
  if (!expr->is_log_query()) return InvalidArgument("only log selector is supported");
  QueryRequest request;
  VARVE_ASSIGN_OR_RETURN(request.limit,
                         ParseLimit(call.params.Get("line_limit"), kDefaultLineLimit, "line_limit"));
  request.start_ns = bounds.start_ns;
  request.end_ns = bounds.end_ns;
  FieldDetector detector(fields_max);
  if (bounds.start_ns > bounds.end_ns) return detector;
  VARVE_ASSIGN_OR_RETURN(const QueryResult result, RunCountedQuery(call, *expr, request));
  for (const ResultStream& stream : std::get<Streams>(result.data).streams) {
    for (const ResultEntry& entry : stream.entries) {
      VARVE_RETURN_IF_ERROR(call.request.cancel->Check());
      detector.Add(stream.labels, entry);
    }
  }
  return detector;
}

}  // namespace

FieldsApi::FieldsApi(ReadContext context) : context_(std::move(context)) {}

void FieldsApi::AddRoutes(Router* router) {
  using Answer = Result<HttpResponse> (FieldsApi::*)(const ReadCall&) const;
  const auto add = [&](std::string_view pattern, Answer answer) {
    router->Add({"GET", "POST"}, pattern, Worker::kQuery, [this, answer](const HttpRequest& request) {
      return AnswerRead(context_, request,
                        [this, answer](const ReadCall& call) { return (this->*answer)(call); });
    });
  };
  add("/loki/api/v1/detected_fields", &FieldsApi::Fields);
  add("/loki/api/v1/detected_field/{name}/values", &FieldsApi::FieldValues);
}

Result<HttpResponse> FieldsApi::Fields(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const uint32_t limit, FieldLimit(call));
  VARVE_ASSIGN_OR_RETURN(const FieldDetector detector, Detect(call, limit));
  std::string out = "{\"fields\":[";
  bool first = true;
  for (const auto& [name, field] : detector.fields()) {
    out.append(first ? "{\"label\":" : ",{\"label\":");
    first = false;
    AppendJsonString(&out, name);
    out.append(",\"type\":");
    AppendJsonString(&out, FieldTypeName(field.type));
    out.append(",\"cardinality\":");
    AppendUint(&out, field.values.size());
    out.append(",\"parsers\":");
    // null, not [], tells Grafana that this is structured metadata.
    if (field.parsers.empty()) {
      out.append("null");
    } else {
      AppendStrings(field.parsers, &out);
    }
    if (!field.json_path.empty()) {
      out.append(",\"jsonPath\":");
      AppendStrings(field.json_path, &out);
    }
    out.push_back('}');
  }
  out.append("],\"limit\":");
  AppendUint(&out, limit);
  return JsonResponse(out.append("}\n"));
}

Result<HttpResponse> FieldsApi::FieldValues(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const uint32_t limit, FieldLimit(call));
  VARVE_ASSIGN_OR_RETURN(const FieldDetector detector, Detect(call, std::numeric_limits<uint32_t>::max()));
  const auto found = detector.fields().find(call.request.path_params.front());
  if (found == detector.fields().end()) return JsonResponse("{}\n");
  std::set<std::string> queryable;
  for (const std::string& value : found->second.values) {
    // Metadata is shown as it was pushed.
    const bool as_pushed = found->second.metadata_values.contains(value);
    queryable.insert(as_pushed ? value : QueryableValue(value));
  }
  std::vector<std::string> values(queryable.begin(), queryable.end());
  if (values.size() > limit) values.resize(limit);
  std::string out = "{\"values\":";
  AppendStrings(values, &out);
  out.append(",\"limit\":");
  AppendUint(&out, limit);
  return JsonResponse(out.append("}\n"));
}

}  // namespace varve
