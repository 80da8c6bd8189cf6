#include "alerting/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "engine/model/labels.h"
#include "query/promql/syntax/number_text.h"

namespace varve {
namespace {

constexpr std::string_view kTooLarge = "too large with its aliases expanded";

struct NodeSize {
  size_t nodes = 0;
  size_t bytes = 0;
};

void AddSize(const YamlNode& node, NodeSize* size) {
  ++size->nodes;
  size->bytes += node.text.size();
  for (const YamlNode& key : node.keys) AddSize(key, size);
  for (const YamlNode& item : node.items) AddSize(item, size);
}

// Builds the tree from yaml-cpp's events. The first error is kept and everything behind it ignored.
class TreeBuilder final : public YAML::EventHandler {
 public:
  struct Error {
    uint32_t line = 0;
    std::string text;  // empty: none
  };

  explicit TreeBuilder(uint32_t first_line) : first_line_(first_line) {}
  const Error& error() const { return error_; }
  bool failed() const { return !error_.text.empty(); }
  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (Open(mark, YamlNode::Kind::kNull, anchor)) Close();
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!Open(mark, YamlNode::Kind::kScalar, anchor)) return;
    expanded_.bytes += value.size();
    stack_.back().node.text = value;
    stack_.back().node.plain = tag == "?";
    Close();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, YamlNode::Kind::kSequence, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, YamlNode::Kind::kMap, anchor);
  }
  void OnMapEnd() override { Close(); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (failed()) return;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return Fail(Line(mark), "an alias inside of what it stands for");
    if (!Spend(found->second, Line(mark))) return;
    Place(found->second);
  }

 private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    bool has_key = false;  // of a map: its last key waits for a value
  };

  uint32_t Line(const YAML::Mark& mark) const {
    return first_line_ + static_cast<uint32_t>(std::max(mark.line, 0));
  }
  void Fail(uint32_t line, std::string text) {
    if (!failed()) error_ = {line, std::move(text)};
  }

  bool Spend(const YamlNode& copied, uint32_t line) {
    AddSize(copied, &expanded_);
    const bool within = expanded_.nodes <= kYamlNodesMax && expanded_.bytes <= kYamlExpandedBytesMax;
    if (!within) Fail(line, std::string(kTooLarge));
    return within;
  }

  bool Open(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor) {
    if (failed()) return false;
    if (stack_.size() >= kYamlDepthMax) {
      Fail(Line(mark), "nested deeper than " + std::to_string(kYamlDepthMax) + " levels");
      return false;
    }
    if (++expanded_.nodes > kYamlNodesMax) {
      Fail(Line(mark), std::string(kTooLarge));
      return false;
    }
    Frame& frame = stack_.emplace_back();
    frame.node.kind = kind;
    frame.node.line = Line(mark);
    frame.anchor = anchor;
    return true;
  }

  void Close() {
    if (failed()) return;
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    if (frame.node.is_map()) FinishMap(&frame.node);
    if (failed()) return;
    if (frame.anchor != YAML::NullAnchor) {
      if (!Spend(frame.node, frame.node.line)) return;
      anchors_[frame.anchor] = frame.node;
    }
    Place(std::move(frame.node));
  }

  void Place(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& parent = stack_.back();
    if (parent.node.is_map() && !parent.has_key) {
      // `~: x` or an empty key is a key without a name.
      if (node.is_sequence() || node.is_map()) return Fail(node.line, "a key must be plain text");
      parent.node.keys.push_back(std::move(node));
      parent.has_key = true;
      return;
    }
    parent.node.items.push_back(std::move(node));
    parent.has_key = false;
  }

  void FinishMap(YamlNode* map) {
    std::unordered_map<std::string_view, uint32_t> lines;
    bool merges = false;
    for (const YamlNode& key : map->keys) {
      merges |= key.plain && key.text == "<<";
      const auto [at, added] = lines.emplace(key.text, key.line);
      if (!added) {
        return Fail(key.line, "key " + GoQuoted(key.text) + " is given twice, first in line " +
                                  std::to_string(at->second));
      }
    }
    if (merges) Merge(map);
  }

  // `<<: *a` and `<<: [*a, *b]`: their entries, where the map (or an earlier one of the list) does not have the key.
  void Merge(YamlNode* map) {
    const auto at = std::find_if(map->keys.begin(), map->keys.end(),
                                 [](const YamlNode& key) { return key.plain && key.text == "<<"; });
    const auto index = at - map->keys.begin();
    YamlNode merged = std::move(map->items[static_cast<size_t>(index)]);
    map->keys.erase(at);
    map->items.erase(map->items.begin() + index);
    std::vector<YamlNode> sources;
    if (merged.is_sequence()) {
      sources = std::move(merged.items);
    } else {
      sources.push_back(std::move(merged));
    }
    // The strings of `keys` may move while entries are added, so the names are copies.
    std::map<std::string, bool, std::less<>> present;
    for (const YamlNode& key : map->keys) present.emplace(key.text, true);
    for (YamlNode& source : sources) {
      if (!source.is_map()) return Fail(source.line, "<< stands for maps only");
      for (size_t i = 0; i < source.keys.size(); ++i) {
        if (!present.emplace(source.keys[i].text, true).second) continue;
        map->keys.push_back(std::move(source.keys[i]));
        map->items.push_back(std::move(source.items[i]));
      }
    }
  }

  const uint32_t first_line_;
  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, YamlNode> anchors_;
  NodeSize expanded_;
  YamlNode root_;
  Error error_;
};

