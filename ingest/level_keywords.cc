// Candidates by three letters: tra deb fat cri err war inf. In the shared load a line of 121 bytes has 0.8 of
// them on average where pairs of letters would give 3.9, and each false one costs a mispredicted branch. One
// vector step makes 17 comparisons and 20 logic operations for 16 (SSE2) or 32 (AVX2) positions; a line
// takes about 40 ns, most of it waiting for the line.
#include "ingest/level_keywords.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace varve {
namespace {

constexpr size_t kStep = 32;              // positions a call of a kernel looks at
constexpr size_t kReadAhead = kStep + 2;  // bytes it reads

constexpr std::array<bool, 256> Set(std::string_view characters) {
  std::array<bool, 256> set{};
  for (const char c : characters) set[static_cast<uint8_t>(c)] = true;
  return set;
}
constexpr auto kLeft = Set(" \t\n[({\"=");
constexpr auto kRight = Set(" \t\n[](){}:,!\"=");

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Whether `word` stands at line[i] and a right boundary behind it.
bool WordAt(std::string_view line, size_t i, std::string_view word) {
  if (line.size() - i < word.size()) return false;
  for (size_t k = 0; k < word.size(); ++k) {
    if (Lower(line[i + k]) != word[k]) return false;
  }
  const size_t end = i + word.size();
  return end == line.size() || kRight[static_cast<uint8_t>(line[end])];
}

// The level whose word stands at line[i], or kUnknown.
Level LevelAt(std::string_view line, size_t i) {
  if (i != 0 && !kLeft[static_cast<uint8_t>(line[i - 1])]) return Level::kUnknown;
  switch (Lower(line[i])) {
    case 't': return WordAt(line, i, "trace") ? Level::kTrace : Level::kUnknown;
    case 'd': return WordAt(line, i, "debug") ? Level::kDebug : Level::kUnknown;
    case 'f': return WordAt(line, i, "fatal") ? Level::kFatal : Level::kUnknown;
    case 'c': return WordAt(line, i, "critical") ? Level::kCritical : Level::kUnknown;
    case 'e': return WordAt(line, i, "error") || WordAt(line, i, "err") ? Level::kError : Level::kUnknown;
    case 'w': return WordAt(line, i, "warning") || WordAt(line, i, "warn") ? Level::kWarn : Level::kUnknown;
    case 'i': return WordAt(line, i, "info") ? Level::kInfo : Level::kUnknown;
    default: return Level::kUnknown;
  }
}

// A kernel gives one bit for each of the kStep positions from p at which a candidate begins.
using Kernel = uint32_t (*)(const char* p);
struct Kernels {
  Kernel keywords;
  Kernel fields;
};

#if defined(__x86_64__)

uint32_t KeywordBits16(const char* p) {
  const __m128i lower = _mm_set1_epi8(0x20);
  const auto load = [&](const char* at) {
    return _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), lower);
  };
  const __m128i a = load(p), b = load(p + 1), c = load(p + 2);
  const auto is = [](__m128i v, char x) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(x)); };
  const auto both = [](__m128i x, __m128i y) { return _mm_and_si128(x, y); };
  const auto either = [](__m128i x, __m128i y) { return _mm_or_si128(x, y); };
  const __m128i b_r = is(b, 'r'), b_a = is(b, 'a'), c_r = is(c, 'r');
  const __m128i tra = both(both(is(a, 't'), b_r), is(c, 'a'));
  const __m128i cri = both(both(is(a, 'c'), b_r), is(c, 'i'));
  const __m128i err = both(both(is(a, 'e'), b_r), c_r);
  const __m128i war = both(both(is(a, 'w'), b_a), c_r);
  const __m128i fat = both(both(is(a, 'f'), b_a), is(c, 't'));
  const __m128i deb = both(both(is(a, 'd'), is(b, 'e')), is(c, 'b'));
  const __m128i inf = both(both(is(a, 'i'), is(b, 'n')), is(c, 'f'));
  const __m128i any = either(either(either(tra, cri), either(err, war)), either(either(fat, deb), inf));
  return static_cast<uint32_t>(_mm_movemask_epi8(any));
}

uint32_t FieldBits16(const char* p) {
  const __m128i lower = _mm_set1_epi8(0x20);
  const auto load = [&](const char* at) {
    return _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), lower);
  };
  const __m128i a = load(p), b = load(p + 1), c = load(p + 2);
  const auto is = [](__m128i v, char x) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(x)); };
  const __m128i l = is(a, 'l');
  const __m128i ev = _mm_and_si128(_mm_and_si128(_mm_or_si128(l, is(a, 's')), is(b, 'e')), is(c, 'v'));
  const __m128i lvl = _mm_and_si128(_mm_and_si128(l, is(b, 'v')), is(c, 'l'));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(ev, lvl)));
}

uint32_t KeywordBitsSse2(const char* p) { return KeywordBits16(p) | KeywordBits16(p + 16) << 16; }
uint32_t FieldBitsSse2(const char* p) { return FieldBits16(p) | FieldBits16(p + 16) << 16; }

// Lambdas do not take over the target attribute, so the AVX2 twins are spelled out.
#define VARVE_IS(v, x) _mm256_cmpeq_epi8(v, _mm256_set1_epi8(x))
#define VARVE_AND3(x, y, z) _mm256_and_si256(_mm256_and_si256(x, y), z)
#define VARVE_LOAD(at) \
  _mm256_or_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)), _mm256_set1_epi8(0x20))

