// Compresses an answer's body, when the client asked for it and it is worth it.
//
// Gzip wherever it will do: some clients that forward a browser's Accept-Encoding can decode nothing else. Deflate
// (in zlib's form) for who asks for that alone.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace varve {

// Whether an Accept-Encoding header names gzip with a weight above zero.
bool AcceptsGzip(std::string_view accept_encoding);

// Adds Vary, and from `min_bytes` on replaces the body by its compressed form and adds Content-Encoding. Leaves a
// body alone that has one already.
void CompressResponse(std::string_view accept_encoding, size_t min_bytes, HttpResponse* response);

// Compresses a body that is made piece by piece. Threads: thread-compatible.
class GzipStream {
 public:
  // Null when zlib has no memory.
  static std::unique_ptr<GzipStream> Make();
  ~GzipStream();

  // `plain` compressed; perhaps nothing yet, unless `last`. False: zlib failed, the stream is unusable.
  bool Compress(std::string_view plain, bool last, std::string* out);

 private:
  struct State;
  explicit GzipStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace varve
