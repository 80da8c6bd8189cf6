// Compresses an answer's body, when the client asked for it and it is worth it.
//
// Only gzip: some clients that forward a browser's Accept-Encoding can decode nothing else.
#pragma once

#include <cstddef>
#include <string_view>

#include "http/message.h"

namespace varve {

// Whether an Accept-Encoding header names gzip with a weight above zero.
bool AcceptsGzip(std::string_view accept_encoding);

// Adds Vary, and from `min_bytes` on replaces the body by its gzip form and adds Content-Encoding.
void CompressResponse(std::string_view accept_encoding, size_t min_bytes, HttpResponse* response);

}  // namespace varve
