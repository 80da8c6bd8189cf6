// What Content-Type and Content-Encoding of a push mean.
//
// Threads: thread-safe.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "ingest/content_decoding.h"
#include "ingest/journal_record.h"

namespace varve {

struct BodyFormat {
  WireForm form = WireForm::kLokiProtobuf;
  ContentEncoding outer = ContentEncoding::kIdentity;
  ContentEncoding inner = ContentEncoding::kIdentity;
  // The inner snappy block may be missing: zstd and lz4 are not Loki's, and their senders do both.
  bool inner_is_optional = false;
};

// kInvalidArgument: "mime: no media type", `Content-Encoding "br" not supported`.
Result<BodyFormat> ParsePushHeaders(std::string_view content_type, std::string_view content_encoding,
                                    bool legacy_json);

// Of an OTLP push. kInvalidArgument: "content type: text/plain is not supported", "unsupported content
// encoding br: only gzip, lz4 and zstd are supported".
Result<BodyFormat> ParseOtlpHeaders(std::string_view content_type, std::string_view content_encoding);

}  // namespace varve
