#include "http/remote_read_api.h"

#include <memory>
#include <utility>

#include "http/body_source.h"

namespace varve {
namespace {

constexpr size_t kPieceBytes = 256 << 10;

// What goes wrong with a read, in plain text.
HttpResponse ReadFailure(const Status& status) {
  switch (status.code()) {
    case Code::kInvalidArgument:
    case Code::kTooLarge: return ErrorText(400, status.message() + "\n");
    case Code::kCancelled: return ErrorText(499, status.message() + "\n");
    case Code::kResourceExhausted:
    case Code::kUnavailable: return ErrorText(503, status.message() + "\n");
    default: return ErrorText(500, status.message() + "\n");
  }
}

// The queries' series, one after the other, as frames.
class ChunkStream final : public BodySource {
 public:
  ChunkStream(const PromCall& call, RemoteReadRequest request, std::unique_ptr<GatePlace> place)
      : metrics_(call.metrics()),
        tenant_(call.tenant),
        cancel_(call.request.cancel),
        counters_(call.context.counters),
        frame_bytes_(static_cast<size_t>(call.context.options.read_frame_bytes)),
        request_(std::move(request)),
        place_(std::move(place)),
        budget_("remote read", QueryMemoryOf(call.context, call.tenant_name), call.context.engine->query_budget()) {
  }

  BodyPiece Next() override {
    BodyPiece piece;
    while (piece.bytes.size() < kPieceBytes && query_ < request_.queries.size()) {
      if (!AddSeries(&piece.bytes).ok()) {
        piece.broken = true;
        return piece;
      }
    }
    piece.last = query_ == request_.queries.size();
    return piece;
  }

  // So that the first query's errors are still answered as such.
  Status OpenFirst() { return request_.queries.empty() ? Status::Ok() : Open(); }

 private:
  Status Open() {
    const RemoteReadQuery& query = request_.queries[query_];
    VARVE_ASSIGN_OR_RETURN(snapshot_, metrics_.Snapshot(tenant_, query.matchers, query.range));
    series_ = 0;
    return Status::Ok();
  }

  Status AddSeries(std::string* out) {
    VARVE_RETURN_IF_ERROR(cancel_->Check());
    if (snapshot_ == nullptr) VARVE_RETURN_IF_ERROR(Open());
    if (series_ == snapshot_->size()) {
      snapshot_.reset();
      ++query_;
      return Status::Ok();
    }
    VARVE_RETURN_IF_ERROR(snapshot_->Read(series_, request_.queries[query_].range, &budget_, &samples_));
    const PackedLabels& labels = snapshot_->labels(series_);
    ++series_;
    if (samples_.empty()) return Status::Ok();
    PromqlCounters::Add(&counters_->remote_read_samples, samples_.size());
    const std::vector<ReadChunk> chunks = EncodeChunks(samples_);
    size_t begin = 0;
    size_t bytes = labels.canonical().size();
    for (size_t i = 0; i < chunks.size(); ++i) {
      bytes += chunks[i].data.size();
      if (bytes < frame_bytes_ && i + 1 < chunks.size()) continue;
      AppendChunkFrame(labels, chunks, begin, i + 1, query_, out);
      begin = i + 1;
      bytes = labels.canonical().size();
    }
    return Status::Ok();
  }

  const MetricStore& metrics_;
  const TenantId tenant_;
  const CancelToken* const cancel_;
  PromqlCounters* const counters_;
  const size_t frame_bytes_;
  const RemoteReadRequest request_;
  const std::unique_ptr<GatePlace> place_;
  MemoryBudget budget_;
  size_t query_ = 0;
  std::unique_ptr<const MetricSnapshot> snapshot_;  // of queries[query_]; null: not opened yet
  size_t series_ = 0;
  SeriesSamples samples_;
};

}  // namespace

void RemoteReadApi::AddRoutes(Router* router) {
  AddPrometheusRoute(context_, router, {"POST"}, "/read", Worker::kQuery,
                     [this](const PromCall& call) -> Result<HttpResponse> { return Read(call); });
}

HttpResponse RemoteReadApi::Read(const PromCall& call) {
  PromqlCounters::Add(&context_.counters->remote_reads, 1);
  Result<RemoteReadRequest> request = DecodeRemoteRead(call.request.body);
  if (!request.ok()) return ReadFailure(request.status());
  const bool chunks = request->type == ReadResponseType::kStreamedXorChunks;
  Result<HttpResponse> response =
      chunks ? ReadChunks(call, *std::move(request)) : ReadSamples(call, request.value());
  return response.ok() ? *std::move(response) : ReadFailure(response.status());
}

Result<HttpResponse> RemoteReadApi::ReadSamples(const PromCall& call, const RemoteReadRequest& request) {
  GatePlace place(&gate_);
  VARVE_RETURN_IF_ERROR(place.Enter(call.request.cancel, context_.options.promql.timeout_ms));
  MemoryBudget budget("remote read", QueryMemoryOf(context_, call.tenant_name), context_.engine->query_budget());
  auto memory = std::make_shared<MemoryReservation>(context_.engine->query_budget());
  std::string plain;
  SeriesSamples samples;
  for (const RemoteReadQuery& query : request.queries) {
    uint64_t count = 0;
    std::string result;
    VARVE_ASSIGN_OR_RETURN(const auto snapshot,
                           call.metrics().Snapshot(call.tenant, query.matchers, query.range));
    for (size_t i = 0; i < snapshot->size(); ++i) {
      VARVE_RETURN_IF_ERROR(call.request.cancel->Check());
      VARVE_RETURN_IF_ERROR(snapshot->Read(i, query.range, &budget, &samples));
      if (samples.empty()) continue;
      count += samples.size();
      if (context_.options.read_samples_max != 0 && count > context_.options.read_samples_max) {
        return InvalidArgument("exceeded sample limit (" + std::to_string(context_.options.read_samples_max) + ")");
      }
      const size_t before = result.size();
      AppendTimeSeries(snapshot->labels(i), samples, &result);
      // The result, the message it goes into, and what it is compressed to.
      VARVE_RETURN_IF_ERROR(memory->Add(3 * static_cast<int64_t>(result.size() - before)));
    }
    PromqlCounters::Add(&context_.counters->remote_read_samples, count);
    AppendQueryResult(result, &plain);
  }
  HttpResponse response;
  response.content_type = "application/x-protobuf";
  response.headers.emplace_back("Content-Encoding", "snappy");
  response.body = CompressSnappy(plain);
  response.memory = std::move(memory);
  return response;
}

Result<HttpResponse> RemoteReadApi::ReadChunks(const PromCall& call, RemoteReadRequest request) {
  auto place = std::make_unique<GatePlace>(&gate_);
  VARVE_RETURN_IF_ERROR(place->Enter(call.request.cancel, context_.options.promql.timeout_ms));
  auto stream = std::make_shared<ChunkStream>(call, std::move(request), std::move(place));
  VARVE_RETURN_IF_ERROR(stream->OpenFirst());
  HttpResponse response;
  response.content_type = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
  response.body_source = std::move(stream);
  return response;
}

}  // namespace varve
