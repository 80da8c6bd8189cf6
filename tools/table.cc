#include "tools/table.h"

#include <algorithm>
#include <utility>

namespace varve {

Table::Table(std::vector<std::string> header, size_t first_number)
    : first_number_(first_number), widths_(header.size()) {
  Add(std::move(header));
}

void Table::Add(std::vector<std::string> row) {
  row.resize(widths_.size());
  for (size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], DisplayWidth(row[i]));
  rows_.push_back(std::move(row));
}

size_t Table::width() const {
  size_t total = 0;
  for (const size_t width : widths_) total += width + 2;
  return total - 2;
}

std::string Table::Print(const Style& style) const {
  std::string out;
  for (size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (size_t i = 0; i < rows_[r].size(); ++i) {
      const std::string padding(widths_[i] - DisplayWidth(rows_[r][i]), ' ');
      if (i > 0) line += "  ";
      line += i >= first_number_ ? padding + rows_[r][i] : rows_[r][i] + padding;
    }
    while (line.ends_with(' ')) line.pop_back();
    out += (r == 0 ? style.Bold(line) : line) + "\n";
  }
  return out;
}

}  // namespace varve
