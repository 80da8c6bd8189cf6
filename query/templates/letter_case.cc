#include "query/templates/letter_case.h"

namespace varve::templates {
namespace {

// Upper-case letters first..last whose lower-case forms lie `delta` further on. With `alternating`, upper
// and lower case letters follow each other, upper first.
struct CaseRange {
  uint32_t first, last;
  int32_t delta;
  bool alternating;
};

constexpr CaseRange kRanges[] = {
    {'A', 'Z', 32, false},       {0xC0, 0xD6, 32, false},     {0xD8, 0xDE, 32, false},
    {0x100, 0x12F, 1, true},     {0x132, 0x137, 1, true},     {0x139, 0x148, 1, true},
    {0x14A, 0x177, 1, true},     {0x178, 0x178, -121, false}, {0x179, 0x17E, 1, true},
    {0x1CD, 0x1DC, 1, true},     {0x1DE, 0x1EF, 1, true},     {0x1F8, 0x21F, 1, true},
    {0x222, 0x233, 1, true},     {0x370, 0x373, 1, true},     {0x386, 0x386, 38, false},
    {0x388, 0x38A, 37, false},   {0x38C, 0x38C, 64, false},   {0x38E, 0x38F, 63, false},
    {0x391, 0x3A1, 32, false},   {0x3A3, 0x3AB, 32, false},   {0x3D8, 0x3EF, 1, true},
    {0x400, 0x40F, 80, false},   {0x410, 0x42F, 32, false},   {0x460, 0x481, 1, true},
    {0x48A, 0x4BF, 1, true},     {0x4C1, 0x4CE, 1, true},     {0x4D0, 0x52F, 1, true},
    {0x531, 0x556, 48, false},   {0x1E00, 0x1E95, 1, true},   {0x1EA0, 0x1EFF, 1, true},
    {0xFF21, 0xFF3A, 32, false},
};

// Letters that have a capital form which does not lead back to them.
uint32_t SpecialUpper(uint32_t rune) {
  switch (rune) {
    case 0xB5: return 0x39C;   // micro sign
    case 0x131: return 'I';    // dotless i
    case 0x17F: return 'S';    // long s
    case 0x3C2: return 0x3A3;  // final sigma
    default: return 0;
  }
}

}  // namespace

uint32_t ToUpperRune(uint32_t rune) {
  if (rune < 0x80) return rune >= 'a' && rune <= 'z' ? rune - 32 : rune;
  if (const uint32_t special = SpecialUpper(rune); special != 0) return special;
  for (const CaseRange& range : kRanges) {
    if (range.alternating) {
      if (rune >= range.first && rune <= range.last) return (rune - range.first) % 2 == 1 ? rune - 1 : rune;
      continue;
    }
    const auto upper = static_cast<uint32_t>(static_cast<int32_t>(rune) - range.delta);
    if (upper >= range.first && upper <= range.last) return upper;
  }
  return rune;
}

uint32_t ToLowerRune(uint32_t rune) {
  if (rune < 0x80) return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
  if (rune == 0x130) return 'i';
  if (rune == 0x1E9E) return 0xDF;
  if (rune == 0x212A) return 'k';
  if (rune == 0x212B) return 0xE5;
  if (rune == 0x2126) return 0x3C9;
  for (const CaseRange& range : kRanges) {
    if (rune < range.first || rune > range.last) continue;
    if (range.alternating) return (rune - range.first) % 2 == 0 ? rune + 1 : rune;
    return static_cast<uint32_t>(static_cast<int32_t>(rune) + range.delta);
  }
  return rune;
}

}  // namespace varve::templates
