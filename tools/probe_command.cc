// varve probe tls: checks the certificates of servers and writes what it finds as metrics.
//
//   loop: submit checks that are due → take what is done → renewals that were reported → state → remote write
//
// Checks run on threads of their own, so that hosts that hang delay nothing else. The metrics are written every push_interval, whatever is checked: days count down between checks, and rates have samples.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/mutex.h"
#include "engine/base/thread_pool.h"
#include "engine/base/time.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/probe_certificate.h"
#include "tools/probe_config.h"
#include "tools/probe_metrics.h"
#include "tools/probe_state.h"
#include "tools/state_file.h"
#include "tools/table.h"
#include "tools/terminal.h"
#include "tools/time_text.h"

namespace varve {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kWakeMs = 500;  // how soon a reported renewal is noticed
constexpr int64_t kPushTimeoutMs = 30'000;
constexpr auto kBetweenPushes = std::chrono::seconds(1);  // while checks come in

struct ProbeOptions {
  ServerAddress address;
  std::string config_file;
  std::string state_file;
  std::string renewal;  // DOMAIN=success|failure
  bool once = false;
};

std::atomic<bool> stop_requested{false};  // set by the signal handler; lock-free

extern "C" void StopProbe(int /*signal*/) { stop_requested.store(true); }

void Log(const std::string& text) { fmt::print(stderr, "{} {}\n", FormatUtcTime(Clock::System().NowNs()), text); }

int64_t NowMs() { return Clock::System().NowNs() / kNsPerMs; }

class Prober {
 public:
  Prober(const ProbeOptions& options, ProbeConfig config)
      : options_(options), config_(std::move(config)), client_(options.address), state_file_(options.state_file) {}

  Status Start();
  Status RunOnce();
  Status Run();
  // Counts what a hook reported, without checking anything.
  Status Report();

 private:
  void SubmitDue();
  bool TakeChecks() VARVE_EXCLUDES(mu_);
  void Note(size_t i, CertificateCheck check);
  bool ReadReports();
  Status SaveAndPush();
  std::string StatusText(const ProbeTarget& target) const;

