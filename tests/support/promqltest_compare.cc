#include "tests/support/promqltest_compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "engine/model/labels.h"
#include "engine/model/sample.h"
#include "query/promql/syntax/number_text.h"

namespace varve::promqltest {
namespace {

using promql::FloatHistogram;
using promql::FloatHistogramPtr;
using promql::QueryResult;
using promql::ResultSeries;

// Prometheus's almost.Equal.
bool AlmostEqual(double a, double b) {
  constexpr double kEpsilon = 1e-6;
  constexpr double kMinNormal = std::numeric_limits<double>::min();
  if (IsStaleNan(a) || IsStaleNan(b)) return IsStaleNan(a) && IsStaleNan(b);
  if (std::isnan(a) && std::isnan(b)) return true;
  if (a == b) return true;
  const double sum = std::fabs(a) + std::fabs(b);
  const double difference = std::fabs(a - b);
  if (a == 0 || b == 0 || sum < kMinNormal) return difference < kEpsilon * kMinNormal;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kEpsilon;
}

bool AlmostEqual(const promql::BucketSide& a, const promql::BucketSide& b) {
  return a.indexes == b.indexes &&
         std::equal(a.counts.begin(), a.counts.end(), b.counts.begin(), b.counts.end(),
                    [](double x, double y) { return AlmostEqual(x, y); });
}

bool AlmostEqual(const SequenceValue& expected, const FloatHistogram& got) {
  FloatHistogram want = *expected.histogram;
  FloatHistogram have = got;
  want.Compact();
  have.Compact();
  return want.schema() == have.schema() && AlmostEqual(want.count(), have.count()) &&
         AlmostEqual(want.sum(), have.sum()) && std::ranges::equal(want.bounds(), have.bounds()) &&
         want.zero_threshold() == have.zero_threshold() && AlmostEqual(want.zero_count(), have.zero_count()) &&
         AlmostEqual(want.positive(), have.positive()) && AlmostEqual(want.negative(), have.negative()) &&
         (!expected.hint_given || want.hint() == have.hint());
}

std::string Describe(double value) {
  if (IsStaleNan(value)) return "stale";
  std::string out;
  promql::AppendGoNumber(&out, value);
  return out;
}

std::string Describe(const FloatHistogram& histogram) {
  static constexpr std::string_view kHints[] = {"unknown", "reset", "not reset", "gauge"};
  std::string out = histogram.ToString() + " schema " + std::to_string(histogram.schema()) + " zero threshold " +
                    Describe(histogram.zero_threshold()) + " hint " +
                    std::string(kHints[static_cast<size_t>(histogram.hint())]);
  for (const double bound : histogram.bounds()) out += " " + Describe(bound);
  return out;
}

std::string Describe(const SequenceValue& value) {
  if (value.omitted) return "_";
  return value.histogram == nullptr ? Describe(value.value) : Describe(*value.histogram);
}

std::string Describe(const ResultSeries& series) {
  std::string out = series.labels.ToString();
  for (const promql::FloatPoint& point : series.floats) {
    out += " " + Describe(point.value) + "@" + std::to_string(point.ts_ms);
  }
  for (const promql::HistogramValue& point : series.histograms) {
    out += " " + Describe(*point.histogram) + "@" + std::to_string(point.ts_ms);
  }
  return out;
}

// Later expectations of the same series replace earlier ones.
std::map<PackedLabels, const ExpectedSeries*> ByLabels(const Eval& eval) {
  std::map<PackedLabels, const ExpectedSeries*> out;
  for (const ExpectedSeries& series : eval.series) out[series.labels] = &series;
  return out;
}

Status CompareMatrixSeries(const Eval& eval, const ExpectedSeries& expected, const ResultSeries& got) {
  size_t floats = 0;
  size_t histograms = 0;
  const auto wrong = [&](const SequenceValue& want, int64_t ts_ms) {
    return InvalidArgument("expected " + Describe(want) + "@" + std::to_string(ts_ms) + " in " + Describe(got));
  };
  for (size_t i = 0; i < expected.values.size(); ++i) {
    const SequenceValue& want = expected.values[i];
    const int64_t ts_ms = eval.start_ms + static_cast<int64_t>(i) * eval.step_ms;
    if (ts_ms > eval.end_ms) return InvalidArgument("more values are expected than the range has steps");
    if (want.omitted) continue;
    if (want.histogram != nullptr) {
      if (histograms == got.histograms.size()) return wrong(want, ts_ms);
      const promql::HistogramValue& have = got.histograms[histograms++];
      if (have.ts_ms != ts_ms || !AlmostEqual(want, *have.histogram)) return wrong(want, ts_ms);
    } else {
      if (floats == got.floats.size()) return wrong(want, ts_ms);
      const promql::FloatPoint& have = got.floats[floats++];
      if (have.ts_ms != ts_ms || !AlmostEqual(want.value, have.value)) return wrong(want, ts_ms);
    }
  }
  if (floats == got.floats.size() && histograms == got.histograms.size()) return Status::Ok();
  return InvalidArgument("expected " + std::to_string(floats) + " floats and " + std::to_string(histograms) +
                         " histograms, got " + Describe(got));
}

Status CompareMatrix(const Eval& eval, const QueryResult& result) {
  if (eval.ordered) return InvalidArgument("expected an ordered result, got a matrix");
  if (eval.scalar) return InvalidArgument("expected a scalar, got a matrix");
  std::map<PackedLabels, const ExpectedSeries*> expected = ByLabels(eval);
  for (size_t i = 0; i < result.series.size(); ++i) {
    const ResultSeries& got = result.series[i];
    if (i > 0 && got.labels < result.series[i - 1].labels) return InvalidArgument("the matrix is not sorted by labels");
    const auto want = expected.find(got.labels);
    if (want == expected.end()) return InvalidArgument("unexpected series " + Describe(got));
    VARVE_RETURN_IF_ERROR(CompareMatrixSeries(eval, *want->second, got));
    expected.erase(want);
  }
  if (expected.empty()) return Status::Ok();
  return InvalidArgument("expected series " + expected.begin()->first.ToString() + " is not there");
}

Status CompareVectorElement(const ExpectedSeries& expected, const ResultSeries& got) {
  const SequenceValue& want = expected.values[0];
  const bool fits = want.histogram != nullptr
                        ? got.histograms.size() == 1 && AlmostEqual(want, *got.histograms[0].histogram)
                        : got.floats.size() == 1 && AlmostEqual(want.value, got.floats[0].value);
  if (fits) return Status::Ok();
  return InvalidArgument("expected " + Describe(want) + " of " + Describe(got));
}

Status CompareVector(const Eval& eval, const QueryResult& result) {
  if (eval.scalar) return InvalidArgument("expected a scalar, got a vector");
  std::map<PackedLabels, const ExpectedSeries*> expected = ByLabels(eval);
  for (size_t i = 0; i < result.series.size(); ++i) {
    const ResultSeries& got = result.series[i];
    const auto want = expected.find(got.labels);
    if (want == expected.end()) return InvalidArgument("unexpected element " + Describe(got));
    if (eval.ordered && want->second != &eval.series[i]) {
      return InvalidArgument("element " + Describe(got) + " is at place " + std::to_string(i + 1));
    }
    VARVE_RETURN_IF_ERROR(CompareVectorElement(*want->second, got));
    expected.erase(want);
  }
  if (expected.empty()) return Status::Ok();
  const ExpectedSeries& missing = *expected.begin()->second;
  return InvalidArgument("expected element " + missing.labels.ToString() + " " + Describe(missing.values[0]) +
                         " is not there");
}

// Scripts up to Prometheus 3.5 give a message without the position at its end, later ones with it.
bool MatchesNote(const TextMatch& match, const std::string& text) {
  if (match.Matches(text)) return true;
  const size_t position = text.rfind(" (");
  return match.message && text.ends_with(")") && *match.message == text.substr(0, position);
}

Status CompareKind(std::string_view kind, const std::vector<TextMatch>& expected, bool some, bool none,
                   const std::vector<std::string>& got) {
  const std::string name(kind);
  std::string all;
  for (const std::string& text : got) all += "\n    " + text;
  if ((some || !expected.empty()) && got.empty()) return InvalidArgument("expected " + name + "s, got none");
  if (none && !got.empty()) return InvalidArgument("unexpected " + name + "s:" + all);
  for (const TextMatch& match : expected) {
    if (std::any_of(got.begin(), got.end(), [&](const std::string& text) { return MatchesNote(match, text); })) continue;
    return InvalidArgument("expected the " + name + " " + match.ToString() + ", got:" + all);
  }
  if (expected.empty()) return Status::Ok();
  for (const std::string& text : got) {
    if (std::none_of(expected.begin(), expected.end(), [&](const TextMatch& match) { return MatchesNote(match, text); })) {
      return InvalidArgument("unexpected " + name + ": " + text);
    }
  }
  return Status::Ok();
}

}  // namespace

Status CompareResult(const Eval& eval, const QueryResult& result) {
  switch (result.type) {
    case promql::ValueType::kMatrix: return CompareMatrix(eval, result);
    case promql::ValueType::kVector: return CompareVector(eval, result);
    case promql::ValueType::kScalar:
      if (!eval.scalar) return InvalidArgument("expected no scalar, got " + Describe(result.scalar.value));
      if (AlmostEqual(*eval.scalar, result.scalar.value)) return Status::Ok();
      return InvalidArgument("expected " + Describe(*eval.scalar) + ", got " + Describe(result.scalar.value));
    case promql::ValueType::kString:
      if (eval.text && *eval.text == result.text) return Status::Ok();
      return InvalidArgument("got the string " + GoQuoted(result.text));
    case promql::ValueType::kNone: break;
  }
  return InvalidArgument("got a result without a type");
}

Status CompareAnnotations(const Eval& eval, const std::string& query, const QueryResult& result) {
  VARVE_RETURN_IF_ERROR(CompareKind("warning", eval.warnings, eval.some_warning, eval.no_warnings,
                                    result.annotations.Warnings(query, 0)));
  return CompareKind("info", eval.infos, eval.some_info, eval.no_infos, result.annotations.Infos(query, 0));
}

}  // namespace varve::promqltest
