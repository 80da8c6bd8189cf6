#include "query/patterns/shape_table.h"

#include <xxhash.h>

#include <algorithm>

namespace varve {
namespace {

// Numbers, dates and addresses that happen to be the same in all lines are values all the same; versions
// ("HTTP/1.1"), small numbers ("uid=0") and "-" are part of the text.
bool MayBeConstant(TokenKind kind, std::string_view text) {
  if (kind != TokenKind::kVariable || text.size() > kWordBytesMax) return false;
  bool letter = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '\\') return false;
    letter = letter || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return letter || text == "-" || (digits && text.size() <= 2);
}

}  // namespace

std::string_view Shape::Gap(size_t i) const {
  const size_t begin = i == 0 ? 0 : tokens[i - 1].end;
  const size_t end = i == tokens.size() ? text.size() : tokens[i].begin;
  return std::string_view(text).substr(begin, end - begin);
}

std::string Shape::Skeleton() const {
  std::string skeleton;
  for (size_t i = 0; i <= tokens.size(); ++i) skeleton.append(Gap(i)).push_back('\0');
  return skeleton;
}

int64_t Shape::MemoryBytes() const {
  // Constants and the table that holds this are estimated.
  return static_cast<int64_t>(sizeof(*this) + text.size() + 96 +
                              tokens.size() * (sizeof(ShapeToken) + sizeof(std::string) + 16));
}

uint64_t ShapeHash(std::string_view shape_text) { return XXH3_64bits(shape_text.data(), shape_text.size()); }

void ShapeTable::Add(std::string_view line, const std::vector<ShapeToken>& tokens) {
  ShapeOf(line, tokens, &scratch_);
  const auto [found, is_new] = shapes_.try_emplace(ShapeHash(scratch_));
  Shape& shape = found->second;
  ++shape.lines;
  if (!is_new) {
    for (size_t i = 0; i < tokens.size() && i < shape.constants.size(); ++i) {
      std::string& constant = shape.constants[i];
      if (!constant.empty() && constant != tokens[i].In(line)) constant.clear();
    }
    return;
  }
  shape.text = scratch_;
  uint32_t removed = 0;  // bytes of the line that the shape does not have
  for (const ShapeToken& token : tokens) {
    const uint32_t length = token.is_variable() ? 1 : token.end - token.begin;
    shape.tokens.push_back({token.begin - removed, token.begin - removed + length, token.kind});
    removed += token.end - token.begin - length;
    shape.constants.emplace_back(MayBeConstant(token.kind, token.In(line)) ? token.In(line)
                                                                           : std::string_view());
  }
  memory_bytes_ += shape.MemoryBytes();
  if (shapes_.size() > shapes_max_) DropRare();
}

void ShapeTable::Merge(ShapeTable other) {
  for (auto& [hash, shape] : other.shapes_) {
    const auto [found, is_new] = shapes_.try_emplace(hash);
    Shape& mine = found->second;
    if (is_new) {
      memory_bytes_ += shape.MemoryBytes();
      mine = std::move(shape);
      continue;
    }
    mine.lines += shape.lines;
    for (size_t i = 0; i < std::min(mine.constants.size(), shape.constants.size()); ++i) {
      if (mine.constants[i] != shape.constants[i]) mine.constants[i].clear();
    }
  }
  if (shapes_.size() > shapes_max_) DropRare();
}

// Keeps half of what there is room for: the most frequent, among equals those of the lowest hash, which is a
// fair sample of them.
void ShapeTable::DropRare() {
  std::vector<std::pair<uint64_t, uint64_t>> order;  // lines, hash
  order.reserve(shapes_.size());
  for (const auto& [hash, shape] : shapes_) order.emplace_back(shape.lines, hash);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (size_t i = shapes_max_ / 2; i < order.size(); ++i) {
    const auto found = shapes_.find(order[i].second);
    memory_bytes_ -= found->second.MemoryBytes();
    shapes_.erase(found);
  }
}

std::vector<Shape> ShapeTable::Take() {
  std::vector<Shape> shapes;
  shapes.reserve(shapes_.size());
  for (auto& [hash, shape] : shapes_) shapes.push_back(std::move(shape));
  shapes_.clear();
  memory_bytes_ = 0;
  std::sort(shapes.begin(), shapes.end(), [](const Shape& a, const Shape& b) { return a.text < b.text; });
  return shapes;
}

}  // namespace varve
