// Cost: about two loads, two compares and one test per 32 positions where nothing matches, so a scan runs
// at memory speed; a candidate that does not verify costs a few nanoseconds. The two probe bytes are chosen
// by how rare they are in log text, which keeps such candidates rare ("Failed": F and d rather than a and e).

#include "query/logql/substring_search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#define VARVE_X86 1
#endif

namespace varve::logql {
namespace {

// Bytes from common to rare in log text; what is not listed is rarer still.
constexpr std::string_view kCommonBytes =
    " e0taoinsr1l2cdu3.p4m56:-7g98hf=/\"bv,_yk[]w()xETASIDRCNPOLMFU|;@#jqzBGHVWKYXJQZ{}'<>+*&%?$!";

constexpr std::array<uint8_t, 256> MakeCommonness() {
  std::array<uint8_t, 256> table{};
  for (size_t i = 0; i < kCommonBytes.size(); ++i) {
    table[static_cast<uint8_t>(kCommonBytes[i])] = static_cast<uint8_t>(kCommonBytes.size() - i);
  }
  return table;
}
constexpr std::array<uint8_t, 256> kCommonness = MakeCommonness();

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char Fold(char c, char fold) { return static_cast<char>(c | fold); }

}  // namespace

SubstringSearch::SubstringSearch(std::string needle, bool ignore_case)
    : needle_(std::move(needle)), ignore_case_(ignore_case) {
  if (needle_.empty()) return;
  if (ignore_case_) {
    for (char& c : needle_) c = Lower(c);
  }
  const auto commonness = [&](size_t i) { return kCommonness[static_cast<uint8_t>(needle_[i])]; };
  size_t rarest = 0;
  for (size_t i = 1; i < needle_.size(); ++i) {
    if (commonness(i) < commonness(rarest)) rarest = i;
  }
  size_t second = rarest == 0 ? needle_.size() - 1 : 0;
  for (size_t i = 0; i < needle_.size(); ++i) {
    if (i != rarest && needle_[i] != needle_[rarest] && commonness(i) < commonness(second)) second = i;
  }
  probe1_ = std::min(rarest, second);
  probe2_ = std::max(rarest, second);
  byte1_ = needle_[probe1_];
  byte2_ = needle_[probe2_];
  fold1_ = ignore_case_ && IsLetter(byte1_) ? 0x20 : 0;
  fold2_ = ignore_case_ && IsLetter(byte2_) ? 0x20 : 0;
}

bool SubstringSearch::MatchesAt(const char* p) const {
  if (!ignore_case_) return std::memcmp(p, needle_.data(), needle_.size()) == 0;
  for (size_t i = 0; i < needle_.size(); ++i) {
    if (Lower(p[i]) != needle_[i]) return false;
  }
  return true;
}

SubstringSearch::Kernel SubstringSearch::BestKernel() {
#if defined(VARVE_X86)
  static const Kernel best = __builtin_cpu_supports("avx2") ? Kernel::kAvx2 : Kernel::kSse2;
  return best;
#else
  return Kernel::kScalar;
#endif
}

bool SubstringSearch::IsSupported(Kernel kernel) {
  return static_cast<int>(kernel) <= static_cast<int>(BestKernel());
}

const char* SubstringSearch::FindWith(Kernel kernel, const char* begin, const char* end) const {
  if (needle_.empty()) return begin == nullptr ? "" : begin;
  if (static_cast<size_t>(end - begin) < needle_.size()) return nullptr;
  if (needle_.size() == 1 && !ignore_case_) {
    return static_cast<const char*>(std::memchr(begin, needle_[0], static_cast<size_t>(end - begin)));
  }
  switch (kernel) {
    case Kernel::kAvx2: return FindAvx2(begin, end);
    case Kernel::kSse2: return FindSse2(begin, end);
    case Kernel::kScalar: break;
  }
  return FindScalar(begin, end);
}

const char* SubstringSearch::FindScalar(const char* begin, const char* end) const {
  const char* const last = end - needle_.size();
  for (const char* p = begin; p <= last; ++p) {
    if (Fold(p[probe1_], fold1_) == byte1_ && Fold(p[probe2_], fold2_) == byte2_ && MatchesAt(p)) return p;
  }
  return nullptr;
}

#if defined(VARVE_X86)

const char* SubstringSearch::FindSse2(const char* begin, const char* end) const {
  constexpr ptrdiff_t kWidth = 16;
  const char* const last = end - needle_.size();  // the last position where the needle fits
  if (last - begin < kWidth - 1) return FindScalar(begin, end);
  const __m128i byte1 = _mm_set1_epi8(byte1_);
  const __m128i byte2 = _mm_set1_epi8(byte2_);
  const __m128i fold1 = _mm_set1_epi8(fold1_);
  const __m128i fold2 = _mm_set1_epi8(fold2_);
  for (const char* p = begin;; p += kWidth) {
    // The last block overlaps the one before; positions seen twice do no harm.
    if (p > last - (kWidth - 1)) {
      if (p > last) return nullptr;
      p = last - (kWidth - 1);
    }
    const __m128i a = _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + probe1_)), fold1);
    const __m128i b = _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + probe2_)), fold2);
    auto hits = static_cast<uint32_t>(
        _mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, byte1), _mm_cmpeq_epi8(b, byte2))));
    for (; hits != 0; hits &= hits - 1) {
      const char* candidate = p + std::countr_zero(hits);
      if (MatchesAt(candidate)) return candidate;
    }
  }
}

__attribute__((target("avx2"))) const char* SubstringSearch::FindAvx2(const char* begin,
                                                                      const char* end) const {
  constexpr ptrdiff_t kWidth = 32;
  const char* const last = end - needle_.size();
  if (last - begin < kWidth - 1) return FindSse2(begin, end);
  const __m256i byte1 = _mm256_set1_epi8(byte1_);
  const __m256i byte2 = _mm256_set1_epi8(byte2_);
  const __m256i fold1 = _mm256_set1_epi8(fold1_);
  const __m256i fold2 = _mm256_set1_epi8(fold2_);
  for (const char* p = begin;; p += kWidth) {
    if (p > last - (kWidth - 1)) {
      if (p > last) return nullptr;
      p = last - (kWidth - 1);
    }
    const __m256i a =
        _mm256_or_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + probe1_)), fold1);
    const __m256i b =
        _mm256_or_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + probe2_)), fold2);
    auto hits = static_cast<uint32_t>(
        _mm256_movemask_epi8(_mm256_and_si256(_mm256_cmpeq_epi8(a, byte1), _mm256_cmpeq_epi8(b, byte2))));
    for (; hits != 0; hits &= hits - 1) {
      const char* candidate = p + std::countr_zero(hits);
      if (MatchesAt(candidate)) return candidate;
    }
  }
}

#else

const char* SubstringSearch::FindSse2(const char* begin, const char* end) const {
  return FindScalar(begin, end);
}
const char* SubstringSearch::FindAvx2(const char* begin, const char* end) const {
  return FindScalar(begin, end);
}

#endif

}  // namespace varve::logql
