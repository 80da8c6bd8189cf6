// Push:   headers → decompress → wire form → masks → labels → entries (checks, level) → rates → streams → record →
//         Append.
// Replay: header of the record → the same without checks and rates, leaving out what the record lists.
//
// Labels are parsed before anything is interned, so that a body with labels that are none leaves no trace.
#include "ingest/write_path.h"

#include <optional>
#include <span>
#include <unordered_map>

#include <lz4.h>

#include "engine/base/mutex.h"
#include "engine/retention_policy.h"
#include "ingest/body_decoding.h"
#include "ingest/decoded_body.h"
#include "ingest/decode_options.h"
#include "ingest/entry_builder.h"
#include "ingest/entry_checks.h"
#include "ingest/ingest_counters.h"
#include "ingest/journal_record.h"
#include "ingest/push_masking.h"
#include "ingest/push_scratch.h"
#include "ingest/rate_limits.h"
#include "ingest/stream_labels.h"
#include "ingest/stream_resolution.h"
#include "ingest/timestamp_spread.h"

namespace varve {
namespace {

// The metadata of entries that are visited in ascending order.
class MetadataCursor {
 public:
  explicit MetadataCursor(const DecodedPush& decoded) : decoded_(decoded) {}

  std::span<const MetadataPair> PairsOf(uint32_t entry) {
    while (next_ < decoded_.metadata.size() && decoded_.metadata[next_].entry < entry) ++next_;
    if (next_ == decoded_.metadata.size() || decoded_.metadata[next_].entry != entry) return {};
    const DecodedPush::EntryMetadata& found = decoded_.metadata[next_];
    return {decoded_.pairs.data() + found.begin, found.count};
  }

 private:
  const DecodedPush& decoded_;
  size_t next_ = 0;
};

struct Received {
  uint64_t line_bytes = 0;
  uint64_t metadata_bytes = 0;
};

Received CountReceived(const DecodedPush& decoded) {
  Received received;
  for (const LogEntryView& entry : decoded.entries) received.line_bytes += entry.line.size();
  received.metadata_bytes = EntryChecks::MetadataBytes(decoded.pairs);
  return received;
}

std::string MegabytesText(double megabytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%gMB", megabytes);
  return text;
}

// Go's time.Time.String in UTC: 2026-11-20 06:02:56.178264964 +0000 UTC.
std::string GoTimeText(int64_t ts_ns) {
  std::string text = FormatRfc3339(ts_ns);
  text[10] = ' ';
  text.pop_back();
  const int64_t fraction = ((ts_ns % kNsPerSecond) + kNsPerSecond) % kNsPerSecond;
  if (fraction != 0) {
    char digits[16];
    std::snprintf(digits, sizeof(digits), ".%09lld", static_cast<long long>(fraction));
    text += digits;
    while (text.back() == '0') text.pop_back();
  }
  return text + " +0000 UTC";
}

}  // namespace

struct WritePath::Impl {
  Impl(Engine* engine_in, const PerTenant<IngestLimits>* limits_in)
      : engine(engine_in), limits(limits_in), metrics(engine, *limits), resolution(engine, &aliases) {}

  // A tenant's limits and what follows from them. Immutable.
  struct Prepared {
    explicit Prepared(std::shared_ptr<const IngestLimits> limits_in)
        : limits(std::move(limits_in)), options(*limits), alias_scope(options.encoded()) {
      alias_scope += LabelLimitsKey(*limits);
    }
    std::shared_ptr<const IngestLimits> limits;
    DecodeOptions options;
    std::string alias_scope;
  };

  std::shared_ptr<const Prepared> PreparedFor(std::string_view tenant);
  std::shared_ptr<const DecodeOptions> OptionsOf(std::string_view encoded, Status* status);

  Engine* const engine;
  std::unique_ptr<const PerTenant<IngestLimits>> own_limits;  // where the caller has no table
  const PerTenant<IngestLimits>* const limits;
  MetricWritePath metrics;
  RateLimits rates;
  StreamAliasTable aliases;
  const StreamResolution resolution;
  PushScratchPool scratches;
  IngestCounters counters;

