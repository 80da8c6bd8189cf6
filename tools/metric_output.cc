#include "tools/metric_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "engine/base/json_writer.h"
#include "engine/base/time.h"
#include "engine/model/labels.h"
#include "tools/table.h"
#include "tools/time_text.h"

namespace varve {
namespace {

constexpr std::string_view kName = "__name__";

std::string_view ValueOf(const LabelPairs& labels, std::string_view name) {
  for (const auto& [candidate, value] : labels) {
    if (candidate == name) return value;
  }
  return "";
}

// All names but that of the metric, sorted; and whether any series has a metric name.
std::vector<std::string> ColumnNames(const std::vector<MetricSeries>& series) {
  std::set<std::string> names;
  for (const MetricSeries& one : series) {
    for (const auto& [name, value] : one.labels) names.insert(name);
  }
  return {names.begin(), names.end()};  // __name__ sorts in front of most
}

std::string CsvField(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

bool IsSingle(const MetricAnswer& answer) {
  return answer.type == MetricAnswer::Type::kScalar || answer.type == MetricAnswer::Type::kString;
}

std::string Text(const MetricAnswer& answer) {
  std::string out;
  for (const MetricSeries& series : answer.series) {
    const std::string labels = MetricText(series.labels);
    for (const MetricPoint& point : series.points) {
      if (answer.type == MetricAnswer::Type::kMatrix) out += FormatUtcTime(point.t_ms * kNsPerMs) + " ";
      if (!IsSingle(answer)) out += labels + " ";
      out += point.text + "\n";
    }
  }
  return out;
}

// "3" or {histogram}
void AppendValue(const MetricPoint& point, std::string* out) {
  if (point.histogram.empty()) {
    AppendJsonString(out, point.text);
  } else {
    out->append(point.histogram);
  }
}

std::string Json(const MetricAnswer& answer) {
  std::string out;
  for (const MetricSeries& series : answer.series) {
    out += "{";
    if (!IsSingle(answer)) {
      out += "\"metric\":{";
      for (const auto& [name, value] : series.labels) {
        if (out.back() != '{') out.push_back(',');
        AppendJsonString(&out, name);
        out.push_back(':');
        AppendJsonString(&out, value);
      }
      out += "},";
    }
    if (answer.type == MetricAnswer::Type::kMatrix) {
      out += "\"values\":[";
      for (const MetricPoint& point : series.points) {
        if (out.back() != '[') out.push_back(',');
        out.push_back('[');
        AppendMillisAsSeconds(&out, point.t_ms);
        out.push_back(',');
        AppendValue(point, &out);
        out.push_back(']');
      }
      out += "]}\n";
      continue;
    }
    out += "\"t\":";
    AppendMillisAsSeconds(&out, series.points.empty() ? 0 : series.points.front().t_ms);
    out += ",\"value\":";
    AppendValue(series.points.empty() ? MetricPoint() : series.points.front(), &out);
    out += "}\n";
  }
  return out;
}

std::string Csv(const MetricAnswer& answer) {
  const std::vector<std::string> names = ColumnNames(answer.series);
  std::string out = "time,";
  for (const std::string& name : names) out += CsvField(name) + ",";
  out += "value\n";
  for (const MetricSeries& series : answer.series) {
    std::string labels;
    for (const std::string& name : names) labels += CsvField(ValueOf(series.labels, name)) + ",";
    for (const MetricPoint& point : series.points) {
      out += fmt::format("{},{}{}\n", FormatUtcTime(point.t_ms * kNsPerMs), labels, CsvField(point.text));
    }
  }
  return out;
}

std::string VectorTable(const MetricAnswer& answer, const MetricOutput& output) {
  const std::vector<std::string> names = ColumnNames(answer.series);
  std::vector<std::string> header;
  for (const std::string& name : names) header.push_back(name == kName ? "metric" : Printable(name));
  header.emplace_back("value");
  Table table(std::move(header), names.size());
  for (const MetricSeries& series : answer.series) {
    std::vector<std::string> row;
    for (const std::string& name : names) row.push_back(Printable(ValueOf(series.labels, name)));
    row.push_back(series.points.empty() ? "" : series.points.front().text);
    table.Add(std::move(row));
  }
  return table.Print(output.style);
}

// A column a series if that fits, else a line a point.
std::string RangeTable(const MetricAnswer& answer, const MetricOutput& output) {
  std::vector<std::string> header = {"time"};
  std::map<int64_t, std::vector<std::string>> by_time;
  for (size_t s = 0; s < answer.series.size(); ++s) {
    header.push_back(Printable(MetricText(answer.series[s].labels)));
    for (const MetricPoint& point : answer.series[s].points) {
      std::vector<std::string>& row = by_time[point.t_ms];
      row.resize(answer.series.size());
      row[s] = point.text;
    }
  }
  Table wide(std::move(header), 1);
  for (auto& [t_ms, row] : by_time) {
    row.insert(row.begin(), FormatLocalTime(t_ms * kNsPerMs));
    wide.Add(row);
  }
  if (wide.width() <= output.width) return wide.Print(output.style);
  Table tall({"time", "series", "value"}, 2);
  for (const MetricSeries& series : answer.series) {
    for (const MetricPoint& point : series.points) {
      tall.Add({FormatLocalTime(point.t_ms * kNsPerMs), Printable(MetricText(series.labels)), point.text});
    }
  }
  return tall.Print(output.style);
}

// The number in at most six digits: sparks are to be looked at.
std::string Rounded(double value) { return fmt::format("{:.6g}", value); }

std::string Sparks(const MetricAnswer& answer, const MetricOutput& output) {
  constexpr size_t kWidthMin = 16;
  constexpr size_t kWidthMax = 60;
  int64_t begin_ms = std::numeric_limits<int64_t>::max();
  int64_t end_ms = std::numeric_limits<int64_t>::min();
  for (const MetricSeries& series : answer.series) {
    if (series.points.empty()) continue;
    begin_ms = std::min(begin_ms, series.points.front().t_ms);
    end_ms = std::max(end_ms, series.points.back().t_ms);
  }
  Table table({"", "min", "max", "last", "series"}, SIZE_MAX);
  const size_t width = std::clamp(output.width / 2, kWidthMin, kWidthMax);
  for (const MetricSeries& series : answer.series) {
    double least = std::numeric_limits<double>::quiet_NaN();
    double greatest = least;
    for (const MetricPoint& point : series.points) {
      least = std::fmin(least, point.number);
      greatest = std::fmax(greatest, point.number);
    }
    const std::string last = series.points.empty() ? "" : Rounded(series.points.back().number);
    table.Add({Sparkline(series.points, begin_ms, end_ms, width), Rounded(least), Rounded(greatest), last,
               Printable(MetricText(series.labels))});
  }
  return table.Print(output.style);
}

}  // namespace

std::string MetricText(const LabelPairs& labels) {
  const std::string_view name = ValueOf(labels, kName);
  const auto is_plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
  };
  const bool plain = std::all_of(name.begin(), name.end(), is_plain) &&
                     (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) == 0);
  std::string inside;
  if (!plain) AppendGoQuoted(&inside, name);
  for (const auto& [label, value] : labels) {
    if (label == kName) continue;
    if (!inside.empty()) inside += ", ";
    inside += label + "=";
    AppendGoQuoted(&inside, value);
  }
  const std::string front(plain ? name : std::string_view());
  return inside.empty() && !front.empty() ? front : front + "{" + inside + "}";
}

