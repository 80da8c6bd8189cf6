#include "tests/support/naive_logql.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "query/exec/stream_order.h"
#include "query/logql/pipeline.h"

namespace varve::testing {
namespace {

using logql::BinaryOp;
using logql::RangeOp;
using logql::VectorOp;
using Element = std::pair<LabelPairs, double>;
using Vector = std::vector<Element>;

struct Sample {
  int64_t ts_ns;
  double value;
  size_t bytes;
  std::string text;  // of the unwrapped label
};

const double kNaN = std::nan("");

LabelPairs Pick(const LabelPairs& labels, const std::vector<std::string>& names, bool named) {
  LabelPairs out;
  for (const auto& label : labels) {
    const bool found = std::find(names.begin(), names.end(), label.first) != names.end();
    if (found == named) out.push_back(label);
  }
  return out;
}

LabelPairs Grouped(const LabelPairs& labels, const logql::Grouping& grouping) {
  return Pick(labels, grouping.labels, !grouping.without);
}

std::string ValueOf(const LabelPairs& labels, const std::string& name) {
  for (const auto& label : labels) {
    if (label.first == name) return label.second;
  }
  return "";
}

double NaiveQuantile(double phi, std::vector<double> v) {
  if (phi < 0) return -INFINITY;
  if (phi > 1) return INFINITY;
  std::sort(v.begin(), v.end());
  const double rank = phi * static_cast<double>(v.size() - 1);
  const auto low = static_cast<size_t>(rank);
  const size_t high = std::min(low + 1, v.size() - 1);
  const double weight = rank - static_cast<double>(low);
  return v[low] * (1 - weight) + v[high] * weight;
}

double NaiveCounterRate(const std::vector<Sample>& s, int64_t lower_ns, int64_t upper_ns) {
  if (s.size() < 2 || s.front().ts_ns == s.back().ts_ns) return 0;
  double increase = s.back().value - s.front().value;
  for (size_t i = 1; i < s.size(); ++i) increase += s[i].value < s[i - 1].value ? s[i - 1].value : 0;
  const double sampled = static_cast<double>(s.back().ts_ns - s.front().ts_ns) / 1e9;
  const double average = sampled / static_cast<double>(s.size() - 1);
  double to_start = static_cast<double>(s.front().ts_ns - lower_ns) / 1e9;
  double to_end = static_cast<double>(upper_ns - s.back().ts_ns) / 1e9;
  if (to_start >= average * 1.1) to_start = average / 2;
  if (to_end >= average * 1.1) to_end = average / 2;
  if (increase > 0 && s[0].value >= 0) to_start = std::min(to_start, sampled * s[0].value / increase);
  return increase * (sampled + to_start + to_end) / sampled /
         (static_cast<double>(upper_ns - lower_ns) / 1e9);
}

double Aggregate(const logql::RangeAggregation& range, const std::vector<Sample>& samples, int64_t lower_ns,
                 int64_t upper_ns) {
  const double seconds = static_cast<double>(range.range.range_ns) / 1e9;
  const auto count = static_cast<double>(samples.size());
  long double sum = 0;
  double bytes = 0;
  double least = samples[0].value, greatest = samples[0].value;
  std::vector<double> values;
  for (const Sample& sample : samples) {
    sum += sample.value;
    bytes += static_cast<double>(sample.bytes);
    least = std::fmin(least, sample.value);
    greatest = std::fmax(greatest, sample.value);
    values.push_back(sample.value);
  }
  const long double mean = sum / count;
  long double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  if (least == greatest && sum == sum) squares = 0;
  switch (range.op) {
    case RangeOp::kCountOverTime: return count;
    case RangeOp::kRate: return (range.range.unwrap ? static_cast<double>(sum) : count) / seconds;
    case RangeOp::kBytesOverTime: return bytes;
    case RangeOp::kBytesRate: return bytes / seconds;
    case RangeOp::kAvgOverTime: return static_cast<double>(mean);
    case RangeOp::kSumOverTime: return static_cast<double>(sum);
    case RangeOp::kMinOverTime: return least;
    case RangeOp::kMaxOverTime: return greatest;
    case RangeOp::kStdvarOverTime: return static_cast<double>(squares / count);
    case RangeOp::kStddevOverTime: return std::sqrt(static_cast<double>(squares / count));
    case RangeOp::kQuantileOverTime: return NaiveQuantile(*range.parameter, values);
    case RangeOp::kFirstOverTime: return values.front();
    case RangeOp::kLastOverTime: return values.back();
    case RangeOp::kRateCounter: return NaiveCounterRate(samples, lower_ns, upper_ns);
    case RangeOp::kAbsentOverTime: return 1;
    case RangeOp::kCountDistinctOverTime: {
      std::set<std::string> texts;
      for (const Sample& sample : samples) texts.insert(sample.text);
      return static_cast<double>(texts.size());
    }
  }
  return kNaN;
}

double Fold(VectorOp op, const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  long double sum = 0;
  double least = values[0], greatest = values[0];
  for (const double value : values) {
    sum += value;
    least = std::fmin(least, value);
    greatest = std::fmax(greatest, value);
  }
  const long double mean = sum / count;
  long double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  if (least == greatest && sum == sum) squares = 0;
  switch (op) {
    case VectorOp::kSum: return static_cast<double>(sum);
    case VectorOp::kAvg: return static_cast<double>(mean);
    case VectorOp::kCount: return count;
    case VectorOp::kMax: return greatest;
    case VectorOp::kMin: return least;
    case VectorOp::kStdvar: return static_cast<double>(squares / count);
    case VectorOp::kStddev: return std::sqrt(static_cast<double>(squares / count));
    default: return kNaN;
  }
}

double Arithmetic(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd: return a + b;
    case BinaryOp::kSub: return a - b;
    case BinaryOp::kMul: return a * b;
    case BinaryOp::kDiv: return b == 0 ? kNaN : a / b;
    case BinaryOp::kMod: return b == 0 ? kNaN : std::fmod(a, b);
    case BinaryOp::kPow: return std::pow(a, b);
    case BinaryOp::kEq: return a == b;
    case BinaryOp::kNe: return a != b;
    case BinaryOp::kGt: return a > b;
    case BinaryOp::kGe: return a >= b;
    case BinaryOp::kLt: return a < b;
    case BinaryOp::kLe: return a <= b;
    default: return kNaN;
  }
}

// A value at one step: a number, or a vector.
struct Value {
  bool is_number = false;
  double number = 0;
  Vector vector;
};

// Evaluates a tree at one time.
class AtTime {
 public:
  AtTime(const std::vector<NaiveEntry>& entries, int64_t t_ns) : entries_(entries), t_ns_(t_ns) {}

