// Arbitrary lines through every parser stage and what follows them.
//
// The first byte picks the pipeline. Whatever the line: no crash, label names unique, every name of the
// parsed category valid, and an error never without a name.
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "query/logql/parser.h"
#include "query/logql/pipeline.h"

namespace varve::logql {
namespace {

constexpr const char* kPipelines[] = {
    "| json",
    "| json a=`a.b[1].c`, b=`[\"x y\"]`, c=`[0]`, d=`a`, e",
    "| logfmt",
    "| logfmt --strict --keep-empty",
    "| logfmt a, b=`c`",
    "| unpack | json | logfmt",
    "| pattern `<a> <_>=<b>,<c>`",
    "| pattern `x<a>yy<b>`",
    "| regexp `(?P<a>\\w+)[^a-z]?(?P<b>\\d+)?`",
    "| decolorize | logfmt | label_format z=a, a=`{{.b}}` | drop b | json | keep a, z, app",
    "| json | a > 1 or b < 1s or c >= 1KB or d=ip(`10.0.0.0/8`)",
    "|~ `(?i)err.*x` or `foo|bar` |> `<_>a<_>` != ip(`::/0`)",
};

std::vector<std::unique_ptr<const Pipeline>> CompileAll() {
  std::vector<std::unique_ptr<const Pipeline>> pipelines;
  for (const char* stages : kPipelines) {
    auto expr = ParseExpr("{app=\"q\"} " + std::string(stages));
    VARVE_CHECK(expr.ok());
    auto pipeline = Pipeline::Compile(std::get<LogSelector>((*expr)->node).stages, std::nullopt, {});
    VARVE_CHECK(pipeline.ok());
    pipelines.push_back(std::move(*pipeline));
  }
  return pipelines;
}

void CheckRow(const RowLabels& labels) {
  std::set<std::string_view> names;
  for (const RowLabel& label : labels.labels()) {
    VARVE_CHECK(names.insert(label.name).second);
    VARVE_CHECK(IsValidLabelName(label.name));
    VARVE_CHECK(labels.Find(label.name) == &label);
    volatile char touched = 0;  // the value's bytes must be readable
    for (const char c : label.value) touched = c;
    static_cast<void>(touched);
  }
}

}  // namespace
}  // namespace varve::logql

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace varve;
  using namespace varve::logql;
  static const auto pipelines = CompileAll();
  static const Labels stream = Labels::FromUnsorted({{"app", "q"}, {"job", "j"}});
  if (size == 0) return 0;
  const Pipeline& pipeline = *pipelines[data[0] % pipelines.size()];
  // A buffer of the line's own size: reads outside it show under a sanitizer.
  const std::vector<char> line(reinterpret_cast<const char*>(data) + 1,
                               reinterpret_cast<const char*>(data) + size);
  PipelineRunner runner(pipeline);
  runner.SetStream(stream);
  for (int round = 0; round < 2; ++round) {  // the second row starts from a used state
    if (runner.Process(0, {line.data(), line.size()}, {})) CheckRow(runner.labels());
  }
  LogColumns columns;
  columns.row_count = 1;
  columns.line_offsets = {0, static_cast<uint32_t>(line.size())};
  columns.lines = line;
  columns.lines.resize(line.size() + LogColumns::kLinePaddingBytes);
  std::vector<uint32_t> rows;
  pipeline.SelectLines(columns, 0, 1, &rows);
  return 0;
}
