#include "tools/alerting_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "alerting/rules/rule_file.h"
#include "http/tenant.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTenantsMax = 100'000;

// <directory>/<tenant>/*.yaml and *.yml.
Status ReadRulerDirectory(const std::string& directory, std::map<std::string, std::vector<RuleGroup>>* rules) {
  if (directory.empty()) return Status::Ok();
  std::error_code error;
  std::set<std::string> tenants;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_directory(error)) continue;
    const std::string tenant = it->path().filename().string();
    if (tenant.starts_with("..")) continue;  // what Kubernetes puts beside mounted files
    tenants.insert(tenant);
    if (tenants.size() > kTenantsMax) return InvalidArgument(fmt::format("{}: too many tenants", directory));
  }
  if (error) return IoError(fmt::format("ruler.storage.local.directory {}: {}", directory, error.message()));
  for (const std::string& tenant : tenants) {
    if (const Status valid = ValidateTenantName(tenant); !valid.ok()) {
      return InvalidArgument(fmt::format("{}/{}: {}", directory, tenant, valid.message()));
    }
    const std::string folder = (fs::path(directory) / tenant).string();
    VARVE_ASSIGN_OR_RETURN(std::vector<RuleGroup> groups,
                           ReadRuleFiles({folder + "/*.yaml", folder + "/*.yml"}, RuleLanguage::kLogql));
    std::vector<RuleGroup>& all = (*rules)[tenant];
    std::move(groups.begin(), groups.end(), std::back_inserter(all));
  }
  return Status::Ok();
}

Status ReadRules(const AlertingConfig& config, std::map<std::string, std::vector<RuleGroup>>* rules) {
  if (config.ruler.evaluation_interval_ms <= 0) {
    return InvalidArgument("global.evaluation_interval: must be above 0s");
  }
  if (const Status valid = ValidateTenantName(config.rule_files_tenant); !valid.ok() || config.rule_files_tenant.empty()) {
    return InvalidArgument(fmt::format("ruler.rule_files_tenant: \"{}\" is no tenant", config.rule_files_tenant));
  }
  VARVE_RETURN_IF_ERROR(ReadRulerDirectory(config.ruler_directory, rules));
  if (config.rule_files.empty()) return Status::Ok();
  VARVE_ASSIGN_OR_RETURN(std::vector<RuleGroup> groups, ReadRuleFiles(config.rule_files, RuleLanguage::kPromql));
  std::vector<RuleGroup>& all = (*rules)[config.rule_files_tenant];
  std::move(groups.begin(), groups.end(), std::back_inserter(all));
  return Status::Ok();
}

Status ReadAlertmanagers(const AlertingConfig& config, std::vector<AlertmanagerTarget>* targets) {
  if (!config.alertmanagers.text.empty()) {
    VARVE_ASSIGN_OR_RETURN(*targets, ParseAlertmanagers(config.alertmanagers.text, config.alertmanagers.file));
  }
  if (config.alertmanager_url.empty()) return Status::Ok();
  Result<std::vector<AlertmanagerTarget>> more = ParseAlertmanagerUrls(config.alertmanager_url);
  if (!more.ok()) return InvalidArgument("ruler.alertmanager_url: " + more.status().message());
  std::move(more->begin(), more->end(), std::back_inserter(*targets));
  return Status::Ok();
}

Status ReadReports(const AlertingConfig& config, const std::optional<NotifyConfig>& notify,
                   std::vector<ReportConfig>* reports) {
  if (!config.reports.text.empty()) {
    const std::string folder = fs::path(config.reports.file).parent_path().string();
    VARVE_ASSIGN_OR_RETURN(*reports, ParseReports(config.reports.text, config.reports.file, 1, folder));
  }
  if (!config.report_files.empty()) {
    VARVE_ASSIGN_OR_RETURN(std::vector<ReportConfig> more, ReadReportFiles(config.report_files));
    std::move(more.begin(), more.end(), std::back_inserter(*reports));
  }
  std::vector<std::string> receivers;
  if (notify.has_value()) {
    for (const ReceiverConfig& receiver : notify->receivers) receivers.push_back(receiver.name);
  }
  return CheckReports(*reports, receivers);
}

}  // namespace

Result<AlertingFiles> ReadAlertingFiles(const AlertingConfig& config) {
  AlertingFiles files;
  VARVE_RETURN_IF_ERROR(ReadRules(config, &files.rules));
  if (!config.notify_config_file.empty()) {
    Result<NotifyConfig> notify = ReadNotifyConfig(config.notify_config_file);
    if (!notify.ok() && notify.status().code() == Code::kIoError) {  // what is wrong in the file says where
      return IoError("alertmanager.config_file: " + notify.status().message());
    }
    VARVE_ASSIGN_OR_RETURN(files.notify, std::move(notify));
  }
  VARVE_RETURN_IF_ERROR(ReadAlertmanagers(config, &files.alertmanagers));
  VARVE_RETURN_IF_ERROR(ReadReports(config, files.notify, &files.reports));
  return files;
}

}  // namespace varve
