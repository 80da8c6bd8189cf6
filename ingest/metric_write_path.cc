#include "ingest/metric_write_path.h"

#include <algorithm>
#include <optional>

#include <lz4.h>

#include "engine/base/time.h"
#include "engine/engine.h"
#include "ingest/journal_record.h"
#include "ingest/metric_batch_builder.h"
#include "ingest/metric_body.h"
#include "ingest/metric_counters.h"
#include "ingest/metric_labels.h"
#include "ingest/metric_refusals.h"
#include "ingest/metric_scratch.h"
#include "ingest/metric_series.h"
#include "ingest/rate_limits.h"

namespace varve {
namespace {

using Reason = MetricDiscardReason;

constexpr std::string_view kReplayScope = "replay";
// What a series of a request costs beside its samples.
constexpr int64_t kSeriesBytes = 96;

// Errors that say "come back later" are 503: Prometheus gives up on 429 unless it is told not to.
int HttpStatusOf(const Status& status) {
  switch (status.code()) {
    case Code::kOk: return 204;
    case Code::kInvalidArgument:
    case Code::kCorruption:
    case Code::kOutOfRange: return 400;
    case Code::kTooLarge: return 413;
    case Code::kUnimplemented: return 415;
    case Code::kResourceExhausted:
    case Code::kUnavailable: return 503;
    case Code::kStorageFull: return 507;
    default: return 500;
  }
}

}  // namespace

struct MetricWritePath::Impl {
  Impl(Engine* engine_in, const PerTenant<IngestLimits>* limits_in) : engine(engine_in), limits(limits_in) {}

  Engine* const engine;
  const PerTenant<IngestLimits>* const limits;
  SeriesAliasTable aliases;
  SeriesAliasTable seen_metadata{1 << 16};
  RateLimits rates;
  MetricScratchPool scratches;
  MetricCounters counters;

  class WriteRun;
  class ReplayRun;
};

// One request. Each step returns a status that fails it whole; what is wrong with series and samples goes to
// `refusals_`.
class MetricWritePath::Impl::WriteRun {
 public:
  WriteRun(Impl* impl, const MetricWriteRequest& request)
      : impl_(*impl),
        request_(request),
        own_limits_(impl->limits->Of(request.tenant)),
        limits_(*own_limits_),
        now_ns_(impl->engine->options().clock->NowNs()),
        memory_(impl->engine->ingest_budget(), DecodeMemory::Mode::kMayRefuse),
        scratch_(impl->scratches.Take()),
        builder_(&*scratch_) {
    scratch_->arena.Reset(&memory_);
  }

  MetricWriteOutcome Run() {
    MetricCounters::Bump(&impl_.counters.requests, 1);
    MetricCounters::Bump(&impl_.counters.wire_bytes, request_.body.size());
    MetricWriteOutcome outcome;
    const Status status = Steps();
    for (size_t i = 0; i < refusals_.counts().size(); ++i) {
      if (refusals_.counts()[i] != 0) MetricCounters::Bump(&impl_.counters.discarded[i], refusals_.counts()[i]);
    }
    if (!status.ok()) {
      outcome.http_status = HttpStatusOf(status);
      outcome.message = status.message() + "\n";
      return outcome;
    }
    outcome.samples_written = samples_written_;
    outcome.histograms_written = histograms_written_;
    outcome.exemplars_written = exemplars_written_;
    MetricCounters::Bump(&impl_.counters.samples_written, samples_written_);
    MetricCounters::Bump(&impl_.counters.histograms_written, histograms_written_);
    MetricCounters::Bump(&impl_.counters.exemplars_written, exemplars_written_);
    if (!refusals_.empty()) {
      outcome.http_status = refusals_.retry() ? 429 : 400;
      outcome.message = refusals_.Message();
    }
    return outcome;
  }

 private:
  Status Steps() {
    VARVE_RETURN_IF_ERROR(Decode());
    JudgeSamples();
    if (!AdmitRate()) return Status::Ok();
    VARVE_RETURN_IF_ERROR(FindAndJudgeSeries());
    VARVE_RETURN_IF_ERROR(AddExemplarsAndMetadata());
    builder_.BuildParts();
    if (builder_.empty()) return Status::Ok();
    return Append();
  }

