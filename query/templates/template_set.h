// Go's text/template and html/template for documents: rules' labels and annotations, notifications, reports.
//
//   TemplateSet set(FunctionSet::kAlertmanager);
//   set.Parse("mail.tmpl", "{{ define \"subject\" }}…{{ end }}");
//   set.Execute("", "{{ template \"subject\" . }}", data, Escape::kText, means)
//
// The language and the evaluator are those of LogQL's line_format; the functions are given. A map's missing
// key is its type's zero value (missingkey=zero). Bounds: template_limits.h. Threads: immutable once
// everything is parsed, share freely. Copies share what they hold.
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

struct TemplateTree;

// A value that a template works on; owns what it holds.
struct Datum;
using DatumList = std::vector<Datum>;  // of strings alone: []string, for join
using DatumFields = std::vector<std::pair<std::string, Datum>>;

// What fields and methods a value has beside those of its Go type.
enum class DatumKind : uint8_t {
  kPlain,         // fields: map[string]any
  kStringMap,     // fields of strings, "" when missing: rules' labels
  kLabelSet,      // Alertmanager's KV, a kStringMap with .SortedPairs .Names .Values .Remove
  kAlerts,        // Alertmanager's Alerts, a list with .Firing .Resolved; its elements are kAlert
  kAlert,         // a struct: what it has no field for is an error; Status tells .Firing from .Resolved
  kNotification,  // a struct, Alertmanager's Data
  kRule,          // a struct, what a rule's texts see
};

struct Datum {
  struct Time {
    int64_t ns = 0;  // since 1970, UTC
  };
  using Value =
      std::variant<std::monostate, bool, int64_t, double, std::string, Time, DatumList, DatumFields>;

  Datum();
  Datum(Value of, DatumKind what = DatumKind::kPlain);  // NOLINT: implicit, Datum{"text"}, {fields, kind}
  Datum(const Datum& other);
  Datum(Datum&& other) noexcept;
  Datum& operator=(const Datum& other);
  Datum& operator=(Datum&& other) noexcept;
  ~Datum();

  Value value;
  DatumKind kind = DatumKind::kPlain;
};

enum class Escape : uint8_t { kText, kHtml };  // kHtml: by context, as html/template

// Which functions a set has beside Go's own.
enum class FunctionSet : uint8_t {
  kPrometheus,    // of rules: query first value label … humanize* title … (prom_surface 6.5)
  kAlertmanager,  // of notifications: toUpper title join match safeHtml reReplaceAll stringSlice date tz
                  // since humanizeDuration …
  kReport,        // both, LogQL's, and json, add, sub, mul, div, round, default, tmpl; now is a time
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

// A text parsed once to be executed often. Keeps its set's templates.
class ParsedTemplate {
 public:
  // `values` are of the variables that it was parsed with, in their order. kExecution… in Go's words.
  Result<std::string> Execute(const Datum& dot, Escape escape, const TemplateMeans& means,
                              const std::vector<Datum>& values = {}) const;

 private:
  friend class TemplateSet;
  std::shared_ptr<const TemplateTree> tree_;
  std::shared_ptr<const void> set_;
};

class TemplateSet {
 public:
  explicit TemplateSet(FunctionSet functions);
  // Adds what `text` defines, and the rest of it as `name`; what is there by the same name is replaced.
  // kInvalidArgument, in Go's words: `template: mail.tmpl:3: unexpected "}" in operand`.
  Status Parse(std::string_view name, std::string_view text);
  // Only checks `text`.
  Status Check(std::string_view name, std::string_view text) const;
  // For texts that are executed often. `variables` are names without their $.
  Result<ParsedTemplate> Compile(std::string_view name, std::string_view text,
                                 const std::vector<std::string>& variables = {}) const;
  // `variables` are there as $name, beside `.` and $. An error is in Go's words.
  Result<std::string> Execute(std::string_view name, std::string_view text, const Datum& dot, Escape escape,
                              const TemplateMeans& means, const DatumFields& variables = {}) const;

 private:
  friend class ParsedTemplate;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace varve::templates
