// Mined patterns, compiled, and which of them a line belongs to.
//
// A line belongs to a pattern only if the pattern filter |> "pattern" finds it: the very code of that filter
// is asked for every line. It is asked for one pattern a line, or two: which one follows from the line's
// shape. A line of a shape that was not seen while mining goes to the cluster of its skeleton whose words it
// has, the one with the most words first. Threads: PatternSet is immutable and shared; a PatternAssigner
// belongs to one task.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/status.h"
#include "query/logql/line_match/line_filter.h"
#include "query/patterns/shape_table.h"

namespace varve {

class PatternSet {
 public:
  // Mines at most `clusters_max` clusters from `shapes` (sorted by text).
  static PatternSet Mine(const std::vector<Shape>& shapes, size_t clusters_max);

  size_t size() const { return patterns_.size(); }
  const std::string& text(uint32_t pattern) const { return patterns_[pattern].text; }
  bool Matches(uint32_t pattern, std::string_view line) const {
    return patterns_[pattern].filter.Matches(line);
  }

 private:
  friend class PatternAssigner;

  static constexpr uint32_t kNone = ~uint32_t{0};

  struct Pattern {
    std::string text;
    logql::CompiledLineFilter filter;
  };
  struct Cluster {
    uint32_t pattern = kNone;                       // with what never changed as text
    uint32_t fallback = kNone;                      // without, for lines where it did change
    std::vector<std::optional<std::string>> words;  // by token; none: a variable
    size_t word_count = 0;
  };

  // The pattern's number, or kNone when it is none that the filter takes.
  uint32_t Compile(const std::string& text, std::unordered_map<std::string, uint32_t>* known);
  // The cluster that a line of this shape fits, or kNone.
  uint32_t FindSimilar(std::string_view line, const std::vector<ShapeToken>& tokens) const;

  std::vector<Pattern> patterns_;  // all different
  std::vector<Cluster> clusters_;
  std::unordered_map<uint64_t, uint32_t> cluster_of_shape_;                      // by ShapeHash
  std::unordered_map<std::string, std::vector<uint32_t>> clusters_of_skeleton_;  // most words first
};

class PatternAssigner {
 public:
  explicit PatternAssigner(const PatternSet& patterns) : patterns_(patterns) {}

  // The pattern the line is counted under.
  std::optional<uint32_t> Find(std::string_view line);

 private:
  const PatternSet& patterns_;
  std::vector<ShapeToken> tokens_;
  std::string shape_;
  std::unordered_map<uint64_t, uint32_t> similar_;  // of shapes that were not mined; bounded
};

}  // namespace varve