  Status Decode() {
    const auto wire_max = static_cast<uint64_t>(limits_.max_recv_msg_size);
    if (request_.body.size() > wire_max) {
      return RefuseWhole("request body too large: " + std::to_string(request_.body.size()) + " bytes, the limit is " +
                         std::to_string(wire_max) + " (limits.max_recv_msg_size)");
    }
    VARVE_ASSIGN_OR_RETURN(format_,
                           ParseMetricHeaders(request_.wire, request_.content_type, request_.content_encoding));
    const bool import = request_.wire == MetricWire::kImportJson || request_.wire == MetricWire::kImportOpenMetrics;
    const MetricBodyContext context{
        limits_.otlp_metrics, now_ns_ / kNsPerMs, import ? limits_.max_decompressed_size : limits_.max_metrics_decompressed_size};
    Result<uint64_t> size = DecodeMetricBody(&format_, request_.body, context, &*scratch_, &memory_);
    if (!size.ok()) {
      if (size.status().code() == Code::kTooLarge) refusals_.AddQuiet(Reason::kRequestTooLarge, 1);
      return std::move(size).status();
    }
    decoded_size_max_ = *size;
    const DecodedMetrics& decoded = scratch_->decoded;
    MetricCounters::Bump(&impl_.counters.decoded_bytes, decoded_size_max_);
    MetricCounters::Bump(&impl_.counters.samples_received, decoded.floats.size());
    MetricCounters::Bump(&impl_.counters.histograms_received, decoded.histograms.size());
    MetricCounters::Bump(&impl_.counters.exemplars_received, decoded.exemplars.size());
    const uint64_t samples = decoded.floats.size() + decoded.histograms.size();
    const uint64_t samples_max = limits_.max_samples_per_metrics_request;
    if (samples_max != 0 && samples > samples_max) {
      refusals_.AddQuiet(Reason::kTooManySamples, samples);
      return TooLarge("the request has " + std::to_string(samples) + " samples, the limit is " +
                      std::to_string(samples_max) + " (limits.max_samples_per_metrics_request)");
    }
    for (const DecodedMetrics::Problem& problem : decoded.problems) {
      refusals_.Add(Reason::kInvalidMetric, problem.samples, problem.text);
    }
    return memory_.Add(kSeriesBytes * static_cast<int64_t>(decoded.series.size()) +
                       static_cast<int64_t>(decoded.symbols.size() * 3 * sizeof(uint64_t)));
  }

  Status RefuseWhole(std::string text) {
    refusals_.AddQuiet(Reason::kRequestTooLarge, 1);
    return TooLarge(std::move(text));
  }

  // What can be said of a sample without its series: its time, and whether a histogram is one.
  void JudgeSamples() {
    const DecodedMetrics& decoded = scratch_->decoded;
    latest_ms_ = now_ns_ / kNsPerMs + limits_.creation_grace_period_ms;
    int64_t newest_ms = INT64_MIN;
    for (const Sample& sample : decoded.floats) newest_ms = std::max(newest_ms, sample.ts_ms);
    if (newest_ms <= latest_ms_ && decoded.histograms.empty() && !decoded.empty_series_are_errors) return;
    for (size_t s = 0; s < decoded.series.size(); ++s) {
      const DecodedMetrics::Series& series = decoded.series[s];
      if (decoded.empty_series_are_errors && series.float_count == 0 && series.histogram_count == 0) {
        empty_series_ = true;
      }
      for (uint32_t i = series.float_begin; newest_ms > latest_ms_ && i < series.float_begin + series.float_count; ++i) {
        if (decoded.floats[i].ts_ms <= latest_ms_) continue;
        builder_.RefuseFloat(i);
        RefuseSample(Reason::kSampleTooFarInFuture, s, decoded.floats[i].ts_ms,
                     "out of bounds: timestamp is too far in the future");
      }
      for (uint32_t i = series.histogram_begin; i < series.histogram_begin + series.histogram_count; ++i) {
        JudgeHistogram(s, i);
      }
    }
  }

