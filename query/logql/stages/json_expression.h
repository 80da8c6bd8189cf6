// | json a="b.c", x="arr[1].x": only the values at these paths become labels.
//
// A path that is missing gives an empty label, an object or array its JSON text; the first match wins.
// Unlike the full parser it overwrites what earlier parsers extracted.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "query/logql/ast.h"
#include "query/logql/needed_names.h"
#include "query/logql/stages/json_path.h"
#include "query/logql/stages/stage.h"

namespace varve::logql {

class JsonExpressionStage : public RowStage {
 public:
  // kInvalidArgument: "cannot parse expression [a..b]: syntax error: unexpected DOT, expecting FIELD".
  static Result<std::unique_ptr<RowStage>> Create(const std::vector<Extraction>& extractions,
                                                  const NeededNames& needed);
  bool Apply(Row* row) const override;

  // The paths as a tree; nodes that end a path carry the extractions that want its value.
  struct Node {
    bool is_index = false;
    std::string key;
    uint32_t index = 0;
    std::vector<uint32_t> wanted_by;  // indexes into names_
    std::vector<Node> children;
  };

 private:
  explicit JsonExpressionStage(const NeededNames& needed) : needed_(needed) {}
  void AddPath(const JsonPath& path, uint32_t extraction);

  const NeededNames& needed_;
  std::vector<std::string> names_;
  Node root_;
};

}  // namespace varve::logql