std::string Sparkline(const std::vector<MetricPoint>& points, int64_t begin_ms, int64_t end_ms, size_t width) {
  constexpr std::array<std::string_view, 8> kHeights = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (points.empty() || width == 0 || end_ms < begin_ms) return "";
  // The last value of each of the columns.
  std::vector<double> columns(width, std::numeric_limits<double>::quiet_NaN());
  const double span = static_cast<double>(end_ms) - static_cast<double>(begin_ms);
  double least = std::numeric_limits<double>::infinity();
  double greatest = -least;
  for (const MetricPoint& point : points) {
    if (!std::isfinite(point.number)) continue;
    const double at = span == 0 ? 0 : (static_cast<double>(point.t_ms) - static_cast<double>(begin_ms)) / span;
    columns[static_cast<size_t>(std::clamp(at, 0.0, 1.0) * static_cast<double>(width - 1))] = point.number;
    least = std::min(least, point.number);
    greatest = std::max(greatest, point.number);
  }
  std::string out;
  // A gap shorter than the distance of two points is none: columns take what came before.
  const size_t stride = std::max<size_t>(points.size() > 1 ? (width - 1) / (points.size() - 1) + 1 : 1, 1);
  size_t since = stride;
  double last = std::numeric_limits<double>::quiet_NaN();
  for (const double column : columns) {
    if (!std::isnan(column)) {
      last = column;
      since = 0;
    } else {
      ++since;
    }
    if (since >= stride) {
      out += ' ';
      continue;
    }
    const double height = greatest > least ? (last - least) / (greatest - least) : 0.5;
    out += kHeights[static_cast<size_t>(std::min(height * 8, 7.0))];
  }
  return out;
}

std::string FormatMetricAnswer(const MetricAnswer& answer, const MetricOutput& output) {
  switch (output.format) {
    case MetricFormat::kJson: return Json(answer);
    case MetricFormat::kCsv: return Csv(answer);
    case MetricFormat::kText: return Text(answer);
    case MetricFormat::kTable:
    case MetricFormat::kSpark: break;
  }
  if (IsSingle(answer)) return Text(answer);
  if (answer.type == MetricAnswer::Type::kVector) return VectorTable(answer, output);
  return output.format == MetricFormat::kSpark ? Sparks(answer, output) : RangeTable(answer, output);
}

}  // namespace varve
