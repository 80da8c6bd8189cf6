// Runs one line through the pipeline of a query and shows what came out as text, for tables of expectations.
//
// A result reads `line {name=value, …}`: without the line when it is unchanged, labels sorted by name, stream
// labels and metadata left out unless changed, __error__ and __error_details__ included; "dropped" when a
// stage filtered the row out; "error: …" when the query does not compile.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/log_entry.h"
#include "query/logql/parser.h"
#include "query/logql/pipeline.h"

namespace varve::logql {

struct PipelineCase {
  std::vector<Label> stream = {{"app", "q"}};
  std::vector<std::pair<std::string, std::string>> metadata;
  int64_t ts_ns = 1'700'000'000'000'000'000;
  LabelNeeds needs;
};

inline std::string ShowRow(const PipelineRunner& runner, std::string_view input, const Labels& stream) {
  std::string out;
  if (runner.line() != input) out += std::string(runner.line()) + " ";
  std::map<std::string, std::string> shown;
  for (const RowLabel& label : runner.labels().labels()) {
    if (label.category == LabelCategory::kParsed) shown[std::string(label.name)] = label.value;
    if (label.category == LabelCategory::kMetadata) shown["sm:" + std::string(label.name)] = label.value;
    if (label.category == LabelCategory::kStream && stream.Get(label.name) != label.value) {
      shown["stream:" + std::string(label.name)] = label.value;
    }
  }
  for (const Label& label : stream) {
    if (runner.labels().Find(label.name) == nullptr) shown["-" + label.name] = "";
  }
  if (runner.labels().has_error()) shown["__error__"] = runner.labels().error();
  if (!runner.labels().error_details().empty()) shown["__error_details__"] = runner.labels().error_details();
  out += "{";
  for (const auto& [name, value] : shown) {
    if (out.back() != '{') out += ", ";
    out += name + "=" + value;
  }
  return out + "}";
}

// `stages` is what follows the selector: "| json | a=`1`".
inline std::string RunPipeline(const std::string& stages, const std::string& line,
                               const PipelineCase& in = {}) {
  const auto expr = ParseExpr("{app=\"q\"} " + stages);
  if (!expr.ok()) return "error: " + expr.status().message();
  const auto& selector = std::get<LogSelector>((*expr)->node);
  const auto pipeline = Pipeline::Compile(selector.stages, std::nullopt, in.needs);
  if (!pipeline.ok()) return "error: " + pipeline.status().message();
  const Labels stream = Labels::FromUnsorted(in.stream);
  std::string metadata;
  std::vector<MetadataPair> pairs(in.metadata.begin(), in.metadata.end());
  EncodeMetadata(&pairs, &metadata);
  PipelineRunner runner(**pipeline);
  runner.SetStream(stream);
  LogColumns columns;
  columns.row_count = 1;
  columns.line_offsets = {0, static_cast<uint32_t>(line.size())};
  columns.lines.assign(line.begin(), line.end());
  columns.lines.resize(line.size() + LogColumns::kLinePaddingBytes);
  std::vector<uint32_t> rows;
  (*pipeline)->SelectLines(columns, 0, 1, &rows);
  if (rows.empty() || !runner.Process(in.ts_ns, columns.Line(0), metadata)) return "dropped";
  return ShowRow(runner, line, stream);
}

}  // namespace varve::logql
