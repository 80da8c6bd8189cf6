// What `varve serve` can be told: the keys of varve.yaml, their defaults and their meaning.
//
// Keys have the form section.key, or key alone. Where Loki has the key, its name and meaning are Loki's
// (sizes are powers of 1024). docs/operations.md has the table; a test compares it with this one.
// Later settings win: defaults, then the file, then --set and the other flags.
// Errors: kInvalidArgument, one line: "varve.yaml:7: unknown key \"limits.max_lines\"".
// Threads: values; thread-compatible.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/notify/external_alertmanagers.h"
#include "alerting/notify/notifier.h"
#include "alerting/rules/ruler.h"
#include "engine/base/status.h"
#include "engine/options.h"
#include "engine/retention_policy.h"
#include "http/http_server.h"
#include "ingest/limits.h"
#include "query/exec/query.h"
#include "tools/config_slots.h"

namespace varve {

// What tools/alerting_files.h reads, and what its readers are made with. Relative paths of a configuration file are
// relative to it.
struct AlertingConfig {
  std::vector<std::string> rule_files;   // patterns
  std::string rule_files_tenant = "fake";
  std::string ruler_directory;           // ruler.storage.local.directory: <directory>/<tenant>/*.yaml
  std::string alertmanager_url;          // ruler.alertmanager_url
  YamlSection alertmanagers;             // `alerting:`
  std::string notify_config_file;        // alertmanager.config_file
  YamlSection reports;                   // `reports:`
  std::vector<std::string> report_files;  // patterns
  RulerOptions ruler;
  NotifierOptions notifier;
  ExternalAlertmanagersOptions external;
};

struct Config {
  Config();

  EngineOptions engine;
  IngestLimits ingest;
  QueryLimits query;
  HttpOptions http;
  AlertingConfig alerting;
  std::vector<RetentionStream> retention_streams;  // the period for the rest: engine.retention_ns
  std::string runtime_config_file;                 // "" = none
  std::string log_level;
  std::string log_format;
};

Status ApplyConfigFile(const std::string& path, Config* config);
// `text` is a file's content; `name` stands for it in errors.
Status ApplyConfigText(const std::string& text, std::string_view name, Config* config);
// "limits.max_line_size=64KB"; lists in brackets: "limits.discover_service_name=[app, job]".
Status ApplySetting(std::string_view key_equals_value, Config* config);
// "127.0.0.1:3100", "[::1]:3100", "localhost:0", ":3100" (every IPv4 address).
Status ApplyListenAddress(std::string_view host_port, Config* config);

// What `runtime_config.file` says: for each tenant named there `defaults` with its own limits instead. Of
// retention_streams only the tenant's own are there.
Result<std::map<std::string, Config>> ReadOverridesFile(const std::string& path, const Config& defaults);
Result<std::map<std::string, Config>> ReadOverridesText(const std::string& text, std::string_view name,
                                                        const Config& defaults);
// The keys below `limits:` and their values as YAML, in the order of the documentation.
std::vector<std::pair<std::string, std::string>> LimitValues(const Config& config);
// Everything that stands below `limits:`.
void CopyLimits(const Config& from, Config* to);
// What says where rules, notifications and reports are read from; not their other settings.
void CopyAlertingFiles(const Config& from, Config* to);

// The effective configuration: every key, as a file that ApplyConfigFile takes.
std::string ToYaml(const Config& config);

struct ConfigKey {
  std::string name;
  std::string default_value;
  std::string meaning;
};
std::vector<ConfigKey> ConfigKeys();

}  // namespace varve
