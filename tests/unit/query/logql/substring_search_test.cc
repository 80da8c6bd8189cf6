#include "query/logql/substring_search.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace varve::logql {
namespace {

using Kernel = SubstringSearch::Kernel;

size_t Naive(const std::string& text, const std::string& needle, bool ignore_case) {
  const auto lower = [&](std::string s) {
    for (char& c : s) {
      if (ignore_case && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return s;
  };
  return lower(text).find(lower(needle));
}

TEST(SubstringSearch, EveryKernelAgreesWithTheNaiveSearch) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string alphabets[] = {"ab", "abcdEFGH .", std::string("\0\x01\xFF", 3), "aA@`[{kK"};
  for (int round = 0; round < 20000; ++round) {
    const std::string& alphabet = alphabets[random() % 4];
    const auto text_of = [&](size_t size) {
      std::string text;
      for (size_t i = 0; i < size; ++i) text.push_back(alphabet[random() % alphabet.size()]);
      return text;
    };
    const std::string needle = text_of(random() % 12);
    const std::string text = text_of(random() % 200);
    const bool ignore_case = random() % 2 == 0;
    const SubstringSearch search(needle, ignore_case);
    const size_t want = Naive(text, needle, ignore_case);
    for (const Kernel kernel : {Kernel::kScalar, Kernel::kSse2, Kernel::kAvx2}) {
      if (!SubstringSearch::IsSupported(kernel)) continue;
      // A buffer of exactly the text's size, so that a sanitizer sees any read outside it.
      const std::vector<char> exact(text.begin(), text.end());
      const char* found = search.FindWith(kernel, exact.data(), exact.data() + exact.size());
      const size_t got = found == nullptr ? std::string::npos
                         : needle.empty() ? 0
                                          : static_cast<size_t>(found - exact.data());
      ASSERT_EQ(got, want) << static_cast<int>(kernel) << " '" << needle << "' in '" << text << "'";
    }
  }
}

TEST(SubstringSearch, FindsAtEveryPositionOfALongText) {
  for (size_t size = 1; size < 150; ++size) {
    for (size_t at = 0; at + 4 <= size; ++at) {
      std::string text(size, 'a');
      text.replace(at, 4, "Fxyd");
      EXPECT_EQ(SubstringSearch("Fxyd").Find(text), at);
      EXPECT_EQ(SubstringSearch("fXYd", true).Find(text), at);
    }
  }
}

TEST(SubstringSearch, OnlyLettersFold) {
  EXPECT_FALSE(SubstringSearch("a@b", true).Contains("a`b"));
  EXPECT_FALSE(SubstringSearch("[", true).Contains("{"));
  EXPECT_TRUE(SubstringSearch("A@B", true).Contains("xa@bx"));
}

TEST(SubstringSearch, AnEmptyNeedleIsEverywhere) {
  EXPECT_TRUE(SubstringSearch("").Contains(""));
  EXPECT_TRUE(SubstringSearch("").Contains("x"));
  EXPECT_FALSE(SubstringSearch("x").Contains(""));
}

}  // namespace
}  // namespace varve::logql
