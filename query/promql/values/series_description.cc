#include "query/promql/values/series_description.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/model/labels.h"
#include "engine/model/sample.h"
#include "query/promql/syntax/number_text.h"
#include "query/promql/syntax/parser.h"
#include "query/promql/values/number_text.h"

namespace varve::promql {
namespace {

constexpr uint64_t kRepetitionsMax = 1'000'000;
constexpr std::string_view kBlanks = " \t\r\n";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Status Bad(std::string_view what, std::string_view text) {
  return InvalidArgument(std::string(what) + " " + GoQuoted(text));
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Splits off the metric: a name, or braces, or both. Blanks and braces inside quotes belong to it.
size_t MetricEnd(std::string_view line) {
  bool braces = false;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\' && quote != '`') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (braces && (c == '"' || c == '\'' || c == '`')) {
      quote = c;
    } else if (c == '{') {
      braces = true;
    } else if (c == '}') {
      return i + 1;
    } else if (!braces && kBlanks.find(c) != std::string_view::npos) {
      // `metric {a="b"} 1`: the braces may stand apart, but those of a histogram are double.
      const size_t next = line.find_first_not_of(kBlanks, i);
      const bool labels = next != std::string_view::npos && line[next] == '{' && line.substr(next, 2) != "{{";
      if (!labels) return i;
      i = next - 1;
    }
  }
  return line.size();
}

// Splits at blanks outside {{…}}.
std::vector<std::string_view> Items(std::string_view text) {
  std::vector<std::string_view> items;
  size_t begin = std::string_view::npos;
  bool histogram = false;
  for (size_t i = 0; i <= text.size(); ++i) {
    const bool end = i == text.size() || (!histogram && kBlanks.find(text[i]) != std::string_view::npos);
    if (end) {
      if (begin != std::string_view::npos) items.push_back(text.substr(begin, i - begin));
      begin = std::string_view::npos;
      continue;
    }
    if (begin == std::string_view::npos) begin = i;
    if (text.substr(i, 2) == "{{") histogram = true;
    if (text.substr(i, 2) == "}}") histogram = false;
  }
  return items;
}

// `x5` at the end; nothing when the text is empty.
Result<std::optional<uint64_t>> Repetitions(std::string_view text) {
  if (text.empty()) return std::optional<uint64_t>();
  uint64_t count = 0;
  const char* end = text.data() + text.size();
  if (text[0] != 'x') return Bad("unexpected", text);
  const auto [stop, error] = std::from_chars(text.data() + 1, end, count);
  if (error != std::errc() || stop != end || count > kRepetitionsMax) return Bad("bad repetition", text);
  return std::optional<uint64_t>(count);
}

// Takes a number from the front: sign, digits, point, exponent; or Inf, NaN, a duration.
Result<double> TakeNumber(std::string_view* text) {
  const std::string_view all = *text;
  size_t at = 0;
  const bool negative = !all.empty() && all[0] == '-';
  if (!all.empty() && (all[0] == '-' || all[0] == '+')) ++at;
  const size_t begin = at;
  const auto word = [&](std::string_view lower) {
    if (all.size() - at < lower.size()) return false;
    for (size_t i = 0; i < lower.size(); ++i) {
      if ((all[at + i] | 0x20) != lower[i]) return false;
    }
    return true;
  };
  if (word("inf") || word("nan")) {
    at += 3;
  } else {
    while (at < all.size()) {
      const char c = all[at];
      const bool exponent = (c == 'e' || c == 'E') && at > begin;
      if (!IsDigit(c) && c != '.' && c != '_' && !exponent) break;
      ++at;
      if (exponent && at < all.size() && (all[at] == '+' || all[at] == '-')) ++at;
    }
  }
  size_t end = at;
  while (end < all.size() && (std::string_view("smhdwy").find(all[end]) != std::string_view::npos || IsDigit(all[end]))) ++end;
  double value = 0;
  if (end > at && !IsDigit(all[at])) {
    VARVE_ASSIGN_OR_RETURN(const int64_t ns, ParseDurationNs(all.substr(begin, end - begin)));
    value = static_cast<double>(ns) / 1e9;
    at = end;
  } else {
    VARVE_ASSIGN_OR_RETURN(value, ParseNumber(all.substr(begin, at - begin)));
  }
  text->remove_prefix(at);
  return negative ? -value : value;
}

Result<std::vector<double>> NumberList(std::string_view text) {
  std::vector<double> numbers;
  for (std::string_view item : Items(text)) {
    VARVE_ASSIGN_OR_RETURN(const double number, TakeNumber(&item));
    if (!item.empty()) return Bad("bad number in a list:", text);
    numbers.push_back(number);
  }
  return numbers;
}

struct HistogramText {
  FloatHistogramPtr histogram;
  bool hint_given = false;
};

struct HistogramFields {
  NativeHistogram native;
  int32_t positive_offset = 0;
  int32_t negative_offset = 0;
  bool hint_given = false;
};

Status SetHint(std::string_view value, HistogramFields* fields) {
  static constexpr std::string_view kHints[] = {"unknown", "reset", "not_reset", "gauge"};
  for (size_t i = 0; i < std::size(kHints); ++i) {
    if (value != kHints[i]) continue;
    fields->native.hint = static_cast<CounterResetHint>(i);
    fields->hint_given = true;
    return Status::Ok();
  }
  return Bad("bad counter_reset_hint", value);
}

Status SetField(std::string_view key, std::string_view value, HistogramFields* fields) {
  NativeHistogram& native = fields->native;
  if (key == "counter_reset_hint") return SetHint(value, fields);
  struct List {
    std::string_view key;
    std::vector<double>* values;
  };
  for (const List& list : {List{"buckets", &native.positive_counts}, List{"n_buckets", &native.negative_counts},
                           List{"custom_values", &native.custom_values}}) {
    if (list.key != key) continue;
    if (value.size() < 2 || value.front() != '[' || value.back() != ']') return Bad("bad list", value);
    VARVE_ASSIGN_OR_RETURN(*list.values, NumberList(value.substr(1, value.size() - 2)));
    return Status::Ok();
  }
  std::string_view rest = value;
  VARVE_ASSIGN_OR_RETURN(const double number, TakeNumber(&rest));
  if (!rest.empty()) return Bad("bad number", value);
  if (key == "schema") {
    native.schema = static_cast<int32_t>(number);
  } else if (key == "sum") {
    native.sum = number;
  } else if (key == "count") {
    native.float_count = number;
  } else if (key == "z_bucket") {
    native.float_zero_count = number;
  } else if (key == "z_bucket_w") {
    native.zero_threshold = number;
  } else if (key == "offset") {
    fields->positive_offset = static_cast<int32_t>(number);
  } else if (key == "n_offset") {
    fields->negative_offset = static_cast<int32_t>(number);
  } else {
    return Bad("bad histogram descriptor found:", key);
  }
  return Status::Ok();
}

// `text` starts with {{.
Result<HistogramText> TakeHistogram(std::string_view* text) {
  const size_t close = text->find("}}");
  if (!text->starts_with("{{") || close == std::string_view::npos) return Bad("bad histogram", *text);
  const std::string_view body = text->substr(2, close - 2);
  text->remove_prefix(close + 2);
  HistogramFields fields;
  fields.native.is_float = true;
  std::vector<std::string_view> keys;
  for (size_t at = body.find_first_not_of(kBlanks); at < body.size();) {
    const size_t colon = body.find(':', at);
    if (colon == std::string_view::npos) return Bad("missing `:` for histogram descriptor", body.substr(at));
    const bool list = body.substr(colon + 1, 1) == "[";
    size_t end = list ? body.find(']', colon) : body.find_first_of(kBlanks, colon);
    if (list && end != std::string_view::npos) ++end;
    end = std::min(end, body.size());
    const std::string_view key = body.substr(at, colon - at);
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) return Bad("duplicate key in histogram:", key);
    keys.push_back(key);
    VARVE_RETURN_IF_ERROR(SetField(key, body.substr(colon + 1, end - colon - 1), &fields));
    at = std::min(body.find_first_not_of(kBlanks, end), body.size());
  }
  NativeHistogram& native = fields.native;
  const auto span = [](int32_t offset, const std::vector<double>& counts) {
    std::vector<BucketSpan> spans;
    if (!counts.empty()) spans.push_back({offset, static_cast<uint32_t>(counts.size())});
    return spans;
  };
  native.positive_spans = span(fields.positive_offset, native.positive_counts);
  native.negative_spans = span(fields.negative_offset, native.negative_counts);
  return HistogramText{std::make_shared<const FloatHistogram>(FloatHistogram::FromNative(native)), fields.hint_given};
}

