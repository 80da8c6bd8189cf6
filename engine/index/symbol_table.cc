#include "engine/index/symbol_table.h"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace varve {

SymbolTable::SymbolTable()
    : chunks_(std::make_unique<std::atomic<std::string_view*>[]>(kSymbolsMax / kChunkSymbols)), slots_(1024, kFree) {}

SymbolTable::~SymbolTable() = default;

size_t SymbolTable::SlotOf(std::string_view text) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = XXH3_64bits(text.data(), text.size()) & mask;
  while (slots_[slot] != kFree && Text(slots_[slot]) != text) slot = (slot + 1) & mask;
  return slot;
}

std::optional<SymbolId> SymbolTable::Find(std::string_view text) const {
  const uint32_t id = slots_[SlotOf(text)];
  if (id == kFree) return std::nullopt;
  return id;
}

std::string_view SymbolTable::Copy(std::string_view text) {
  text_bytes_ += text.size();
  if (text.size() > arena_left_) {
    // A long text gets an arena of its own; what is left of the last one is given up only when it is short.
    const size_t bytes = text.size() > kArenaBytes / 8 ? text.size() : kArenaBytes;
    arenas_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    char* const begin = arenas_.back().get();
    if (bytes == text.size()) {
      std::memcpy(begin, text.data(), text.size());
      if (arenas_.size() > 1) std::swap(arenas_.back(), arenas_[arenas_.size() - 2]);
      return {begin, text.size()};
    }
    arena_left_ = bytes;
  }
  char* const at = arenas_.back().get() + (kArenaBytes - arena_left_);
  std::memcpy(at, text.data(), text.size());
  arena_left_ -= text.size();
  return {at, text.size()};
}

void SymbolTable::Grow() {
  std::vector<uint32_t> old(slots_.size() * 2, kFree);
  old.swap(slots_);
  for (const uint32_t id : old) {
    if (id != kFree) slots_[SlotOf(Text(id))] = id;
  }
}

std::optional<SymbolId> SymbolTable::Intern(std::string_view text) {
  size_t slot = SlotOf(text);
  if (slots_[slot] != kFree) return slots_[slot];
  if (size_ == kSymbolsMax) return std::nullopt;
  if ((size_ + 1) * 4 > slots_.size() * 3) {
    Grow();
    slot = SlotOf(text);
  }
  const auto id = static_cast<SymbolId>(size_);
  if (id % kChunkSymbols == 0) {
    owned_chunks_.push_back(std::make_unique<std::string_view[]>(kChunkSymbols));
    chunks_[id / kChunkSymbols].store(owned_chunks_.back().get(), std::memory_order_release);
  }
  owned_chunks_.back()[id % kChunkSymbols] = Copy(text);
  slots_[slot] = id;
  ++size_;
  return id;
}

size_t SymbolTable::MemoryBytes() const {
  return text_bytes_ + owned_chunks_.size() * kChunkSymbols * sizeof(std::string_view) +
         slots_.size() * sizeof(uint32_t) + arena_left_;
}

}  // namespace varve
