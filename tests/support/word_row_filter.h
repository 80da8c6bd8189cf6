// A row filter for tests of the engine, which does not know LogQL: "" takes every row of every stream,
// "app=a" those of the streams with that label, "app=a|word" of those the lines that hold the word. A query
// that starts with '!' does not compile.
//
// Threads: as RowFilter.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/row_filter.h"

namespace varve {

class WordRowFilter final : public RowFilter {
 public:
  WordRowFilter(std::string app, std::string word) : app_(std::move(app)), word_(std::move(word)) {}
  bool TakesStream(const Labels& stream) const override { return app_.empty() || stream.Get("app") == app_; }
  ColumnMask columns() const override { return word_.empty() ? 0 : kLines; }
  void TakeRows(const Labels&, const LogColumns& columns, std::vector<uint32_t>* rows) const override {
    std::erase_if(*rows, [&](uint32_t row) { return columns.Line(row).find(word_) == std::string_view::npos; });
  }
  bool Takes(const Labels& stream, std::string_view line) const {
    return TakesStream(stream) && line.find(word_) != std::string_view::npos;
  }

 private:
  const std::string app_;
  const std::string word_;
};

inline Result<std::unique_ptr<const RowFilter>> CompileWordRowFilter(std::string_view query) {
  if (query.starts_with('!')) return InvalidArgument("the query does not compile");
  const size_t bar = std::min(query.find('|'), query.size());
  std::string_view app = query.substr(0, bar);
  if (app.starts_with("app=")) app.remove_prefix(4);
  return std::unique_ptr<const RowFilter>(std::make_unique<WordRowFilter>(
      std::string(app), std::string(query.substr(std::min(bar + 1, query.size())))));
}

}  // namespace varve
