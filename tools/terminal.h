// What a terminal needs and a pipe must not get: colours, widths, and text that cannot play tricks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace varve {

bool IsTerminal(int fd);
// Columns of the terminal behind `fd`; 80 when it does not say.
size_t TerminalWidth(int fd);
// Whether to colour what goes to `fd`: a terminal, TERM is not "dumb", NO_COLOR is not set.
bool WantsColour(int fd);

// Control characters (but tab) as \n, \x1b…: a log line must not move the cursor or recolour the
// terminal of whoever reads it.
std::string Printable(std::string_view text);

// Columns that UTF-8 text takes, wide East Asian characters counted as two.
size_t DisplayWidth(std::string_view text);

struct Style {
  bool colour = false;

  std::string Dim(std::string_view text) const { return Wrap("2", text); }
  std::string Bold(std::string_view text) const { return Wrap("1", text); }
  std::string Red(std::string_view text) const { return Wrap("31", text); }
  std::string Yellow(std::string_view text) const { return Wrap("33", text); }
  std::string Cyan(std::string_view text) const { return Wrap("36", text); }
  std::string Blue(std::string_view text) const { return Wrap("34", text); }

 private:
  std::string Wrap(std::string_view code, std::string_view text) const;
};

}  // namespace varve
