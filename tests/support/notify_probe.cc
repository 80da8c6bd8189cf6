// Reads alertmanager.yml files and sends through their receivers without a server around them; for end-to-end tests.
//
//   notify_probe check FILE…              one line each: "ok FILE", or "bad FILE" and its errors
//   notify_probe original FILE            what /api/v2/status shows of it
//   notify_probe notify FILE RECEIVER     a notification, as JSON on standard input, to every integration
//   notify_probe message FILE RECEIVER    a message: title, text, html, json, severity, id
//   notify_probe alertmanagers FILE MS    posts alerts (of a notification) to those of an `alerting:` section, waits
//                                         up to MS for them, and prints url, sent, errors, dropped, queued, last error
// notify and message print a line for each integration: kind, "ok", "retry" or "fail", seconds, and what went wrong.
#include <simdjson.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "alerting/notify/default_templates.h"
#include "alerting/notify/external_alertmanagers.h"
#include "alerting/notify/receiver.h"

namespace varve {
namespace {

using simdjson::dom::element;

std::string Text(element object, const char* key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}
int64_t Number(element object, const char* key) {
  int64_t number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? number : 0;
}
LabelMap Labels(element object, const char* key) {
  LabelMap out;
  simdjson::dom::object labels;
  if (object[key].get(labels) != simdjson::SUCCESS) return out;
  for (const auto [name, value] : labels) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) out[std::string(name)] = std::string(text);
  }
  return out;
}

Notification ReadNotification(element root, const std::string& receiver) {
  Notification out;
  out.receiver = receiver;
  out.group_key = Text(root, "group_key");
  out.group_labels = Labels(root, "group_labels");
  out.external_url = Text(root, "external_url");
  out.now_ms = Number(root, "now_ms");
  simdjson::dom::array alerts;
  if (root["alerts"].get(alerts) != simdjson::SUCCESS) return out;
  for (const element alert : alerts) {
    PostedAlert posted;
    posted.labels = Labels(alert, "labels");
    posted.annotations = Labels(alert, "annotations");
    posted.starts_at_ms = Number(alert, "starts_at_ms");
    posted.ends_at_ms = Number(alert, "ends_at_ms");
    posted.generator_url = Text(alert, "generator_url");
    out.alerts.push_back(std::move(posted));
    out.fingerprints.push_back(Text(alert, "fingerprint"));
  }
  return out;
}

int Check(int count, char** files) {
  int bad = 0;
  for (int i = 0; i < count; ++i) {
    auto config = ReadNotifyConfig(files[i]);
    Status status = config.ok() ? LoadTemplates(*config).status().Clone() : config.status().Clone();
    if (!status.ok()) ++bad;
    std::printf("%s %s\n%s", status.ok() ? "ok" : "bad", files[i], status.ok() ? "" : (status.message() + "\n").c_str());
  }
  return bad == 0 ? 0 : 1;
}

int Fail(const Status& status) {
  std::fprintf(stderr, "%s\n", status.message().c_str());
  return 2;
}

int Send(const NotifyConfig& config, const std::string& receiver, bool notify) {
  auto templates = LoadTemplates(config);
  if (!templates.ok()) return Fail(templates.status());
  const std::string input{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(input).get(root) != simdjson::SUCCESS) return Fail(InvalidArgument("not JSON"));
  const Notification notification = notify ? ReadNotification(root, receiver) : Notification();
  const Message message{Text(root, "title"), Text(root, "text"), Text(root, "html"),
                        Text(root, "json"),  Text(root, "severity"), Text(root, "id")};
  int failures = 0;
  for (const ReceiverConfig& candidate : config.receivers) {
    if (candidate.name != receiver) continue;
    for (const auto& integration : MakeIntegrations(candidate, templates->get())) {
      const CancelToken cancel;
      const auto began = std::chrono::steady_clock::now();
      const Delivery delivery = notify ? integration->Notify(notification, cancel) : integration->Send(message, cancel);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      if (!delivery.status.ok()) ++failures;
      std::printf("%s %s %.3f %s\n", std::string(integration->kind()).c_str(),
                  delivery.status.ok() ? "ok" : delivery.retry ? "retry" : "fail", took.count(),
                  delivery.status.ok() ? "" : delivery.status.message().c_str());
    }
  }
  return failures == 0 ? 0 : 1;
}

int PostAlerts(const std::string& path, int64_t wait_ms) {
  std::ifstream file(path);
  const std::string yaml{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  auto targets = ParseAlertmanagers(yaml, path);
  if (!targets.ok()) return Fail(targets.status());
  const std::string input{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(input).get(root) != simdjson::SUCCESS) return Fail(InvalidArgument("not JSON"));
  const std::string tenant = Text(root, "tenant");
  ExternalAlertmanagers alertmanagers({});
  alertmanagers.Configure(std::move(*targets));
  if (Status posted = alertmanagers.Post(tenant.empty() ? "fake" : tenant, ReadNotification(root, "").alerts); !posted.ok()) {
    return Fail(posted);
  }
  alertmanagers.Stop(wait_ms);
  for (const AlertmanagerStats& s : alertmanagers.Stats()) {
    std::printf("%s %llu %llu %llu %llu %s\n", s.url.c_str(), static_cast<unsigned long long>(s.sent),
                static_cast<unsigned long long>(s.errors), static_cast<unsigned long long>(s.dropped),
                static_cast<unsigned long long>(s.queued), s.last_error.c_str());
  }
  return 0;
}

int Run(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "check") return Check(argc - 2, argv + 2);
  if (verb == "alertmanagers" && argc == 4) return PostAlerts(argv[2], std::stoll(argv[3]));
  auto config = ReadNotifyConfig(argc > 2 ? argv[2] : "");
  if (!config.ok()) return Fail(config.status());
  if (verb == "original") {
    std::fputs(config->original.c_str(), stdout);
    return 0;
  }
  if ((verb == "notify" || verb == "message") && argc == 4) return Send(*config, argv[3], verb == "notify");
  std::fputs("usage: notify_probe check|original|notify|message|alertmanagers …\n", stderr);
  return 2;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) { return varve::Run(argc, argv); }
