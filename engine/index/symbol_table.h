// Texts by number: every label name and value of the metrics, kept once.
//
// Numbers are dense from 0. A text's bytes never move and are never freed while the table lives.
// Threads: Intern is the owner's to serialise; Find must not run beside it; Text takes no lock and may run beside
// anything, for numbers that were handed over by a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace varve {

using SymbolId = uint32_t;

class SymbolTable {
 public:
  SymbolTable();
  ~SymbolTable();
  SymbolTable(const SymbolTable&) = delete;
  SymbolTable& operator=(const SymbolTable&) = delete;

  // Nothing when the table is full (kSymbolsMax).
  std::optional<SymbolId> Intern(std::string_view text);
  std::optional<SymbolId> Find(std::string_view text) const;
  std::string_view Text(SymbolId id) const {
    return chunks_[id / kChunkSymbols].load(std::memory_order_acquire)[id % kChunkSymbols];
  }
  size_t size() const { return size_; }
  size_t MemoryBytes() const;

  static constexpr size_t kSymbolsMax = size_t{1} << 28;

 private:
  static constexpr size_t kChunkSymbols = 4096;
  static constexpr size_t kArenaBytes = 64 << 10;
  static constexpr uint32_t kFree = 0xFFFFFFFF;

  // Where the text is, or the free slot where it belongs.
  size_t SlotOf(std::string_view text) const;
  std::string_view Copy(std::string_view text);
  void Grow();

  // A chunk pointer is written once, with release, before any number in it is handed out.
  std::unique_ptr<std::atomic<std::string_view*>[]> chunks_;
  std::vector<std::unique_ptr<std::string_view[]>> owned_chunks_;
  std::vector<std::unique_ptr<char[]>> arenas_;
  size_t arena_left_ = 0;
  size_t text_bytes_ = 0;
  std::vector<uint32_t> slots_;  // open addressing; a power of two, at most 3/4 full
  size_t size_ = 0;
};

}  // namespace varve