  void JudgeHistogram(size_t series, uint32_t number) {
    const MetricBatch::Histogram& sample = scratch_->decoded.histograms[number];
    if (sample.ts_ms > latest_ms_) {
      builder_.RefuseHistogram(number);
      RefuseSample(Reason::kSampleTooFarInFuture, series, sample.ts_ms,
                   "out of bounds: timestamp is too far in the future");
    } else if (const Status valid = ValidateHistogram(*sample.histogram); !valid.ok()) {
      builder_.RefuseHistogram(number);
      RefuseSample(Reason::kInvalidHistogram, series, sample.ts_ms, valid.message());
    }
  }

  void RefuseSample(Reason reason, size_t series, int64_t ts_ms, std::string_view why) {
    std::string text;
    if (refusals_.WantsText()) {
      text = std::string(why) + " for series " + SeriesText(series) + " at " + std::to_string(ts_ms);
    }
    refusals_.Add(reason, 1, std::move(text));
  }

  std::string SeriesText(size_t series) {
    std::vector<LabelView> labels;
    const Status read = ReadRawLabels(scratch_->decoded, scratch_->decoded.series[series].labels, &labels);
    return read.ok() ? LabelListText(std::move(labels)) : "(" + read.message() + ")";
  }

  Status FindAndJudgeSeries() {
    const DecodedMetrics& decoded = scratch_->decoded;
    MakeSeriesKeys(impl_.aliases, request_.tenant, MetricLabelLimitsKey(limits_), &*scratch_);
    FindSeries(impl_.aliases, &*scratch_);
    for (size_t s = 0; s < decoded.series.size(); ++s) {
      const DecodedMetrics::Series& series = decoded.series[s];
      if (scratch_->ordinals[s] != MetricScratch::kNoSeries && !empty_series_) [[likely]] continue;
      VARVE_RETURN_IF_ERROR(JudgeSeries(s, series));
    }
    return Status::Ok();
  }

  // A series that is new here, or may be one without samples.
  Status JudgeSeries(size_t s, const DecodedMetrics::Series& series) {
    const bool without_samples = series.float_count == 0 && series.histogram_count == 0;
    if (series.empty() && !empty_series_) return Status::Ok();
    if (scratch_->ordinals[s] != MetricScratch::kNoSeries && !without_samples) return Status::Ok();
    const Status read = ReadRawLabels(scratch_->decoded, series.labels, &scratch_->labels);
    if (!read.ok()) {
      RefuseSeries(s, Reason::kInvalidLabels, "parsing labels for series number " + std::to_string(s) +
                                                  " of the request: " + read.message());
      return Status::Ok();
    }
    if (auto refusal = CheckMetricLabels(scratch_->labels, limits_)) {
      RefuseSeries(s, refusal->reason, std::move(refusal->text));
      return Status::Ok();
    }
    if (without_samples && scratch_->decoded.empty_series_are_errors) {
      RefuseSeries(s, Reason::kInvalidMetric, "TimeSeries must contain at least one sample or histogram for series " +
                                                  LabelListText(scratch_->labels));
      return Status::Ok();
    }
    if (!builder_.AnyLeft(series)) return Status::Ok();
    return InternSeries(s);
  }

  Status InternSeries(size_t s) {
    VARVE_RETURN_IF_ERROR(InternTenant());
    Result<SeriesOrdinal> series = impl_.engine->metrics().InternSeries(
        *tenant_, PackedLabels::FromUnsorted(scratch_->labels), limits_.max_global_series_per_user);
    if (!series.ok()) {
      if (series.status().code() != Code::kResourceExhausted) return std::move(series).status();
      RefuseSeries(s, Reason::kSeriesLimit,
                   series.status().message() + " (limits.max_global_series_per_user) for series " +
                       LabelListText(scratch_->labels));
      return Status::Ok();
    }
    scratch_->ordinals[s] = *series;
    if (scratch_->keys[s].high != 0) impl_.aliases.Insert(scratch_->keys[s], *series);
    return Status::Ok();
  }

