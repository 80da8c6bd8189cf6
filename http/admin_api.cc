#include "http/admin_api.h"

#include <spdlog/spdlog.h>

#include <array>
#include <utility>

#include "http/error_map.h"
#include "http/form.h"
#include "http/json_writer.h"
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

HttpResponse BuildInfo() {
  std::string out = "{\"version\":";
  AppendJsonString(&out, kLokiApiVersion);
  out.append(",\"revision\":");
  AppendJsonString(&out, "varve-" + std::string(kVarveVersion));
  return JsonResponse(
      out.append(R"(,"branch":"","buildUser":"","buildDate":"","goVersion":""})").append("\n"));
}

}  // namespace

AdminApi::AdminApi(Engine* engine, const Metrics* metrics, std::string config_yaml)
    : engine_(engine), metrics_(metrics), config_yaml_(std::move(config_yaml)) {}

void AdminApi::AddRoutes(Router* router) {
  router->Add({"GET"}, "/ready", Worker::kInline, [this](const HttpRequest&) { return Ready(); });
  router->Add({"GET"}, "/services", Worker::kInline, [this](const HttpRequest&) { return Services(); });
  router->Add({"GET"}, "/config", Worker::kInline, [this](const HttpRequest&) {
    HttpResponse response = TextResponse(200, config_yaml_);
    response.content_type = "text/yaml; charset=utf-8";
    return response;
  });
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
  router->Add({"GET", "POST"}, "/flush", Worker::kQuery, [this](const HttpRequest&) {
    const Status flushed = engine_->Flush();
    if (!flushed.ok()) return LokiPushError(flushed);
    HttpResponse response;
    response.status = 204;
    return response;
  });
  // Likewise: merges whatever packs can be merged and waits for it.
  router->Add({"POST"}, "/compact", Worker::kQuery, [this](const HttpRequest&) {
    const Status compacted = engine_->Compact();
    if (!compacted.ok()) return LokiQueryError(compacted);  // damage is the server's fault here
    HttpResponse response;
    response.status = 204;
    return response;
  });
}

HttpResponse AdminApi::Ready() const {
  switch (phase_.load(std::memory_order_relaxed)) {
    case Phase::kStarting: return ErrorText(503, "Ingester not ready: replaying the journal\n");
    case Phase::kRunning: return TextResponse(200, "ready\n");
    case Phase::kStopping: return ErrorText(503, "Application is stopping\n");
  }
  return ErrorText(500, "unknown phase\n");
}

HttpResponse AdminApi::Services() const {
  const Phase phase = phase_.load(std::memory_order_relaxed);
  const std::string state = phase == Phase::kRunning    ? "Running"
                            : phase == Phase::kStarting ? "Starting"
                                                        : "Stopping";
  return TextResponse(200, "server => Running\nengine => " + state + "\n");
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
