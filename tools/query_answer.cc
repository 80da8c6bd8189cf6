#include "tools/query_answer.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace varve {
namespace {

namespace dom = simdjson::dom;

Status Unexpected(std::string_view what) {
  return Corruption("the server's answer is not a query result: " + std::string(what));
}

Result<int64_t> ReadInt(std::string_view text) {
  int64_t value = 0;
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || after != text.data() + text.size()) return Unexpected("a timestamp");
  return value;
}

Result<double> ReadSampleValue(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf" || text == "Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || after != text.data() + text.size()) return Unexpected("a sample's value");
  return value;
}

Result<LabelPairs> ReadLabels(dom::element element) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return Unexpected("a label set");
  LabelPairs labels;
  for (const auto field : object) {
    std::string_view value;
    if (field.value.get(value) != simdjson::SUCCESS) return Unexpected("a label's value");
    labels.emplace_back(field.key, value);
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

Result<LabelPairs> ReadLabelsAt(dom::element row, std::string_view name) {
  dom::element labels;
  if (row[name].get(labels) != simdjson::SUCCESS) return Unexpected(name);
  return ReadLabels(labels);
}

// [seconds, "value"]
Result<Point> ReadPoint(dom::element element) {
  dom::array pair;
  double seconds = 0;
  std::string_view text;
  if (element.get(pair) != simdjson::SUCCESS || pair.at(0).get(seconds) != simdjson::SUCCESS ||
      pair.at(1).get(text) != simdjson::SUCCESS || !(std::fabs(seconds) < 9e15)) {
    return Unexpected("a sample");
  }
  VARVE_ASSIGN_OR_RETURN(const double value, ReadSampleValue(text));
  return Point{std::llround(seconds * 1000), value};
}

Result<Streams> ReadStreams(dom::array rows) {
  Streams result;
  for (const dom::element row : rows) {
    ResultStream stream;
    VARVE_ASSIGN_OR_RETURN(stream.labels, ReadLabelsAt(row, "stream"));
    dom::array values;
    if (row["values"].get(values) != simdjson::SUCCESS) return Unexpected("a stream without values");
    for (const dom::element value : values) {
      std::string_view time;
      std::string_view line;
      if (value.at(0).get(time) != simdjson::SUCCESS || value.at(1).get(line) != simdjson::SUCCESS) {
        return Unexpected("an entry");
      }
      ResultEntry entry;
      VARVE_ASSIGN_OR_RETURN(entry.ts_ns, ReadInt(time));
      entry.line = line;
      stream.entries.push_back(std::move(entry));
    }
    result.streams.push_back(std::move(stream));
  }
  return result;
}

Result<std::vector<ResultSeries>> ReadSeries(dom::array rows, bool matrix) {
  std::vector<ResultSeries> result;
  for (const dom::element row : rows) {
    ResultSeries series;
    VARVE_ASSIGN_OR_RETURN(series.labels, ReadLabelsAt(row, "metric"));
    if (matrix) {
      dom::array values;
      if (row["values"].get(values) != simdjson::SUCCESS) return Unexpected("a series without values");
      for (const dom::element value : values) {
        VARVE_ASSIGN_OR_RETURN(const Point point, ReadPoint(value));
        series.points.push_back(point);
      }
    } else {
      dom::element value;
      if (row["value"].get(value) != simdjson::SUCCESS) return Unexpected("a series without a value");
      VARVE_ASSIGN_OR_RETURN(const Point point, ReadPoint(value));
      series.points.push_back(point);
    }
    result.push_back(std::move(series));
  }
  return result;
}

Status ReadData(dom::element data, QueryResult* result) {
  std::string_view type;
  dom::element rows;
  if (data["resultType"].get(type) != simdjson::SUCCESS || data["result"].get(rows) != simdjson::SUCCESS) {
    return Unexpected("no resultType or result");
  }
  if (type == "scalar") {
    VARVE_ASSIGN_OR_RETURN(const Point point, ReadPoint(rows));
    result->data = ScalarResult{point.t_ms, point.value};
    return Status::Ok();
  }
  dom::array list;
  if (rows.get(list) != simdjson::SUCCESS) return Unexpected("the result is not a list");
  if (type == "streams") {
    VARVE_ASSIGN_OR_RETURN(result->data, ReadStreams(list));
  } else if (type == "matrix") {
    VARVE_ASSIGN_OR_RETURN(std::vector<ResultSeries> series, ReadSeries(list, true));
    result->data = MatrixResult{std::move(series)};
  } else if (type == "vector") {
    VARVE_ASSIGN_OR_RETURN(std::vector<ResultSeries> series, ReadSeries(list, false));
    result->data = VectorResult{std::move(series)};
  } else {
    return Unexpected("unknown resultType");
  }
  return Status::Ok();
}

// Hands each item of `data` to `take`; a missing `data` is an empty list, as Loki writes it.
template <typename Take>
Status ForEachInData(const std::string& json, Take take) {
  dom::parser parser;
  dom::element document;
  dom::element data;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Unexpected("not JSON");
  if (document["data"].get(data) != simdjson::SUCCESS || data.is_null()) return Status::Ok();
  dom::array list;
  if (data.get(list) != simdjson::SUCCESS) return Unexpected("data is not a list");
  for (const dom::element item : list) VARVE_RETURN_IF_ERROR(take(item));
  return Status::Ok();
}

}  // namespace

Result<QueryResult> ParseQueryAnswer(const std::string& json) {
  dom::parser parser;
  dom::element document;
  dom::element data;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Unexpected("not JSON");
  if (document["data"].get(data) != simdjson::SUCCESS) return Unexpected("no data");
  QueryResult result;
  VARVE_RETURN_IF_ERROR(ReadData(data, &result));
  dom::array warnings;
  if (document["warnings"].get(warnings) == simdjson::SUCCESS) {
    for (const dom::element warning : warnings) {
      std::string_view text;
      if (warning.get(text) == simdjson::SUCCESS) result.warnings.emplace_back(text);
    }
  }
  return result;
}

Result<TailFrameAnswer> ParseTailFrame(const std::string& json) {
  dom::parser parser;
  dom::element document;
  if (parser.parse(json).get(document) != simdjson::SUCCESS) return Unexpected("not JSON");
  TailFrameAnswer frame;
  dom::array streams;
  if (document["streams"].get(streams) == simdjson::SUCCESS) {
    VARVE_ASSIGN_OR_RETURN(frame.streams, ReadStreams(streams));
  }
  dom::array dropped;
  if (document["dropped_entries"].get(dropped) == simdjson::SUCCESS) frame.dropped = dropped.size();
  return frame;
}

Result<std::vector<std::string>> ParseTextListAnswer(const std::string& json) {
  std::vector<std::string> texts;
  VARVE_RETURN_IF_ERROR(ForEachInData(json, [&](dom::element item) -> Status {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) return Unexpected("a list of texts");
    texts.emplace_back(text);
    return Status::Ok();
  }));
  return texts;
}

Result<std::vector<LabelPairs>> ParseLabelSetsAnswer(const std::string& json) {
  std::vector<LabelPairs> sets;
  VARVE_RETURN_IF_ERROR(ForEachInData(json, [&](dom::element item) -> Status {
    VARVE_ASSIGN_OR_RETURN(LabelPairs labels, ReadLabels(item));
    sets.push_back(std::move(labels));
    return Status::Ok();
  }));
  return sets;
}

}  // namespace varve
