// Reads values out of a YAML tree, and tells of everything that is not as it should be.
//
//   YamlReader reader([&](uint32_t line, std::string text) { … });
//   reader.Map(node, "a group", {{"name", [&](const YamlNode& from) { reader.Text(from, "name", &group.name); }}, …});
//
// A key whose value is null is as if it were not there. What is wrong leaves the value as it was.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerting/label_map.h"
#include "alerting/yaml_document.h"

namespace varve {

class YamlReader {
 public:
  using ProblemFn = std::function<void(uint32_t line, std::string text)>;
  struct Field {
    std::string_view key;
    std::function<void(const YamlNode&)> read;
  };
  // A key that is refused with a reason of its own.
  struct Refused {
    std::string_view key;
    std::string_view why;
  };

  explicit YamlReader(ProblemFn problem) : problem_(std::move(problem)) {}

  // `what` stands in errors: "a group must be a map, not a list". Keys that no field has are errors.
  void Map(const YamlNode& node, std::string_view what, const std::vector<Field>& fields,
           const std::vector<Refused>& refused = {}) const;
  void List(const YamlNode& node, std::string_view what, const std::function<void(const YamlNode&)>& item) const;

  // `key` is the value's name in errors.
  bool Text(const YamlNode& node, std::string_view key, std::string* value) const;
  void TextList(const YamlNode& node, std::string_view key, std::vector<std::string>* values) const;
  void Labels(const YamlNode& node, std::string_view key, LabelMap* labels) const;
  // Prometheus's durations: 1h30m.
  void Duration(const YamlNode& node, std::string_view key, int64_t* ms) const;
  void Integer(const YamlNode& node, std::string_view key, int64_t min, int64_t max, int64_t* value) const;
  // YAML's and PromQL's numbers: 1, 0x1f, 1e3, .inf, NaN.
  void Number(const YamlNode& node, std::string_view key, double* value) const;
  void Flag(const YamlNode& node, std::string_view key, bool* value) const;

  // Fields that read the one value and nothing else.
  Field TextField(std::string_view key, std::string* value) const;
  Field DurationField(std::string_view key, int64_t* ms) const;
  Field LabelsField(std::string_view key, LabelMap* labels) const;

  void Problem(uint32_t line, std::string text) const { problem_(line, std::move(text)); }

 private:
  void WrongKind(const YamlNode& node, std::string_view what, std::string_view wanted) const;

  const ProblemFn problem_;
};

}  // namespace varve