Status AppendHistograms(std::string_view item, std::vector<SequenceValue>* values) {
  VARVE_ASSIGN_OR_RETURN(HistogramText first, TakeHistogram(&item));
  SequenceValue value;
  value.histogram = first.histogram;
  value.hint_given = first.hint_given;
  const bool add = item.starts_with("+{{");
  if (!add && !item.starts_with("-{{")) {
    VARVE_ASSIGN_OR_RETURN(const std::optional<uint64_t> count, Repetitions(item));
    values->insert(values->end(), count.value_or(0) + 1, value);
    return Status::Ok();
  }
  item.remove_prefix(1);
  VARVE_ASSIGN_OR_RETURN(const HistogramText step, TakeHistogram(&item));
  VARVE_ASSIGN_OR_RETURN(const std::optional<uint64_t> count, Repetitions(item));
  if (!count) return Bad("no repetition behind a histogram's step:", item);
  value.hint_given = step.hint_given;
  values->push_back(value);
  for (uint64_t i = 0; i < *count; ++i) {
    FloatHistogram next = *value.histogram;
    if (next.schema() > step.histogram->schema()) return InvalidArgument("cannot merge from a finer schema");
    const HistogramOpNotes notes = add ? next.Add(*step.histogram) : next.Sub(*step.histogram);
    if (notes.incompatible) return InvalidArgument("the histograms of a sequence have different layouts");
    value.histogram = std::make_shared<const FloatHistogram>(std::move(next));
    values->push_back(value);
  }
  return Status::Ok();
}