  Mutex mu;
  // By the limits they come from, which they hold; thrown away when the limits are replaced.
  std::unordered_map<const IngestLimits*, std::shared_ptr<const Prepared>> prepared VARVE_GUARDED_BY(mu);
  uint64_t prepared_generation VARVE_GUARDED_BY(mu) = 0;
  // Options of journal records, by their bytes.
  static constexpr size_t kRecordOptionsMax = 64;
  std::unordered_map<std::string, std::shared_ptr<const DecodeOptions>> record_options VARVE_GUARDED_BY(mu);

  class PushRun;
  class ReplayRun;
};

std::shared_ptr<const WritePath::Impl::Prepared> WritePath::Impl::PreparedFor(std::string_view tenant) {
  const uint64_t generation = limits->generation();
  std::shared_ptr<const IngestLimits> own = limits->Of(tenant);
  const MutexLock lock(mu);
  if (prepared_generation != generation) prepared.clear();
  prepared_generation = generation;
  std::shared_ptr<const Prepared>& entry = prepared[own.get()];
  if (entry == nullptr) entry = std::make_shared<const Prepared>(std::move(own));
  return entry;
}

std::shared_ptr<const DecodeOptions> WritePath::Impl::OptionsOf(std::string_view encoded, Status* status) {
  MutexLock lock(mu);
  const std::string key(encoded);
  if (const auto known = record_options.find(key); known != record_options.end()) return known->second;
  ByteReader reader(encoded);
  Result<DecodeOptions> parsed = DecodeOptions::FromEncoded(&reader);
  if (!parsed.ok() || !reader.AtEnd()) {
    *status = Corruption("journal record: unreadable options");
    return nullptr;
  }
  if (record_options.size() == kRecordOptionsMax) record_options.clear();
  return record_options[key] = std::make_shared<const DecodeOptions>(std::move(*parsed));
}

// One push. Each step returns a status that fails the whole request; what is wrong with single streams or
// entries goes to `rejections_`.
class WritePath::Impl::PushRun {
 public:
  PushRun(Impl* impl, const PushRequest& request)
      : impl_(*impl),
        request_(request),
        prepared_(impl->PreparedFor(request.tenant)),
        limits_(*prepared_->limits),
        retention_(RetentionPolicyOf(impl->engine->options())),
        now_ns_(impl->engine->options().clock->NowNs()),
        checks_(&limits_, now_ns_),
        memory_(impl->engine->ingest_budget(), DecodeMemory::Mode::kMayRefuse),
        scratch_(impl->scratches.Take()) {
    scratch_->arena.Reset(&memory_);
  }

  PushOutcome Run() {
    impl_.counters.AddRequest(request_.body.size());
    PushOutcome outcome;
    outcome.status = Steps();
    impl_.counters.AddDiscarded(rejections_);
    if (outcome.status.ok() && Blocked()) return BlockedOutcome();
    if (outcome.status.ok()) {
      outcome.entries_stored = scratch_->batch.entries.size();
      outcome.line_bytes_stored = stored_line_bytes_;
      if (!rejections_.empty()) outcome.status = rejections_.ToStatus();
    }
    return outcome;
  }

 private:
  Status Steps() {
    VARVE_RETURN_IF_ERROR(Decode());
    if (Blocked()) return Status::Ok();
    if (limits_.mask != nullptr) VARVE_RETURN_IF_ERROR(MaskEntries());
    VARVE_RETURN_IF_ERROR(ResolveStreams());
    VARVE_RETURN_IF_ERROR(BuildBatch());
    if (scratch_->batch.entries.empty()) return Status::Ok();
    VARVE_RETURN_IF_ERROR(InternStreams());
    VARVE_RETURN_IF_ERROR(WriteRecord());
    return impl_.engine->Append(scratch_->batch, scratch_->record);
  }

  // limits.block_ingestion_until.
  bool Blocked() const { return now_ns_ < limits_.block_ingestion_until_ns; }