__attribute__((target("avx2"))) uint32_t KeywordBitsAvx2(const char* p) {
  const __m256i a = VARVE_LOAD(p), b = VARVE_LOAD(p + 1), c = VARVE_LOAD(p + 2);
  const __m256i b_r = VARVE_IS(b, 'r'), b_a = VARVE_IS(b, 'a'), c_r = VARVE_IS(c, 'r');
  __m256i any = VARVE_AND3(VARVE_IS(a, 't'), b_r, VARVE_IS(c, 'a'));
  any = _mm256_or_si256(any, VARVE_AND3(VARVE_IS(a, 'c'), b_r, VARVE_IS(c, 'i')));
  any = _mm256_or_si256(any, VARVE_AND3(VARVE_IS(a, 'e'), b_r, c_r));
  any = _mm256_or_si256(any, VARVE_AND3(VARVE_IS(a, 'w'), b_a, c_r));
  any = _mm256_or_si256(any, VARVE_AND3(VARVE_IS(a, 'f'), b_a, VARVE_IS(c, 't')));
  any = _mm256_or_si256(any, VARVE_AND3(VARVE_IS(a, 'd'), VARVE_IS(b, 'e'), VARVE_IS(c, 'b')));
  any = _mm256_or_si256(any, VARVE_AND3(VARVE_IS(a, 'i'), VARVE_IS(b, 'n'), VARVE_IS(c, 'f')));
  return static_cast<uint32_t>(_mm256_movemask_epi8(any));
}

__attribute__((target("avx2"))) uint32_t FieldBitsAvx2(const char* p) {
  const __m256i a = VARVE_LOAD(p), b = VARVE_LOAD(p + 1), c = VARVE_LOAD(p + 2);
  const __m256i l = VARVE_IS(a, 'l');
  const __m256i ev = VARVE_AND3(_mm256_or_si256(l, VARVE_IS(a, 's')), VARVE_IS(b, 'e'), VARVE_IS(c, 'v'));
  const __m256i lvl = VARVE_AND3(l, VARVE_IS(b, 'v'), VARVE_IS(c, 'l'));
  return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_or_si256(ev, lvl)));
}

#undef VARVE_IS
#undef VARVE_AND3
#undef VARVE_LOAD

Kernels ChooseKernels() {
  if (__builtin_cpu_supports("avx2")) return {KeywordBitsAvx2, FieldBitsAvx2};
  return {KeywordBitsSse2, FieldBitsSse2};
}

#else

bool OneOf(const char* p, std::initializer_list<std::string_view> trigrams) {
  const char lower[] = {Lower(p[0]), Lower(p[1]), Lower(p[2])};
  for (const std::string_view trigram : trigrams) {
    if (trigram == std::string_view(lower, 3)) return true;
  }
  return false;
}
uint32_t KeywordBitsPortable(const char* p) {
  uint32_t bits = 0;
  for (uint32_t i = 0; i < kStep; ++i) {
    bits |= static_cast<uint32_t>(OneOf(p + i, {"tra", "cri", "err", "war", "fat", "deb", "inf"})) << i;
  }
  return bits;
}
uint32_t FieldBitsPortable(const char* p) {
  uint32_t bits = 0;
  for (uint32_t i = 0; i < kStep; ++i)
    bits |= static_cast<uint32_t>(OneOf(p + i, {"lev", "lvl", "sev"})) << i;
  return bits;
}
Kernels ChooseKernels() { return {KeywordBitsPortable, FieldBitsPortable}; }

#endif

const Kernels kKernels = ChooseKernels();

// Calls fn(position) for the candidates from left to right until it returns true; then true.
template <typename Fn>
inline bool AnyCandidate(std::string_view line, Kernel kernel, Fn&& fn) {
  size_t i = 0;
  const auto judge = [&](uint32_t bits) {
    for (; bits != 0; bits &= bits - 1) {
      if (fn(i + static_cast<size_t>(__builtin_ctz(bits)))) return true;
    }
    return false;
  };
  for (; i + kReadAhead <= line.size(); i += kStep) {
    if (judge(kernel(line.data() + i))) return true;
  }
  // The rest, at most kReadAhead - 1 bytes, from a copy with zeros behind it: zero is in no word.
  for (; i < line.size(); i += kStep) {
    char rest[kReadAhead] = {};
    std::memcpy(rest, line.data() + i, line.size() - i < kReadAhead ? line.size() - i : kReadAhead);
    if (judge(kernel(rest))) return true;
  }
  return false;
}

}  // namespace

Level FindLevelKeyword(std::string_view line) {
  Level level = Level::kUnknown;
  AnyCandidate(line, kKernels.keywords, [&](size_t i) {
    level = LevelAt(line, i);
    return level != Level::kUnknown;
  });
  return level;
}

bool MayNameLevelField(std::string_view line) {
  return AnyCandidate(line, kKernels.fields, [](size_t) { return true; });
}

Level FindLevelKeywordScalar(std::string_view line) {
  for (size_t i = 0; i < line.size(); ++i) {
    if (const Level level = LevelAt(line, i); level != Level::kUnknown) return level;
  }
  return Level::kUnknown;
}

bool MayNameLevelFieldScalar(std::string_view line) {
  for (size_t i = 0; i + 3 <= line.size(); ++i) {
    const char lower[] = {Lower(line[i]), Lower(line[i + 1]), Lower(line[i + 2])};
    const std::string_view trigram(lower, 3);
    if (trigram == "lev" || trigram == "lvl" || trigram == "sev") return true;
  }
  return false;
}

}  // namespace varve