  Status InternTenant() {
    if (tenant_.has_value()) return Status::Ok();
    VARVE_ASSIGN_OR_RETURN(tenant_, impl_.engine->InternTenant(request_.tenant));
    return Status::Ok();
  }

  void RefuseSeries(size_t s, Reason reason, std::string text) {
    const DecodedMetrics::Series& series = scratch_->decoded.series[s];
    scratch_->ordinals[s] = MetricScratch::kNoSeries;
    builder_.RefuseSeries(series);
    refusals_.Add(reason, series.float_count + series.histogram_count, std::move(text));
  }

  // The tenant's samples a second: all of the request or nothing.
  bool AdmitRate() {
    const uint64_t samples = builder_.SamplesLeft();
    if (samples == 0 || impl_.rates.AllowTenantSamples(request_.tenant, limits_, samples, now_ns_)) return true;
    refusals_.Add(Reason::kRateLimited, samples,
                  "ingestion rate limit exceeded for user " + std::string(request_.tenant) + ": " +
                      std::to_string(static_cast<uint64_t>(limits_.ingestion_rate_samples)) +
                      " samples a second (limits.ingestion_rate_samples) while attempting to ingest " +
                      std::to_string(samples) + " samples");
    return false;
  }

  Status AddExemplarsAndMetadata() {
    const DecodedMetrics& decoded = scratch_->decoded;
    if (!decoded.exemplars.empty()) VARVE_RETURN_IF_ERROR(JudgeExemplars());
    if (decoded.metadata.empty()) return Status::Ok();
    return builder_.AddMetadata(&impl_.seen_metadata, impl_.aliases, request_.tenant,
                                limits_.max_metric_metadata_length, &refusals_, &memory_);
  }

  Status JudgeExemplars() {
    const DecodedMetrics& decoded = scratch_->decoded;
    for (size_t s = 0; s < decoded.series.size(); ++s) {
      const DecodedMetrics::Series& series = decoded.series[s];
      if (scratch_->ordinals[s] == MetricScratch::kNoSeries) continue;
      for (uint32_t i = series.exemplar_begin; i < series.exemplar_begin + series.exemplar_count; ++i) {
        if (builder_.IsExemplarRefused(i)) continue;
        const Status read = ReadRawLabels(decoded, decoded.exemplars[i].labels, &scratch_->labels);
        if (!read.ok() && decoded.label_form == SeriesLabelForm::kSymbols) {
          refusals_.Add(Reason::kInvalidExemplar, 1, "parsing exemplar for series " + SeriesText(s) + ": " +
                                                         read.message());
          builder_.RefuseExemplar(i);
        } else if (!read.ok() || !AreExemplarLabels(scratch_->labels) || decoded.exemplars[i].ts_ms > latest_ms_) {
          refusals_.AddQuiet(Reason::kInvalidExemplar, 1);
          builder_.RefuseExemplar(i);
        } else if (ExemplarRunes(scratch_->labels) > kExemplarRunesMax) {
          refusals_.AddQuiet(Reason::kExemplarTooLong, 1);
          builder_.RefuseExemplar(i);
        } else {
          VARVE_RETURN_IF_ERROR(memory_.Add(static_cast<int64_t>(decoded.exemplars[i].labels.size() + sizeof(Exemplar))));
          builder_.AddExemplar(static_cast<uint32_t>(s), i);
        }
      }
    }
    return Status::Ok();
  }

  Status Append() {
    VARVE_RETURN_IF_ERROR(InternTenant());
    VARVE_RETURN_IF_ERROR(PrepareRecord());
    builder_.EncodeRejects(nullptr);
    WriteRecord();
    Result<MetricVerdicts> verdicts = impl_.engine->metrics().Append(
        *tenant_, scratch_->batch, [&](const MetricVerdicts& judged) -> std::string_view {
          if (judged.all_stored()) return scratch_->record;
          builder_.EncodeRejects(&judged);
          WriteRecord();
          return scratch_->record;
        });
    if (!verdicts.ok()) return std::move(verdicts).status();
    samples_written_ = scratch_->batch.floats.size();
    histograms_written_ = scratch_->batch.histograms.size();
    exemplars_written_ = scratch_->batch.exemplars.size();
    builder_.RememberMetadata(&impl_.seen_metadata);
    if (!verdicts->all_stored()) TellVerdicts(*verdicts);
    return Status::Ok();
  }