  PushOutcome BlockedOutcome() {
    const Received received = CountReceived(scratch_->decoded);
    impl_.counters.AddDiscarded(DiscardReason::kBlockedIngestion, scratch_->decoded.entries.size(),
                                received.line_bytes + received.metadata_bytes);
    PushOutcome outcome;
    const uint32_t code = limits_.block_ingestion_status_code;
    if (code == 200) return outcome;  // the sender is not to notice
    outcome.blocked_status = code;
    outcome.status = InvalidArgument("ingestion blocked for user '" + std::string(request_.tenant) +
                                     "' until '" + FormatRfc3339(limits_.block_ingestion_until_ns) +
                                     "' with status code '" + std::to_string(code) + "'");
    return outcome;
  }

  Status Decode() {
    const auto wire_max = limits_.max_recv_msg_size;
    if (request_.body.size() > static_cast<uint64_t>(wire_max)) {
      impl_.counters.AddDiscarded(DiscardReason::kRequestBodyTooLarge, 0, request_.body.size());
      return TooLarge("request body too large: message size too large than max (" +
                      std::to_string(request_.body.size()) + " vs " + std::to_string(wire_max) + ")");
    }
    VARVE_ASSIGN_OR_RETURN(const BodyFormat format,
                           request_.otlp ? ParseOtlpHeaders(request_.content_type, request_.content_encoding)
                                         : ParsePushHeaders(request_.content_type, request_.content_encoding,
                                                            request_.legacy_json));
    // An empty message is a message for OTLP: one without records.
    if (request_.body.empty() && format.form != WireForm::kOtlpProtobuf) return InvalidArgument("EOF");
    const BodyContext context{prepared_->options, now_ns_, limits_.max_decompressed_size};
    Result<BodyDecoding> body = DecodeBody(format, request_.body, context, &*scratch_, &memory_);
    if (!body.ok()) {
      if (body.status().code() == Code::kTooLarge) {
        impl_.counters.AddDiscarded(DiscardReason::kRequestBodyTooLarge, 0, request_.body.size());
      }
      return std::move(body).status();
    }
    body_ = *body;
    const DecodedPush& decoded = scratch_->decoded;
    const Received received = CountReceived(decoded);
    impl_.counters.AddDecoded(body_.decoded_size_max, decoded.entries.size(), received.line_bytes,
                              received.metadata_bytes);
    if (decoded.streams.empty())
      return OutOfRange("error at least one valid stream is required for ingestion");
    return Status::Ok();
  }

  // From here on nothing looks at the body as it came: what is journalled is written anew.
  Status MaskEntries() {
    MaskCounts counts;
    Status status =
        MaskPush(*limits_.mask, limits_.max_decompressed_size, &scratch_->decoded, &scratch_->arena, &counts);
    if (status.code() == Code::kTooLarge) {
      impl_.counters.AddDiscarded(DiscardReason::kRequestBodyTooLarge, 0, request_.body.size());
    }
    VARVE_RETURN_IF_ERROR(std::move(status));
    impl_.counters.AddMasked(counts);
    return EncodeDecodedBody(scratch_->decoded, &scratch_->masked, &memory_);
  }

  // Labels that cannot be parsed fail the request; labels beyond a limit refuse the stream's entries.
  Status ResolveStreams() {
    const DecodedPush& decoded = scratch_->decoded;
    VARVE_RETURN_IF_ERROR(memory_.Add(static_cast<int64_t>(decoded.streams.size() * kStreamBytes)));
    scratch_->streams.resize(decoded.streams.size());
    for (size_t i = 0; i < decoded.streams.size(); ++i) {
      const DecodedPush::Stream& raw = decoded.streams[i];
      PushScratch::Stream& stream = scratch_->streams[i];
      VARVE_RETURN_IF_ERROR(impl_.resolution.Resolve(request_.tenant, prepared_->options,
                                                     prepared_->alias_scope, raw, &scratch_->arena, &stream));
      if (stream.new_labels == nullptr) continue;
      VARVE_RETURN_IF_ERROR(memory_.Add(static_cast<int64_t>(raw.labels.size() * 2)));
      if (std::optional<LabelRejection> refusal =
              CheckStreamLabels(request_.tenant, *stream.new_labels, limits_)) {
        RefuseStream(i, refusal->reason, std::move(refusal->text));
      }
    }
    return Status::Ok();
  }

