#include "query/logql/row_labels.h"

#include <gtest/gtest.h>

#include "engine/model/log_entry.h"

namespace varve::logql {
namespace {

std::string Encode(std::vector<MetadataPair> pairs) {
  std::string out;
  EncodeMetadata(&pairs, &out);
  return out;
}

TEST(RowLabels, StartsWithStreamAndMetadata) {
  const Labels stream = Labels::FromUnsorted({{"app", "q"}, {"env", "prod"}});
  const std::string metadata = Encode({{"trace", "t1"}});
  RowLabels labels;
  labels.Reset(stream, metadata);
  EXPECT_EQ(labels.Get("app"), "q");
  EXPECT_EQ(labels.Get("trace"), "t1");
  EXPECT_EQ(labels.Find("trace")->category, LabelCategory::kMetadata);
  EXPECT_EQ(labels.Find("nope"), nullptr);
  EXPECT_TRUE(labels.HasBase("app"));
  EXPECT_TRUE(labels.HasBase("trace"));
  EXPECT_FALSE(labels.modified());
}

TEST(RowLabels, MetadataNamedLikeAStreamLabelGetsTheSuffix) {
  const Labels stream = Labels::FromUnsorted({{"app", "q"}});
  RowLabels labels;
  labels.Reset(stream, Encode({{"app", "smapp"}}));
  EXPECT_EQ(labels.Get("app"), "q");
  EXPECT_EQ(labels.Get("app_extracted"), "smapp");
  EXPECT_EQ(labels.labels().size(), 2u);
}

TEST(RowLabels, MetadataChangesFromRowToRow) {
  const Labels stream = Labels::FromUnsorted({{"app", "q"}});
  RowLabels labels;
  labels.SetStream(stream);
  labels.Reset(Encode({{"a", "1"}}));
  labels.Set("x", "y", LabelCategory::kParsed);
  labels.Reset(Encode({{"b", "2"}}));
  EXPECT_EQ(labels.Find("a"), nullptr);
  EXPECT_EQ(labels.Find("x"), nullptr);
  EXPECT_EQ(labels.Get("b"), "2");
  labels.Reset({});
  EXPECT_EQ(labels.Find("b"), nullptr);
  EXPECT_EQ(labels.labels().size(), 1u);
}

TEST(RowLabels, TheMetadataBytesMayGoAway) {
  const Labels stream = Labels::FromUnsorted({{"app", "q"}});
  RowLabels labels;
  labels.SetStream(stream);
  std::string bytes = Encode({{"a", "1"}});
  labels.Reset(bytes);
  bytes.assign(bytes.size(), '!');
  EXPECT_EQ(labels.Get("a"), "1");
}

TEST(RowLabels, BaseNamesStayBaseNamesWhenDroppedOrOverwritten) {
  const Labels stream = Labels::FromUnsorted({{"app", "q"}, {"env", "e"}});
  RowLabels labels;
  labels.Reset(stream, {});
  labels.Remove("app");
  labels.Set("env", "changed", LabelCategory::kParsed);
  EXPECT_TRUE(labels.HasBase("app"));
  EXPECT_TRUE(labels.HasBase("env"));
  EXPECT_EQ(labels.ExtractionTarget("app", HashName("app")).name, "app_extracted");
  EXPECT_EQ(labels.ExtractionTarget("env", HashName("env")).name, "env_extracted");
  EXPECT_EQ(labels.ExtractionTarget("other", HashName("other")).name, "other");
}

TEST(RowLabels, RemembersWhatWasExtracted) {
  RowLabels labels;
  const Labels stream;
  labels.Reset(stream, {});
  const auto target = [&] { return labels.ExtractionTarget("a", HashName("a")); };
  EXPECT_FALSE(labels.WasExtracted(target()));
  labels.SetExtracted(target(), "1");
  EXPECT_TRUE(labels.WasExtracted(target()));
  labels.Remove("a");
  EXPECT_TRUE(labels.WasExtracted(target()));
  labels.Set("a", "again", LabelCategory::kParsed);
  EXPECT_TRUE(labels.WasExtracted(target()));
}

TEST(RowLabels, FindsEveryLabelBeyondTheLinearLimit) {
  RowLabels labels;
  const Labels stream = Labels::FromUnsorted({{"app", "q"}});
  for (int round = 0; round < 3; ++round) {
    labels.Reset(stream, {});
    for (int i = 0; i < 1000; ++i) {
      labels.Set(labels.Store("name" + std::to_string(i)), labels.Store(std::to_string(i)),
                 LabelCategory::kParsed);
    }
    for (int i = 0; i < 1000; i += 3) labels.Remove("name" + std::to_string(i));
    for (int i = 0; i < 1000; ++i) {
      const RowLabel* label = labels.Find("name" + std::to_string(i));
      if (i % 3 == 0) {
        EXPECT_EQ(label, nullptr) << i;
      } else {
        ASSERT_NE(label, nullptr) << i;
        EXPECT_EQ(label->value, std::to_string(i));
      }
    }
  }
}

TEST(RowLabels, ALaterErrorReplacesAnEarlierOneAndHidesLabelsOfThatName) {
  RowLabels labels;
  const Labels stream;
  labels.Reset(stream, {});
  labels.Set("__error__", "injected", LabelCategory::kParsed);
  EXPECT_FALSE(labels.has_error());
  labels.SetError("JSONParserErr", "first");
  EXPECT_EQ(labels.Find("__error__"), nullptr);
  labels.SetError("LogfmtParserErr", "");
  EXPECT_EQ(labels.error(), "LogfmtParserErr");
  EXPECT_EQ(labels.error_details(), "first");
  labels.Set("__error__", "injected", LabelCategory::kParsed);
  EXPECT_EQ(labels.Find("__error__"), nullptr);
  labels.ClearError();
  EXPECT_FALSE(labels.has_error());
  EXPECT_EQ(labels.error_details(), "first");
}

TEST(RowLabels, NamesOfEqualHashBitsAreToldApart) {
  // Every name of up to three letters: collisions in the 64-bit mask are certain.
  RowLabels labels;
  const Labels stream;
  labels.Reset(stream, {});
  labels.Set("abc", "1", LabelCategory::kParsed);
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) {
      for (char c = 'a'; c <= 'z'; ++c) {
        const std::string name{a, b, c};
        EXPECT_EQ(labels.Find(name) != nullptr, name == "abc");
      }
    }
  }
}

}  // namespace
}  // namespace varve::logql
