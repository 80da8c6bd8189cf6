#include "query/patterns/pattern_set.h"

#include <algorithm>

#include "query/patterns/pattern_text.h"
#include "query/patterns/shape_clusters.h"

namespace varve {
namespace {

// Shapes that an assigner remembers.
constexpr size_t kRememberedShapesMax = 1 << 14;

}  // namespace

uint32_t PatternSet::Compile(const std::string& text, std::unordered_map<std::string, uint32_t>* known) {
  const auto [found, is_new] = known->try_emplace(text, kNone);
  if (!is_new) return found->second;
  Result<logql::CompiledLineFilter> filter =
      logql::CompiledLineFilter::Compile({logql::LineFilterOp::kPattern, {{text}}});
  if (filter.ok()) {
    found->second = static_cast<uint32_t>(patterns_.size());
    patterns_.push_back({text, std::move(*filter)});
  }
  return found->second;
}

PatternSet PatternSet::Mine(const std::vector<Shape>& shapes, size_t clusters_max) {
  PatternSet set;
  std::vector<ShapeCluster> clusters = ClusterShapes(shapes);
  if (clusters.size() > clusters_max) clusters.resize(clusters_max);
  std::unordered_map<std::string, uint32_t> known;
  for (const ShapeCluster& mined : clusters) {
    Cluster cluster;
    cluster.pattern = set.Compile(PatternText(mined, true), &known);
    cluster.fallback = set.Compile(PatternText(mined, false), &known);
    for (size_t i = 0; i < mined.variable.size(); ++i) {
      std::optional<std::string>& word = cluster.words.emplace_back();
      if (mined.variable[i]) continue;
      word = mined.shape->tokens[i].In(mined.shape->text);
      ++cluster.word_count;
    }
    const auto number = static_cast<uint32_t>(set.clusters_.size());
    for (const Shape* member : mined.members) set.cluster_of_shape_.emplace(ShapeHash(member->text), number);
    set.clusters_of_skeleton_[mined.shape->Skeleton()].push_back(number);
    set.clusters_.push_back(std::move(cluster));
  }
  for (auto& [skeleton, numbers] : set.clusters_of_skeleton_) {
    std::stable_sort(numbers.begin(), numbers.end(), [&](uint32_t a, uint32_t b) {
      return set.clusters_[a].word_count > set.clusters_[b].word_count;
    });
  }
  return set;
}

uint32_t PatternSet::FindSimilar(std::string_view line, const std::vector<ShapeToken>& tokens) const {
  std::string skeleton;
  size_t at = 0;
  for (const ShapeToken& token : tokens) {
    skeleton.append(line.substr(at, token.begin - at)).push_back('\0');
    at = token.end;
  }
  skeleton.append(line.substr(at)).push_back('\0');
  const auto found = clusters_of_skeleton_.find(skeleton);
  if (found == clusters_of_skeleton_.end()) return kNone;
  for (const uint32_t number : found->second) {
    const std::vector<std::optional<std::string>>& words = clusters_[number].words;
    bool fits = words.size() == tokens.size();
    for (size_t i = 0; i < words.size() && fits; ++i) {
      fits = !words[i].has_value() || (!tokens[i].is_variable() && *words[i] == tokens[i].In(line));
    }
    if (fits) return number;
  }
  return kNone;
}

std::optional<uint32_t> PatternAssigner::Find(std::string_view line) {
  SplitLine(line, &tokens_);
  ShapeOf(line, tokens_, &shape_);
  const uint64_t hash = ShapeHash(shape_);
  uint32_t number = PatternSet::kNone;
  if (const auto mined = patterns_.cluster_of_shape_.find(hash); mined != patterns_.cluster_of_shape_.end()) {
    number = mined->second;
  } else if (const auto similar = similar_.find(hash); similar != similar_.end()) {
    number = similar->second;
  } else {
    number = patterns_.FindSimilar(line, tokens_);
    if (similar_.size() >= kRememberedShapesMax) similar_.clear();
    similar_.emplace(hash, number);
  }
  if (number == PatternSet::kNone) return std::nullopt;
  const PatternSet::Cluster& cluster = patterns_.clusters_[number];
  for (const uint32_t pattern : {cluster.pattern, cluster.fallback}) {
    if (pattern != PatternSet::kNone && patterns_.Matches(pattern, line)) return pattern;
    if (cluster.fallback == cluster.pattern) break;
  }
  return std::nullopt;
}

}  // namespace varve
