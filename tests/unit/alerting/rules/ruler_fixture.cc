#include <cstdio>

#include "alerting/rules/rule_writer.h"
#include "engine/model/sample.h"
#include "tests/unit/alerting/rules/ruler_fixture.h"

namespace varve::testing {
namespace {

PackedLabels Pack(const std::vector<std::pair<std::string, std::string>>& labels) {
  std::vector<LabelView> views;
  for (const auto& [name, value] : labels) views.push_back({name, value});
  return PackedLabels::FromUnsorted(std::move(views));
}

std::string Number(double value) {
  if (IsStaleNan(value)) return "stale";
  char text[64];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

// The text behind `"name":` up to `end`.
std::string Field(const std::string& line, const std::string& name, char end) {
  const size_t at = line.find("\"" + name + "\":");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 3;
  return line.substr(begin, line.find(end, begin) - begin);
}

}  // namespace

void RulerFixture::Write(const std::vector<std::pair<std::string, std::string>>& labels, int64_t minute, double value) {
  SampleBatch batch;
  batch.AddFloat(Pack(labels), kEpochMs + (minute - 1) * 60'000, value);
  const SampleWrite write = WriteSamples(writes->metrics(), "fake", batch);
  VARVE_CHECK(write.status.ok());
}

void RulerFixture::WriteStale(const std::vector<std::pair<std::string, std::string>>& labels, int64_t minute) {
  Write(labels, minute, StaleNan());
}

void RulerFixture::Push(const std::string& app, int64_t minute, const std::string& line) {
  engine.Add(Labels::FromUnsorted({{"app", app}}), (kEpochMs + (minute - 1) * 60'000) * kNsPerMs, line);
}

std::string RulerFixture::Samples(const std::string& metric) {
  const Result<TenantId> tenant = engine.FindTenant("fake");
  if (!tenant.ok()) return "";
  std::vector<Matcher> matchers;
  matchers.push_back(*Matcher::Create(std::string(kMetricName), MatchOp::kEqual, metric));
  const auto snapshot = engine.metrics().Snapshot(tenant.value(), matchers, {});
  std::string out;
  SeriesSamples samples;
  for (size_t i = 0; i < snapshot.value()->size(); ++i) {
    VARVE_CHECK(snapshot.value()->Read(i, {}, nullptr, &samples).ok());
    if (samples.empty()) continue;
    out += (out.empty() ? "" : "; ") + snapshot.value()->labels(i).ToString();
    for (size_t s = 0; s < samples.floats.size(); ++s) {
      out += " " + Number(samples.floats[s]) + "@" + std::to_string(MinuteOf(samples.float_ts_ms[s]));
    }
    for (const HistogramSample& s : samples.histograms) out += " histogram@" + std::to_string(MinuteOf(s.ts_ms));
  }
  return out;
}

std::vector<std::pair<int64_t, std::string>> RulerFixture::Lines() {
  std::vector<std::pair<int64_t, std::string>> lines;
  const Result<TenantId> tenant = engine.FindTenant("fake");
  if (!tenant.ok()) return lines;
  const Result<logql::ExprPtr> expr = logql::ParseExpr("{job=\"varve-alerts\"}");
  QueryRequest request;
  request.tenant = tenant.value();
  request.start_ns = 0;
  request.end_ns = (kEpochMs + 1000LL * 60'000) * kNsPerMs;
  request.limit = 5000;
  request.direction = Direction::kForward;
  QueryLimits unlimited;
  unlimited.max_query_length_ns = 0;
  Result<QueryResult> result = RunQuery(engine, **expr, request, unlimited);
  VARVE_CHECK(result.ok());
  for (const ResultStream& stream : std::get<Streams>(result->data).streams) {
    for (const ResultEntry& entry : stream.entries) {
      lines.emplace_back(MinuteOf(entry.ts_ns / kNsPerMs), entry.line);
    }
  }
  return lines;
}

std::vector<std::string> RulerFixture::Changes() {
  std::vector<std::string> changes;
  for (const auto& [minute, line] : Lines()) {
    changes.push_back(std::to_string(minute) + ": " + Field(line, "from", ',') + ">" + Field(line, "to", ',') + " " +
                      Field(line, "value", ',') + " " + Field(line, "labels", '}') + "}");
  }
  return changes;
}

std::string RulerFixture::Alerts() {
  std::string out;
  for (const GroupStatus& group : ruler->Groups("fake")) {
    for (const RuleStatus& rule : group.rules) {
      for (const ActiveAlert& alert : rule.alerts) {
        out += (out.empty() ? "" : "; ") + PackLabels(alert.labels).ToString() + " " +
               std::string(AlertStateName(alert.state)) + " " + Number(alert.value) + " since " +
               std::to_string(MinuteOf(alert.active_at_ms));
        if (alert.fired_at_ms != 0) out += " fired " + std::to_string(MinuteOf(alert.fired_at_ms));
      }
    }
  }
  return out;
}

std::vector<std::string> RulerFixture::Posted() {
  std::vector<std::string> out;
  for (const auto& [tenant, alert] : sink.Take()) {
    const bool resolved = alert.ResolvedAt(clock.now_ms);
    out.push_back(PackLabels(alert.labels).ToString() + (resolved ? " resolved " : " firing ") +
                  std::to_string(MinuteOf(alert.starts_at_ms)) + "-" + std::to_string(MinuteOf(alert.ends_at_ms)));
  }
  return out;
}

}  // namespace varve::testing
