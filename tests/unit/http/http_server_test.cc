// The whole server over a loopback socket and the in-memory engine: what a client sees from push to query.

#include "http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "alerting/notify/external_alertmanagers.h"
#include "alerting/notify/notifier.h"
#include "alerting/reports/reporter.h"
#include "alerting/rules/ruler.h"
#include "handler_call.h"
#include "http/limits_api.h"
#include "socket_client.h"
#include "tests/support/memory_engine.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::MemoryEngine;
using testing::SocketClient;

class FixedLimits final : public LimitsSource {
 public:
  Status Reload() override { return Status::Ok(); }
  std::string TenantYaml(std::string_view) const override { return {}; }
  std::string ConfigYaml() const override { return "auth_enabled: false\n"; }
  Stats stats() const override { return {}; }
};

class HttpServerTest : public ::testing::Test {
 protected:
  RulerMeans MakeRulerMeans() {
    RulerMeans means;
    means.engine = &engine_;
    means.writes = &writes_;
    means.promql = &promql_;
    means.query_limits = &query_limits_;
    return means;
  }
  ReporterMeans MakeReporterMeans() {
    ReporterMeans means;
    means.engine = &engine_;
    means.writes = &writes_;
    means.promql = &promql_;
    means.query_limits = &query_limits_;
    return means;
  }
  HttpServerTest()
      : writes_(&engine_, IngestLimits()),
        notifier_(&engine_.records(), &Clock::System(), {}),
        external_({}),
        ruler_(MakeRulerMeans(), {}),
        reporter_(MakeReporterMeans()) {
    // One of each, so that /metrics has every name.
    const auto config = ParseNotifyConfig(
        "route: {receiver: hook}\nreceivers: [{name: hook, webhook_configs: [{url: http://127.0.0.1:1/}]}]\n", "am.yml", "");
    EXPECT_TRUE(config.ok() && notifier_.Load().ok() && notifier_.Configure(*config).ok());
    external_.Configure({{.url = "http://127.0.0.1:1"}});
    ruler_.SetFileGroups("fake", {{.name = "g", .file = "rules.yml"}});
    HttpOptions options;
    options.alerting = {
        .ruler = &ruler_, .notifier = &notifier_, .external = &external_, .reporter = &reporter_,
        .lines_dropped = [] { return uint64_t{7}; }};
    options.listen_port = 0;
    options.limits_source = &limits_;
    server_ = std::make_unique<HttpServer>(&engine_, &writes_, QueryLimits(), options);
  }
  MemoryEngine engine_;
  WritePath writes_;
  const promql::PromqlEngine promql_{promql::PromqlOptions()};
  const PerTenant<QueryLimits> query_limits_;
  Notifier notifier_;
  ExternalAlertmanagers external_;
  Ruler ruler_;
  Reporter reporter_;
  FixedLimits limits_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ServesWhatWasPushed) {
  ASSERT_TRUE(server_->Start().ok());
  SocketClient client(server_->port());
  EXPECT_EQ(client.Get("/ready")->status, 503);
  server_->SetReady(true);
  EXPECT_EQ(client.Get("/ready")->body, "ready\n");
  const auto pushed = client.Post(
      "/loki/api/v1/push",
      R"({"streams":[{"stream":{"job":"sshd"},"values":[["1793491200000000000","Failed password"]]}]})",
      "Content-Type: application/json\r\n");
  ASSERT_TRUE(pushed.has_value());
  EXPECT_EQ(pushed->status, 204);
  const auto found =
      client.Get("/loki/api/v1/query_range?" + testing::Query({{"query", "{job=\"sshd\"} |= \"Failed\""},
                                                               {"start", "1793491200"},
                                                               {"end", "1793491201"}}));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->Header("content-type"), "application/json; charset=UTF-8");
  EXPECT_THAT(found->body, HasSubstr(R"("values":[["1793491200000000000","Failed password"]])"));
  EXPECT_THAT(client.Get("/metrics")->body, HasSubstr("route=\"loki_api_v1_push\",status_code=\"204\""));
  EXPECT_THAT(client.Get("/metrics")->body, HasSubstr("varve_query_lines_processed_total 1"));
  EXPECT_EQ(client.Get("/config")->body, "auth_enabled: false\n");
}

TEST_F(HttpServerTest, AnswersErrorsAsPlainText) {
  ASSERT_TRUE(server_->Start().ok());
  SocketClient client(server_->port());
  const auto bad = client.Get("/loki/api/v1/query_range?query=%7B");
  EXPECT_EQ(bad->status, 400);
  EXPECT_EQ(bad->Header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(bad->Header("x-content-type-options"), "nosniff");
  EXPECT_THAT(bad->body, ::testing::Not(HasSubstr("\n")));
}

// Between two marks docs/operations.md holds a row for each metric. VARVE_UPDATE_GOLDEN=1 writes them.
TEST_F(HttpServerTest, ShowsTheMetricsOfTheDocumentation) {
  ASSERT_TRUE(server_->Start().ok());
  SocketClient client(server_->port());
  ASSERT_EQ(client.Get("/ready")->status, 503);
  std::istringstream metrics(client.Get("/metrics")->body);
  std::string table = "| metric | what |\n|---|---|\n";
  for (std::string line; std::getline(metrics, line);) {
    constexpr std::string_view kHelp = "# HELP ";
    if (!line.starts_with(kHelp)) continue;
    const size_t space = line.find(' ', kHelp.size());
    table +=
        "| `" + line.substr(kHelp.size(), space - kHelp.size()) + "` | " + line.substr(space + 1) + " |\n";
  }
  const std::string path = VARVE_SOURCE_DIR "/docs/operations.md";
  const std::string begin_mark = "<!-- metrics: begin -->\n";
  std::stringstream stream;
  stream << std::ifstream(path).rdbuf();
  std::string document = stream.str();
  const size_t begin = document.find(begin_mark) + begin_mark.size();
  const size_t end = document.find("<!-- metrics: end -->");
  ASSERT_TRUE(begin <= end && end != std::string::npos) << "the marks are missing in " << path;
  if (std::getenv("VARVE_UPDATE_GOLDEN") != nullptr) {
    document.replace(begin, end - begin, table);
    std::ofstream(path) << document;
    return;
  }
  EXPECT_EQ(table, document.substr(begin, end - begin));
}

TEST_F(HttpServerTest, StopsTwiceWithoutHarm) {
  ASSERT_TRUE(server_->Start().ok());
  const uint16_t port = server_->port();
  server_->Stop();
  server_->Stop();
  EXPECT_FALSE(SocketClient(port).connected());
}

TEST_F(HttpServerTest, SaysThatThePortIsTaken) {
  ASSERT_TRUE(server_->Start().ok());
  HttpOptions options;
  options.listen_port = server_->port();
  HttpServer second(&engine_, &writes_, QueryLimits(), options);
  EXPECT_EQ(second.Start().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace varve
