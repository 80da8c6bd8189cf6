// A metric write path on an engine in memory, with a clock that stands still.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "ingest/write_path.h"
#include "tests/support/memory_engine.h"
#include "tests/support/metric_text.h"
#include "tests/support/remote_write_bodies.h"

namespace varve::testing {

inline constexpr int64_t kIngestNowMs = 1'795'000'000'000;  // 2026-11-18T11:06:40Z

class StandingClock final : public Clock {
 public:
  int64_t NowNs() const override { return kIngestNowMs * 1'000'000; }
};

inline MemoryEngineOptions StandingOptions() {
  static const StandingClock clock;
  MemoryEngineOptions options;
  options.engine.clock = &clock;
  return options;
}

class MetricIngest {
 public:
  explicit MetricIngest(IngestLimits limits = {})
      : engine(StandingOptions()), path(&engine, std::move(limits)) {}

  MetricWriteOutcome Write(MetricWire wire, std::string_view body, std::string_view content_type,
                           std::string_view encoding) {
    MetricWriteRequest request;
    request.wire = wire;
    request.content_type = content_type;
    request.content_encoding = encoding;
    request.body = body;
    return path.metrics()->Write(request);
  }
  MetricWriteOutcome Write1(const std::vector<RwSeries>& series, const std::vector<RwMetadata>& metadata = {}) {
    return Write(MetricWire::kRemoteWrite, Snapped(RemoteWrite1Body(series, metadata)), "application/x-protobuf",
                 "snappy");
  }
  MetricWriteOutcome Write2(const std::vector<RwSeries>& series) {
    return Write(MetricWire::kRemoteWrite, Snapped(RemoteWrite2Body(series)),
                 "application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy");
  }

  std::string Stored() {
    const Result<TenantId> tenant = engine.FindTenant("fake");
    return tenant.ok() ? StoreText(engine.metrics(), *tenant) : std::string();
  }
  std::vector<std::string> Records() { return static_cast<MemoryMetricStore&>(engine.metrics()).records(); }

  // What an empty store holds after the records were replayed into it.
  std::string Replayed(IngestLimits limits = {}) {
    class Sink final : public ReplaySink {
     public:
      explicit Sink(Engine* engine) : engine_(*engine) {}
      void OnLogs(const AppendBatch&) override { VARVE_CHECK(false); }
      void OnMetrics(TenantId tenant, const MetricBatch& batch) override {
        const auto verdicts =
            engine_.metrics().Append(tenant, batch, [](const MetricVerdicts&) { return std::string_view(); });
        VARVE_CHECK(verdicts.ok() && verdicts->all_stored());
      }

     private:
      Engine& engine_;
    };
    MetricIngest other(std::move(limits));
    Sink sink(&other.engine);
    for (const std::string& record : Records()) {
      const Status status = other.path.MakeReplay()(record, &sink);
      if (!status.ok()) return status.ToString();
    }
    return other.Stored();
  }

  MemoryEngine engine;
  WritePath path;
};

}  // namespace varve::testing