  // A body that came plain is packed for the journal.
  Status PrepareRecord() {
    header_.form = format_.form;
    header_.outer = format_.encoding;
    header_.tenant = request_.tenant;
    header_.received_ns = now_ns_;
    header_.decoded_size_max = decoded_size_max_;
    if (request_.wire == MetricWire::kOtlp) options_ = EncodeOtlpMetricsConfig(limits_.otlp_metrics);
    header_.options = options_;
    record_body_ = request_.body;
    if (format_.encoding == ContentEncoding::kIdentity && record_body_.size() <= LZ4_MAX_INPUT_SIZE) {
      VARVE_RETURN_IF_ERROR(memory_.Add(static_cast<int64_t>(record_body_.size())));
      AppendLz4Block(record_body_, &scratch_->packed);
      header_.outer = ContentEncoding::kLz4Block;
      record_body_ = scratch_->packed.view();
    }
    return memory_.Add(static_cast<int64_t>(record_body_.size()));
  }

  void WriteRecord() {
    scratch_->record.clear();
    WriteJournalRecord(header_, scratch_->rejects, record_body_, &scratch_->record);
  }

  void TellVerdicts(const MetricVerdicts& verdicts) {
    builder_.ForEachSample([&](size_t s, bool histogram, size_t i) {
      const std::vector<SampleVerdict>& of = histogram ? verdicts.histograms : verdicts.floats;
      const SampleVerdict verdict = of.empty() ? SampleVerdict::kStored : of[i];
      if (verdict == SampleVerdict::kStored || verdict == SampleVerdict::kAlreadyThere) return;
      --(histogram ? histograms_written_ : samples_written_);
      const int64_t ts_ms = histogram ? scratch_->batch.histograms[i].ts_ms : scratch_->batch.floats[i].ts_ms;
      if (verdict == SampleVerdict::kConflict) {
        RefuseSample(Reason::kDuplicateTimestamp, s, ts_ms, "duplicate sample for timestamp");
      } else {
        RefuseSample(Reason::kSampleTooOld, s, ts_ms, "too old sample: outside of what is kept (the retention period, and the years 1677 to 2262)");
      }
    });
  }

  Impl& impl_;
  const MetricWriteRequest& request_;
  const std::shared_ptr<const IngestLimits> own_limits_;
  const IngestLimits& limits_;
  const int64_t now_ns_;
  int64_t latest_ms_ = 0;
  DecodeMemory memory_;
  MetricScratchPool::Lease scratch_;
  MetricBatchBuilder builder_;
  MetricRefusals refusals_;
  MetricBodyFormat format_;
  uint64_t decoded_size_max_ = 0;
  bool empty_series_ = false;  // there is one, and it is an error
  std::optional<TenantId> tenant_;
  JournalRecordHeader header_;
  std::string options_;
  std::string_view record_body_;
  uint64_t samples_written_ = 0;
  uint64_t histograms_written_ = 0;
  uint64_t exemplars_written_ = 0;
};

// One journal record.
class MetricWritePath::Impl::ReplayRun {
 public:
  explicit ReplayRun(Impl* impl)
      : impl_(*impl),
        memory_(impl->engine->ingest_budget(), DecodeMemory::Mode::kForced),
        scratch_(impl->scratches.Take()),
        builder_(&*scratch_) {
    scratch_->arena.Reset(&memory_);
  }

