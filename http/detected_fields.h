// The fields that log lines hold: what Grafana's Logs Drilldown lists under "Fields".
//
// Each line is read as JSON, and when it is none as logfmt; structured metadata and labels made by the
// query's pipeline count too. A field's type is the narrowest that all of its values have. Work and memory
// are bounded by the number of lines and fields asked for.
// Threads: thread-compatible. Ownership: nothing that is added needs to stay alive.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "query/exec/query.h"

namespace varve {

// From narrow to wide; int is a float too, everything is a string.
enum class FieldType { kInt, kFloat, kBoolean, kDuration, kBytes, kString };
std::string_view FieldTypeName(FieldType type);  // "int"
FieldType DetectFieldType(std::string_view value);
// The value as LogQL reads it back: byte sizes as powers of 1000 without a space, "12kB"; else unchanged.
std::string QueryableValue(std::string_view value);

struct DetectedField {
  FieldType type = FieldType::kString;
  std::set<std::string> values;           // as they stand in lines and metadata
  std::set<std::string> metadata_values;  // those of them that metadata holds
  std::vector<std::string> parsers;       // "json", "logfmt"; empty for structured metadata
  std::vector<std::string> json_path;     // of the first occurrence in JSON
};

class FieldDetector {
 public:
  explicit FieldDetector(size_t fields_max) : fields_max_(fields_max) {}

  void Add(const LabelPairs& stream, const ResultEntry& entry);

  const std::map<std::string, DetectedField>& fields() const { return fields_; }

 private:
  void AddValue(const std::string& name, std::string_view value, std::string_view parser,
                const std::vector<std::string>& json_path);

  const size_t fields_max_;
  std::map<std::string, DetectedField> fields_;
};

}  // namespace varve
