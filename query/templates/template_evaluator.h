// Renders a template once: walks the tree as Go's text/template/exec does, and fails with its words.
//
// Threads: one evaluation, one thread. Ownership: refers to what it is given.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/templates/template_call.h"
#include "query/templates/template_host.h"
#include "query/templates/template_limits.h"
#include "query/templates/template_tree.h"

namespace varve::templates {

// What stands between an evaluation and its text.
class OutputEscaper {
 public:
  virtual ~OutputEscaper() = default;
  // Text of the template itself.
  virtual void AppendText(std::string_view text, std::string* out) = 0;
  // What an action gives, in the place that the text before it makes. False: `error` says why.
  virtual bool AppendValue(const TemplateValue& value, const TemplateNode& pipe, std::string* out,
                           std::string* error) = 0;
};

class TemplateEvaluator {
 public:
  using Value = TemplateValue;

  // Values go to the arena, text is appended to `out`.
  TemplateEvaluator(const TemplateTree& tree, const TemplateHost& host, ByteArena* arena,
                    const TemplateBounds& bounds, std::string* out, std::string* error)
      : top_(tree),
        tree_(&tree),
        host_(host),
        bounds_(bounds),
        out_(out),
        error_(*error),
        memory_(arena, bounds.memory_bytes_max),
        begin_(out->size()) {}

  // For documents in HTML; null: as it is. Before Run.
  void set_escaper(OutputEscaper* escaper) { escaper_ = escaper; }
  TemplateMemory* memory() { return &memory_; }
  // `values` are of the variables the text was parsed with. False: `error` says why.
  bool Run(const Value& dot, std::span<const Value> values = {});
  // For functions.
  bool Defines(const std::string& name) const { return Lookup(name).body != nullptr; }
  // What {{template}} would print. False: this evaluation failed, and the function need not say why.
  bool Render(const std::string& name, const Value& dot, std::string* out);

 private:
  using Node = TemplateNode;
  enum class Flow : uint8_t { kNext, kBreak, kContinue, kFailed };
  struct Variable {
    std::string_view name;
    Value value;
  };
  struct Definition {
    std::string_view name;
    const TemplateTree* tree = nullptr;
    const Node* body = nullptr;
  };
  // How a parameter wants its argument, see TemplateFunction::parameters; 0: as it is.
  using Parameter = char;

  Flow Walk(const Value& dot, const Node& node);
  Flow WalkList(const Value& dot, const Node& list);
  Flow WalkIfOrWith(const Value& dot, const Node& node);
  Flow WalkRange(const Value& dot, const Node& node);
  bool WalkTemplate(const Value& dot, const Node& node);
  // Its body is null when there is none.
  Definition Lookup(const std::string& name) const;
  bool Find(const std::string& name, Definition* found);
  bool Invoke(const Definition& called, const Value& argument);
  // Whether the action was one label or the line, and is done.
  bool PrintPlain(const Value& dot, const Node& pipe);
  bool Print(const Value& value, const Node& pipe);

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
  bool IsRow(const Value& value) const { return value.type == ValueType::kLabels && value.map == nullptr; }

  bool Step(size_t cost = 1);
  bool Fail(const std::string& message);
  bool FailLimit(std::string_view name, size_t value) {
    return Fail(LimitError(name, static_cast<int64_t>(value)));
  }
  bool FailMemory() { return FailLimit("template_memory_bytes_max", bounds_.memory_bytes_max); }

  const TemplateTree& top_;   // what was asked for
  const TemplateTree* tree_;  // what is being walked
  const TemplateHost& host_;
  const TemplateBounds& bounds_;
  OutputEscaper* escaper_ = nullptr;
  std::string* out_;
  std::string& error_;
  TemplateMemory memory_;
  size_t begin_;              // of the output
  const Node* at_ = nullptr;  // what an error is about
  std::string_view executing_ = tree_->name;
  std::vector<Variable> variables_;
  Value dollar_;  // the variable $
  Value labels_;  // missing until asked for
  size_t steps_ = 0;
  int depth_ = 0;
};

}  // namespace varve::templates
