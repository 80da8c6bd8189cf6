// Reads the YAML of alertmanager.yml strictly: every key of a mapping must be asked for, every error has its line.
//
//   YamlFile file("alertmanager.yml");
//   YAML::Node root;
//   if (!file.Load(text, first_line, &root)) return file.Errors();
//   YamlMap map(&file, root, "receiver \"ops\"");
//   map.Read("channel", &config.channel);
//   map.Finish();                       // unknown keys
//   return file.Errors();
//
// Errors are collected (at most kErrorsMax), so that a file's mistakes are told together. Merge keys (<<) work; anchors
// are bounded by kNodesMax nodes read. yaml-cpp throws; nothing here does.
// Threads: one.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/label_map.h"
#include "engine/base/status.h"

namespace varve {

class YamlFile {
 public:
  static constexpr size_t kBytesMax = 4 << 20;
  static constexpr size_t kNodesMax = 200'000;
  static constexpr size_t kErrorsMax = 20;

  // Lines are counted from `first_line`.
  explicit YamlFile(std::string_view name, int first_line = 1) : name_(name), first_line_(first_line) {}

  // False after a syntax error. An empty text is a null node.
  bool Load(std::string_view text, YAML::Node* root);
  // "name:line: where: what". `where` may be empty.
  void Fail(const YAML::Node& at, std::string_view where, std::string_view what);
  bool ok() const { return errors_.empty(); }
  Status Errors() const;
  // False, once with an error, when more nodes were read than anyone writes.
  bool Count();

 private:
  std::string name_;
  int first_line_;
  std::vector<std::string> errors_;
  size_t nodes_ = 0;
};

// null, ~ and nothing at all.
bool YamlIsEmpty(const YAML::Node& node);

class YamlMap {
 public:
  // `where`: what errors call it. A node that is neither a mapping nor empty is an error.
  YamlMap(YamlFile* file, const YAML::Node& node, std::string where);

  // The value of a key that is there (even when it is empty); it counts as known from now on.
  std::optional<YAML::Node> Take(std::string_view key);
  bool Has(std::string_view key) const;

  // Each leaves *out as it is when the key is absent, and says whether it was there with a value.
  bool Read(std::string_view key, std::string* out);  // an empty value empties it
  bool Read(std::string_view key, bool* out);
  bool Read(std::string_view key, std::optional<bool>* out);
  bool Read(std::string_view key, uint64_t* out);
  bool Read(std::string_view key, std::vector<std::string>* out);
  bool Read(std::string_view key, LabelMap* out);  // of scalars
  bool ReadDurationMs(std::string_view key, int64_t* out);    // 1h30m, as Prometheus writes durations
  bool ReadGoDurationMs(std::string_view key, int64_t* out);  // 1h30m or 0.5s, as Go does
  // For each element of a list.
  void Each(std::string_view key, const std::function<void(const YAML::Node&)>& element);

  // Complains about keys that nobody took. `known`: kinds that exist, but not here.
  void Finish();
  void Fail(std::string_view what) { file_->Fail(node_, where_, what); }
  void FailAt(std::string_view key, std::string_view what);

  YamlFile* file() const { return file_; }
  const std::string& where() const { return where_; }
  const YAML::Node& node() const { return node_; }

 private:
  struct Entry {
    std::string key;
    YAML::Node key_node, value;
    bool taken = false;
  };
  void AddEntries(const YAML::Node& node, bool merged, int depth);
  void AddMerged(const YAML::Node& value, int depth);
  Entry* Find(std::string_view key);
  // The scalar of a key that is there and not empty.
  std::optional<std::pair<std::string, YAML::Node>> Scalar(std::string_view key);

  YamlFile* file_;
  YAML::Node node_;
  std::string where_;
  std::vector<Entry> entries_;
};

}  // namespace varve