  Status Run(std::string_view bytes, ReplaySink* sink) {
    VARVE_ASSIGN_OR_RETURN(JournalRecord record, ParseJournalRecord(bytes));
    if (!IsMetricForm(record.header.form)) return Corruption("journal record: not one of metrics");
    MetricBodyFormat format{record.header.form, record.header.outer, false};
    // The size bound is what decoding took the first time, so a damaged body cannot claim more.
    OtlpMetricsConfig otlp;
    if (!DecodeOtlpMetricsConfig(record.header.options, &otlp)) {
      return Corruption("journal record: unreadable options");
    }
    const MetricBodyContext context{otlp, record.header.received_ns / kNsPerMs,
                                    static_cast<int64_t>(record.header.decoded_size_max)};
    Result<uint64_t> size = DecodeMetricBody(&format, record.body, context, &*scratch_, &memory_);
    if (!size.ok()) return Corruption("journal record: " + size.status().message());
    VARVE_ASSIGN_OR_RETURN(const TenantId tenant, impl_.engine->InternTenant(record.header.tenant));
    builder_.TakeRejects(record.rejects);
    MakeSeriesKeys(impl_.aliases, record.header.tenant, kReplayScope, &*scratch_);
    FindSeries(impl_.aliases, &*scratch_);
    const DecodedMetrics& decoded = scratch_->decoded;
    for (size_t s = 0; s < decoded.series.size(); ++s) {
      if (scratch_->ordinals[s] != MetricScratch::kNoSeries) continue;
      if (decoded.series[s].empty() || !builder_.AnyLeft(decoded.series[s])) continue;
      VARVE_RETURN_IF_ERROR(Intern(tenant, s));
    }
    for (size_t s = 0; s < decoded.series.size() && !decoded.exemplars.empty(); ++s) {
      const DecodedMetrics::Series& series = decoded.series[s];
      if (scratch_->ordinals[s] == MetricScratch::kNoSeries) continue;
      for (uint32_t i = series.exemplar_begin; i < series.exemplar_begin + series.exemplar_count; ++i) {
        if (builder_.IsExemplarRefused(i)) continue;
        VARVE_RETURN_IF_ERROR(AsCorruption(ReadRawLabels(decoded, decoded.exemplars[i].labels, &scratch_->labels)));
        builder_.AddExemplar(static_cast<uint32_t>(s), i);
      }
    }
    VARVE_RETURN_IF_ERROR(builder_.AddMetadata(nullptr, impl_.aliases, record.header.tenant, UINT32_MAX, nullptr,
                                               &memory_));
    builder_.BuildParts();
    sink->OnMetrics(tenant, scratch_->batch);
    return Status::Ok();
  }

 private:
  Status Intern(TenantId tenant, size_t s) {
    VARVE_RETURN_IF_ERROR(
        AsCorruption(ReadRawLabels(scratch_->decoded, scratch_->decoded.series[s].labels, &scratch_->labels)));
    VARVE_ASSIGN_OR_RETURN(
        scratch_->ordinals[s],
        impl_.engine->metrics().InternSeries(tenant, PackedLabels::FromUnsorted(scratch_->labels), 0));
    if (scratch_->keys[s].high != 0) impl_.aliases.Insert(scratch_->keys[s], scratch_->ordinals[s]);
    return Status::Ok();
  }

  // What was accepted once cannot be bad input now: the record is damaged.
  static Status AsCorruption(Status status) {
    if (status.code() != Code::kInvalidArgument) return status;
    return Corruption("journal record: " + status.message());
  }

  Impl& impl_;
  DecodeMemory memory_;
  MetricScratchPool::Lease scratch_;
  MetricBatchBuilder builder_;
};

MetricWritePath::MetricWritePath(Engine* engine, std::reference_wrapper<const PerTenant<IngestLimits>> limits)
    : impl_(std::make_unique<Impl>(engine, &limits.get())) {}
MetricWritePath::~MetricWritePath() = default;

MetricWriteOutcome MetricWritePath::Write(const MetricWriteRequest& request) {
  return Impl::WriteRun(impl_.get(), request).Run();
}

Status MetricWritePath::Replay(std::string_view record, ReplaySink* sink) {
  return Impl::ReplayRun(impl_.get()).Run(record, sink);
}

MetricIngestStats MetricWritePath::Stats() const {
  MetricIngestStats stats = impl_->counters.Read();
  stats.series_aliases = impl_->aliases.size();
  stats.series_alias_bytes = impl_->aliases.MemoryBytes();
  return stats;
}

}  // namespace varve
