// Upper and lower case of letters, one code point for one, as Go's unicode.ToUpper and ToLower.
//
// ASCII, Latin, Greek, Cyrillic, Armenian and fullwidth letters; others stay as they are.
#pragma once

#include <cstdint>

namespace varve::templates {

uint32_t ToUpperRune(uint32_t rune);
uint32_t ToLowerRune(uint32_t rune);

}  // namespace varve::templates
