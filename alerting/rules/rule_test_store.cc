#include "alerting/rules/rule_test_store.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "alerting/rules/rule_writer.h"
#include "engine/base/json_writer.h"
#include "engine/base/time.h"
#include "engine/engine.h"
#include "engine/model/labels.h"
#include "engine/model/sample.h"
#include "ingest/write_path.h"
#include "query/exec/delete_filter.h"
#include "query/logql/parser.h"
#include "query/promql/values/chunk_hints.h"
#include "query/promql/values/series_description.h"

namespace varve {
namespace {

constexpr int64_t kMemoryBytes = 256 << 20;
constexpr uint64_t kSamplesPerWrite = 100'000;
constexpr size_t kPushBytes = 8 << 20;
constexpr int64_t kTimeMaxMs = INT64_MAX / kNsPerMs;  // what nanoseconds can say

// Whether a time of the test, `at_ms` behind its start, can be stored.
bool Fits(int64_t start_ms, int64_t at_ms) {
  return start_ms >= -kTimeMaxMs && at_ms >= 0 && at_ms <= kTimeMaxMs && start_ms <= kTimeMaxMs - at_ms;
}

Status CheckTimes(const RuleTest& test) {
  bool fits = Fits(test.start_ms, 0);
  for (const AlertTest& one : test.alert_tests) fits = fits && Fits(test.start_ms, one.eval_time_ms);
  for (const ExpressionTest& one : test.expression_tests) fits = fits && Fits(test.start_ms, one.eval_time_ms);
  for (const TestStream& stream : test.streams) {
    for (const TestEntry& entry : stream.entries) fits = fits && Fits(test.start_ms, entry.at_ms);
  }
  return fits ? Status::Ok() : InvalidArgument("a time of the test is beyond what can be stored");
}

EngineOptions StoreOptions(const std::string& directory) {
  EngineOptions options;
  options.data_dir = directory;
  options.memory_budget_bytes = kMemoryBytes;
  options.shard_count = options.metric_shard_count = 1;
  options.encode_threads = options.query_threads = 1;
  options.compaction_enabled = false;
  options.disk_full_fraction = 1;
  options.row_filter_factory = CompileDeleteFilter;
  return options;
}

// A test may lie in the future.
IngestLimits StoreLimits() {
  IngestLimits limits;
  limits.creation_grace_period_ms = kTimeMaxMs;
  return limits;
}

void AppendJsonMap(std::string* out, const LabelMap& labels) {
  *out += '{';
  for (const auto& [name, value] : labels) {
    if (out->back() != '{') *out += ',';
    AppendJsonString(out, name);
    *out += ':';
    AppendJsonString(out, value);
  }
  *out += '}';
}

Result<LabelMap> StreamLabels(std::string_view selector) {
  VARVE_ASSIGN_OR_RETURN(const std::vector<Matcher> matchers, logql::ParseMatchers(selector));
  LabelMap labels;
  for (const Matcher& matcher : matchers) {
    if (matcher.op() != MatchOp::kEqual) return InvalidArgument("labels with = only are wanted");
    labels[matcher.name()] = matcher.value();
  }
  if (labels.empty()) return InvalidArgument("a stream has at least one label");
  return labels;
}

}  // namespace

struct RuleTestStore::Parts {
  struct Series {
    promql::SeriesDescription description;
    size_t next = 0;
    promql::FloatHistogramPtr before;  // the last sample, if it is a histogram
  };
  struct Stream {
    std::string labels_json;
    std::vector<TestEntry> entries;  // ascending by time
    size_t next = 0;
  };

  Status LoadSeries(int64_t ts_ms);
  Status LoadStreams(int64_t ts_ms);
  Status Write(SampleBatch* batch) const;
  Status Push(std::string* streams) const;

