// Rows of cells under a header, columns as wide as their widest cell; for terminals.
// Threads: thread-compatible.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/terminal.h"

namespace varve {

class Table {
 public:
  // Columns from `first_number` on are right-aligned.
  Table(std::vector<std::string> header, size_t first_number);

  void Add(std::vector<std::string> row);  // as many cells as the header has
  size_t width() const;                    // columns of the terminal
  std::string Print(const Style& style) const;

 private:
  const size_t first_number_;
  std::vector<size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace varve
