#include "ingest/metadata_names.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

class MetadataNames : public ::testing::Test {
 protected:
  MetadataNames() { arena_.Reset(&memory_); }

  std::string Stored(std::string_view name) {
    const Result<std::string_view> stored = StoredMetadataName(name, &arena_);
    return stored.ok() ? std::string(*stored) : stored.status().message();
  }

  MemoryBudget budget_{"test", 1 << 20};
  DecodeMemory memory_{&budget_, DecodeMemory::Mode::kMayRefuse};
  ByteArena arena_;
};

TEST_F(MetadataNames, KeepLettersDigitsAndUnderscores) {
  for (const char* name : {"trace_id", "traceID", "_x", "x_", "a1", "__reserved__", "_"}) {
    EXPECT_TRUE(name == std::string("_") || IsStoredMetadataName(name)) << name;
    if (name != std::string("_")) {
      EXPECT_EQ(Stored(name), name);
    }
  }
}

TEST_F(MetadataNames, LoseEverythingElse) {
  for (const auto& [name, stored] : {std::pair{"http.method", "http_method"},
                                     {"a-b", "a_b"},
                                     {"with space", "with_space"},
                                     {"9lead", "key_9lead"},
                                     {"k\u00e9y", "k_y"},
                                     {"x.\u043a\u043b\u044e\u0447", "x_"},
                                     {"a..b", "a_b"},
                                     {"a__b", "a_b"},
                                     {"a_.b", "a_b"},
                                     {".x", "_x"},
                                     {"__a.b__", "__a_b__"},
                                     {"__a", "_a"},
                                     {"1", "key_1"},
                                     {"9.9", "key_9_9"}}) {
    EXPECT_EQ(Stored(name), stored) << name;
    EXPECT_FALSE(IsStoredMetadataName(name)) << name;
    EXPECT_TRUE(IsStoredMetadataName(stored)) << stored;
  }
}

TEST_F(MetadataNames, MustLeaveSomething) {
  EXPECT_EQ(Stored("\u00e9"), "normalization for label name \"\u00e9\" resulted in invalid name \"_\"");
  EXPECT_EQ(Stored("..."), "normalization for label name \"...\" resulted in invalid name \"_\"");
  EXPECT_EQ(Stored(""), "label name is empty");
}

}  // namespace
}  // namespace varve
