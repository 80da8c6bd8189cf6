// Names of structured metadata as they are stored: letters, digits and underscores.
//
// A run of other characters (underscores included) becomes one '_', except that a name __like_this__ keeps
// its outer ones; a name that then begins with a digit gets "key_" in front. So http.method is stored as
// http_method and 9lead as key_9lead. A name of which nothing but underscores is left is refused.
// Threads: thread-safe.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "ingest/byte_arena.h"

namespace varve {

// Whether `name` is stored as it is.
bool IsStoredMetadataName(std::string_view name);

// The stored form: `name` itself or bytes in `arena`. kInvalidArgument: `normalization for label name "é"
// resulted in invalid name "_"`. Other codes: the arena's memory was refused.
Result<std::string_view> StoredMetadataName(std::string_view name, ByteArena* arena);

}  // namespace varve
