// varve serve: the server, from its configuration to a clean stop.
#include <fmt/format.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "http/http_server.h"
#include "ingest/write_path.h"
#include "query/exec/delete_filter.h"
#include "tools/alerting_files.h"
#include "tools/alerting_service.h"
#include "tools/commands.h"
#include "tools/config.h"
#include "tools/freed_memory.h"
#include "tools/live_limits.h"
#include "tools/logging.h"
#include "tools/terminal.h"

namespace varve {
namespace {

constexpr auto kFreedMemoryInterval = std::chrono::seconds(15);

struct ServeOptions {
  std::string config_file;
  std::string data_dir;
  std::string listen;
  std::string durability;
  std::string log_level;
  std::string log_format;
  bool multi_tenant = false;
  std::vector<std::string> settings;
};

// Defaults, then the file, then --set, then the flags that have a name of their own.
Result<Config> EffectiveConfig(const ServeOptions& options) {
  Config config;
  if (!options.config_file.empty()) VARVE_RETURN_IF_ERROR(ApplyConfigFile(options.config_file, &config));
  for (const std::string& setting : options.settings) VARVE_RETURN_IF_ERROR(ApplySetting(setting, &config));
  if (!options.data_dir.empty()) config.engine.data_dir = options.data_dir;
  if (!options.listen.empty()) VARVE_RETURN_IF_ERROR(ApplyListenAddress(options.listen, &config));
  if (!options.durability.empty()) {
    VARVE_RETURN_IF_ERROR(ApplySetting("storage.durability=" + options.durability, &config));
  }
  if (!options.log_level.empty()) config.log_level = options.log_level;
  if (!options.log_format.empty()) config.log_format = options.log_format;
  if (options.multi_tenant) config.http.auth_enabled = true;
  config.http.config_yaml = ToYaml(config);
  config.http.config_defaults_yaml = ToYaml(Config());
  config.http.terminate = [] { kill(getpid(), SIGTERM); };
  return config;
}

// Connections and pack files share the descriptors; the usual soft limit of 1,024 is there for select(2),
// not for us.
void RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name = {};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

// Waits for SIGTERM or SIGINT; all threads have them blocked. A second one ends the process at once. SIGHUP
// reads the configuration's files again.
void WaitForStopSignal(const sigset_t& signals, LiveLimits* limits) {
  int received = 0;
  while (sigwait(&signals, &received) != 0 || received == SIGHUP) {
    if (received == SIGHUP) limits->Reload().IgnoreError("it is in the log");
  }
  spdlog::info("msg=\"stopping\" signal={}", received == SIGTERM ? "SIGTERM" : "SIGINT");
  sigset_t unblocked = signals;
  sigdelset(&unblocked, SIGHUP);  // whose default would end the process in the middle of its stop
  pthread_sigmask(SIG_UNBLOCK, &unblocked, nullptr);
}

// While it lives a reload also reads the files of rules, notifications and reports.
class Reloading {
 public:
  Reloading(LiveLimits* limits, AlertingService* alerting) : limits_(limits) {
    limits_->SetParticipant([alerting](const Config& fresh) { return alerting->Prepare(fresh.alerting); });
  }
  ~Reloading() { limits_->SetParticipant(nullptr); }
  Reloading(const Reloading&) = delete;
  Reloading& operator=(const Reloading&) = delete;

