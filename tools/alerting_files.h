// Every file that rules, notifications and reports are configured by, read and checked.
//
//   rule_files, ruler.storage.local.directory    groups of rules, by tenant
//   alertmanager.config_file                     the built-in notifier's configuration
//   alerting, ruler.alertmanager_url             Alertmanagers elsewhere
//   reports, report_files                        reports, whose receivers the notifier must have
//
// Errors: kInvalidArgument with file, line and what stands there (the readers' headers have the forms); kIoError.
// Threads: pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alerting/notify/external_alertmanagers.h"
#include "alerting/notify/notify_config.h"
#include "alerting/reports/report_config.h"
#include "alerting/rules/rule_group.h"
#include "engine/base/status.h"
#include "tools/config.h"

namespace varve {

struct AlertingFiles {
  std::map<std::string, std::vector<RuleGroup>> rules;  // by tenant
  std::optional<NotifyConfig> notify;
  std::vector<AlertmanagerTarget> alertmanagers;
  std::vector<ReportConfig> reports;
};

Result<AlertingFiles> ReadAlertingFiles(const AlertingConfig& config);

}  // namespace varve
