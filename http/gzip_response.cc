#include "http/gzip_response.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

namespace varve {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view lower_case) {
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(),
                    [](char x, char y) { return std::tolower(static_cast<unsigned char>(x)) == y; });
}

// "q=0", "q=0.000": not wanted.
bool IsZeroWeight(std::string_view parameters) {
  const size_t q = parameters.find("q=");
  if (q == std::string_view::npos) return false;
  const std::string_view weight = Trim(parameters.substr(q + 2));
  return !weight.empty() && weight.find_first_not_of("0.") == std::string_view::npos;
}

// Whether the header names `coding` with a weight above zero.
bool Accepts(std::string_view accept_encoding, std::string_view coding) {
  while (!accept_encoding.empty()) {
    const size_t end = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view item = accept_encoding.substr(0, end);
    accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
    const size_t semicolon = std::min(item.find(';'), item.size());
    if (EqualsIgnoringCase(Trim(item.substr(0, semicolon)), coding)) return !IsZeroWeight(item.substr(semicolon));
  }
  return false;
}

bool HasEncoding(const HttpResponse& response) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [](const auto& header) { return header.first == "Content-Encoding"; });
}

constexpr int kZlibWindow = 15;
constexpr int kGzipWindow = 15 + 16;
constexpr int kLevel = 2;  // results are large and read once: speed counts

// False when zlib fails; the body then goes out as it is.
bool Deflate(const std::string& plain, int window, std::string* out) {
  if (plain.size() > std::numeric_limits<uInt>::max()) return false;
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
  out->resize(deflateBound(&stream, plain.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));  // zlib's API predates const
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out->data());
  stream.avail_out = static_cast<uInt>(std::min<size_t>(out->size(), std::numeric_limits<uInt>::max()));
  const int result = deflate(&stream, Z_FINISH);
  out->resize(stream.total_out);
  deflateEnd(&stream);
  return result == Z_STREAM_END;
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) { return Accepts(accept_encoding, "gzip"); }

void CompressResponse(std::string_view accept_encoding, size_t min_bytes, HttpResponse* response) {
  if (response->body.size() < min_bytes || HasEncoding(*response)) return;
  response->headers.emplace_back("Vary", "Accept-Encoding");
  const bool gzip = AcceptsGzip(accept_encoding);
  if (!gzip && !(response->may_deflate && Accepts(accept_encoding, "deflate"))) return;
  std::string compressed;
  if (!Deflate(response->body, gzip ? kGzipWindow : kZlibWindow, &compressed)) return;
  response->body = std::move(compressed);
  response->headers.emplace_back("Content-Encoding", gzip ? "gzip" : "deflate");
}

struct GzipStream::State {
  z_stream stream{};
};

GzipStream::GzipStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
GzipStream::~GzipStream() { deflateEnd(&state_->stream); }

std::unique_ptr<GzipStream> GzipStream::Make() {
  auto state = std::make_unique<State>();
  if (deflateInit2(&state->stream, kLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return nullptr;
  return std::unique_ptr<GzipStream>(new GzipStream(std::move(state)));  // NOLINT: private constructor
}

bool GzipStream::Compress(std::string_view plain, bool last, std::string* out) {
  constexpr size_t kStep = 64 << 10;
  z_stream& stream = state_->stream;
  if (plain.size() > std::numeric_limits<uInt>::max()) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));  // zlib's API predates const
  stream.avail_in = static_cast<uInt>(plain.size());
  for (;;) {
    const size_t begin = out->size();
    out->resize(begin + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out->data() + begin);
    stream.avail_out = kStep;
    const int result = deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
    out->resize(out->size() - stream.avail_out);
    if (result == Z_STREAM_END) return true;
    // Z_BUF_ERROR: nothing more to do for now.
    if (result != Z_OK && result != Z_BUF_ERROR) return false;
    if (stream.avail_out != 0) return !last;
  }
}

}  // namespace varve