  // Moves the entries that are taken to the front and describes them in the batch.
  Status BuildBatch() {
    DecodedPush& decoded = scratch_->decoded;
    RejectList& rejects = scratch_->rejects;
    EntryBuilder builder(&prepared_->options, &scratch_->arena);
    const std::optional<int64_t> tenant_period_ns = retention_->TenantPeriodNs(request_.tenant);
    if (tenant_period_ns.has_value()) checks_.SetRetention(*tenant_period_ns);
    const uint64_t truncate_bytes = prepared_->options.truncate_line_bytes();
    uint64_t truncated = 0;
    uint64_t truncated_bytes = 0;
    MetadataCursor metadata(decoded);
    uint32_t out = 0;
    for (size_t s = 0; s < decoded.streams.size(); ++s) {
      const DecodedPush::Stream& raw = decoded.streams[s];
      PushScratch::Stream& stream = scratch_->streams[s];
      if (stream.refused) {
        rejects.Add(raw.begin, raw.count);
        continue;
      }
      if (!tenant_period_ns.has_value()) {
        checks_.SetRetention(retention_->PeriodNs(request_.tenant, impl_.resolution.LabelsOf(stream)));
      }
      TimestampSpread spread(prepared_->options.spread_timestamps());
      const uint32_t out_begin = out;
      uint64_t bytes = 0;
      for (uint32_t i = raw.begin; i < raw.begin + raw.count; ++i) {
        LogEntryView entry = decoded.entries[i];
        const std::span<const MetadataPair> pairs = metadata.PairsOf(i);
        if (!checks_.Accepts(entry, pairs)) [[unlikely]] {
          EntryChecks::Refusal refusal = checks_.Explain(entry, pairs, LabelText(s));
          RefuseEntry(i, entry, pairs, refusal.reason, std::move(refusal.text));
          continue;
        }
        Status status = builder.Finish(pairs, *stream.facts, &entry);
        if (!status.ok()) [[unlikely]] {
          if (status.code() != Code::kInvalidArgument) return status;
          RefuseEntry(i, entry, pairs, DiscardReason::kInvalidLabels,
                      "stream '" + LabelText(s) +
                          "' has structured metadata with an invalid name: " + status.message());
          continue;
        }
        if (truncate_bytes != 0 && decoded.entries[i].line.size() > truncate_bytes) [[unlikely]] {
          ++truncated;
          truncated_bytes += decoded.entries[i].line.size() - truncate_bytes;
        }
        spread.Apply(&entry);
        bytes += entry.line.size() + (pairs.empty() ? 0 : EntryChecks::MetadataBytes(pairs));
        decoded.entries[out++] = entry;
      }
      bool keep = false;
      if (out != out_begin) VARVE_RETURN_IF_ERROR(AdmitStream(s, out_begin, out, bytes, &keep));
      if (keep) {
        scratch_->batch.streams.push_back({static_cast<StreamOrdinal>(s), out_begin, out - out_begin});
        admitted_bytes_ += bytes;
      } else {
        out = out_begin;
      }
    }
    decoded.entries.resize(out);
    scratch_->batch.entries.swap(decoded.entries);
    impl_.counters.AddTruncated(truncated, truncated_bytes);
    return AdmitTenantBytes();
  }