 private:
  LiveLimits* const limits_;
};

Status Serve(const Config& config, LiveLimits* limits) {
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  sigaddset(&stop_signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);  // before any thread starts, so that all inherit it
  signal(SIGPIPE, SIG_IGN);
  BoundMallocRetention();
  RaiseDescriptorLimit();
  const FreedMemoryReturner freed_memory(kFreedMemoryInterval);

  VARVE_RETURN_IF_ERROR(limits->ReadOverrides());
  VARVE_ASSIGN_OR_RETURN(AlertingFiles alerting_files, ReadAlertingFiles(config.alerting));
  EngineOptions engine_options = config.engine;
  engine_options.row_filter_factory = CompileDeleteFilter;
  engine_options.retention = limits->retention();
  engine_options.notice = [](const std::string& text) { spdlog::warn("msg=\"{}\"", text); };
  engine_options.may_remove_deleted = [query = limits->query()](std::string_view tenant) {
    return query->Of(tenant)->deletion_mode == "filter-and-delete";
  };
  VARVE_ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine, Engine::Open(engine_options));
  WritePath writes(engine.get(), *limits->ingest());
  AlertingService alerting({.engine = engine.get(),
                            .writes = &writes,
                            .query_limits = limits->query(),
                            .promql = config.http.prometheus.promql},
                           config.alerting, std::move(alerting_files));
  HttpOptions http_options = config.http;
  http_options.alerting = alerting.parts();
  http_options.tenant_limits = limits->query();
  http_options.limits_source = limits;
  HttpServer server(engine.get(), &writes, config.query, http_options);
  VARVE_RETURN_IF_ERROR(server.Start());
  VARVE_RETURN_IF_ERROR(engine->Recover(writes.MakeReplay()));
  VARVE_RETURN_IF_ERROR(alerting.Start(fmt::format("http://{}:{}", HostName(), server.port())));
  server.SetReady(true);
  const Reloading reloading(limits, &alerting);
  const EngineStats stats = engine->Stats();
  const std::string host = config.http.listen_address.find(':') == std::string::npos
                               ? config.http.listen_address
                               : "[" + config.http.listen_address + "]";
  const std::string url = fmt::format("http://{}:{}", host, server.port());
  spdlog::info("msg=ready url={} data_dir=\"{}\" recovered_entries={} recovery_seconds={:.3f}", url,
               config.engine.data_dir, stats.replayed_entries, stats.recovery_seconds);
  if (IsTerminal(STDOUT_FILENO)) {
    const Style style{.colour = WantsColour(STDOUT_FILENO)};
    fmt::print(
        "Varve is ready at {} with its data in {}.\nIn Grafana, add a Loki data source with that URL. "
        "Ctrl-C stops it.\n",
        style.Bold(url), config.engine.data_dir);
    std::fflush(stdout);
  }

  WaitForStopSignal(stop_signals, limits);
  server.SetReady(false);
  server.Stop();
  alerting.Stop();
  VARVE_RETURN_IF_ERROR(engine->Close());
  spdlog::info("msg=stopped");
  return Status::Ok();
}

Status RunServe(const ServeOptions& options) {
  VARVE_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(options));
  VARVE_RETURN_IF_ERROR(StartLogging(config.log_level, config.log_format));
  LiveLimits limits([&options] { return EffectiveConfig(options); }, config);
  return Serve(config, &limits);
}

}  // namespace

void AddServeCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("serve", "Run the server");
  auto options = std::make_shared<ServeOptions>();
  command->add_option("--data-dir", options->data_dir, "where the data lives (default: ./varve-data)")
      ->type_name("DIR");
  command->add_option("--listen", options->listen, "address and port (default: 127.0.0.1:3100)")
      ->type_name("HOST:PORT");
  command->add_option("--config", options->config_file, "varve.yaml")->type_name("FILE");
  command
      ->add_option(
          "--durability", options->durability,
          "what an acknowledged push survives: kill -9 (process, the default) or also a power cut (disk)")
      ->type_name("process|disk")
      ->check(CLI::IsMember({"process", "disk"}).description(""));
  command->add_flag("--multi-tenant", options->multi_tenant, "tenants by the X-Scope-OrgID header");
  command->add_option("--set", options->settings, "set any key of the configuration; repeat for more")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--log-level", options->log_level, "of our own log on standard error (default: info)")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  command->add_option("--log-format", options->log_format, "logfmt (default) or json")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"logfmt", "json"}).description(""));
  command->footer(
      "Stops cleanly on SIGTERM and SIGINT; reads limits, rules and notifications again on SIGHUP. The keys of the configuration "
      "are in docs/operations.md;\n"
      "GET /config shows what is in effect.\n\n"
      "Examples:\n"
      "  varve serve\n"
      "  varve serve --data-dir /var/lib/varve --listen 0.0.0.0:3100 --set limits.retention_period=30d\n"
      "  varve serve --config varve.yaml --durability disk --multi-tenant");
  command->callback([options, chosen] { *chosen = [options] { return RunServe(*options); }; });
}

}  // namespace varve
