#include "alerting/rules/rule_test_report.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "engine/model/labels.h"
#include "query/promql/syntax/number_text.h"

namespace varve {
namespace {

std::string DurationText(int64_t ms) {
  std::string text;
  promql::AppendDuration(&text, ms);
  return text;
}

// {a="b", c="d"}
std::string LabelsText(const LabelMap& labels) {
  std::string text = "{";
  for (const auto& [name, value] : labels) {
    if (text.size() > 1) text += ", ";
    text += IsValidLabelName(name) ? name : GoQuoted(name);
    text += "=" + GoQuoted(value);
  }
  return text + "}";
}

// Every line but the first further to the right.
std::string Indented(std::string_view text, std::string_view indent) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += indent;
  }
  return out;
}

std::string AlertsText(const std::vector<ExpectedAlert>& alerts) {
  if (alerts.empty()) return "[]";
  std::string out = "[";
  for (size_t i = 0; i < alerts.size(); ++i) {
    const std::string one =
        "\nLabels:" + LabelsText(alerts[i].labels) + "\nAnnotations:" + LabelsText(alerts[i].annotations);
    out += (i == 0 ? "\n" : ",\n") + std::to_string(i) + ":" + Indented(one, "  ");
  }
  return out + "\n]";
}

// 1.5E+00, as Go's FormatFloat with 'E' and the fewest digits.
std::string ValueText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[40];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  std::string out(text, error == std::errc() ? end : text);
  std::replace(out.begin(), out.end(), 'e', 'E');
  return out;
}

std::string SamplesText(const std::vector<TestSample>& samples) {
  std::string out;
  for (const TestSample& sample : samples) {
    if (!out.empty()) out += ", ";
    out += sample.labels.ToBracedString() + " " + (sample.histogram.empty() ? ValueText(sample.value) : sample.histogram);
  }
  return out.empty() ? "nil" : out;
}

bool SameValue(double a, double b, bool fuzzy) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  return a == b || (fuzzy && (std::nextafter(a, -kInf) == b || std::nextafter(a, kInf) == b));
}

std::string ExpressionHead(const ExpressionTest& test) {
  return "    expr: " + GoQuoted(test.expr) + ", time: " + DurationText(test.eval_time_ms) + ",";
}

}  // namespace

std::string CompareAlerts(std::string_view test_name, const AlertTest& test, std::vector<ExpectedAlert> expected,
                          std::vector<ExpectedAlert> got) {
  const auto content = [](const ExpectedAlert& alert) { return std::tie(alert.labels, alert.annotations); };
  const auto less = [&](const ExpectedAlert& a, const ExpectedAlert& b) { return content(a) < content(b); };
  std::sort(expected.begin(), expected.end(), less);
  std::sort(got.begin(), got.end(), less);
  const auto same = [&](const ExpectedAlert& a, const ExpectedAlert& b) { return content(a) == content(b); };
  if (std::equal(expected.begin(), expected.end(), got.begin(), got.end(), same)) return "";
  constexpr std::string_view kIndent = "            ";
  std::string text;
  if (!test_name.empty()) text = "    name: " + std::string(test_name) + ",\n";
  return text + "    alertname: " + test.alertname + ", time: " + DurationText(test.eval_time_ms) +
         ", \n        exp:" + Indented(AlertsText(expected), kIndent) +
         ", \n        got:" + Indented(AlertsText(got), kIndent);
}

std::string CompareSamples(const ExpressionTest& test, bool fuzzy, std::vector<TestSample> expected,
                           std::vector<TestSample> got) {
  const auto less = [](const TestSample& a, const TestSample& b) { return a.labels < b.labels; };
  std::stable_sort(expected.begin(), expected.end(), less);
  std::stable_sort(got.begin(), got.end(), less);
  const auto same = [&](const TestSample& a, const TestSample& b) {
    return a.labels == b.labels && a.histogram == b.histogram &&
           (!a.histogram.empty() || SameValue(a.value, b.value, fuzzy));
  };
  if (std::equal(expected.begin(), expected.end(), got.begin(), got.end(), same)) return "";
  return ExpressionHead(test) + "\n        exp: " + SamplesText(expected) + "\n        got: " + SamplesText(got);
}

std::string ExpressionErrorText(const ExpressionTest& test, const Status& error) {
  return ExpressionHead(test) + " err: " + error.message();
}

}  // namespace varve
