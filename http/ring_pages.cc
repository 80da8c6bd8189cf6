#include "http/ring_pages.h"

#include <unistd.h>

#include <utility>

#include "engine/base/json_writer.h"
#include "http/legacy_api.h"

namespace varve {
namespace {

std::string HostName() {
  char name[256];
  if (gethostname(name, sizeof(name)) != 0) return "varve";
  name[sizeof(name) - 1] = '\0';
  return name;
}

std::string HtmlEscaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out.append("&lt;"); break;
      case '>': out.append("&gt;"); break;
      case '&': out.append("&amp;"); break;
      case '"': out.append("&#34;"); break;
      default: out.push_back(c);
    }
  }
  return out;
}

// The ring's only token: with one member it does not matter which.
constexpr uint32_t kToken = uint32_t{1} << 31;

}  // namespace

RingPages::RingPages(std::function<std::string()> address, const Clock* clock)
    : address_(std::move(address)), clock_(clock), instance_id_(HostName()), started_ns_(clock->NowNs()) {}

void RingPages::AddRoutes(Router* router) {
  for (const std::string_view path : {"/ring", "/distributor/ring", "/indexgateway/ring", "/scheduler/ring",
                                      "/compactor/ring", "/ruler/ring", "/pattern/ring"}) {
    // POST would be the form that makes a ring forget a member; there is none to forget.
    router->Add({"GET", "POST"}, path, Worker::kInline,
                [this](const HttpRequest& request) { return Ring(request); });
  }
  router->Add({"GET"}, "/memberlist", Worker::kInline, [](const HttpRequest&) {
    HttpResponse response = TextResponse(200, "This instance doesn't use memberlist.");
    response.content_type = "text/plain";
    return response;
  });
}

HttpResponse RingPages::Ring(const HttpRequest& request) const {
  const std::string now = Rfc3339NanoText(clock_->NowNs());
  const std::string started = Rfc3339NanoText(started_ns_);
  if (request.Header("accept").find("application/json") != std::string_view::npos) {
    std::string out = "{\"shards\":[{\"id\":";
    AppendJsonString(&out, instance_id_);
    out.append(",\"state\":\"ACTIVE\",\"address\":");
    AppendJsonString(&out, address_());
    out.append(",\"timestamp\":\"" + now + "\",\"registered_timestamp\":\"" + started +
               "\",\"read_only\":false,\"read_only_updated_timestamp\":\"\",\"zone\":\"\",\"tokens\":[" +
               std::to_string(kToken) + "]}],\"now\":\"" + now + "\"}\n");
    HttpResponse response = JsonResponse(std::move(out));
    response.content_type = "application/json";
    return response;
  }
  HttpResponse response;
  response.content_type = "text/html; charset=utf-8";
  response.body =
      "<!DOCTYPE html>\n<html>\n<head><meta charset=\"UTF-8\"><title>Ring Status</title></head>\n<body>\n"
      "<h1>Ring Status</h1>\n<p>Current time: " +
      now +
      "</p>\n<table border=\"1\">\n<thead><tr><th>Instance ID</th><th>Availability Zone</th><th>State</th>"
      "<th>Address</th><th>Registered At</th><th>Read-Only</th><th>Last Heartbeat</th><th>Tokens</th>"
      "<th>Ownership</th></tr></thead>\n<tbody><tr><td>" +
      HtmlEscaped(instance_id_) + "</td><td></td><td>ACTIVE</td><td>" + HtmlEscaped(address_()) +
      "</td><td>" + started + "</td><td></td><td>" + now +
      "</td><td>1</td><td>100.0%</td></tr></tbody>\n</table>\n</body>\n</html>\n";
  return response;
}

}  // namespace varve
