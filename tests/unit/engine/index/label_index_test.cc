#include "engine/index/label_index.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/status_matchers.h"

namespace varve {
namespace {

// A small vocabulary, so that matchers hit; empty values stand for absent labels.
struct Vocabulary {
  std::mt19937 random;
  std::string Pick(std::initializer_list<const char*> choices) {
    return choices.begin()[random() % choices.size()];
  }
  std::string Name() { return Pick({"app", "env", "pod", "zone", "missing"}); }
  std::string Value() { return Pick({"", "a", "b", "c", "ab", "abc", "x\ny"}); }
  Labels RandomLabels() {
    std::vector<Label> labels = {{"id", std::to_string(random() % 1000)}};
    for (const char* name : {"app", "env", "pod", "zone"}) labels.push_back({name, Value()});
    return Labels::FromUnsorted(std::move(labels));
  }
  Matcher RandomMatcher() {
    const std::string name = Name();
    switch (random() % 4) {
      case 0: return *Matcher::Create(name, MatchOp::kEqual, Value());
      case 1: return *Matcher::Create(name, MatchOp::kNotEqual, Value());
      default: {
        const MatchOp op = random() % 2 == 0 ? MatchOp::kRegexMatch : MatchOp::kRegexNotMatch;
        return *Matcher::Create(name, op,
                                Pick({"a|b", "a.*", ".+", ".*", "", "a|", "b|b", "[^a]", "nothing", "x.y"}));
      }
    }
  }
};

TEST(LabelIndex, SelectsWhatMatchingEachStreamWouldSelect) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Vocabulary vocabulary{std::mt19937(seed)};
  for (const size_t stream_count : {0, 1, 5, 60, 9000}) {
    LabelIndex index;
    std::vector<Labels> streams;
    for (size_t i = 0; i < stream_count; ++i) {
      streams.push_back(vocabulary.RandomLabels());
      index.Add(static_cast<StreamOrdinal>(i), streams.back());
    }
    for (int round = 0; round < (stream_count > 1000 ? 30 : 300); ++round) {
      std::vector<Matcher> matchers;
      std::string text;
      for (uint32_t i = vocabulary.random() % 4; i > 0; --i) {
        matchers.push_back(vocabulary.RandomMatcher());
        text += matchers.back().ToString() + " ";
      }
      LabelIndex::Ordinals expected;
      for (size_t i = 0; i < streams.size(); ++i) {
        if (MatchesAll(matchers, streams[i])) expected.push_back(static_cast<StreamOrdinal>(i));
      }
      const auto labels_of = [&](StreamOrdinal stream) -> const Labels& { return streams[stream]; };
      ASSERT_EQ(index.Select(matchers, labels_of), expected) << text;
    }
  }
}

}  // namespace
}  // namespace varve
