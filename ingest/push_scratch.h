// The memory one push or replay works in, kept for the next one.
//
// Threads: the pool is thread-safe; a scratch belongs to one request at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/append_batch.h"
#include "engine/model/labels.h"
#include "ingest/byte_arena.h"
#include "ingest/byte_buffer.h"
#include "ingest/decoded_push.h"
#include "ingest/reject_list.h"
#include "ingest/scratch_pool.h"
#include "ingest/stream_alias_table.h"

namespace varve {

struct PushScratch {
  // One stream of the request, on its way to an ordinal.
  struct Stream {
    StreamAliasTable::Key key;
    // Set from the start for a known stream; for a new one the level only, until it is interned.
    std::shared_ptr<const StreamFacts> facts;
    std::shared_ptr<const StreamFacts> provisional_facts;  // kept alive for the entries that point into it
    std::unique_ptr<Labels> new_labels;                    // of a stream that is not interned yet
    bool refused = false;                                  // its labels are
  };

  ByteBuffer outer;   // the body without its Content-Encoding
  ByteBuffer inner;   // … and without the inner snappy block
  ByteBuffer packed;  // a plain body, LZ4-compressed for the journal
  ByteBuffer masked;  // the body that is journalled where limits.mask is set
  DecodedPush decoded;
  std::vector<Stream> streams;  // beside decoded.streams
  RejectList rejects;
  AppendBatch batch;
  ByteArena arena;
  std::string record;

  // Forgets the request. Keeps memory for the next one, except what an unusually large one made it grow to.
  void Clear();

 private:
  static constexpr size_t kKeepBytes = 8 << 20;  // of each part
};

using PushScratchPool = ScratchPool<PushScratch>;

}  // namespace varve
