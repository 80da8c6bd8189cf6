#include "tools/alerting_service.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <set>
#include <utility>
#include <vector>

#include "alerting/reports/reporter.h"
#include "engine/base/mutex.h"
#include "engine/base/thread_pool.h"
#include "tools/alerting_watch.h"
#include "tools/event_log.h"

namespace varve {
namespace {

constexpr std::string_view kTellsNobody = "route:\n  receiver: \"null\"\nreceivers:\n- name: \"null\"\n";

RulerMeans MakeRulerMeans(const AlertingService::Means& means, const promql::PromqlEngine* promql,
                          std::vector<AlertSink*> sinks) {
  RulerMeans out;
  out.engine = means.engine;
  out.writes = means.writes;
  out.promql = promql;
  out.query_limits = means.query_limits;
  out.sinks = std::move(sinks);
  return out;
}

NotifierOptions WithLog(NotifierOptions options, EventLog* events) {
  options.log = [events](std::string_view tenant, int64_t ts_ms, std::string line) {
    events->Add(tenant, ts_ms, std::move(line));
  };
  return options;
}

ReporterMeans MakeReporterMeans(const AlertingService::Means& means, const promql::PromqlEngine* promql,
                                Notifier* notifier, AlertingWatch* watch) {
  ReporterMeans out;
  out.engine = means.engine;
  out.writes = means.writes;
  out.promql = promql;
  out.query_limits = means.query_limits;
  out.send = [notifier](std::string_view receiver, const Message& message, const CancelToken& cancel) {
    return notifier->Send(receiver, message, cancel);
  };
  out.notice = [watch](std::string_view report, std::string_view text) { watch->ReportFailed(report, text); };
  return out;
}

// As templates want it: without a slash at the end.
std::string ExternalUrl(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

struct AlertingService::Impl {
  Impl(Means means, const AlertingConfig& config, AlertingFiles start_files)
      : promql(means.promql),
        external_url(ExternalUrl(config.ruler.external_url)),
        events(means.writes),
        notifier(&means.engine->records(), &Clock::System(), WithLog(config.notifier, &events)),
        external(config.external),
        ruler(MakeRulerMeans(means, &promql, {&notifier, &external}), config.ruler),
        watch({.ruler = &ruler, .notifier = &notifier, .external = &external}, &events),
        reporter(MakeReporterMeans(means, &promql, &notifier, &watch)),
        files(std::move(start_files)) {}

  // Puts `fresh` in force; the notifier has its configuration already.
  void Apply(AlertingFiles fresh);
  Status ConfigureNotifier(const AlertingFiles& fresh);
  void SetLinks(const std::string& default_url);

  const promql::PromqlEngine promql;
  std::string external_url;
  EventLog events;
  Notifier notifier;
  ExternalAlertmanagers external;
  Ruler ruler;
  AlertingWatch watch;
  Reporter reporter;
  AlertingFiles files;                 // of the start, until Start
  std::set<std::string> file_tenants;  // who has rules of files; the caller of Apply has it to itself
  bool started = false;
};

Status AlertingService::Impl::ConfigureNotifier(const AlertingFiles& fresh) {
  if (fresh.notify.has_value()) return notifier.Configure(*fresh.notify);
  if (!notifier.config().has_value()) return Status::Ok();
  // There was a file, and now there is none: from now on nobody is told.
  VARVE_ASSIGN_OR_RETURN(const NotifyConfig none, ParseNotifyConfig(kTellsNobody, "none", ""));
  return notifier.Configure(none);
}

void AlertingService::Impl::SetLinks(const std::string& default_url) {
  if (external_url.empty()) {
    external_url = ExternalUrl(default_url);
    spdlog::info("msg=\"ruler.external_url is not set\" links_begin_with={}", external_url);
  }
  ruler.SetExternalUrl(external_url);
  notifier.SetExternalUrl(external_url);
  reporter.SetExternalUrl(external_url);
}

void AlertingService::Impl::Apply(AlertingFiles fresh) {
  external.Configure(std::move(fresh.alertmanagers));
  std::set<std::string> tenants;
  size_t groups = 0, rules = 0;
  for (auto& [tenant, of_tenant] : fresh.rules) {
    tenants.insert(tenant);
    groups += of_tenant.size();
    for (const RuleGroup& group : of_tenant) rules += group.rules.size();
    ruler.SetFileGroups(tenant, std::move(of_tenant));
  }
  for (const std::string& tenant : file_tenants) {
    if (!tenants.contains(tenant)) ruler.SetFileGroups(tenant, {});
  }
  file_tenants = std::move(tenants);
  spdlog::info("msg=\"rules loaded\" groups={} rules={} reports={}", groups, rules, fresh.reports.size());
  reporter.Configure(std::move(fresh.reports));
}

AlertingService::AlertingService(Means means, const AlertingConfig& config, AlertingFiles files)
    : impl_(std::make_unique<Impl>(std::move(means), config, std::move(files))) {}

AlertingService::~AlertingService() { Stop(); }

AlertingParts AlertingService::parts() {
  return {.ruler = &impl_->ruler, .notifier = &impl_->notifier, .external = &impl_->external, .reporter = &impl_->reporter,
          .lines_dropped = [events = &impl_->events] { return events->dropped(); }};
}

Status AlertingService::Start(const std::string& default_external_url) {
  impl_->SetLinks(default_external_url);
  VARVE_RETURN_IF_ERROR(impl_->notifier.Load());
  VARVE_RETURN_IF_ERROR(impl_->ConfigureNotifier(impl_->files));
  VARVE_RETURN_IF_ERROR(impl_->ruler.Load());
  VARVE_RETURN_IF_ERROR(impl_->reporter.Load());
  impl_->Apply(std::move(impl_->files));
  impl_->notifier.Start();
  impl_->ruler.Start();
  impl_->reporter.Start();
  impl_->watch.Start();
  impl_->started = true;
  return Status::Ok();
}

void AlertingService::Stop() {
  if (!impl_->started) return;
  impl_->started = false;
  impl_->ruler.Stop();
  impl_->reporter.Stop();
  impl_->notifier.Stop();
  impl_->external.Stop();
  impl_->watch.Stop();
}

Result<std::function<void()>> AlertingService::Prepare(const AlertingConfig& config) {
  VARVE_ASSIGN_OR_RETURN(AlertingFiles read, ReadAlertingFiles(config));
  VARVE_RETURN_IF_ERROR(impl_->ConfigureNotifier(read));
  auto fresh = std::make_shared<AlertingFiles>(std::move(read));
  return std::function<void()>([this, fresh] { impl_->Apply(std::move(*fresh)); });
}

}  // namespace varve
