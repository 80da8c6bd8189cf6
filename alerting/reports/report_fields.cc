#include "alerting/reports/report_fields.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <variant>

#include "engine/base/json_writer.h"
#include "engine/base/time.h"

namespace varve {
namespace {

using templates::Datum;
using templates::DatumFields;
using templates::DatumList;

constexpr double kWholeNumbersMax = 9007199254740992.0;  // 2^53
constexpr int kEntryDepthMax = 8;
constexpr int64_t kMsPerSecond = 1000;

// NaN is below everything.
bool Below(double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; }

// The value that stands for a series: its highest; of an instant its only one.
const QueryValues::Point& PeakOf(const QueryValues::Series& series) {
  return *std::max_element(series.points.begin(), series.points.end(),
                           [](const auto& a, const auto& b) { return Below(a.value, b.value); });
}

std::string LabelOf(const QueryValues::Series& series, std::string_view name) {
  for (const auto& [label, value] : series.labels) {
    if (label == name) return value;
  }
  return {};
}

std::optional<double> Fold(FieldKind kind, const QueryValues& values) {
  size_t count = 0;
  double sum = 0, least = 0, most = 0;
  for (const QueryValues::Series& series : values.series) {
    for (const QueryValues::Point& point : series.points) {
      if (std::isnan(point.value)) continue;
      least = count == 0 ? point.value : std::min(least, point.value);
      most = count == 0 ? point.value : std::max(most, point.value);
      sum += point.value;
      ++count;
    }
  }
  if (count == 0) return std::nullopt;
  switch (kind) {
    case FieldKind::kSum: return sum;
    case FieldKind::kMin: return least;
    case FieldKind::kMax: return most;
    default: return sum / static_cast<double>(count);
  }
}

// The first series of the highest value; null when there is none.
const QueryValues::Series* HighestOf(const QueryValues& values) {
  const QueryValues::Series* highest = nullptr;
  for (const QueryValues::Series& series : values.series) {
    if (highest == nullptr || Below(PeakOf(*highest).value, PeakOf(series).value)) highest = &series;
  }
  return highest;
}

// When the step of the highest value began, as the report's clocks show it.
Datum TimeOfHighest(TimeFormat format, const QueryValues& values, const ReportConfig& report,
                    const ReportPeriod& period) {
  const QueryValues::Series* highest = HighestOf(values);
  if (highest == nullptr) return {};
  int64_t begin_s = period.begin_s;
  if (values.step_ms > 0) {
    const int64_t since_ms = PeakOf(*highest).t_ms - period.begin_s * kMsPerSecond;
    begin_s += since_ms / values.step_ms * values.step_ms / kMsPerSecond;
  }
  const std::string text = report.calendar.Rfc3339(begin_s);  // 2026-11-19T13:00:00+09:00
  switch (format) {
    case TimeFormat::kHour: return {int64_t{std::atoi(text.substr(11, 2).c_str())}};
    case TimeFormat::kTime: return {text.substr(0, 10) + " " + text.substr(11, 5)};
    case TimeFormat::kDate: break;
  }
  return {text.substr(0, 10)};
}

std::string NumberText(double value) {
  std::string text;
  AppendGoFloat(&text, value);
  return text;
}

Status TooManyRows(const ReportField& field, size_t rows, uint32_t most) {
  return ExecutionError(fmt::format("field \"{}\" has {} rows, more than max_rows ({})", field.name, rows, most));
}

// "a (12), b (7)": the highest first, equal ones by label.
std::string TopText(const ReportField& field, const QueryValues& values) {
  std::vector<std::pair<double, std::string>> found;
  for (const QueryValues::Series& series : values.series) {
    found.emplace_back(PeakOf(series).value, LabelOf(series, field.labels[0]));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    if (Below(b.first, a.first) || Below(a.first, b.first)) return Below(b.first, a.first);
    return a.second < b.second;
  });
  std::string text;
  for (size_t i = 0; i < found.size() && (field.limit == 0 || i < field.limit); ++i) {
    if (i > 0) text += ", ";
    text += fmt::format("{} ({})", found[i].second, NumberText(found[i].first));
  }
  return text;
}

Result<std::string> LabelsText(const ReportField& field, const QueryValues& values, uint32_t rows_max) {
  std::string text;
  size_t count = 0;
  for (const QueryValues::Series& series : values.series) {
    if (field.limit != 0 && count == field.limit) break;
    if (++count > rows_max) return TooManyRows(field, values.series.size(), rows_max);
    if (count > 1) text += ", ";
    text += LabelOf(series, field.labels[0]);
  }
  return text;
}

Status FillTable(const ReportField& field, const ReportQuery& query, const QueryValues& values, uint32_t rows_max,
                 DatumFields* fields) {
  Datum* table = FindField(fields, field.name);
  if (table == nullptr) {
    fields->emplace_back(field.name, Datum{DatumList{}});
    table = &fields->back().second;
  }
  auto& rows = std::get<DatumList>(table->value);
  for (const QueryValues::Series& series : values.series) {
    std::vector<std::string> key;
    for (const std::string& label : field.labels) key.push_back(LabelOf(series, label));
    const auto is_it = [&](const Datum& row) {
      const auto& cells = std::get<DatumFields>(row.value);
      for (size_t i = 0; i < key.size(); ++i) {
        if (i >= cells.size() || cells[i].first != field.labels[i]) return false;
        const auto* text = std::get_if<std::string>(&cells[i].second.value);
        if (text == nullptr || *text != key[i]) return false;
      }
      return true;
    };
    auto row = std::find_if(rows.begin(), rows.end(), is_it);
    if (row == rows.end()) {
      if (rows.size() == rows_max) return TooManyRows(field, values.series.size(), rows_max);
      DatumFields cells;
      for (size_t i = 0; i < key.size(); ++i) cells.emplace_back(field.labels[i], TextDatum(key[i]));
      rows.push_back(Datum{std::move(cells)});
      row = rows.end() - 1;
    }
    auto& cells = std::get<DatumFields>(row->value);
    if (FindField(&cells, field.column) == nullptr) {
      cells.emplace_back(field.column, NumberDatum(PeakOf(series).value));
    }
  }
  // Rows that this query has no value for.
  for (Datum& row : rows) {
    auto& cells = std::get<DatumFields>(row.value);
    if (FindField(&cells, field.column) != nullptr) continue;
    cells.emplace_back(field.column, query.default_value ? NumberDatum(*query.default_value) : Datum{});
  }
  return Status::Ok();
}

Result<Datum> FieldValue(const ReportField& field, const ReportQuery& query, const QueryValues& values,
                         const ReportConfig& report, const ReportPeriod& period) {
  const auto number = [&](std::optional<double> value) {
    if (!value.has_value()) value = query.default_value;
    return value.has_value() ? NumberDatum(*value) : Datum{};
  };
  switch (field.kind) {
    case FieldKind::kValue:
      if (!values.lines.empty()) return TextDatum(values.lines[0]);
      if (values.series.size() > 1 || (!values.series.empty() && values.series[0].points.size() > 1)) {
        return ExecutionError(fmt::format("field \"{}\" is one value, and the result has {} series of {} points",
                                          field.name, values.series.size(), values.series[0].points.size()));
      }
      return number(values.series.empty() ? std::nullopt : std::optional(values.series[0].points[0].value));
    case FieldKind::kCount: return NumberDatum(static_cast<double>(values.series.size()));
    case FieldKind::kSum:
    case FieldKind::kMin:
    case FieldKind::kMax:
    case FieldKind::kAvg: return number(Fold(field.kind, values));
    case FieldKind::kMaxLabel: {
      const QueryValues::Series* highest = HighestOf(values);
      return highest == nullptr ? Datum{} : TextDatum(LabelOf(*highest, field.labels[0]));
    }
    case FieldKind::kMaxTime: return TimeOfHighest(field.format, values, report, period);
    case FieldKind::kLabels: {
      VARVE_ASSIGN_OR_RETURN(std::string text, LabelsText(field, values, report.max_rows));
      return TextDatum(std::move(text));
    }
    case FieldKind::kTop: return TextDatum(TopText(field, values));
    case FieldKind::kLogLines: {
      DatumList lines;
      for (size_t i = 0; i < values.lines.size() && (field.limit == 0 || i < field.limit); ++i) {
        lines.push_back(TextDatum(values.lines[i]));
      }
      return Datum{std::move(lines)};
    }
    case FieldKind::kTable: break;
  }
  return InternalError("a table is no single value");
}

void AppendDatumJson(const Datum& datum, std::string* out) {
  if (const auto* text = std::get_if<std::string>(&datum.value)) {
    AppendJsonString(out, *text);
  } else if (const auto* whole = std::get_if<int64_t>(&datum.value)) {
    AppendInt(out, *whole);
  } else if (const auto* real = std::get_if<double>(&datum.value); real != nullptr && std::isfinite(*real)) {
    // Without an exponent it would be a whole number, and too large a one for who reads it.
    if (std::abs(*real) > kWholeNumbersMax) {
      out->append(fmt::format("{}", *real));
    } else {
      AppendJsonNumber(out, *real);
    }
  } else if (const auto* flag = std::get_if<bool>(&datum.value)) {
    out->append(*flag ? "true" : "false");
  } else if (const auto* list = std::get_if<DatumList>(&datum.value)) {
    out->push_back('[');
    for (const Datum& one : *list) {
      if (&one != list->data()) out->push_back(',');
      AppendDatumJson(one, out);
    }
    out->push_back(']');
  } else if (const auto* fields = std::get_if<DatumFields>(&datum.value)) {
    out->append(EntryJson(*fields));
  } else {
    out->append("null");
  }
}

bool ReadDatum(const simdjson::dom::element& element, int depth, Datum* datum) {
  if (depth > kEntryDepthMax) return false;
  simdjson::dom::array array;
  simdjson::dom::object object;
  switch (element.type()) {
    case simdjson::dom::element_type::NULL_VALUE: return true;
    case simdjson::dom::element_type::BOOL: datum->value = element.get_bool().value_unsafe(); return true;
    case simdjson::dom::element_type::INT64: datum->value = element.get_int64().value_unsafe(); return true;
    case simdjson::dom::element_type::UINT64:
      datum->value = static_cast<double>(element.get_uint64().value_unsafe());
      return true;
    case simdjson::dom::element_type::DOUBLE: *datum = NumberDatum(element.get_double().value_unsafe()); return true;
    case simdjson::dom::element_type::STRING:
      datum->value = std::string(element.get_string().value_unsafe());
      return true;
    case simdjson::dom::element_type::ARRAY: {
      if (element.get_array().get(array) != simdjson::SUCCESS) return false;
      DatumList list;
      for (const simdjson::dom::element one : array) {
        list.emplace_back();
        if (!ReadDatum(one, depth + 1, &list.back())) return false;
      }
      datum->value = std::move(list);
      return true;
    }
    case simdjson::dom::element_type::OBJECT: break;
  }
  if (element.get_object().get(object) != simdjson::SUCCESS) return false;
  DatumFields fields;
  for (const simdjson::dom::key_value_pair one : object) {
    fields.emplace_back(std::string(one.key), Datum{});
    if (!ReadDatum(one.value, depth + 1, &fields.back().second)) return false;
  }
  datum->value = std::move(fields);
  return true;
}

}  // namespace