Status AppendItem(std::string_view item, std::vector<SequenceValue>* values) {
  if (item.starts_with("{{")) return AppendHistograms(item, values);
  SequenceValue value;
  if (item[0] == '_') {
    VARVE_ASSIGN_OR_RETURN(const std::optional<uint64_t> count, Repetitions(item.substr(1)));
    value.omitted = true;
    values->insert(values->end(), count.value_or(1), value);
    return Status::Ok();
  }
  double step = 0;
  if (item.starts_with("stale")) {
    value.value = StaleNan();
    item.remove_prefix(5);
  } else {
    VARVE_ASSIGN_OR_RETURN(value.value, TakeNumber(&item));
    if (!item.empty() && (item[0] == '+' || item[0] == '-')) {
      VARVE_ASSIGN_OR_RETURN(step, TakeNumber(&item));
      if (item.empty()) return Bad("no repetition behind a step", item);
    }
  }
  VARVE_ASSIGN_OR_RETURN(const std::optional<uint64_t> count, Repetitions(item));
  for (uint64_t i = 0; i <= count.value_or(0); ++i) {
    values->push_back(value);
    if (step != 0) value.value += step;
  }
  return Status::Ok();
}

// `-30s` from the front, in milliseconds.
Result<int64_t> TakeOffset(std::string_view* text) {
  size_t at = 0;
  const bool negative = text->starts_with("-");
  if (negative || text->starts_with("+")) ++at;
  const size_t begin = at;
  while (at < text->size() && IsDigit((*text)[at])) ++at;
  while (at < text->size() && (*text)[at] >= 'a' && (*text)[at] <= 'z' && (*text)[at] != 'x') ++at;
  VARVE_ASSIGN_OR_RETURN(const int64_t ns, ParseDurationNs(text->substr(begin, at - begin)));
  text->remove_prefix(at);
  return (negative ? -ns : ns) / 1'000'000;
}

