// Finds a byte string in a large text, optionally ignoring the case of ASCII letters.
//
// The AVX2 and SSE2 kernels compare two bytes of the needle, the two that are rarest in logs, at 32 (16)
// positions at once and verify only where both agree; the best kernel is chosen at run time. No kernel reads
// outside the text.
// Threads: immutable, share freely.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace varve::logql {

class SubstringSearch {
 public:
  enum class Kernel { kScalar, kSse2, kAvx2 };

  // With `ignore_case` only a-z and A-Z fold.
  explicit SubstringSearch(std::string needle, bool ignore_case = false);

  // The first occurrence in [begin, end), or null. An empty needle is found at once.
  const char* Find(const char* begin, const char* end) const { return FindWith(BestKernel(), begin, end); }
  // Its offset, or npos.
  size_t Find(std::string_view text) const {
    const char* found = Find(text.data(), text.data() + text.size());
    return found == nullptr ? std::string_view::npos : static_cast<size_t>(found - text.data());
  }
  bool Contains(std::string_view text) const { return Find(text) != std::string_view::npos; }

  // As written; in lower case with ignore_case.
  const std::string& needle() const { return needle_; }
  bool ignore_case() const { return ignore_case_; }

  // For tests: `kernel` must be supported here.
  const char* FindWith(Kernel kernel, const char* begin, const char* end) const;
  static Kernel BestKernel();
  static bool IsSupported(Kernel kernel);

 private:
  const char* FindScalar(const char* begin, const char* end) const;
  const char* FindSse2(const char* begin, const char* end) const;
  const char* FindAvx2(const char* begin, const char* end) const;
  bool MatchesAt(const char* p) const;

  std::string needle_;
  bool ignore_case_;
  // The two compared positions of the needle, ascending (equal for one byte), their bytes, and what is
  // or-ed to the text before comparing: 0x20 for a letter whose case is ignored, else 0.
  size_t probe1_ = 0, probe2_ = 0;
  char byte1_ = 0, byte2_ = 0;
  char fold1_ = 0, fold2_ = 0;
};

}  // namespace varve::logql
