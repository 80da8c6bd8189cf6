#include "ingest/push_headers.h"

#include <algorithm>
#include <string>

#include "engine/model/labels.h"

namespace varve {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t'; }

std::string TrimmedLower(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return lower;
}

// A character of a MIME token.
bool IsTokenCharacter(char c) {
  return c > ' ' && c < 0x7F && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

size_t TokenLength(std::string_view text) {
  size_t i = 0;
  while (i < text.size() && IsTokenCharacter(text[i])) ++i;
  return i;
}

// The media type without its parameters, in the words of Go's mime package where it is none.
Result<std::string> ParseMediaType(std::string_view header) {
  const std::string type = TrimmedLower(header.substr(0, header.find(';')));
  const size_t main = TokenLength(type);
  if (main == 0) return InvalidArgument("mime: no media type");
  if (main == type.size()) return type;
  if (type[main] != '/') return InvalidArgument("mime: expected slash after first token");
  const std::string_view rest = std::string_view(type).substr(main + 1);
  const size_t sub = TokenLength(rest);
  if (sub == 0) return InvalidArgument("mime: expected token after slash");
  if (sub != rest.size()) return InvalidArgument("mime: unexpected content after media subtype");
  return type;
}

}  // namespace

Result<BodyFormat> ParsePushHeaders(std::string_view content_type, std::string_view content_encoding,
                                    bool legacy_json) {
  VARVE_ASSIGN_OR_RETURN(const std::string type, ParseMediaType(content_type));
  const bool json = type == "application/json";
  BodyFormat format;
  format.form = !json         ? WireForm::kLokiProtobuf
                : legacy_json ? WireForm::kLokiJsonLegacy
                              : WireForm::kLokiJson;
  format.inner = json ? ContentEncoding::kIdentity : ContentEncoding::kSnappy;
  const std::string encoding = TrimmedLower(content_encoding);
  if (encoding.empty() || encoding == "identity" || encoding == "snappy") {
    // Loki ignores snappy on JSON, and protobuf is snappy in any case.
  } else if (encoding == "gzip") {
    format.outer = ContentEncoding::kGzip;
  } else if (encoding == "deflate") {
    format.outer = ContentEncoding::kDeflate;
  } else if (encoding == "zstd" || encoding == "lz4") {
    format.outer = encoding == "zstd" ? ContentEncoding::kZstd : ContentEncoding::kLz4Frame;
    format.inner_is_optional = !json;
  } else {
    return InvalidArgument("Content-Encoding " + GoQuoted(content_encoding) + " not supported");
  }
  return format;
}

// The type is compared as it came, parameters included: that is how Loki has it.
Result<BodyFormat> ParseOtlpHeaders(std::string_view content_type, std::string_view content_encoding) {
  BodyFormat format;
  if (content_type == "application/json") {
    format.form = WireForm::kOtlpJson;
  } else if (content_type == "application/x-protobuf") {
    format.form = WireForm::kOtlpProtobuf;
  } else {
    return InvalidArgument("content type: " + std::string(content_type) + " is not supported");
  }
  const std::string encoding = TrimmedLower(content_encoding);
  if (encoding.empty() || encoding == "identity") return format;
  if (encoding == "gzip") {
    format.outer = ContentEncoding::kGzip;
  } else if (encoding == "zstd") {
    format.outer = ContentEncoding::kZstd;
  } else if (encoding == "lz4") {
    format.outer = ContentEncoding::kLz4Frame;
  } else {
    return InvalidArgument("unsupported content encoding " + std::string(content_encoding) +
                           ": only gzip, lz4 and zstd are supported");
  }
  return format;
}

}  // namespace varve
