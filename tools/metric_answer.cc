#include "tools/metric_answer.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace varve {
namespace {

namespace dom = simdjson::dom;

Status Unexpected(std::string_view what) {
  return Corruption("the server's answer is not a metric result: " + std::string(what));
}

Result<double> ReadNumber(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || after != text.data() + text.size()) return Unexpected("a value");
  return value;
}

// {count:6, sum:5, (0.5,1]:3}
Result<std::string> HistogramText(dom::element element) {
  std::string_view count;
  std::string_view sum;
  if (element["count"].get(count) != simdjson::SUCCESS || element["sum"].get(sum) != simdjson::SUCCESS) {
    return Unexpected("a histogram");
  }
  std::string text = fmt::format("{{count:{}, sum:{}", count, sum);
  dom::array buckets;
  if (element["buckets"].get(buckets) == simdjson::SUCCESS) {
    for (const dom::element bucket : buckets) {
      int64_t rule = 0;
      std::string_view lower;
      std::string_view upper;
      std::string_view in_bucket;
      if (bucket.at(0).get(rule) != simdjson::SUCCESS || bucket.at(1).get(lower) != simdjson::SUCCESS ||
          bucket.at(2).get(upper) != simdjson::SUCCESS || bucket.at(3).get(in_bucket) != simdjson::SUCCESS) {
        return Unexpected("a bucket");
      }
      const bool lower_closed = rule == 1 || rule == 3;
      const bool upper_closed = rule == 0 || rule == 3;
      text += fmt::format(", {}{},{}{}:{}", lower_closed ? '[' : '(', lower, upper, upper_closed ? ']' : ')',
                          in_bucket);
    }
  }
  return text + "}";
}

// [seconds, "value"] or [seconds, {histogram}]
Result<MetricPoint> ReadPoint(dom::element element) {
  dom::array pair;
  double seconds = 0;
  dom::element value;
  if (element.get(pair) != simdjson::SUCCESS || pair.at(0).get(seconds) != simdjson::SUCCESS ||
      pair.at(1).get(value) != simdjson::SUCCESS || !(std::fabs(seconds) < 9e15)) {
    return Unexpected("a sample");
  }
  MetricPoint point;
  point.t_ms = std::llround(seconds * 1000);
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    point.text = text;
    return point;
  }
  VARVE_ASSIGN_OR_RETURN(point.text, HistogramText(value));
  point.histogram = simdjson::minify(value);
  std::string_view count;
  if (value["count"].get(count) != simdjson::SUCCESS) return Unexpected("a histogram");
  VARVE_ASSIGN_OR_RETURN(point.number, ReadNumber(count));
  return point;
}

Result<MetricPoint> ReadNumberPoint(dom::element element) {
  VARVE_ASSIGN_OR_RETURN(MetricPoint point, ReadPoint(element));
  if (point.histogram.empty()) {
    VARVE_ASSIGN_OR_RETURN(point.number, ReadNumber(point.text));
  }
  return point;
}