  // The limits on new streams and on each stream's bytes.
  Status AdmitStream(size_t s, uint32_t out_begin, uint32_t out_end, uint64_t bytes, bool* keep) {
    PushScratch::Stream& stream = scratch_->streams[s];
    const DecodedPush::Stream& raw = scratch_->decoded.streams[s];
    *keep = true;
    if (stream.new_labels != nullptr &&
        !impl_.rates.AllowStream(request_.tenant, limits_, *stream.new_labels)) {
      *keep = false;
      ReplaceByStreamRefusal(s, raw, out_end - out_begin, bytes, DiscardReason::kStreamLimit,
                             "maximum active stream limit exceeded when trying to create stream " +
                                 LabelText(s) +
                                 ", reduce the number of active streams (reduce labels or reduce label "
                                 "values), or contact your Loki "
                                 "administrator to see if the limit can be increased, user: '" +
                                 std::string(request_.tenant) + "'");
      return Status::Ok();
    }
    if (limits_.per_stream_rate_limit_mb <= 0) return Status::Ok();
    VARVE_ASSIGN_OR_RETURN(const TenantId tenant, impl_.engine->InternTenant(request_.tenant));
    VARVE_RETURN_IF_ERROR(impl_.resolution.Intern(tenant, &stream));
    if (impl_.rates.AllowStreamBytes(stream.facts->ordinal, limits_, bytes, now_ns_)) return Status::Ok();
    *keep = false;
    ReplaceByStreamRefusal(s, raw, out_end - out_begin, bytes, DiscardReason::kPerStreamRateLimit,
                           StreamRateText(s, out_begin, out_end, bytes));
    return Status::Ok();
  }

  std::string StreamRateText(size_t s, uint32_t out_begin, uint32_t out_end, uint64_t bytes) {
    constexpr uint32_t kEntriesListed = 10;
    const std::string labels = LabelText(s);
    std::string text;
    for (uint32_t i = out_begin; i < out_end && i - out_begin < kEntriesListed; ++i) {
      text += "entry with timestamp " + GoTimeText(scratch_->decoded.entries[i].ts_ns) +
              " ignored, reason: 'Per stream rate limit exceeded (limit: " +
              MegabytesText(limits_.per_stream_rate_limit_mb) +
              "/sec) while attempting to ingest for stream '" + labels + "' totaling " +
              std::to_string(bytes) +
              "B, consider splitting a stream via additional labels or contact your Loki administrator to "
              "see if the "
              "limit can be increased',\n";
    }
    const std::string total = std::to_string(out_end - out_begin);
    return text + "user '" + std::string(request_.tenant) + "', total ignored: " + total + " out of " +
           total + " for stream: " + labels;
  }

  // The limit on the tenant's bytes: all of the request or nothing.
  Status AdmitTenantBytes() {
    const size_t lines = scratch_->batch.entries.size();
    if (lines == 0 || impl_.rates.AllowTenantBytes(request_.tenant, limits_, admitted_bytes_, now_ns_))
      return Status::Ok();
    rejections_.Add(
        DiscardReason::kRateLimited,
        "ingestion rate limit exceeded for user " + std::string(request_.tenant) + " (limit: " +
            std::to_string(static_cast<uint64_t>(limits_.ingestion_rate_mb * RateLimits::kMegabyte)) +
            " bytes/sec) while attempting to ingest '" + std::to_string(lines) + "' lines totaling '" +
            std::to_string(admitted_bytes_) +
            "' bytes, reduce log volume or contact your Loki administrator to see if the limit can be "
            "increased",
        lines, admitted_bytes_);
    scratch_->batch.Clear();
    return Status::Ok();
  }

  Status InternStreams() {
    VARVE_ASSIGN_OR_RETURN(const TenantId tenant, impl_.engine->InternTenant(request_.tenant));
    for (AppendBatch::StreamEntries& entries : scratch_->batch.streams) {
      PushScratch::Stream& stream = scratch_->streams[entries.stream];
      VARVE_RETURN_IF_ERROR(impl_.resolution.Intern(tenant, &stream));
      entries.stream = stream.facts->ordinal;
    }
    for (const LogEntryView& entry : scratch_->batch.entries) stored_line_bytes_ += entry.line.size();
    return Status::Ok();
  }