  const ProbeOptions& options_;
  const ProbeConfig config_;
  ApiClient client_;
  StateFile state_file_;
  ProbeState state_;
  std::unique_ptr<CertificateChecker> checker_;
  std::map<std::string, CertificateCheck> checks_;  // the last ones, by ProbeTarget::label
  std::map<std::string, std::string> statuses_;     // that were logged
  // Beside config_.targets; while a check runs the time is the end of all times.
  std::vector<Steady::time_point> due_;
  Mutex mu_;
  std::vector<std::pair<size_t, CertificateCheck>> done_ VARVE_GUARDED_BY(mu_);  // checks that were not taken yet
  std::unique_ptr<ThreadPool> threads_;  // goes first: its tasks use the rest
};

Status Prober::Start() {
  VARVE_RETURN_IF_ERROR(state_file_.Lock());
  std::string text;
  VARVE_ASSIGN_OR_RETURN(const bool existed, state_file_.Read(&text));
  if (existed) {
    Result<ProbeState> state = ParseProbeState(text);
    if (!state.ok()) {
      return Corruption(fmt::format("{}: not the state of a probe: {}", options_.state_file, state.status().message()));
    }
    state_ = std::move(*state);
  }
  VARVE_ASSIGN_OR_RETURN(checker_, CertificateChecker::Create(config_));
  const size_t threads = std::min<size_t>(config_.concurrency, config_.targets.size());
  threads_ = std::make_unique<ThreadPool>("probe", threads);
  due_.assign(config_.targets.size(), Steady::now());
  client_.SetTimeout(kPushTimeoutMs, [] { return stop_requested.load(); });
  signal(SIGPIPE, SIG_IGN);
  return Status::Ok();
}

std::string Prober::StatusText(const ProbeTarget& target) const {
  const CertificateCheck& check = checks_.at(target.label);
  std::string text(CertificateStatus(target, check, NowMs()));
  if (!check.error.empty()) text += ": " + check.error;
  return text;
}

void Prober::SubmitDue() {
  const auto now = Steady::now();
  for (size_t i = 0; i < due_.size(); ++i) {
    if (due_[i] > now) continue;
    const bool taken = threads_->TrySubmit([this, i] {
      if (stop_requested.load()) return;
      CertificateCheck check = checker_->Check(config_.targets[i]);
      const MutexLock lock(mu_);
      done_.emplace_back(i, std::move(check));
    });
    if (taken) due_[i] = Steady::time_point::max();
  }
}

// True: there were some.
bool Prober::TakeChecks() {
  std::vector<std::pair<size_t, CertificateCheck>> done;
  {
    const MutexLock lock(mu_);
    done.swap(done_);
  }
  for (auto& [i, check] : done) Note(i, std::move(check));
  return !done.empty();
}

void Prober::Note(size_t i, CertificateCheck check) {
  const ProbeTarget& target = config_.targets[i];
  due_[i] = Steady::now() + std::chrono::milliseconds(target.interval_ms);
  const bool renewed = state_.AddCheck(target.label, check, NowMs() / 1000);
  checks_[target.label] = std::move(check);
  std::string status = StatusText(target);
  std::string& logged = statuses_[target.label];
  if (!options_.once && logged != status) Log(fmt::format("{}: {}", target.label, status));
  if (!options_.once && renewed) Log(fmt::format("{}: a new certificate", target.label));
  logged = std::move(status);
}

bool Prober::ReadReports() {
  std::vector<std::string> log;
  const bool read = ReadRenewals(config_.renewal_log, config_, NowMs() / 1000, &state_, &log);
  for (const std::string& line : log) Log(line);
  return read;
}

// The state first: what is counted is not forgotten, and sent again with the next samples if this does not arrive.
Status Prober::SaveAndPush() {
  VARVE_RETURN_IF_ERROR(state_file_.Replace(PrintProbeState(state_)));
  const std::string body = ProbeMetricsBody(config_, checks_, state_, NowMs());
  VARVE_ASSIGN_OR_RETURN(HttpAnswer answer, client_.Post("/api/v1/write", "application/x-protobuf", body, "snappy"));
  if (answer.status / 100 == 2) return Status::Ok();
  return Unavailable(fmt::format("the metrics were answered with {}: {}", answer.status, answer.body.substr(0, 500)));
}

Status Prober::RunOnce() {
  std::vector<CertificateCheck> found(config_.targets.size());
  threads_->ParallelFor(found.size(), [&](size_t i) { found[i] = checker_->Check(config_.targets[i]); });
  for (size_t i = 0; i < found.size(); ++i) Note(i, std::move(found[i]));
  ReadReports();
  Table table({"DOMAIN", "ISSUER", "STATUS", "DAYS"}, 3);
  for (const ProbeTarget& target : config_.targets) {
    const CertificateCheck& check = checks_.at(target.label);
    table.Add({target.label, Printable(target.issuer.empty() ? check.issuer : target.issuer), StatusText(target),
               check.presented ? fmt::format("{:.1f}", CertificateDays(check, NowMs())) : "-"});
  }
  fmt::print("{}", table.Print({.colour = WantsColour(STDOUT_FILENO)}));
  return SaveAndPush();
}

Status Prober::Report() {
  ReadReports();
  return SaveAndPush();
}

Status Prober::Run() {
  struct sigaction action {};
  action.sa_handler = StopProbe;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  auto last_push = Steady::now() - std::chrono::hours(1);
  bool complained = false;
  bool fresh = true;
  while (!stop_requested.load()) {
    SubmitDue();
    fresh = TakeChecks() || fresh;
    const bool reported = ReadReports();
    const auto since_push = Steady::now() - last_push;
    if (reported || (fresh && since_push >= kBetweenPushes) ||
        since_push >= std::chrono::milliseconds(config_.push_interval_ms)) {
      last_push = Steady::now();
      fresh = false;
      const Status status = SaveAndPush();
      if (status.code() == Code::kIoError) return status.Clone();
      if (!status.ok() && !complained && !stop_requested.load()) Log(std::string(status.message()));
      if (status.ok() && complained) Log("the server takes metrics again");
      complained = !status.ok();
    }
    poll(nullptr, 0, kWakeMs);
  }
  return state_file_.Replace(PrintProbeState(state_));
}

// Appends a line to the renewal log, which a probe that runs reads within a second.
Status AppendRenewal(const ProbeConfig& config, const std::string& renewal) {
  const size_t equals = renewal.rfind('=');
  const std::string label = renewal.substr(0, equals);
  const std::string result = equals == std::string::npos ? "" : renewal.substr(equals + 1);
  if (result != "success" && result != "failure") {
    return InvalidArgument(fmt::format("--renewal {}: expected DOMAIN=success or DOMAIN=failure", renewal));
  }
  const bool known = std::any_of(config.targets.begin(), config.targets.end(),
                                 [&](const ProbeTarget& target) { return target.label == label; });
  if (!known) return InvalidArgument(fmt::format("--renewal {}: the configuration has no such domain", renewal));
  const std::string line = fmt::format("{} {} {}\n", label, result, FormatUtcTime(Clock::System().NowNs()));
  const int fd = open(config.renewal_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const bool written = fd >= 0 && write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  return written ? Status::Ok() : IoError(fmt::format("{}: {}", config.renewal_log, std::strerror(error)));
}

Status RunProbe(ProbeOptions options) {
  VARVE_ASSIGN_OR_RETURN(ProbeConfig config, ReadProbeConfig(options.config_file));
  if (options.state_file.empty()) options.state_file = options.config_file + ".state";
  if (config.renewal_log.empty()) config.renewal_log = options.state_file + ".renewals";
  if (!options.renewal.empty()) VARVE_RETURN_IF_ERROR(AppendRenewal(config, options.renewal));
  Prober prober(options, std::move(config));
  Status started = prober.Start();
  if (!options.renewal.empty()) {
    if (started.code() == Code::kUnavailable) return Status::Ok();  // the probe that runs sends it
    VARVE_RETURN_IF_ERROR(std::move(started));
    return prober.Report();
  }
  VARVE_RETURN_IF_ERROR(std::move(started));
  return options.once ? prober.RunOnce() : prober.Run();
}

}  // namespace

void AddProbeCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* probe = app->add_subcommand("probe", "Check other systems and write what is found as metrics");
  probe->require_subcommand(1);
  probe->footer("Examples:\n  varve probe tls --config certificates.json --once");
  CLI::App* command = probe->add_subcommand("tls", "Check the certificates of servers");
  auto options = std::make_shared<ProbeOptions>();
  command->add_option("--config", options->config_file, "JSON: domains, ports, thresholds")->type_name("FILE")->required();
  command->add_option("--state", options->state_file, "what is counted; CONFIG.state unless given")->type_name("FILE");
  command->add_flag("--once", options->once, "check everything once, print and write it, and end");
  command->add_option("--renewal", options->renewal, "count a renewal, from the hook of what renews; checks nothing")
      ->type_name("DOMAIN=success|failure");
  AddServerOptions(command, &options->address);
  command->footer(
      "Writes certificate_expiry_days, certificate_expiry_status, certificate_renewal_attempts_total and "
      "certificate_check_duration_seconds by remote write until SIGTERM; docs/operations.md, \"Probing certificates\".\n\n"
      "Examples:\n"
      "  varve probe tls --config certificates.json\n"
      "  varve probe tls --config certificates.json --once\n"
      "  varve probe tls --config certificates.json --renewal example.com=failure");
  command->callback([options, chosen] { *chosen = [options] { return RunProbe(*options); }; });
}

}  // namespace varve
