// Renders one row: walks the tree as Go's text/template/exec does, and fails with its words.
//
// Threads: one evaluation, one thread. Ownership: refers to the tree and the row.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/logql/templates/template_call.h"
#include "query/logql/templates/template_tree.h"

namespace varve::logql {

class TemplateEvaluator {
 public:
  TemplateEvaluator(const TemplateTree& tree, Row* row, std::string* out, std::string* error)
      : tree_(tree),
        row_(*row),
        out_(*out),
        error_(*error),
        memory_(&row->labels.arena()),
        begin_(out->size()) {}

  bool Run();

 private:
  using Value = TemplateValue;
  using Node = TemplateNode;
  enum class Flow : uint8_t { kNext, kBreak, kContinue, kFailed };
  struct Variable {
    std::string_view name;
    Value value;
  };
  // How a parameter wants its argument, see TemplateFunction::parameters; 0: as it is.
  using Parameter = char;

  Flow Walk(const Value& dot, const Node& node);
  Flow WalkList(const Value& dot, const Node& list);
  Flow WalkIfOrWith(const Value& dot, const Node& node);
  Flow WalkRange(const Value& dot, const Node& node);
  bool WalkTemplate(const Value& dot, const Node& node);
  // Whether the action was one label or the line, and is done.
  bool PrintPlain(const Value& dot, const Node& pipe);
  bool Print(const Value& value);

  bool Pipeline(const Value& dot, const Node& pipe, Value* value);
  bool Command(const Value& dot, const Node& command, const Value& final, Value* value);
  bool Function(const Value& dot, const Node& identifier, const Node& command, const Value& final,
                Value* value);
  bool ShortCircuit(const Value& dot, const Node& identifier, const Node& command, const Value& final,
                    Value* value);
  bool Fields(const Value& dot, const Node& node, size_t first, const Value& receiver, const Node* command,
              const Value& final, Value* value);
  bool Field(const Value& dot, const Node& node, const FieldName& name, const Value& receiver,
             const Node* command, const Value& final, Value* value);
  bool Method(const Value& dot, const Node& node, const FieldName& name, const Value& receiver,
              const Node* command, const Value& final, const TemplateFunction& method, Value* value);
  bool Arguments(const Value& dot, const Node& node, const TemplateFunction& function, const Node* command,
                 const Value& final, size_t bound, std::vector<Value>* arguments);
  // An operand that is not called with arguments.
  bool Operand(const Value& dot, const Node& node, Value* value);
  bool Argument(const Value& dot, Parameter parameter, const Node& node, Value* value);
  bool Constant(const Node& number, Value* value);
  bool Convert(Parameter parameter, Value* value);
  bool Call(const TemplateFunction& function, const Node& node, const Node* command, std::string_view name,
            const std::vector<Value>& arguments, Value* value);
  bool NotAFunction(const Node& command, const Value& final);

  bool SetVariable(std::string_view name, const Value& value);
  bool FindVariable(std::string_view name, Value* value);
  // The labels as a map, made when first asked for.
  bool LabelMap(Value* value);
  std::string_view LabelText(const FieldName& name) const;

  bool Step(size_t cost = 1);
  bool Fail(const std::string& message);
  bool FailLimit(std::string_view name, int64_t value) { return Fail(LimitError(name, value)); }

  const TemplateTree& tree_;
  Row& row_;
  std::string& out_;
  std::string& error_;
  TemplateMemory memory_;
  const size_t begin_;        // of the output
  const Node* at_ = nullptr;  // what an error is about
  std::string_view executing_ = tree_.name;
  std::vector<Variable> variables_;
  Value dollar_;  // the variable $
  Value labels_;  // missing until asked for
  size_t steps_ = 0;
  int depth_ = 0;
};

}  // namespace varve::logql
