// Reads the sections of alertmanager.yml strictly: every key of a mapping must be asked for, every error has its line.
//
//   YamlFile file("alertmanager.yml");
//   if (!file.Load(text)) return file.Errors();
//   YamlMap map(&file, file.root(), "receiver \"ops\"");
//   map.Read("channel", &config.channel);
//   map.Finish();                       // unknown keys
//   return file.Errors();
//
// Errors are collected (at most kErrorsMax), so that a file's mistakes are told together.
// Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/label_map.h"
#include "alerting/yaml_document.h"
#include "engine/base/status.h"

namespace varve {

class YamlFile {
 public:
  static constexpr size_t kErrorsMax = 20;

  // Lines are counted from `first_line`.
  explicit YamlFile(std::string_view name, uint32_t first_line = 1) : name_(name), first_line_(first_line) {}

  // False after a syntax error. An empty text is a null node.
  bool Load(std::string_view text);
  const YamlNode& root() const { return document_.root; }
  // "name:line: where: what". `where` may be empty.
  void Fail(const YamlNode& at, std::string_view where, std::string_view what);
  Status Errors() const;
  // "name:line".
  std::string Place(const YamlNode& at) const;

 private:
  std::string name_;
  uint32_t first_line_;
  YamlDocument document_;
  std::vector<std::string> errors_;
};

class YamlMap {
 public:
  // `where`: what errors call it. A node that is neither a mapping nor empty is an error. `node` outlives this.
  YamlMap(YamlFile* file, const YamlNode& node, std::string where);

  // The value of a key, null when it is absent or empty; the key counts as known from now on.
  const YamlNode* Take(std::string_view key);
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
  void Each(std::string_view key, const std::function<void(const YamlNode&)>& element);

  // Complains about keys that nobody took.
  void Finish();
  void Fail(std::string_view what) { file_->Fail(node_, where_, what); }
  void FailAt(std::string_view key, std::string_view what);

  YamlFile* file() const { return file_; }
  const std::string& where() const { return where_; }
  const YamlNode& node() const { return node_; }

 private:
  const YamlNode* Key(std::string_view key) const;
  // The value of a key that is there and not empty; it must be a single one.
  const YamlNode* Scalar(std::string_view key);

  YamlFile* file_;
  const YamlNode& node_;
  std::string where_;
  std::vector<std::string> taken_;
};

}  // namespace varve
