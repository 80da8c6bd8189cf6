// The shapes of many lines, each once, with what the lines of a shape have in common.
//
// What is in a table does not depend on the order of Add and Merge until a table of bounded size overflows;
// then rare shapes are dropped, by order of a hash. So tables that are filled in parallel and merged in a
// fixed order give the same result every time. Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "query/patterns/line_shape.h"

namespace varve {

struct Shape {
  std::string text;                // ShapeOf
  std::vector<ShapeToken> tokens;  // of text
  // Of each token that is variable, the text that it has in all lines, if that may be shown as a constant;
  // else
  // "".
  std::vector<std::string> constants;
  uint64_t lines = 0;

  // What is between tokens i - 1 and i.
  std::string_view Gap(size_t i) const;
  // All gaps: shapes that agree in them have tokens at the same places.
  std::string Skeleton() const;
  int64_t MemoryBytes() const;
};

// What identifies a shape.
uint64_t ShapeHash(std::string_view shape_text);

class ShapeTable {
 public:
  explicit ShapeTable(size_t shapes_max) : shapes_max_(shapes_max) {}

  void Add(std::string_view line, const std::vector<ShapeToken>& tokens);
  void Merge(ShapeTable other);

  size_t size() const { return shapes_.size(); }
  int64_t MemoryBytes() const { return memory_bytes_; }
  // Sorted by text; leaves the table empty.
  std::vector<Shape> Take();

 private:
  void DropRare();

  size_t shapes_max_;
  std::unordered_map<uint64_t, Shape> shapes_;  // by ShapeHash
  std::string scratch_;
  int64_t memory_bytes_ = 0;
};

}  // namespace varve