Result<LabelPairs> ReadLabels(dom::element row) {
  dom::object object;
  if (row["metric"].get(object) != simdjson::SUCCESS) return Unexpected("a label set");
  LabelPairs labels;
  for (const auto field : object) {
    std::string_view value;
    if (field.value.get(value) != simdjson::SUCCESS) return Unexpected("a label's value");
    labels.emplace_back(field.key, value);
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

Result<MetricSeries> ReadSeries(dom::element row) {
  MetricSeries series;
  VARVE_ASSIGN_OR_RETURN(series.labels, ReadLabels(row));
  for (const char* name : {"value", "histogram"}) {
    dom::element point;
    if (row[name].get(point) != simdjson::SUCCESS) continue;
    VARVE_ASSIGN_OR_RETURN(MetricPoint one, ReadNumberPoint(point));
    series.points.push_back(std::move(one));
  }
  for (const char* name : {"values", "histograms"}) {
    dom::array points;
    if (row[name].get(points) != simdjson::SUCCESS) continue;
    for (const dom::element point : points) {
      VARVE_ASSIGN_OR_RETURN(MetricPoint one, ReadNumberPoint(point));
      series.points.push_back(std::move(one));
    }
  }
  std::stable_sort(series.points.begin(), series.points.end(),
                   [](const MetricPoint& a, const MetricPoint& b) { return a.t_ms < b.t_ms; });
  return series;
}

void ReadTexts(dom::element document, std::string_view name, std::vector<std::string>* out) {
  dom::array texts;
  if (document[name].get(texts) != simdjson::SUCCESS) return;
  for (const dom::element text : texts) {
    std::string_view one;
    if (text.get(one) == simdjson::SUCCESS) out->emplace_back(one);
  }
}

Status ReadResult(std::string_view type, dom::element rows, MetricAnswer* answer) {
  if (type == "scalar" || type == "string") {
    answer->type = type == "scalar" ? MetricAnswer::Type::kScalar : MetricAnswer::Type::kString;
    VARVE_ASSIGN_OR_RETURN(MetricPoint point, type == "scalar" ? ReadNumberPoint(rows) : ReadPoint(rows));
    answer->series.emplace_back();
    answer->series.back().points.push_back(std::move(point));
    return Status::Ok();
  }
  if (type != "vector" && type != "matrix") return Unexpected("unknown resultType");
  answer->type = type == "vector" ? MetricAnswer::Type::kVector : MetricAnswer::Type::kMatrix;
  dom::array list;
  if (rows.get(list) != simdjson::SUCCESS) return Unexpected("the result is not a list");
  for (const dom::element row : list) {
    VARVE_ASSIGN_OR_RETURN(MetricSeries series, ReadSeries(row));
    answer->series.push_back(std::move(series));
  }
  return Status::Ok();
}

Status ReadCounts(dom::element data, std::string_view name, std::vector<CountedName>* out) {
  dom::array list;
  if (data[name].get(list) != simdjson::SUCCESS) return Unexpected(name);
  for (const dom::element item : list) {
    std::string_view text;
    CountedName counted;
    if (item["name"].get(text) != simdjson::SUCCESS || item["value"].get(counted.count) != simdjson::SUCCESS) {
      return Unexpected(name);
    }
    counted.name = text;
    out->push_back(std::move(counted));
  }
  return Status::Ok();
}

}  // namespace

Result<MetricAnswer> ParseMetricAnswer(const std::string& json) {
  dom::parser parser;
  dom::element document;
  dom::element rows;
  std::string_view type;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Unexpected("not JSON");
  if (document["data"]["resultType"].get(type) != simdjson::SUCCESS ||
      document["data"]["result"].get(rows) != simdjson::SUCCESS) {
    return Unexpected("no resultType or result");
  }
  MetricAnswer answer;
  VARVE_RETURN_IF_ERROR(ReadResult(type, rows, &answer));
  ReadTexts(document, "warnings", &answer.warnings);
  ReadTexts(document, "infos", &answer.infos);
  return answer;
}

Result<CardinalityAnswer> ParseCardinalityAnswer(const std::string& json) {
  dom::parser parser;
  dom::element document;
  dom::element data;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Unexpected("not JSON");
  if (document["data"].get(data) != simdjson::SUCCESS) return Unexpected("no data");
  CardinalityAnswer answer;
  if (data["headStats"]["numSeries"].get(answer.series) != simdjson::SUCCESS ||
      data["headStats"]["numLabelPairs"].get(answer.label_pairs) != simdjson::SUCCESS) {
    return Unexpected("headStats");
  }
  VARVE_RETURN_IF_ERROR(ReadCounts(data, "seriesCountByMetricName", &answer.by_metric));
  VARVE_RETURN_IF_ERROR(ReadCounts(data, "labelValueCountByLabelName", &answer.by_label));
  VARVE_RETURN_IF_ERROR(ReadCounts(data, "seriesCountByLabelValuePair", &answer.by_pair));
  VARVE_RETURN_IF_ERROR(ReadCounts(data, "memoryInBytesByLabelName", &answer.bytes_by_label));
  return answer;
}

}  // namespace varve
