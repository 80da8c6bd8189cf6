// Go's text/template and html/template for documents: rules' labels and annotations, notifications, reports.
//
//   TemplateSet set(functions);
//   set.Parse("mail.tmpl", "{{ define \"subject\" }}…{{ end }}");
//   set.Execute("{{ template \"subject\" . }}", data, Escape::kText)
//
// The language and the evaluator are those of LogQL's line_format; the functions are given. Bounds:
// template_limits.h. Threads: immutable once parsed, share freely.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/status.h"

namespace varve::templates {

// A value that a template works on; owns what it holds.
struct Datum;
using DatumList = std::vector<Datum>;
using DatumFields = std::vector<std::pair<std::string, Datum>>;

// What fields and methods a value has beside those of its Go type.
enum class DatumKind : uint8_t {
  kPlain,
  kLabelSet,  // Alertmanager's KV: .SortedPairs .Names .Values .Remove; its fields are labels, "" when
              // missing
  kAlerts,    // Alertmanager's Alerts, a list: .Firing .Resolved
};

struct Datum {
  struct Time {
    int64_t ns = 0;  // since 1970, UTC
  };
  std::variant<std::monostate, bool, int64_t, double, std::string, Time, DatumList, DatumFields> value;
  DatumKind kind = DatumKind::kPlain;
};

enum class Escape : uint8_t { kText, kHtml };  // kHtml: by context, as html/template

// Which functions a set has beside Go's own.
enum class FunctionSet : uint8_t {
  kPrometheus,    // of rules: query first value label … humanize* title … (prom_surface 6.5)
  kAlertmanager,  // of notifications: toUpper title join match safeHtml reReplaceAll stringSlice date tz
                  // since humanizeDuration …
  kReport,        // both, and json, add, mul, div, round, default
};

struct QuerySample {
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};
// What the functions reach out for.
struct TemplateMeans {
  // {{ query "…" }}; null: it fails.
  std::function<Result<std::vector<QuerySample>>(std::string_view query)> query;
  std::string external_url;
  int64_t now_ns = 0;
};

class TemplateSet {
 public:
  explicit TemplateSet(FunctionSet functions);
  // Adds what `text` defines. kInvalidArgument, in Go's words: `template: mail.tmpl:3: unexpected "}" in
  // operand`.
  Status Parse(std::string_view name, std::string_view text);
  // Only checks `text`.
  Status Check(std::string_view name, std::string_view text) const;
  // `variables` are there as $name (rules: labels, externalLabels, externalURL, value), beside `.` and $.
  // kExecution, in Go's words.
  Result<std::string> Execute(std::string_view name, std::string_view text, const Datum& dot, Escape escape,
                              const TemplateMeans& means, const DatumFields& variables = {}) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace varve::templates
