#include "ingest/push_scratch.h"

namespace varve {
namespace {

template <typename T>
void Trim(std::vector<T>* items, size_t keep_bytes) {
  items->clear();
  if (items->capacity() * sizeof(T) > keep_bytes) std::vector<T>().swap(*items);
}

}  // namespace

void PushScratch::Clear() {
  outer.ClearAndTrim(kKeepBytes);
  inner.ClearAndTrim(kKeepBytes);
  packed.ClearAndTrim(kKeepBytes);
  masked.ClearAndTrim(kKeepBytes);
  Trim(&decoded.streams, kKeepBytes);
  Trim(&decoded.entries, kKeepBytes);
  Trim(&decoded.metadata, kKeepBytes);
  Trim(&decoded.pairs, kKeepBytes);
  Trim(&streams, kKeepBytes);
  rejects.Clear();
  Trim(&batch.streams, kKeepBytes);
  Trim(&batch.entries, kKeepBytes);
  arena.Reset(nullptr);
  record.clear();
  if (record.capacity() > kKeepBytes) std::string().swap(record);
}

}  // namespace varve
