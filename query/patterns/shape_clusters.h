// Shapes that differ only in a value, put together.
//
// Masking digits (line_shape.h) leaves words that are values: user names, hosts, routes. As in Drain (P. He,
// J. Zhu, Z. Zheng, M. R. Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017) only
// lines of equal structure are compared, rare ones by the share of tokens they agree in. But Drain decides
// line by line, as they come; here all shapes are known and counted, so that it can be asked, as IPLoM does
// (A. Makanju et al., KDD 2009), how many different words stand in one place between the same others:
//
//   1. Shapes with the same skeleton (what is between tokens) form a group.
//   2. A place with more than kValuesMax words in one context is a variable there. Codes beside other numbers
//      are numbers.
//   3. While a group has more than kGroupPatternsMax frequent shapes, the place that multiplies them the most
//      becomes a variable: three methods times four statuses times five routes are not sixty messages.
//      Messages that do not vary that way stay apart, however many.
//   4. What is rare then is merged when at least kSimilarMin of its words agree.
//
// The result does not depend on the order of lines. Cost: shapes × tokens for each place that becomes a
// variable. Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/patterns/shape_table.h"

namespace varve {

inline constexpr size_t kValuesMax = 8;
inline constexpr size_t kGroupPatternsMax = 6;
inline constexpr double kSimilarMin = 0.6;
// Lines that must agree before a value that never changes is shown as text.
inline constexpr uint64_t kConstantLinesMin = 10;

struct ShapeCluster {
  const Shape* shape = nullptr;  // the most frequent of `members`
  std::vector<bool> variable;    // by token
  std::vector<const Shape*> members;
  uint64_t lines = 0;
};

// `shapes` sorted by text; the result points into it. Most lines first.
std::vector<ShapeCluster> ClusterShapes(const std::vector<Shape>& shapes);

}  // namespace varve
