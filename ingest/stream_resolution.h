// Finds, and at last interns, the stream that an entry of a request belongs to.
//
// Call order for each stream: Resolve, then Intern if it has entries to store. Between the two nothing is
// written, so a request can still fail without a trace.
// Threads: thread-safe; a PushScratch::Stream belongs to one request.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "engine/engine.h"
#include "ingest/decode_options.h"
#include "ingest/decoded_push.h"
#include "ingest/push_scratch.h"
#include "ingest/stream_alias_table.h"

namespace varve {

class StreamResolution {
 public:
  // All of them must outlive this.
  StreamResolution(Engine* engine, StreamAliasTable* aliases) : engine_(engine), aliases_(aliases) {}

  // Fills `stream`: from the alias table, or by parsing. Errors as of ResolveStreamLabels. `alias_scope`
  // keeps apart aliases that were entered under other options, or judged by other limits.
  Status Resolve(std::string_view tenant, const DecodeOptions& options, std::string_view alias_scope,
                 const DecodedPush::Stream& raw, ByteArena* arena, PushScratch::Stream* stream) const;
  // Makes sure that stream->facts has an ordinal, and remembers the alias.
  Status Intern(TenantId tenant, PushScratch::Stream* stream) const;
  // The labels of a resolved stream.
  const Labels& LabelsOf(const PushScratch::Stream& stream) const;

 private:
  Engine* const engine_;
  StreamAliasTable* const aliases_;
};

}  // namespace varve