  Status WriteRecord() {
    JournalRecordHeader header;
    header.form = body_.format.form;
    header.outer = body_.format.outer;
    header.inner = body_.format.inner;
    header.tenant = request_.tenant;
    header.received_ns = now_ns_;
    header.decoded_size_max = body_.decoded_size_max;
    header.options = prepared_->options.encoded();
    std::string_view body = request_.body;
    if (limits_.mask != nullptr) {
      header.form = WireForm::kDecodedLogs;
      header.outer = header.inner = ContentEncoding::kIdentity;
      body = scratch_->masked.view();
      header.decoded_size_max = body.size();
    }
    const bool plain =
        header.outer == ContentEncoding::kIdentity && header.inner == ContentEncoding::kIdentity;
    if (plain && body.size() <= LZ4_MAX_INPUT_SIZE) {
      VARVE_RETURN_IF_ERROR(memory_.Add(static_cast<int64_t>(body.size())));
      AppendLz4Block(body, &scratch_->packed);
      header.outer = ContentEncoding::kLz4Block;
      body = scratch_->packed.view();
    }
    VARVE_RETURN_IF_ERROR(memory_.Add(static_cast<int64_t>(body.size())));
    WriteJournalRecord(header, scratch_->rejects, body, &scratch_->record);
    return Status::Ok();
  }

  std::string LabelText(size_t s) const { return impl_.resolution.LabelsOf(scratch_->streams[s]).ToString(); }

  void RefuseEntry(uint32_t number, const LogEntryView& entry, std::span<const MetadataPair> pairs,
                   DiscardReason reason, std::string text) {
    scratch_->rejects.Add(number);
    rejections_.Add(reason, std::move(text), 1, entry.line.size() + EntryChecks::MetadataBytes(pairs));
  }

  // All entries of a stream, for its labels.
  void RefuseStream(size_t s, DiscardReason reason, std::string text) {
    const DecodedPush& decoded = scratch_->decoded;
    const DecodedPush::Stream& raw = decoded.streams[s];
    scratch_->streams[s].refused = true;
    if (raw.count == 0) return;
    uint64_t bytes = 0;
    for (uint32_t i = raw.begin; i < raw.begin + raw.count; ++i) bytes += decoded.entries[i].line.size();
    rejections_.Add(reason, std::move(text), raw.count, bytes);
  }

  // The entries of a stream that had passed until now.
  void ReplaceByStreamRefusal(size_t /*s*/, const DecodedPush::Stream& raw, uint64_t entries, uint64_t bytes,
                              DiscardReason reason, std::string text) {
    scratch_->rejects.DropFrom(raw.begin);
    scratch_->rejects.Add(raw.begin, raw.count);
    rejections_.Add(reason, std::move(text), entries, bytes);
  }

  // What a stream of a request costs beside its entries: PushScratch::Stream, facts, small label sets.
  static constexpr size_t kStreamBytes = 512;

  Impl& impl_;
  const PushRequest& request_;
  const std::shared_ptr<const Prepared> prepared_;
  const IngestLimits& limits_;  // of prepared_
  const std::shared_ptr<const RetentionPolicy> retention_;
  const int64_t now_ns_;
  EntryChecks checks_;
  DecodeMemory memory_;
  PushScratchPool::Lease scratch_;
  BodyDecoding body_;
  Rejections rejections_;
  uint64_t admitted_bytes_ = 0;
  uint64_t stored_line_bytes_ = 0;
};

// One journal record.
class WritePath::Impl::ReplayRun {
 public:
  explicit ReplayRun(Impl* impl)
      : impl_(*impl),
        memory_(impl->engine->ingest_budget(), DecodeMemory::Mode::kForced),
        scratch_(impl->scratches.Take()) {
    scratch_->arena.Reset(&memory_);
  }

