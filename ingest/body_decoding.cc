#include "ingest/body_decoding.h"

#include <algorithm>

#include <snappy.h>

#include "ingest/decoded_body.h"
#include "ingest/loki_json.h"
#include "ingest/loki_protobuf.h"
#include "ingest/otlp_batch.h"
#include "ingest/otlp_json.h"
#include "ingest/otlp_protobuf.h"

namespace varve {
namespace {

Status DecodeWireForm(WireForm form, std::string_view body, const BodyContext& context, PushScratch* scratch,
                      DecodeMemory* memory) {
  switch (form) {
    case WireForm::kLokiProtobuf: return DecodeLokiProtobuf(body, &scratch->decoded, memory);
    case WireForm::kLokiJson:
    case WireForm::kLokiJsonLegacy:
      return DecodeLokiJson(body, form == WireForm::kLokiJsonLegacy, &scratch->decoded, &scratch->arena,
                            memory);
    case WireForm::kDecodedLogs: return DecodeDecodedBody(body, &scratch->decoded, memory);
    case WireForm::kOtlpProtobuf:
    case WireForm::kOtlpJson: break;
    default: return InternalError("a record of metrics is not one of logs");
  }
  OtlpBatch batch(context.options, context.received_ns, &scratch->decoded, &scratch->arena, memory);
  if (form == WireForm::kOtlpProtobuf) return DecodeOtlpProtobuf(body, &batch, memory);
  return DecodeOtlpJson(body, &batch, &scratch->arena, memory);
}

}  // namespace

Result<BodyDecoding> DecodeBody(const BodyFormat& format, std::string_view body, const BodyContext& context,
                                PushScratch* scratch, DecodeMemory* memory) {
  BodyDecoding result{format, body.size()};
  if (format.outer != ContentEncoding::kIdentity) {
    VARVE_RETURN_IF_ERROR(DecodeContent(format.outer, body, context.max_size, &scratch->outer, memory));
    body = scratch->outer.view();
    result.decoded_size_max = std::max(result.decoded_size_max, uint64_t{body.size()});
  }
  if (format.inner_is_optional && !snappy::IsValidCompressedBuffer(body.data(), body.size())) {
    result.format.inner = ContentEncoding::kIdentity;
  }
  if (result.format.inner != ContentEncoding::kIdentity) {
    VARVE_RETURN_IF_ERROR(DecodeContent(result.format.inner, body, context.max_size, &scratch->inner, memory));
    body = scratch->inner.view();
    result.decoded_size_max = std::max(result.decoded_size_max, uint64_t{body.size()});
  }
  VARVE_RETURN_IF_ERROR(DecodeWireForm(format.form, body, context, scratch, memory));
  return result;
}

}  // namespace varve
