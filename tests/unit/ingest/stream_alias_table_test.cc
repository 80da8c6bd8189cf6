#include "ingest/stream_alias_table.h"

#include <set>

#include <gtest/gtest.h>

namespace varve {
namespace {

std::shared_ptr<const StreamFacts> Facts(StreamOrdinal ordinal) {
  StreamFacts facts;
  facts.ordinal = ordinal;
  return std::make_shared<const StreamFacts>(std::move(facts));
}

TEST(StreamAliasTable, FindsWhatWasInserted) {
  StreamAliasTable table;
  const StreamAliasTable::Key key = table.MakeKey("t", "\x01", LabelForm::kText, "{a=\"b\"}");
  EXPECT_EQ(table.Find(key), nullptr);
  table.Insert(key, Facts(7));
  ASSERT_NE(table.Find(key), nullptr);
  EXPECT_EQ(table.Find(key)->ordinal, 7u);
  EXPECT_EQ(table.size(), 1u);
}

TEST(StreamAliasTable, KeysTellEverythingApart) {
  const StreamAliasTable table;
  std::set<std::pair<uint64_t, uint64_t>> keys;
  int made = 0;
  for (const char* tenant : {"", "a", "ab"}) {
    for (const char* options : {"", "a", "b"}) {
      for (const LabelForm form : {LabelForm::kText, LabelForm::kJson}) {
        for (const char* labels : {"", "a", "b", "ab", "{}"}) {
          const StreamAliasTable::Key key = table.MakeKey(tenant, options, form, labels);
          keys.insert({key.low, key.high});
          ++made;
        }
      }
    }
  }
  EXPECT_EQ(keys.size(), static_cast<size_t>(made));
}

TEST(StreamAliasTable, HasASecretOfItsOwn) {
  const StreamAliasTable a, b;
  EXPECT_FALSE(a.MakeKey("t", "", LabelForm::kText, "x") == b.MakeKey("t", "", LabelForm::kText, "x"));
}

TEST(StreamAliasTable, StaysBounded) {
  StreamAliasTable table(64);
  std::shared_ptr<const StreamFacts> held;
  for (int i = 0; i < 10'000; ++i) {
    const StreamAliasTable::Key key = table.MakeKey("t", "", LabelForm::kText, std::to_string(i));
    table.Insert(key, Facts(static_cast<StreamOrdinal>(i)));
    ASSERT_NE(table.Find(key), nullptr);
    if (i == 0) held = table.Find(key);
    ASSERT_LE(table.size(), 64u);
  }
  EXPECT_EQ(held->ordinal, 0u);  // outlives its place in the table
}

}  // namespace
}  // namespace varve