  Result<Value> Evaluate(const logql::Expr& expr) const {
    if (const auto* number = std::get_if<logql::LiteralNumber>(&expr.node))
      return Value{true, number->value, {}};
    if (const auto* vector = std::get_if<logql::VectorFunction>(&expr.node)) {
      return Value{false, 0, {{{}, vector->value}}};
    }
    if (const auto* range = std::get_if<logql::RangeAggregation>(&expr.node)) return Range(*range);
    if (const auto* vector = std::get_if<logql::VectorAggregation>(&expr.node)) return Aggregation(*vector);
    if (const auto* binary = std::get_if<logql::BinaryOperation>(&expr.node)) return Binary(*binary);
    return Unimplemented("the naive evaluator does not know this expression");
  }

 private:
  Result<Value> Range(const logql::RangeAggregation& range) const {
    logql::LabelNeeds needs;
    needs.unwrap_as_text = range.op == RangeOp::kCountDistinctOverTime;
    VARVE_ASSIGN_OR_RETURN(const auto pipeline,
                           logql::Pipeline::Compile(range.range.selector.stages, range.range.unwrap, needs));
    const int64_t upper_ns = t_ns_ - range.range.offset_ns;
    const int64_t lower_ns = upper_ns - range.range.range_ns;
    std::map<LabelPairs, std::vector<Sample>> series;
    for (const NaiveEntry& entry : entries_) {
      if (entry.ts_ns <= lower_ns || entry.ts_ns > upper_ns) continue;
      if (!MatchesAll(range.range.selector.matchers, entry.stream)) continue;
      logql::PipelineRunner runner(*pipeline);
      runner.SetStream(entry.stream);
      LogColumns columns;
      if (!PassesLeadingFilters(*pipeline, entry.line, &columns)) continue;
      if (!runner.Process(entry.ts_ns, columns.Line(0), entry.metadata)) continue;
      if (runner.labels().has_error()) return InvalidArgument("pipeline error");
      LabelPairs labels;
      for (const auto& label : runner.labels().labels()) labels.emplace_back(label.name, label.value);
      std::sort(labels.begin(), labels.end());
      if (range.grouping) labels = Grouped(labels, *range.grouping);
      series[labels].push_back({entry.ts_ns, range.range.unwrap ? runner.value() : 0, runner.line().size(),
                                range.range.unwrap ? std::string(runner.value_text()) : ""});
    }
    Value value;
    if (range.op == RangeOp::kAbsentOverTime) {
      if (series.empty()) value.vector.emplace_back(AbsentLabels(range.range.selector.matchers), 1);
      return value;
    }
    for (const auto& [labels, samples] : series) {
      value.vector.emplace_back(labels, Aggregate(range, samples, lower_ns, upper_ns));
    }
    return value;
  }