  Status Run(std::string_view bytes, const std::function<void(const AppendBatch&)>& append) {
    VARVE_ASSIGN_OR_RETURN(JournalRecord record, ParseJournalRecord(bytes));
    Status options_status;
    const std::shared_ptr<const DecodeOptions> record_options =
        impl_.OptionsOf(record.header.options, &options_status);
    if (record_options == nullptr) return options_status;
    const BodyFormat format{record.header.form, record.header.outer, record.header.inner, false};
    // The size bound is what decoding took the first time, so a damaged body cannot claim more.
    const BodyContext context{*record_options, record.header.received_ns,
                              static_cast<int64_t>(record.header.decoded_size_max)};
    Result<BodyDecoding> body = DecodeBody(format, record.body, context, &*scratch_, &memory_);
    if (!body.ok()) return Corruption("journal record: " + body.status().message());
    VARVE_ASSIGN_OR_RETURN(const TenantId tenant, impl_.engine->InternTenant(record.header.tenant));
    VARVE_RETURN_IF_ERROR(BuildBatch(record, *record_options, tenant));
    append(scratch_->batch);
    return Status::Ok();
  }

 private:
  Status BuildBatch(const JournalRecord& record, const DecodeOptions& record_options, TenantId tenant) {
    DecodedPush& decoded = scratch_->decoded;
    EntryBuilder builder(&record_options, &scratch_->arena);
    MetadataCursor metadata(decoded);
    scratch_->streams.resize(decoded.streams.size());
    uint32_t out = 0;
    for (size_t s = 0; s < decoded.streams.size(); ++s) {
      const DecodedPush::Stream& raw = decoded.streams[s];
      if (record.rejects.ContainsAll(raw.begin, raw.count)) continue;
      PushScratch::Stream& stream = scratch_->streams[s];
      VARVE_RETURN_IF_ERROR(AsCorruption(impl_.resolution.Resolve(
          record.header.tenant, record_options, record_options.encoded(), raw, &scratch_->arena, &stream)));
      VARVE_RETURN_IF_ERROR(impl_.resolution.Intern(tenant, &stream));
      TimestampSpread spread(record_options.spread_timestamps());
      const uint32_t out_begin = out;
      for (uint32_t i = raw.begin; i < raw.begin + raw.count; ++i) {
        if (record.rejects.Contains(i)) continue;
        LogEntryView entry = decoded.entries[i];
        VARVE_RETURN_IF_ERROR(AsCorruption(builder.Finish(metadata.PairsOf(i), *stream.facts, &entry)));
        spread.Apply(&entry);
        decoded.entries[out++] = entry;
      }
      scratch_->batch.streams.push_back({stream.facts->ordinal, out_begin, out - out_begin});
    }
    decoded.entries.resize(out);
    scratch_->batch.entries.swap(decoded.entries);
    return Status::Ok();
  }

  // What was accepted once cannot be bad input now: the record is damaged.
  static Status AsCorruption(Status status) {
    if (status.code() != Code::kInvalidArgument && status.code() != Code::kTooLarge) return status;
    return Corruption("journal record: " + status.message());
  }

  Impl& impl_;
  DecodeMemory memory_;
  PushScratchPool::Lease scratch_;
};

WritePath::WritePath(Engine* engine, IngestLimits limits) {
  auto own = std::make_unique<const PerTenant<IngestLimits>>(std::move(limits));
  impl_ = std::make_unique<Impl>(engine, own.get());
  impl_->own_limits = std::move(own);
}
WritePath::WritePath(Engine* engine, std::reference_wrapper<const PerTenant<IngestLimits>> limits)
    : impl_(std::make_unique<Impl>(engine, &limits.get())) {}
WritePath::~WritePath() = default;

PushOutcome WritePath::Push(const PushRequest& request) { return Impl::PushRun(impl_.get(), request).Run(); }

ReplayFn WritePath::MakeReplay() {
  return [impl = impl_.get()](std::string_view record, ReplaySink* sink) {
    const std::optional<WireForm> form = PeekWireForm(record);
    if (form.has_value() && IsMetricForm(*form)) return impl->metrics.Replay(record, sink);
    return Impl::ReplayRun(impl).Run(record, [sink](const AppendBatch& batch) { sink->OnLogs(batch); });
  };
}

MetricWritePath* WritePath::metrics() const { return &impl_->metrics; }

IngestStats WritePath::Stats() const { return impl_->counters.Read(); }

const PerTenant<IngestLimits>& WritePath::limits() const { return *impl_->limits; }

}  // namespace varve
