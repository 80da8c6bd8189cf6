#include "tools/query_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "engine/base/json_writer.h"
#include "engine/base/time.h"
#include "engine/model/labels.h"
#include "tools/table.h"
#include "tools/time_text.h"

namespace varve {
namespace {

struct LogRow {
  int64_t ts_ns;
  const LabelPairs* labels;
  const std::string* line;
};

// All entries in one sequence, in the direction asked for; equal times stay as the server ordered them.
std::vector<LogRow> MergeRows(const Streams& streams, Direction direction) {
  std::vector<LogRow> rows;
  for (const ResultStream& stream : streams.streams) {
    for (const ResultEntry& entry : stream.entries)
      rows.push_back({entry.ts_ns, &stream.labels, &entry.line});
  }
  std::stable_sort(rows.begin(), rows.end(), [direction](const LogRow& a, const LogRow& b) {
    return direction == Direction::kForward ? a.ts_ns < b.ts_ns : a.ts_ns > b.ts_ns;
  });
  return rows;
}

void AppendJsonLabels(const LabelPairs& labels, std::string* out) {
  out->push_back('{');
  for (const auto& [name, value] : labels) {
    if (out->back() != '{') out->push_back(',');
    AppendJsonString(out, name);
    out->push_back(':');
    AppendJsonString(out, value);
  }
  out->push_back('}');
}

// A field of RFC 4180: quoted when it holds a comma, a quote or a line break.
std::string CsvField(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

// The names that label any of the series, sorted.
std::vector<std::string> LabelNames(const std::vector<ResultSeries>& series) {
  std::set<std::string> names;
  for (const ResultSeries& one : series) {
    for (const auto& [name, value] : one.labels) names.insert(name);
  }
  return {names.begin(), names.end()};
}

std::string ValueOf(const LabelPairs& labels, std::string_view name) {
  for (const auto& [candidate, value] : labels) {
    if (candidate == name) return value;
  }
  return "";
}

class Formatter {
 public:
  explicit Formatter(const OutputOptions& options) : options_(options) {}

  std::string operator()(const Streams& streams) const {
    const std::vector<LogRow> rows = MergeRows(streams, options_.direction);
    std::string out;
    if (options_.format == OutputFormat::kCsv && options_.header) out = "time,labels,line\n";
    if (options_.format == OutputFormat::kText && options_.terminal) return TerminalRows(streams, rows);
    for (const LogRow& row : rows) {
      if (options_.format == OutputFormat::kJson) {
        out += fmt::format("{{\"ts\":\"{}\",\"labels\":", row.ts_ns);
        AppendJsonLabels(*row.labels, &out);
        out += ",\"line\":";
        AppendJsonString(&out, *row.line);
        out += "}\n";
      } else if (options_.format == OutputFormat::kCsv) {
        out += fmt::format("{},{},{}\n", FormatUtcTime(row.ts_ns), CsvField(FormatLabelSet(*row.labels)),
                           CsvField(*row.line));
      } else {
        out += *row.line;
        out += '\n';
      }
    }
    return out;
  }

  std::string operator()(const VectorResult& vector) const {
    if (options_.format == OutputFormat::kCsv) return Csv(vector.series);
    std::string out;
    if (options_.format == OutputFormat::kJson) {
      for (const ResultSeries& series : vector.series) {
        out += "{\"labels\":";
        AppendJsonLabels(series.labels, &out);
        out += ",\"t\":";
        AppendMillisAsSeconds(&out, series.points.front().t_ms);
        out += fmt::format(",\"value\":\"{}\"}}\n", FormatSampleValue(series.points.front().value));
      }
      return out;
    }
    if (options_.terminal) return VectorTable(vector.series);
    for (const ResultSeries& series : vector.series) {
      out += fmt::format("{} {}\n", FormatLabelSet(series.labels),
                         FormatSampleValue(series.points.front().value));
    }
    return out;
  }

  std::string operator()(const MatrixResult& matrix) const {
    if (options_.format == OutputFormat::kCsv) return Csv(matrix.series);
    if (options_.format == OutputFormat::kText && options_.terminal) return MatrixTable(matrix.series);
    std::string out;
    for (const ResultSeries& series : matrix.series) {
      if (options_.format == OutputFormat::kJson) {
        out += "{\"labels\":";
        AppendJsonLabels(series.labels, &out);
        out += ",\"values\":[";
        for (const Point& point : series.points) {
          if (out.back() != '[') out.push_back(',');
          out.push_back('[');
          AppendMillisAsSeconds(&out, point.t_ms);
          out += fmt::format(",\"{}\"]", FormatSampleValue(point.value));
        }
        out += "]}\n";
        continue;
      }
      const std::string labels = FormatLabelSet(series.labels);
      for (const Point& point : series.points) {
        out += fmt::format("{} {} {}\n", FormatUtcTime(point.t_ms * kNsPerMs), labels,
                           FormatSampleValue(point.value));
      }
    }
    return out;
  }

  std::string operator()(const ScalarResult& scalar) const {
    const std::string value = FormatSampleValue(scalar.value);
    if (options_.format == OutputFormat::kText) return value + "\n";
    if (options_.format == OutputFormat::kCsv) {
      return fmt::format("time,value\n{},{}\n", FormatUtcTime(scalar.t_ms * kNsPerMs), value);
    }
    std::string out = "{\"t\":";
    AppendMillisAsSeconds(&out, scalar.t_ms);
    return out + fmt::format(",\"value\":\"{}\"}}\n", value);
  }

 private:
  // Labels that all streams share are said once, on top; each line carries the others.
  std::string TerminalRows(const Streams& streams, const std::vector<LogRow>& rows) const {
    LabelPairs shared;
    if (!streams.streams.empty()) shared = streams.streams.front().labels;
    for (const ResultStream& stream : streams.streams) {
      std::erase_if(shared, [&stream](const auto& label) {
        return !std::binary_search(stream.labels.begin(), stream.labels.end(), label);
      });
    }
    std::map<const LabelPairs*, std::string> own_labels;
    size_t label_width = 0;
    for (const ResultStream& stream : streams.streams) {
      LabelPairs own;
      std::set_difference(stream.labels.begin(), stream.labels.end(), shared.begin(), shared.end(),
                          std::back_inserter(own));
      std::string text = own.empty() ? "" : Printable(FormatLabelSet(own));
      label_width = std::max(label_width, DisplayWidth(text));
      own_labels[&stream.labels] = std::move(text);
    }
    label_width = std::min(label_width, options_.width / 3);
    std::string out;
    if (!shared.empty()) out += options_.style.Dim("all lines: " + Printable(FormatLabelSet(shared))) + "\n";
    for (const LogRow& row : rows) {
      const std::string& labels = own_labels[row.labels];
      const size_t width = DisplayWidth(labels);
      out += options_.style.Dim(FormatLocalTime(row.ts_ns)) + "  ";
      if (label_width > 0) {
        out += options_.style.Cyan(labels) + std::string(width < label_width ? label_width - width : 0, ' ') +
               "  ";
      }
      out += ColouredLine(row) + "\n";
    }
    return out;
  }

  std::string ColouredLine(const LogRow& row) const {
    const std::string level = ValueOf(*row.labels, "detected_level");
    // A file with Windows line ends keeps its '\r' in every line; nobody wants to see it each time.
    std::string_view text = *row.line;
    if (text.ends_with('\r')) text.remove_suffix(1);
    const std::string line = Printable(text);
    if (level == "error" || level == "critical" || level == "fatal") return options_.style.Red(line);
    if (level == "warn") return options_.style.Yellow(line);
    if (level == "debug" || level == "trace") return options_.style.Dim(line);
    return line;
  }

  std::string VectorTable(const std::vector<ResultSeries>& series) const {
    std::vector<std::string> header = LabelNames(series);
    const std::vector<std::string> names = header;
    header.emplace_back("value");
    Table table(std::move(header), names.size());
    for (const ResultSeries& one : series) {
      std::vector<std::string> row;
      for (const std::string& name : names) row.push_back(Printable(ValueOf(one.labels, name)));
      row.push_back(FormatSampleValue(one.points.front().value));
      table.Add(std::move(row));
    }
    return table.Print(options_.style);
  }

  std::string MatrixTable(const std::vector<ResultSeries>& series) const {
    std::vector<std::string> header = {"time"};
    std::map<int64_t, std::vector<std::string>> by_time;
    for (size_t s = 0; s < series.size(); ++s) {
      header.push_back(series[s].labels.empty() ? "value" : Printable(FormatLabelSet(series[s].labels)));
      for (const Point& point : series[s].points) {
        std::vector<std::string>& row = by_time[point.t_ms];
        row.resize(series.size());
        row[s] = FormatSampleValue(point.value);
      }
    }
    Table wide(std::move(header), 1);
    for (auto& [t_ms, row] : by_time) {
      row.insert(row.begin(), FormatLocalTime(t_ms * kNsPerMs));
      wide.Add(row);
    }
    if (wide.width() <= options_.width) return wide.Print(options_.style);
    Table tall({"time", "series", "value"}, 2);
    for (const ResultSeries& one : series) {
      for (const Point& point : one.points) {
        tall.Add({FormatLocalTime(point.t_ms * kNsPerMs), Printable(FormatLabelSet(one.labels)),
                  FormatSampleValue(point.value)});
      }
    }
    return tall.Print(options_.style);
  }

  std::string Csv(const std::vector<ResultSeries>& series) const {
    const std::vector<std::string> names = LabelNames(series);
    std::string out = "time,";
    for (const std::string& name : names) out += CsvField(name) + ",";
    out += "value\n";
    for (const ResultSeries& one : series) {
      std::string labels;
      for (const std::string& name : names) labels += CsvField(ValueOf(one.labels, name)) + ",";
      for (const Point& point : one.points) {
        out += fmt::format("{},{}{}\n", FormatUtcTime(point.t_ms * kNsPerMs), labels,
                           FormatSampleValue(point.value));
      }
    }
    return out;
  }

  const OutputOptions& options_;
};

}  // namespace

std::string FormatLabelSet(const LabelPairs& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ", ";
    out += name + "=";
    AppendGoQuoted(&out, value);
  }
  return out + "}";
}

std::string FormatSampleValue(double value) {
  std::string out;
  AppendGoFloat(&out, value);
  return out;
}

std::string FormatQueryResult(const QueryResult& result, const OutputOptions& options) {
  return std::visit(Formatter(options), result.data);
}

}  // namespace varve