  static LabelPairs AbsentLabels(const std::vector<Matcher>& matchers) {
    LabelPairs labels;
    for (const Matcher& matcher : matchers) {
      const auto same = std::count_if(matchers.begin(), matchers.end(),
                                      [&](const Matcher& other) { return other.name() == matcher.name(); });
      if (matcher.op() == MatchOp::kEqual && same == 1 && !matcher.value().empty()) {
        labels.emplace_back(matcher.name(), matcher.value());
      }
    }
    std::sort(labels.begin(), labels.end());
    return labels;
  }

  static bool PassesLeadingFilters(const logql::Pipeline& pipeline, const std::string& line,
                                   LogColumns* columns) {
    columns->row_count = 1;
    columns->line_offsets = {0, static_cast<uint32_t>(line.size())};
    columns->lines.assign(line.begin(), line.end());
    columns->lines.resize(line.size() + LogColumns::kLinePaddingBytes);
    std::vector<uint32_t> selected;
    pipeline.SelectLines(*columns, 0, 1, &selected);
    return !selected.empty();
  }

  Result<Value> Aggregation(const logql::VectorAggregation& aggregation) const {
    VARVE_ASSIGN_OR_RETURN(Value operand, Evaluate(*aggregation.operand));
    std::map<LabelPairs, Vector> groups;
    for (const Element& element : operand.vector) {
      const logql::Grouping grouping = aggregation.grouping.value_or(logql::Grouping{});
      LabelPairs labels = Grouped(element.first, grouping);
      if (grouping.without) std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
      groups[std::move(labels)].push_back(element);
    }
    Value value;
    for (auto& [labels, members] : groups) {
      if (aggregation.op == VectorOp::kTopk || aggregation.op == VectorOp::kBottomk) {
        const bool top = aggregation.op == VectorOp::kTopk;
        std::stable_sort(members.begin(), members.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        std::stable_sort(members.begin(), members.end(), [top](const Element& a, const Element& b) {
          return top ? a.second > b.second : a.second < b.second;
        });
        const auto k = std::min(members.size(), static_cast<size_t>(aggregation.parameter));
        value.vector.insert(value.vector.end(), members.begin(), members.begin() + static_cast<ptrdiff_t>(k));
        continue;
      }
      std::vector<double> values;
      for (const Element& member : members) values.push_back(member.second);
      value.vector.emplace_back(labels, Fold(aggregation.op, values));
    }
    return value;
  }

  Result<Value> Binary(const logql::BinaryOperation& operation) const {
    VARVE_ASSIGN_OR_RETURN(Value left, Evaluate(*operation.left));
    VARVE_ASSIGN_OR_RETURN(Value right, Evaluate(*operation.right));
    const auto signature = [&](const LabelPairs& labels) {
      LabelPairs picked = Pick(labels, operation.matching.labels, operation.matching.on);
      std::erase_if(picked, [](const auto& label) { return label.second.empty(); });
      return picked;
    };
    const bool filters = IsComparison(operation.op) && !operation.return_bool;
    if (left.is_number && right.is_number) {
      return Value{true, Arithmetic(operation.op, left.number, right.number), {}};
    }
    Value value;
    if (IsSetOp(operation.op)) {
      std::set<LabelPairs> in_left, in_right;
      for (const Element& element : left.vector) in_left.insert(signature(element.first));
      for (const Element& element : right.vector) in_right.insert(signature(element.first));
      for (const Element& element : left.vector) {
        const bool matched = in_right.count(signature(element.first)) != 0;
        if (operation.op == BinaryOp::kOr || matched == (operation.op == BinaryOp::kAnd)) {
          value.vector.push_back(element);
        }
      }
      for (const Element& element : right.vector) {
        if (operation.op == BinaryOp::kOr && in_left.count(signature(element.first)) == 0) {
          value.vector.push_back(element);
        }
      }
      return value;
    }
    if (left.is_number || right.is_number) {
      for (const auto& [labels, x] : left.is_number ? right.vector : left.vector) {
        const double result = left.is_number ? Arithmetic(operation.op, left.number, x)
                                             : Arithmetic(operation.op, x, right.number);
        if (!filters) value.vector.emplace_back(labels, result);
        if (filters && result != 0) value.vector.emplace_back(labels, x);
      }
      return value;
    }
    return Match(operation, left.vector, right.vector, filters);
  }

  Result<Value> Match(const logql::BinaryOperation& operation, const Vector& left, const Vector& right,
                      bool filters) const {
    const logql::VectorMatching& matching = operation.matching;
    using Cardinality = logql::VectorMatching::Cardinality;
    const bool swapped = matching.cardinality == Cardinality::kOneToMany;
    std::map<LabelPairs, Element> ones;
    const auto signature = [&](const LabelPairs& labels) {
      LabelPairs picked = Pick(labels, matching.labels, matching.on);
      std::erase_if(picked, [](const auto& label) { return label.second.empty(); });
      return picked;
    };
    for (const Element& element : swapped ? left : right) {
      if (!ones.emplace(signature(element.first), element).second) return ExecutionError("duplicate series");
    }
    Value value;
    std::set<LabelPairs> taken;
    for (const Element& many : swapped ? right : left) {
      const auto one = ones.find(signature(many.first));
      if (one == ones.end()) continue;
      std::map<std::string, std::string> labels;
      if (matching.cardinality == Cardinality::kOneToOne) {
        labels.insert(one->first.begin(), one->first.end());
      } else {
        labels.insert(many.first.begin(), many.first.end());
        for (const std::string& name : matching.include) {
          labels.erase(name);
          if (!ValueOf(one->second.first, name).empty()) labels[name] = ValueOf(one->second.first, name);
        }
      }
      std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
      const LabelPairs result_labels(labels.begin(), labels.end());
      if (!taken.insert(result_labels).second) return ExecutionError("multiple matches");
      const double a = swapped ? one->second.second : many.second;
      const double b = swapped ? many.second : one->second.second;
      const double result = Arithmetic(operation.op, a, b);
      if (!filters) value.vector.emplace_back(result_labels, result);
      if (filters && result != 0) value.vector.emplace_back(result_labels, a);
    }
    return value;
  }

  const std::vector<NaiveEntry>& entries_;
  const int64_t t_ns_;
};

Result<Streams> LogQuery(const std::vector<NaiveEntry>& entries, const logql::LogSelector& selector,
                         const QueryRequest& request) {
  VARVE_ASSIGN_OR_RETURN(const auto pipeline, logql::Pipeline::Compile(selector.stages, std::nullopt, {}));
  std::vector<const NaiveEntry*> order;
  for (const NaiveEntry& entry : entries) order.push_back(&entry);
  const bool backward = request.direction == Direction::kBackward;
  if (backward) std::reverse(order.begin(), order.end());
  std::stable_sort(order.begin(), order.end(), [backward](const NaiveEntry* a, const NaiveEntry* b) {
    if (a->ts_ns != b->ts_ns) return backward ? a->ts_ns > b->ts_ns : a->ts_ns < b->ts_ns;
    return StreamOrderHash(a->stream) < StreamOrderHash(b->stream);
  });
  std::map<LabelPairs, std::vector<ResultEntry>> streams;
  size_t count = 0;
  int64_t last_ns = 0;
  for (const NaiveEntry* entry : order) {
    if (count == request.limit) break;
    const bool in_range = entry->ts_ns >= request.start_ns && entry->ts_ns < request.end_ns;
    if (!in_range && !(request.start_ns == request.end_ns && entry->ts_ns == request.start_ns)) continue;
    if (!MatchesAll(selector.matchers, entry->stream)) continue;
    LogColumns columns;
    columns.row_count = 1;
    columns.line_offsets = {0, static_cast<uint32_t>(entry->line.size())};
    columns.lines.assign(entry->line.begin(), entry->line.end());
    columns.lines.resize(entry->line.size() + LogColumns::kLinePaddingBytes);
    std::vector<uint32_t> selected;
    pipeline->SelectLines(columns, 0, 1, &selected);
    logql::PipelineRunner runner(*pipeline);
    runner.SetStream(entry->stream);
    if (selected.empty() || !runner.Process(entry->ts_ns, columns.Line(0), entry->metadata)) continue;
    if (count != 0 && request.interval_ns > 0 && std::abs(entry->ts_ns - last_ns) < request.interval_ns)
      continue;
    last_ns = entry->ts_ns;
    ++count;
    LabelPairs stream;
    ResultEntry out;
    out.ts_ns = entry->ts_ns;
    out.line = runner.line();
    for (const auto& label : runner.labels().labels()) {
      LabelPairs& into = label.category == logql::LabelCategory::kStream     ? stream
                         : label.category == logql::LabelCategory::kMetadata ? out.metadata
                                                                             : out.parsed;
      into.emplace_back(label.name, label.value);
    }
    if (runner.labels().has_error()) out.parsed.emplace_back("__error__", runner.labels().error());
    if (!runner.labels().error_details().empty()) {
      out.parsed.emplace_back("__error_details__", runner.labels().error_details());
    }
    for (LabelPairs* labels : {&stream, &out.metadata, &out.parsed})
      std::sort(labels->begin(), labels->end());
    streams[stream].push_back(std::move(out));
  }
  Streams result;
  for (auto& [labels, list] : streams) result.streams.push_back({labels, std::move(list)});
  return result;
}

}  // namespace

NaiveLogql::NaiveLogql(std::vector<NaiveEntry> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const NaiveEntry& a, const NaiveEntry& b) {
    return a.ts_ns != b.ts_ns ? a.ts_ns < b.ts_ns : a.stream < b.stream;
  });
  std::set<std::tuple<std::string, int64_t, std::string, std::string>> seen;
  for (NaiveEntry& entry : entries) {
    if (seen.emplace(entry.stream.Canonical(), entry.ts_ns, entry.line, entry.metadata).second) {
      entries_.push_back(std::move(entry));
    }
  }
}

