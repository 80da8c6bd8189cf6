#include "ingest/byte_arena.h"

#include <cstring>

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(ByteArena, PaysForItsChunksAndKeepsAFew) {
  MemoryBudget budget("test", 1 << 20);
  ByteArena arena;
  {
    DecodeMemory memory(&budget, DecodeMemory::Mode::kMayRefuse);
    arena.Reset(&memory);
    char* a = arena.Allocate(10);
    char* b = arena.Allocate(500'000);
    ASSERT_NE(a, nullptr);
    ASSERT_NE(b, nullptr);
    std::memset(a, 'a', 10);
    std::memset(b, 'b', 500'000);
    EXPECT_EQ(a[9], 'a');
    EXPECT_GE(budget.used_bytes(), 500'010);
    EXPECT_EQ(arena.Allocate(600'000), nullptr);
    EXPECT_EQ(arena.TakeStatus().code(), Code::kTooLarge);
  }
  EXPECT_EQ(budget.used_bytes(), 0);
  arena.Reset(nullptr, 100'000);
  EXPECT_LE(arena.capacity(), 100'000u);
  EXPECT_GT(arena.capacity(), 0u);
}

TEST(ByteArena, TakesBackTheEndOfTheLatestAllocation) {
  MemoryBudget budget("test", 1 << 20);
  DecodeMemory memory(&budget, DecodeMemory::Mode::kMayRefuse);
  ByteArena arena;
  arena.Reset(&memory);
  char* a = arena.Allocate(100);
  arena.Trim(a, 7);
  EXPECT_EQ(arena.Allocate(1), a + 7);
}

TEST(DecodeMemory, ForcedTakesWhatThereIsNoRoomFor) {
  MemoryBudget budget("test", 10);
  {
    DecodeMemory forced(&budget, DecodeMemory::Mode::kForced);
    EXPECT_TRUE(forced.Add(100).ok());
    DecodeMemory polite(&budget, DecodeMemory::Mode::kMayRefuse);
    EXPECT_EQ(polite.Add(5).code(), Code::kResourceExhausted);
    EXPECT_EQ(polite.Add(11).code(), Code::kTooLarge);
  }
  EXPECT_EQ(budget.used_bytes(), 0);
}

}  // namespace
}  // namespace varve
