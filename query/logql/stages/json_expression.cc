#include "query/logql/stages/json_expression.h"

#include <algorithm>

#include "query/logql/stages/json_scan.h"

namespace varve::logql {
namespace {

using Node = JsonExpressionStage::Node;

// Walks the line along the tree of paths. What is malformed is stepped over; only a value that is wanted
// and cannot be read is an error.
class PathReader {
 public:
  PathReader(const std::vector<std::string>& names, const NeededNames& needed, Row* row)
      : names_(names), needed_(needed), row_(*row), missing_(names.size()) {
    row_.scratch.assign(names.size(), '\0');
  }

  void Read(const Node& root) {
    const char* p = row_.line.data();
    end_ = p + row_.line.size();
    // Objects that follow the first are looked at too.
    while (missing_ > 0 && p != nullptr && p != end_) {
      if (*p == '{') {
        p = WalkObject(root, p);
      } else if (*p == '[') {
        p = WalkArray(root, p);
      } else if (*p == '"') {
        bool escaped = false;
        p = json::StringEnd(p + 1, end_, &escaped);
      } else {
        ++p;
      }
    }
    for (size_t i = 0; i < names_.size() && missing_ > 0; ++i) {
      if (row_.scratch[i] == '\0' && row_.labels.Find(names_[i]) == nullptr) SetLabel(i, {});
    }
  }

 private:
  // `p` is at the opening brace; the result is behind the closing one, or null at the end of the text.
  const char* WalkObject(const Node& node, const char* p) {
    ++p;
    while (missing_ > 0) {
      p = json::SkipSpace(p, end_);
      if (p == nullptr) return nullptr;
      if (*p == '}') return p + 1;
      if (*p != '"') {
        ++p;
        continue;
      }
      bool escaped = false;
      const char* key_begin = p + 1;
      p = json::StringEnd(key_begin, end_, &escaped);
      if (p == nullptr) return nullptr;
      std::string_view key(key_begin, static_cast<size_t>(p - 1 - key_begin));
      if (escaped && !json::Unescape(key, &row_.labels.arena(), &key)) return nullptr;
      p = json::SkipSpace(p, end_);
      if (p == nullptr) return nullptr;
      if (*p != ':') continue;
      p = json::SkipSpace(p + 1, end_);
      if (p == nullptr) return nullptr;
      const auto child = std::find_if(node.children.begin(), node.children.end(), [&](const Node& candidate) {
        return !candidate.is_index && candidate.key == key;
      });
      p = child == node.children.end() ? SkipValue(p) : Visit(*child, p);
      if (p == nullptr) return nullptr;
    }
    return nullptr;
  }

  const char* WalkArray(const Node& node, const char* p) {
    if (std::none_of(node.children.begin(), node.children.end(), [](const Node& c) { return c.is_index; })) {
      return json::BlockEnd(p, end_, '[', ']');
    }
    ++p;
    for (uint32_t index = 0; missing_ > 0; ++index) {
      p = json::SkipSpace(p, end_);
      if (p == nullptr) return nullptr;
      if (*p == ']') return p + 1;
      const auto child = std::find_if(node.children.begin(), node.children.end(), [&](const Node& candidate) {
        return candidate.is_index && candidate.index == index;
      });
      p = child == node.children.end() ? SkipValue(p) : Visit(*child, p);
      if (p == nullptr) return nullptr;
      p = json::SkipSpace(p, end_);
      if (p == nullptr) return nullptr;
      if (*p == ',') {
        ++p;
      } else if (*p != ']') {
        return nullptr;
      }
    }
    return nullptr;
  }

  // Takes the value at `p` if `node` ends a path, and looks further inside it.
  const char* Visit(const Node& node, const char* p) {
    const char* value_end = nullptr;
    if (!node.wanted_by.empty() && row_.scratch[node.wanted_by[0]] == '\0') {
      json::Value value;
      std::string_view error;
      value_end = json::ReadValue(p, end_, &value, &error);
      for (const uint32_t extraction : node.wanted_by) {
        row_.scratch[extraction] = '\1';
        --missing_;
        if (value_end != nullptr) SetLabel(extraction, json::LabelValue(value, &row_.labels.arena()));
      }
      if (value_end == nullptr) row_.labels.SetError(kJsonParserError, error);
    }
    if (!node.children.empty() && missing_ > 0) {
      if (*p == '{') return WalkObject(node, p);
      if (*p == '[') return WalkArray(node, p);
    }
    return value_end != nullptr ? value_end : SkipValue(p);
  }

  const char* SkipValue(const char* p) {
    if (*p == '{') return json::BlockEnd(p, end_, '{', '}');
    if (*p == '[') return json::BlockEnd(p, end_, '[', ']');
    if (*p == '"') {
      bool escaped = false;
      return json::StringEnd(p + 1, end_, &escaped);
    }
    while (p != end_ && *p != ',' && *p != '}' && *p != ']' && *p != '"') ++p;
    return p;
  }

  void SetLabel(size_t extraction, std::string_view value) {
    const std::string& name = names_[extraction];
    const RowLabels::Target target = row_.labels.ExtractionTarget(name, HashName(name));
    if (needed_.Contains(target)) row_.labels.SetExtracted(target, value);
  }

  const std::vector<std::string>& names_;
  const NeededNames& needed_;
  Row& row_;  // row_.scratch[i] is 1 once extraction i has been found
  size_t missing_;
  const char* end_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<RowStage>> JsonExpressionStage::Create(const std::vector<Extraction>& extractions,
                                                              const NeededNames& needed) {
  auto stage = std::unique_ptr<JsonExpressionStage>(new JsonExpressionStage(needed));
  for (const Extraction& extraction : extractions) {
    Result<JsonPath> path = ParseJsonPath(extraction.expression);
    if (!path.ok()) {
      return InvalidArgument("cannot parse expression [" + extraction.expression +
                             "]: " + path.status().message());
    }
    stage->names_.push_back(extraction.name);
    stage->AddPath(*path, static_cast<uint32_t>(stage->names_.size() - 1));
  }
  return std::unique_ptr<RowStage>(std::move(stage));
}

void JsonExpressionStage::AddPath(const JsonPath& path, uint32_t extraction) {
  Node* node = &root_;
  for (const JsonPathStep& step : path) {
    auto child = std::find_if(node->children.begin(), node->children.end(), [&](const Node& candidate) {
      return candidate.is_index == step.is_index && candidate.key == step.key &&
             candidate.index == step.index;
    });
    if (child == node->children.end()) {
      Node added;
      added.is_index = step.is_index;
      added.key = step.key;
      added.index = step.index;
      node->children.push_back(std::move(added));
      child = node->children.end() - 1;
    }
    node = &*child;
  }
  node->wanted_by.push_back(extraction);
}

bool JsonExpressionStage::Apply(Row* row) const {
  if (row->line.empty() || needed_.none()) return true;
  const char first = row->line[0];
  if (first != '{' && first != '[' && first != '"') {
    row->labels.SetError(kJsonParserError, {});
    return true;
  }
  PathReader(names_, needed_, row).Read(root_);
  return true;
}

}  // namespace varve::logql
