#include "alerting/reports/report_message.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "alerting/reports/report_fields.h"
#include "engine/base/json_writer.h"
#include "engine/base/time.h"

namespace varve {
namespace {

using templates::Datum;
using templates::DatumFields;
using templates::DatumList;
using templates::Escape;

constexpr std::string_view kTitle = "{{ .Report }}: {{ .Date }}";
constexpr std::string_view kText = R"({{ .Report }}: {{ .Date }} ({{ .TimeZone }})

{{ range .Fields }}{{ .Name }}: {{ .Text }}
{{ end }})";
constexpr std::string_view kHtml = R"(<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>{{ .Report }}: {{ .Date }}</title></head>
<body style="font-family: sans-serif; color: #222">
<h2>{{ .Report }}: {{ .Date }}</h2>
<p style="color: #777">{{ .TimeZone }}</p>
<table cellpadding="6" style="border-collapse: collapse">
{{ range .Fields }}<tr style="border-bottom: 1px solid #ddd"><td>{{ .Name }}</td><td><b>{{ .Text }}</b></td></tr>
{{ end }}</table>
</body>
</html>
)";

constexpr std::string_view kFailureTitle = "{{ .Report }}: {{ .Date }} failed";
constexpr std::string_view kFailureText = R"(The report "{{ .Report }}" for {{ .Date }} failed {{ .Attempts }} times. The last error:

{{ .Error }}
)";
constexpr std::string_view kFailureHtml = R"(<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>{{ .Report }}: {{ .Date }} failed</title></head>
<body style="font-family: sans-serif; color: #222">
<h2 style="color: #b00020">{{ .Report }}: {{ .Date }} failed</h2>
<p>It was tried {{ .Attempts }} times. The last error:</p>
<pre style="background: #f6f6f6; padding: 12px">{{ .Error }}</pre>
</body>
</html>
)";

std::string_view Or(const std::string& text, std::string_view otherwise) {
  return text.empty() ? otherwise : std::string_view(text);
}

// As a person reads it: texts without quotes, the rest as JSON.
std::string PlainText(const Datum& value) {
  if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
  if (std::holds_alternative<std::monostate>(value.value)) return "–";
  return DatumJson(value);
}

DatumFields AboutRun(const ReportConfig& report, const ReportPeriod& period) {
  DatumFields about;
  PutField(&about, "Report", TextDatum(report.name));
  PutField(&about, "Date", TextDatum(period.date));
  PutField(&about, "Period", TextDatum(std::string(PeriodUnitName(report.period))));
  PutField(&about, "TimeZone", TextDatum(report.calendar.zone()));
  PutField(&about, "Start", TimeDatum(period.begin_s));
  PutField(&about, "End", TimeDatum(period.end_s));
  return about;
}

Result<std::string> Execute(std::string_view name, std::string_view text, const DatumFields& dot, Escape escape,
                            const ReportPeriod& period, std::string_view external_url) {
  templates::TemplateMeans means;
  means.external_url = external_url;
  means.now_ns = period.end_s * kNsPerSecond;
  return templates::TemplateSet(templates::FunctionSet::kReport).Execute(name, text, Datum{dot}, escape, means);
}

}  // namespace

Status CheckTemplate(std::string_view name, std::string_view text) {
  return templates::TemplateSet(templates::FunctionSet::kReport).Check(name, text);
}

Status ComputeFields(const ReportConfig& report, const ReportPeriod& period, DatumFields* fields) {
  for (const ComputedField& computed : report.computed) {
    const std::string name = computed.table.empty() ? computed.name : computed.table + "." + computed.name;
    if (computed.table.empty()) {
      VARVE_ASSIGN_OR_RETURN(std::string text, Execute(name, computed.text, *fields, Escape::kText, period, {}));
      PutField(fields, computed.name, TextDatum(std::move(text)));
      continue;
    }
    Datum* table = FindField(fields, computed.table);
    auto* rows = table == nullptr ? nullptr : std::get_if<DatumList>(&table->value);
    if (rows == nullptr) return InternalError("no table " + computed.table);
    for (Datum& row : *rows) {
      auto& cells = std::get<DatumFields>(row.value);
      VARVE_ASSIGN_OR_RETURN(std::string text, Execute(name, computed.text, cells, Escape::kText, period, {}));
      PutField(&cells, computed.name, TextDatum(std::move(text)));
    }
  }
  return Status::Ok();
}

Result<ReportText> RenderReport(const ReportConfig& report, const ReportPeriod& period, const DatumFields& entry,
                                std::string_view external_url) {
  DatumFields dot = AboutRun(report, period);
  DatumList fields;
  for (const auto& [name, value] : entry) {
    DatumFields field;
    PutField(&field, "Name", TextDatum(name));
    PutField(&field, "Value", value);
    PutField(&field, "Text", TextDatum(PlainText(value)));
    PutItem(&fields, std::move(field));
    PutField(&dot, name, value);
  }
  PutField(&dot, "Fields", ListDatum(std::move(fields)));
  PutField(&dot, "ExternalURL", TextDatum(std::string(external_url)));
  const ReportTemplates& own = report.templates;
  ReportText text;
  VARVE_ASSIGN_OR_RETURN(text.title,
                         Execute("subject", Or(own.title, kTitle), dot, Escape::kText, period, external_url));
  VARVE_ASSIGN_OR_RETURN(text.text, Execute("text", Or(own.text, kText), dot, Escape::kText, period, external_url));
  // Who writes a text alone wants no HTML.
  if (own.html.empty() && !own.text.empty()) return text;
  VARVE_ASSIGN_OR_RETURN(text.html, Execute("html", Or(own.html, kHtml), dot, Escape::kHtml, period, external_url));
  return text;
}

Message ReportMessage(const ReportConfig& report, const ReportPeriod& period, std::string_view entry_json,
                      ReportText text) {
  Message message;
  message.title = std::move(text.title);
  message.text = std::move(text.text);
  message.html = std::move(text.html);
  message.json = R"({"report":)";
  AppendJsonString(&message.json, report.name);
  message.json += fmt::format(R"(,"date":"{}","title":)", period.date);
  AppendJsonString(&message.json, message.title);
  message.json += fmt::format(R"(,"entry":{}}})", entry_json);
  message.severity = "info";
  message.id = fmt::format("report/{}/{}", report.name, period.date);
  return message;
}

Message FailureMessage(const ReportConfig& report, const ReportPeriod& period, std::string_view error,
                       uint32_t attempts) {
  DatumFields dot = AboutRun(report, period);
  PutField(&dot, "Error", TextDatum(std::string(error)));
  PutField(&dot, "Attempts", NumberDatum(attempts));
  const auto execute = [&](std::string_view text, Escape escape) {
    Result<std::string> done = Execute("failure", text, dot, escape, period, {});
    return done.ok() ? *std::move(done) : std::string(error);  // our own templates do not fail
  };
  Message message;
  message.title = execute(kFailureTitle, Escape::kText);
  message.text = execute(kFailureText, Escape::kText);
  message.html = execute(kFailureHtml, Escape::kHtml);
  message.json = R"({"report":)";
  AppendJsonString(&message.json, report.name);
  message.json += fmt::format(R"(,"date":"{}","attempts":{},"error":)", period.date, attempts);
  AppendJsonString(&message.json, error);
  message.json += "}";
  message.severity = "error";
  message.id = fmt::format("report/{}/{}/failed", report.name, period.date);
  return message;
}

}  // namespace varve
