// What a report tells people: its computed fields, its mail, and the notice that it failed, by templates.
//
// Templates are Go's with FunctionSet::kReport. Their dot has the entry's fields by name, and
//   .Report .Date .Period .TimeZone .Start .End (times) .Fields (a list of .Name .Value) .ExternalURL
// and in the failure notice .Error and .Attempts.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "alerting/notify/receiver.h"
#include "alerting/reports/report_config.h"
#include "engine/base/status.h"
#include "query/templates/template_set.h"

namespace varve {

struct ReportText {
  std::string title, text, html;
};

// kInvalidArgument, in Go's words, with the template's name.
Status CheckTemplate(std::string_view name, std::string_view text);

// Adds the report's computed fields and columns.
Status ComputeFields(const ReportConfig& report, const ReportPeriod& period, templates::DatumFields* fields);

Result<ReportText> RenderReport(const ReportConfig& report, const ReportPeriod& period,
                                const templates::DatumFields& entry, std::string_view external_url);
Message ReportMessage(const ReportConfig& report, const ReportPeriod& period, std::string_view entry_json,
                      ReportText text);
// `attempts` is how often it was tried.
Message FailureMessage(const ReportConfig& report, const ReportPeriod& period, std::string_view error,
                       uint32_t attempts);

}  // namespace varve