// The only call that yaml-cpp may throw from: what it says, or nothing. `*more` is whether there is another document.
TreeBuilder::Error Build(std::string_view text, uint32_t first_line, TreeBuilder* builder, bool* more) {
  bool first_done = false;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(*builder)) return {};
    first_done = true;
    // What stands behind a last `---` or `...` may be nothing.
    TreeBuilder rest(first_line);
    *more = parser.HandleNextDocument(rest) && (rest.failed() || !rest.TakeRoot().is_null());
  } catch (const YAML::Exception& e) {
    if (!first_done) {
      return {first_line + static_cast<uint32_t>(std::max(e.mark.line, 0)), "not valid YAML: " + e.msg};
    }
    *more = true;
  }
  return {};
}

bool IsFlowMark(char c) { return c == '[' || c == ']' || c == '{' || c == '}' || c == ','; }

Status At(std::string_view name, size_t line, std::string_view text) {
  return InvalidArgument(std::string(name) + ":" + std::to_string(line) + ": " + std::string(text));
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &items[i];
  }
  return nullptr;
}

std::string_view YamlKindName(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull: return "nothing";
    case YamlNode::Kind::kScalar: return "a text";
    case YamlNode::Kind::kSequence: return "a list";
    case YamlNode::Kind::kMap: return "a map";
  }
  return "";
}

Result<YamlDocument> ParseYaml(std::string_view text, std::string_view name, uint32_t first_line) {
  if (text.size() > kYamlBytesMax) {
    return At(name, first_line, "larger than " + std::to_string(kYamlBytesMax >> 20) + " MiB");
  }
  size_t flow_marks = 0;
  for (size_t at = 0, line = first_line; at < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view one = text.substr(at, end - at);
    if (!promql::IsValidUtf8(one)) return At(name, line, "bytes that are not UTF-8");
    if (one.find('\0') != std::string_view::npos) return At(name, line, "a zero byte");
    flow_marks += static_cast<size_t>(std::count_if(one.begin(), one.end(), IsFlowMark));
    if (flow_marks > kYamlFlowMarksMax) {
      return At(name, line, "more than " + std::to_string(kYamlFlowMarksMax) + " brackets, braces and commas");
    }
    at = end + 1;
  }
  TreeBuilder builder(first_line);
  YamlDocument document;
  const TreeBuilder::Error thrown = Build(text, first_line, &builder, &document.more_documents);
  const TreeBuilder::Error& error = builder.failed() ? builder.error() : thrown;
  if (!error.text.empty()) return At(name, error.line, error.text);
  document.root = builder.TakeRoot();
  return document;
}

}  // namespace varve
