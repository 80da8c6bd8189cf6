#include "http/admin_api.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "engine/base/json_writer.h"
#include "http/error_map.h"
#include "http/form.h"
#include "http/version.h"

namespace varve {
namespace {

constexpr std::array<std::pair<std::string_view, spdlog::level::level_enum>, 4> kLevels = {{
    {"debug", spdlog::level::debug},
    {"info", spdlog::level::info},
    {"warn", spdlog::level::warn},
    {"error", spdlog::level::err},
}};

std::string_view CurrentLevel() {
  const auto current = spdlog::get_level();
  for (const auto& [name, level] : kLevels) {
    if (current <= level) return name;
  }
  return "error";
}

std::string MessageJson(std::string_view status, std::string_view message) {
  std::string out = "{";
  if (!status.empty()) {
    out.append("\"status\":");
    AppendJsonString(&out, status);
    out.push_back(',');
  }
  out.append("\"message\":");
  AppendJsonString(&out, message);
  return out.append("}\n");
}

HttpResponse NoBody(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

// The keys of `now` that have another value in `before`, under their sections; both have one key a line.
// "{}" and a newline when there are none.
std::string ChangedLines(std::string_view before, std::string_view now) {
  std::set<std::pair<std::string_view, std::string_view>> known;  // section, line
  std::string_view section;
  const auto enter = [&](std::string_view line) {
    const bool heads_section = !line.starts_with(' ') && line.ends_with(":\n");
    if (heads_section || !line.starts_with(' ')) section = heads_section ? line : std::string_view();
    return heads_section;
  };
  for (const std::string_view line : LinesOf(before)) {
    if (!enter(line)) known.emplace(section, line);
  }
  std::string out;
  std::string_view written_section;
  section = {};
  for (const std::string_view line : LinesOf(now)) {
    if (enter(line) || known.count({section, line}) != 0) continue;
    if (section != written_section) out.append(section);
    written_section = section;
    out.append(line);
  }
  return out.empty() ? "{}\n" : out;
}

HttpResponse BuildInfo() {
  std::string out = "{\"version\":";
  AppendJsonString(&out, kLokiApiVersion);
  out.append(",\"revision\":");
  AppendJsonString(&out, "varve-" + std::string(kVarveVersion));
  return JsonResponse(
      out.append(R"(,"branch":"","buildUser":"","buildDate":"","goVersion":""})").append("\n"));
}

}  // namespace

AdminApi::AdminApi(Engine* engine, const Metrics* metrics, AdminOptions options)
    : engine_(engine), metrics_(metrics), options_(std::move(options)) {}

void AdminApi::AddRoutes(Router* router) {
  router->Add({"GET"}, "/ready", Worker::kInline, [this](const HttpRequest&) { return Ready(); });
  router->Add({"GET"}, "/services", Worker::kInline, [this](const HttpRequest&) { return Services(); });
  router->Add({"GET"}, "/config", Worker::kInline,
              [this](const HttpRequest& request) { return Config(request); });
  router->Add({"GET", "POST"}, "/log_level", Worker::kInline,
              [this](const HttpRequest& request) { return LogLevel(request); });
  router->Add({"GET"}, "/loki/api/v1/status/buildinfo", Worker::kInline,
              [](const HttpRequest&) { return BuildInfo(); });
  router->Add({"GET"}, "/metrics", Worker::kAdmin, [this](const HttpRequest&) {
    HttpResponse response = TextResponse(200, metrics_->Render());
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
  });
  // Takes as long as encoding all of the heads: among the queries, so that metrics stay quick.
  router->Add({"GET", "POST"}, "/flush", Worker::kQuery, [this](const HttpRequest&) { return Flush(); });
  // Likewise: merges whatever packs can be merged and waits for it.
  router->Add({"POST"}, "/compact", Worker::kQuery, [this](const HttpRequest&) {
    const Status compacted = engine_->Compact();
    return compacted.ok() ? NoBody(204) : LokiQueryError(compacted);  // damage is the server's fault here
  });
  router->Add({"GET", "POST"}, "/ingester/shutdown", Worker::kQuery,
              [this](const HttpRequest& request) { return Shutdown(request); });
  router->Add({"GET", "POST", "DELETE"}, "/ingester/prepare_shutdown", Worker::kInline,
              [this](const HttpRequest& request) { return PrepareShutdown(request); });
  // Loki without partitions answers so.
  router->Add({"GET", "POST", "DELETE"}, "/ingester/prepare_partition_downscale", Worker::kInline,
              [](const HttpRequest&) { return NoBody(405); });
}

HttpResponse AdminApi::Flush() const {
  const Status flushed = engine_->Flush();
  return flushed.ok() ? NoBody(204) : LokiPushError(flushed);
}

// Every clean stop keeps what was taken, so that there is nothing to prepare: only the mark is kept, for
// whoever scales instances down and reads it back.
HttpResponse AdminApi::PrepareShutdown(const HttpRequest& request) {
  if (request.method == "GET") {
    return TextResponse(200, shutdown_prepared_.load(std::memory_order_relaxed) ? "set" : "unset");
  }
  shutdown_prepared_.store(request.method == "POST", std::memory_order_relaxed);
  return NoBody(204);
}

HttpResponse AdminApi::Shutdown(const HttpRequest& request) const {
  const Result<FormParams> params = FormParams::Parse(request);
  if (!params.ok()) return LokiPushError(params.status());
  const std::string flush(params->Get("flush"));
  const std::string terminate(params->Get("terminate"));
  for (const std::string& flag : {flush, terminate}) {
    if (!flag.empty() && flag != "true" && flag != "false") {
      return LokiPushError(InvalidArgument("\"" + flag + "\" is neither true nor false"));
    }
  }
  if (terminate == "true" && options_.terminate == nullptr) {
    return LokiPushError(Unimplemented("this process cannot be told to terminate"));
  }
  if (flush != "false") {
    HttpResponse flushed = Flush();
    if (flushed.status != 204) return flushed;
  }
  // Requests that run are finished first, this one too.
  if (terminate == "true") options_.terminate();
  return NoBody(204);
}

HttpResponse AdminApi::Config(const HttpRequest& request) const {
  const Result<FormParams> params = FormParams::Parse(request);
  const std::string mode(params.ok() ? params->Get("mode") : std::string_view());
  HttpResponse response =
      TextResponse(200, mode == "defaults" ? options_.config_defaults_yaml
                        : mode == "diff" ? ChangedLines(options_.config_defaults_yaml, options_.config_yaml())
                                         : options_.config_yaml());
  response.content_type = "text/yaml; charset=utf-8";
  return response;
}

HttpResponse AdminApi::Ready() const {
  switch (phase_.load(std::memory_order_relaxed)) {
    case Phase::kStarting: return ErrorText(503, "Ingester not ready: replaying the journal\n");
    case Phase::kRunning: return TextResponse(200, "ready\n");
    case Phase::kStopping: return ErrorText(503, "Application is stopping\n");
  }
  return ErrorText(500, "unknown phase\n");
}

// Loki's names for the parts that Varve has, in one process.
HttpResponse AdminApi::Services() const {
  const Phase phase = phase_.load(std::memory_order_relaxed);
  const std::string state = phase == Phase::kRunning    ? "Running"
                            : phase == Phase::kStarting ? "Starting"
                                                        : "Stopping";
  std::string text = "server => Running\n";
  for (const std::string_view part :
       {"engine", "ring", "store", "ingester", "distributor", "querier", "query-frontend", "compactor"}) {
    text.append(part).append(" => ").append(state).append("\n");
  }
  return TextResponse(200, std::move(text));
}

HttpResponse AdminApi::LogLevel(const HttpRequest& request) const {
  if (request.method == "GET") {
    return JsonResponse(MessageJson("", "Current log level is " + std::string(CurrentLevel())));
  }
  const Result<FormParams> params = FormParams::Parse(request);
  const std::string asked(params.ok() ? params.value().Get("log_level") : std::string_view());
  for (const auto& [name, level] : kLevels) {
    if (name != asked) continue;
    spdlog::set_level(level);
    return JsonResponse(MessageJson("success", "Log level set to " + asked));
  }
  std::string message = "unrecognized log level ";
  AppendJsonString(&message, asked);
  HttpResponse response = JsonResponse(MessageJson("failed", message));
  response.status = 400;
  return response;
}

}  // namespace varve