Result<QueryResult> NaiveLogql::Run(const logql::Expr& expr, const QueryRequest& request) const {
  QueryResult result;
  if (const auto* selector = std::get_if<logql::LogSelector>(&expr.node)) {
    VARVE_ASSIGN_OR_RETURN(result.data, LogQuery(entries_, *selector, request));
    return result;
  }
  int64_t first_ns = request.start_ns, last_ns = request.end_ns, step_ns = request.step_ns;
  if (request.instant) {
    step_ns = 1;
  } else {
    const auto behind = [step_ns](int64_t t) { return ((t % step_ns) + step_ns) % step_ns; };
    first_ns -= behind(first_ns);
    if (behind(last_ns) != 0) last_ns += step_ns - behind(last_ns);
  }
  std::map<LabelPairs, ResultSeries> series;
  for (int64_t t_ns = first_ns; t_ns <= last_ns; t_ns += step_ns) {
    VARVE_ASSIGN_OR_RETURN(Value value, AtTime(entries_, t_ns).Evaluate(expr));
    if (value.is_number && request.instant) {
      result.data = ScalarResult{t_ns / kNsPerMs, value.number};
      return result;
    }
    if (value.is_number) value.vector = {{{}, value.number}};
    for (const auto& [labels, x] : value.vector) {
      series[labels].labels = labels;
      series[labels].points.push_back({t_ns / kNsPerMs, x});
    }
  }
  std::vector<ResultSeries> list;
  for (auto& [labels, one] : series) list.push_back(std::move(one));
  if (request.instant) {
    result.data = VectorResult{std::move(list)};
  } else {
    result.data = MatrixResult{std::move(list)};
  }
  return result;
}

}  // namespace varve::testing
