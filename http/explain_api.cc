#include "http/explain_api.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/json_writer.h"
#include "query/exec/query_plan.h"
#include "query/logql/printer.h"

namespace varve {
namespace {

constexpr std::string_view kNoLineIndex =
    "lines have no index: each line that is read is searched, and no block is skipped";
constexpr std::string_view kNoMetadataIndex = "works line by line: no block is skipped";

// Writes one object or array; commas take care of themselves.
class JsonBuilder {
 public:
  explicit JsonBuilder(std::string* out) : out_(*out) {}

  void Open(char bracket) {
    Comma();
    out_.push_back(bracket);
    first_ = true;
  }
  void Close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
  }
  void Key(std::string_view key) {
    Comma();
    AppendJsonString(&out_, key);
    out_.push_back(':');
    first_ = true;
  }
  void Text(std::string_view key, std::string_view text) {
    Key(key);
    Text(text);
  }
  void Text(std::string_view text) {
    Comma();
    AppendJsonString(&out_, text);
  }
  void Number(std::string_view key, uint64_t number) {
    Key(key);
    Comma();
    AppendUint(&out_, number);
  }
  void Seconds(std::string_view key, double seconds) {
    Key(key);
    Comma();
    AppendJsonNumber(&out_, seconds);
  }
  void Bool(std::string_view key, bool value) {
    Key(key);
    Comma();
    out_.append(value ? "true" : "false");
  }
  void Texts(std::string_view key, const std::vector<std::string_view>& texts) {
    Key(key);
    Open('[');
    for (const std::string_view text : texts) Text(text);
    Close(']');
  }

 private:
  void Comma() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }

  std::string& out_;
  bool first_ = true;
};

void AddMembers(const PlannedAmount& amount, JsonBuilder* json) {
  json->Number("blocks", amount.blocks);
  json->Number("head_pieces", amount.head_pieces);
  json->Number("lines", amount.lines);
  json->Number("line_bytes", amount.line_bytes);
  json->Number("bytes_on_disk", amount.bytes_on_disk);
}

void AddAmountJson(std::string_view key, const PlannedAmount& amount, JsonBuilder* json) {
  json->Key(key);
  json->Open('{');
  AddMembers(amount, json);
  json->Close('}');
}

void AddFilter(std::string_view kind, std::string_view text, const PlannedAmount& skipped,
               std::string_view note, JsonBuilder* json) {
  json->Open('{');
  json->Text("filter", kind);
  if (!text.empty()) json->Text("text", text);
  AddAmountJson("skips", skipped, json);
  if (!note.empty()) json->Text("note", note);
  json->Close('}');
}

void AddScan(const ScanPlan& scan, bool ran, JsonBuilder* json) {
  json->Open('{');
  json->Text("operation", scan.operation);
  json->Text("selector", scan.selector);
  json->Text("start", std::to_string(scan.range.begin_ns));
  json->Text("end", std::to_string(scan.range.end_ns));
  json->Number("streams", scan.streams);
  AddAmountJson("selected", scan.selected, json);
  AddAmountJson("counted_from_directories", scan.counted, json);
  json->Key("to_read");
  json->Open('{');
  AddMembers(scan.to_read, json);
  const bool reads = scan.to_read.blocks + scan.to_read.head_pieces != 0;
  json->Texts("columns", reads ? scan.columns : std::vector<std::string_view>());
  json->Texts("columns_where_lines_are_left", reads ? scan.late_columns : std::vector<std::string_view>());
  json->Bool("may_stop_early", scan.may_stop_early);
  json->Close('}');
  json->Key("filters");
  json->Open('[');
  AddFilter("time", {}, scan.skipped_time, {}, json);
  AddFilter("stream selector", scan.selector, scan.skipped_streams, {}, json);
  for (const std::string& text : scan.line_filters) AddFilter("line filter", text, {}, kNoLineIndex, json);
  for (const std::string& text : scan.stages) AddFilter("stage", text, {}, kNoMetadataIndex, json);
  json->Close(']');
  if (ran) {
    json->Key("read");
    json->Open('{');
    json->Number("sources_opened", scan.read.sources_loaded);
    json->Number("bytes_on_disk", scan.read.bytes_on_disk_read);
    json->Number("lines_in", scan.read.lines_processed);
    json->Number("line_bytes_in", scan.read.bytes_processed);
    json->Number("lines_out", scan.read.lines_after_filters);
    json->Number("duplicates", scan.read.duplicates);
    json->Close('}');
  }
  json->Close('}');
}

PlannedAmount TotalToRead(const QueryPlan& plan) {
  PlannedAmount total;
  for (const ScanPlan& scan : plan.scans) {
    total.blocks += scan.to_read.blocks;
    total.head_pieces += scan.to_read.head_pieces;
    total.lines += scan.to_read.lines;
    total.line_bytes += scan.to_read.line_bytes;
    total.bytes_on_disk += scan.to_read.bytes_on_disk;
  }
  return total;
}

// Entries of a log query, points of a metric query.
struct ResultSize {
  uint64_t series = 0;
  uint64_t values = 0;

  void operator()(const Streams& streams) {
    series = streams.streams.size();
    for (const ResultStream& stream : streams.streams) values += stream.entries.size();
  }
  void operator()(const MatrixResult& matrix) { Count(matrix.series); }
  void operator()(const VectorResult& vector) { Count(vector.series); }
  void operator()(const ScalarResult&) { series = values = 1; }
  void Count(const std::vector<ResultSeries>& list) {
    series = list.size();
    for (const ResultSeries& one : list) values += one.points.size();
  }
};

std::string ExplainJson(const logql::Expr& expr, const QueryPlan& plan, const QueryResult& result) {
  std::string out;
  JsonBuilder json(&out);
  json.Open('{');
  json.Text("status", "success");
  json.Key("data");
  json.Open('{');
  json.Text("resultType", "explain");
  json.Key("explain");
  json.Open('{');
  json.Text("query", logql::Print(expr));
  json.Bool("ran", plan.run);
  json.Key("scans");
  json.Open('[');
  for (const ScanPlan& scan : plan.scans) AddScan(scan, plan.run, &json);
  json.Close(']');
  AddAmountJson("to_read", TotalToRead(plan), &json);
  if (plan.run) {
    ResultSize size;
    std::visit([&size](const auto& data) { size(data); }, result.data);
    json.Key("result");
    json.Open('{');
    json.Number("series", size.series);
    json.Number("values", size.values);
    json.Seconds("seconds", result.stats.exec_seconds);
    json.Close('}');
  }
  json.Close('}');
  json.Close('}');
  json.Close('}');
  return out.append("\n");
}

}  // namespace

Result<std::optional<HttpResponse>> ExplainIfAsked(const ReadCall& call, const logql::Expr& expr,
                                                   QueryRequest request) {
  const std::string_view explain = call.params.Get("explain");
  if (explain.empty() || explain == "false") return std::optional<HttpResponse>();
  if (explain != "true" && explain != "analyze") {
    return InvalidArgument("could not parse 'explain' parameter: '" + std::string(explain) +
                           "' is neither true, false nor analyze");
  }
  QueryPlan plan;
  plan.run = explain == "analyze";
  request.plan = &plan;
  VARVE_ASSIGN_OR_RETURN(const QueryResult result, RunCountedQuery(call, expr, request));
  return std::optional<HttpResponse>(JsonResponse(ExplainJson(expr, plan, result)));
}

}  // namespace varve