Datum NumberDatum(double value) {
  if (std::floor(value) == value && std::abs(value) <= kWholeNumbersMax) return {static_cast<int64_t>(value)};
  return {value};
}

Datum TextDatum(std::string text) { return {std::move(text)}; }

Datum TimeDatum(int64_t utc_s) { return {Datum::Time{utc_s * kNsPerSecond}}; }

Datum ListDatum(DatumList list) { return {std::move(list)}; }

void PutField(DatumFields* fields, std::string_view name, Datum value) {
  fields->emplace_back(std::string(name), std::move(value));
}

void PutItem(DatumList* list, DatumFields fields) { list->push_back(Datum{std::move(fields)}); }

Datum* FindField(DatumFields* fields, std::string_view name) {
  const auto found =
      std::find_if(fields->begin(), fields->end(), [&](const auto& field) { return field.first == name; });
  return found == fields->end() ? nullptr : &found->second;
}

Status AddField(const ReportField& field, const ReportQuery& query, const QueryValues& values,
                const ReportConfig& report, const ReportPeriod& period, DatumFields* fields) {
  if (field.kind == FieldKind::kTable) return FillTable(field, query, values, report.max_rows, fields);
  VARVE_ASSIGN_OR_RETURN(Datum value, FieldValue(field, query, values, report, period));
  fields->emplace_back(field.name, std::move(value));
  return Status::Ok();
}

std::string DatumJson(const Datum& datum) {
  std::string out;
  AppendDatumJson(datum, &out);
  return out;
}

std::string EntryJson(const DatumFields& fields) {
  std::string out = "{";
  for (const auto& [name, value] : fields) {
    if (out.size() > 1) out.push_back(',');
    AppendJsonString(&out, name);
    out.push_back(':');
    AppendDatumJson(value, &out);
  }
  return out + "}";
}

Result<DatumFields> ParseEntry(std::string_view json) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  simdjson::dom::element document;
  Datum datum;
  if (parser.parse(padded).get(document) != simdjson::SUCCESS || !ReadDatum(document, 0, &datum) ||
      !std::holds_alternative<DatumFields>(datum.value)) {
    return Corruption(fmt::format("a stored report entry is not a JSON object: {}", json.substr(0, 100)));
  }
  return std::get<DatumFields>(std::move(datum.value));
}

}  // namespace varve