Status AppendStart(std::string_view item, std::vector<std::optional<int64_t>>* offsets) {
  if (item[0] == '_') {
    VARVE_ASSIGN_OR_RETURN(const std::optional<uint64_t> count, Repetitions(item.substr(1)));
    offsets->insert(offsets->end(), count.value_or(1), std::nullopt);
    return Status::Ok();
  }
  VARVE_ASSIGN_OR_RETURN(int64_t offset, TakeOffset(&item));
  int64_t step = 0;
  if (!item.empty() && (item[0] == '+' || item[0] == '-')) {
    VARVE_ASSIGN_OR_RETURN(step, TakeOffset(&item));
  }
  VARVE_ASSIGN_OR_RETURN(const std::optional<uint64_t> count, Repetitions(item));
  for (uint64_t i = 0; i <= count.value_or(0); ++i, offset += step) offsets->push_back(offset);
  return Status::Ok();
}

// `n_offset:2 n_buckets:[1 0 3]`: one span, the empty buckets between written out.
void AppendSide(const BucketSide& side, std::string_view prefix, std::vector<std::string>* fields) {
  if (side.empty()) return;
  if (side.indexes[0] != 0) fields->push_back(std::string(prefix) + "offset:" + std::to_string(side.indexes[0]));
  std::string list = std::string(prefix) + "buckets:[";
  int64_t next = side.indexes[0];
  for (size_t i = 0; i < side.size(); ++i, ++next) {
    for (; next < side.indexes[i]; ++next) list += "0 ";
    list += GoG(side.counts[i]) + (i + 1 < side.size() ? " " : "]");
  }
  fields->push_back(std::move(list));
}

}  // namespace

std::string HistogramNotation(const FloatHistogram& histogram) {
  FloatHistogram compact = histogram;
  compact.Compact();
  std::vector<std::string> fields;
  if (compact.schema() != 0) fields.push_back("schema:" + std::to_string(compact.schema()));
  const auto number = [&](std::string_view key, double value) {
    if (value != 0) fields.push_back(std::string(key) + GoG(value));
  };
  number("count:", compact.count());
  number("sum:", compact.sum());
  number("z_bucket:", compact.zero_count());
  number("z_bucket_w:", compact.zero_threshold());
  if (compact.is_custom()) {
    std::string list;
    for (const double bound : compact.bounds()) list += (list.empty() ? "" : " ") + GoG(bound);
    fields.push_back("custom_values:[" + list + "]");
  }
  static constexpr std::string_view kHints[] = {"", "reset", "not_reset", "gauge"};
  if (compact.hint() != CounterResetHint::kUnknown) {
    fields.push_back("counter_reset_hint:" + std::string(kHints[static_cast<size_t>(compact.hint())]));
  }
  AppendSide(compact.positive(), "", &fields);
  AppendSide(compact.negative(), "n_", &fields);
  std::string out;
  for (const std::string& field : fields) out += (out.empty() ? "" : " ") + field;
  return "{{" + out + "}}";
}

Result<SeriesDescription> ParseSeriesDescription(std::string_view line) {
  const size_t end = MetricEnd(line);
  SeriesDescription series;
  VARVE_ASSIGN_OR_RETURN(series.labels, ParseMetric(line.substr(0, end)));
  for (const std::string_view item : Items(line.substr(end))) {
    VARVE_RETURN_IF_ERROR(AppendItem(item, &series.values).WithContext(item));
    if (series.values.size() > kSeriesValuesMax) return Bad("a series of too many values:", item);
  }
  return series;
}

Result<double> ParseWholeNumber(std::string_view text) {
  const bool negative = text.starts_with("-");
  const bool sign = negative || text.starts_with("+");
  VARVE_ASSIGN_OR_RETURN(const double value, ParseNumber(text.substr(sign ? 1 : 0)));
  return negative ? -value : value;
}

bool IsStartTimesLine(std::string_view line) {
  const size_t blank = line.find_first_of(" \t");
  return blank != std::string_view::npos && line.substr(0, blank).ends_with("@st");
}

Result<StartTimes> ParseStartTimes(std::string_view line) {
  const size_t blank = line.find_first_of(" \t");
  StartTimes starts;
  VARVE_ASSIGN_OR_RETURN(starts.labels, ParseMetric(Trimmed(line.substr(0, blank - 3))));
  for (const std::string_view item : Items(line.substr(blank))) {
    VARVE_RETURN_IF_ERROR(AppendStart(item, &starts.offsets_ms).WithContext(item));
  }
  return starts;
}

}  // namespace varve::promql
