#include "tools/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tools/terminal.h"

namespace varve {

using std::chrono::steady_clock;

ProgressBar::ProgressBar()
    : enabled_(IsTerminal(STDERR_FILENO)),
      start_(steady_clock::now()),
      next_draw_(start_ + std::chrono::milliseconds(500)) {}

void ProgressBar::Update(std::string_view name, uint64_t done, uint64_t total, std::string_view detail) {
  if (!enabled_) return;
  const auto now = steady_clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + std::chrono::milliseconds(100);
  std::string line(name);
  if (total > 0) {
    constexpr size_t kCells = 24;
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto full = static_cast<size_t>(share * kCells);
    line += fmt::format("  [{}{}] {:3.0f} %", std::string(full, '#'), std::string(kCells - full, '.'),
                        share * 100);
  }
  line += fmt::format("  {}", detail);
  const size_t width = TerminalWidth(STDERR_FILENO);
  if (line.size() >= width) line.resize(width - 1);
  fmt::print(stderr, "\r\x1b[K{}", line);
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressBar::Clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace varve
