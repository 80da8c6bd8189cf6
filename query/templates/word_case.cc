#include "query/templates/word_case.h"

#include "query/templates/letter_case.h"
#include "query/templates/template_text.h"

namespace varve::templates {
namespace {

bool IsDigit(uint32_t rune) { return rune >= '0' && rune <= '9'; }

// Letters, roughly: what is not ASCII, white space or punctuation is taken for one.
bool IsLetter(uint32_t rune) {
  if (rune < 0x80) return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z');
  const bool punctuation = (rune >= 0x80 && rune < 0xC0 && rune != 0xAA && rune != 0xB5 && rune != 0xBA) ||
                           (rune >= 0x2000 && rune < 0x2070) || (rune >= 0x3000 && rune < 0x3040) ||
                           rune == 0xD7 || rune == 0xF7 || rune == 0xFFFD;
  return !punctuation && IsPrintRune(rune) && !IsSpaceRune(rune);
}

bool JoinsLetters(uint32_t rune) {
  return rune == '\'' || rune == '.' || rune == ':' || rune == 0xB7 || rune == 0x2018 || rune == 0x2019;
}

template <typename Map>
std::string Mapped(std::string_view text, Map map) {
  std::string out;
  while (!text.empty()) {
    const auto [rune, length] = FirstRune(text);
    AppendRune(map(rune), &out);
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace

std::string UpperCase(std::string_view text) { return Mapped(text, ToUpperRune); }
std::string LowerCase(std::string_view text) { return Mapped(text, ToLowerRune); }

std::string TitleCase(std::string_view text, bool lower_rest) {
  std::string out;
  bool in_word = false;
  bool titled = false;  // the word has its capital
  uint32_t previous = ' ';
  while (!text.empty()) {
    const auto [rune, length] = FirstRune(text);
    text.remove_prefix(length);
    const uint32_t next = text.empty() ? ' ' : FirstRune(text).first;
    const bool joins = in_word && IsLetter(previous) && IsLetter(next) && JoinsLetters(rune);
    if (IsLetter(rune)) {
      const bool capital = !in_word || !titled;
      AppendRune(capital ? ToUpperRune(rune) : lower_rest ? ToLowerRune(rune) : rune, &out);
      in_word = titled = true;
    } else {
      AppendRune(rune, &out);
      in_word = IsDigit(rune) || rune == '_' || joins;
      titled = in_word && titled;
    }
    previous = rune;
  }
  return out;
}

}  // namespace varve::templates