  std::unique_ptr<Engine> engine;
  std::unique_ptr<WritePath> writes;
  std::unique_ptr<promql::PromqlEngine> promql;
  PerTenant<QueryLimits> limits;
  int64_t start_ms = 0;
  int64_t interval_ms = 1;
  std::vector<Series> series;
  std::vector<Stream> streams;
};

RuleTestStore::RuleTestStore() : parts_(std::make_unique<Parts>()) {}
RuleTestStore::~RuleTestStore() {
  if (parts_->engine != nullptr) parts_->engine->Close().IgnoreError("the directory is thrown away");
}

Status RuleTestStore::Open(const std::string& directory, int64_t subquery_step_ms) {
  VARVE_ASSIGN_OR_RETURN(parts_->engine, Engine::Open(StoreOptions(directory)));
  parts_->writes = std::make_unique<WritePath>(parts_->engine.get(), StoreLimits());
  VARVE_RETURN_IF_ERROR(parts_->engine->Recover(parts_->writes->MakeReplay()));
  promql::PromqlOptions options;
  options.default_step_ms = subquery_step_ms;
  parts_->promql = std::make_unique<promql::PromqlEngine>(options);
  means_.engine = parts_->engine.get();
  means_.writes = parts_->writes.get();
  means_.promql = parts_->promql.get();
  means_.query_limits = &parts_->limits;
  return Status::Ok();
}

Status RuleTestStore::SetInput(const RuleTest& test) {
  VARVE_RETURN_IF_ERROR(CheckTimes(test));
  parts_->start_ms = test.start_ms;
  parts_->interval_ms = test.interval_ms;
  size_t values = 0;
  for (const TestSeries& input : test.series) {
    const std::string line = input.series + " " + input.values;
    Result<promql::SeriesDescription> parsed = promql::ParseSeriesDescription(line);
    if (!parsed.ok()) return std::move(parsed).status().WithContext("input series " + GoQuoted(line));
    values += parsed->values.size();
    if (values > kTestValuesMax) {
      return InvalidArgument("the input series have more than " + std::to_string(kTestValuesMax) + " values");
    }
    if (parsed->values.size() > static_cast<size_t>((kTimeMaxMs - test.start_ms) / test.interval_ms) + 1) {
      return InvalidArgument("input series " + GoQuoted(input.series) + " ends at a time that cannot be stored");
    }
    parts_->series.push_back({std::move(parsed).value(), 0, nullptr});
  }
  for (const TestStream& input : test.streams) {
    Result<LabelMap> labels = StreamLabels(input.stream);
    if (!labels.ok()) return std::move(labels).status().WithContext("input stream " + GoQuoted(input.stream));
    Parts::Stream stream;
    AppendJsonMap(&stream.labels_json, labels.value());
    stream.entries = input.entries;
    std::stable_sort(stream.entries.begin(), stream.entries.end(),
                     [](const TestEntry& a, const TestEntry& b) { return a.at_ms < b.at_ms; });
    parts_->streams.push_back(std::move(stream));
  }
  return Status::Ok();
}

Status RuleTestStore::Parts::Write(SampleBatch* batch) const {
  if (batch->empty()) return Status::Ok();
  SampleWrite write = WriteSamples(writes->metrics(), kTenant, *batch);
  batch->Clear();
  return std::move(write.status);
}

Status RuleTestStore::Parts::LoadSeries(int64_t ts_ms) {
  SampleBatch batch;
  for (Series& one : series) {
    const std::vector<promql::SequenceValue>& values = one.description.values;
    for (; one.next < values.size(); ++one.next) {
      const int64_t at_ms = start_ms + static_cast<int64_t>(one.next) * interval_ms;
      if (at_ms > ts_ms) break;
      const promql::SequenceValue& value = values[one.next];
      if (value.omitted) continue;
      if (value.histogram != nullptr) {
        promql::FloatHistogram hinted = *value.histogram;
        hinted.set_hint(promql::HintInChunk(one.before.get(), hinted));
        batch.Add(one.description.labels, at_ms, 0, std::make_shared<const promql::FloatHistogram>(std::move(hinted)));
      } else if (IsStaleNan(value.value)) {
        batch.AddStale(one.description.labels, at_ms);
      } else {
        batch.Add(one.description.labels, at_ms, value.value, nullptr);
      }
      one.before = value.histogram;
      if (batch.samples() >= kSamplesPerWrite) VARVE_RETURN_IF_ERROR(Write(&batch));
    }
  }
  return Write(&batch);
}

Status RuleTestStore::Parts::Push(std::string* bodies) const {
  if (bodies->empty()) return Status::Ok();
  const std::string body = "{\"streams\":[" + *bodies + "]}";
  bodies->clear();
  return writes->Push({.tenant = kTenant, .content_type = "application/json", .content_encoding = "", .body = body}).status;
}

Status RuleTestStore::Parts::LoadStreams(int64_t ts_ms) {
  std::string bodies;
  for (Stream& one : streams) {
    while (one.next < one.entries.size() && start_ms + one.entries[one.next].at_ms <= ts_ms) {
      bodies += (bodies.empty() ? "{\"stream\":" : ",{\"stream\":") + one.labels_json + ",\"values\":[";
      do {
        const TestEntry& entry = one.entries[one.next++];
        if (bodies.back() != '[') bodies += ',';
        bodies += "[\"" + std::to_string((start_ms + entry.at_ms) * kNsPerMs) + "\",";
        AppendJsonString(&bodies, entry.line);
        if (!entry.metadata.empty()) AppendJsonMap(&(bodies += ','), entry.metadata);
        bodies += ']';
      } while (bodies.size() < kPushBytes && one.next < one.entries.size() &&
               start_ms + one.entries[one.next].at_ms <= ts_ms);
      bodies += "]}";
      if (bodies.size() >= kPushBytes) VARVE_RETURN_IF_ERROR(Push(&bodies));
    }
  }
  return Push(&bodies);
}

Status RuleTestStore::LoadUntil(int64_t ts_ms) {
  VARVE_RETURN_IF_ERROR(parts_->LoadSeries(ts_ms));
  return parts_->LoadStreams(ts_ms);
}

Result<std::unique_ptr<TenantQueries>> RuleTestStore::Queries() const {
  VARVE_ASSIGN_OR_RETURN(const TenantId tenant, parts_->engine->InternTenant(kTenant));
  return std::make_unique<TenantQueries>(means_.engine, means_.promql, means_.query_limits, kTenant, tenant);
}

}  // namespace varve
