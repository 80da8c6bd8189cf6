// In LogQL the dot at the top is the row's labels. They become a map value only when an action uses them as a
// whole: a plain {{.name}} is looked up in the row, without allocation.

#include "query/templates/template_evaluator.h"

#include <algorithm>
#include <utility>

#include "query/templates/go_format.h"
#include "query/templates/template_text.h"
#include "query/templates/value_methods.h"

namespace varve::templates {
namespace {

std::string ParameterName(char parameter) {
  switch (parameter) {
    case 's': return "string";
    case 'i': return "int";
    case 'f': return "float64";
    case 't': return "time.Time";
    case 'd': return "time.Duration";
    case 'v': return "reflect.Value";
    case 'l': return "[]string";
    case 'L': return "[]interface {}";
    case 'q': return "template.queryResult";
    case 'e': return "*template.sample";
    default: return "interface {}";
  }
}

std::string ShownValue(const TemplateValue& value) {
  std::string shown;
  AppendGoValue(value, &shown);
  return shown;
}

}  // namespace

bool TemplateEvaluator::Run(const Value& dot, std::span<const Value> values) {
  dollar_ = dot;
  for (size_t i = 0; i < values.size(); ++i) variables_.push_back({tree_->variables[i], values[i]});
  return WalkList(dollar_, *tree_->root) != Flow::kFailed;
}

bool TemplateEvaluator::Render(const std::string& name, const Value& dot, std::string* out) {
  std::string* const outside = std::exchange(out_, out);
  const size_t begin = std::exchange(begin_, out->size());
  OutputEscaper* const escaper = escaper_;
  Definition found;
  const bool ok = Find(name, &found) && Invoke(found, dot);
  escaper_ = escaper;
  out_ = outside;
  begin_ = begin;
  return ok;
}

bool TemplateEvaluator::Fail(const std::string& message) {
  std::string name;
  AppendQuotedGo(executing_, false, '"', &name);
  error_ = "template: " + tree_->name + ":";
  const std::string_view before = std::string_view(tree_->text).substr(0, at_ == nullptr ? 0 : at_->position);
  const size_t newline = before.rfind('\n');
  const size_t column = newline == std::string_view::npos ? before.size() : before.size() - newline - 1;
  error_ += std::to_string(1 + std::count(before.begin(), before.end(), '\n')) + ":" + std::to_string(column);
  error_ += ": executing " + name + " at <" + (at_ == nullptr ? "" : DescribeNode(*at_)) + ">: " + message;
  return false;
}

bool TemplateEvaluator::Step(size_t cost) {
  steps_ += cost;
  return steps_ <= bounds_.steps_max || FailLimit("template_steps_max", bounds_.steps_max);
}

TemplateEvaluator::Flow TemplateEvaluator::WalkList(const Value& dot, const Node& list) {
  if (++depth_ > kTemplateDepthMax) {
    FailLimit("template_depth_max", kTemplateDepthMax);
    return Flow::kFailed;
  }
  Flow flow = Flow::kNext;
  for (const Node* node : list.children) {
    flow = Walk(dot, *node);
    if (flow != Flow::kNext) break;
  }
  --depth_;
  return flow;
}

TemplateEvaluator::Flow TemplateEvaluator::Walk(const Value& dot, const Node& node) {
  if (!Step()) return Flow::kFailed;
  at_ = &node;
  bool ok = true;
  switch (node.kind) {
    case NodeKind::kText:
      if (escaper_ == nullptr) {
        *out_ += node.text;
      } else {
        escaper_->AppendText(node.text, out_);
      }
      break;
    case NodeKind::kAction: {
      if (escaper_ == nullptr && PrintPlain(dot, *node.pipe)) break;
      Value value;
      ok = Pipeline(dot, *node.pipe, &value) && (!node.pipe->declared.empty() || Print(value, *node.pipe));
      break;
    }
    case NodeKind::kIf:
    case NodeKind::kWith: return WalkIfOrWith(dot, node);
    case NodeKind::kRange: return WalkRange(dot, node);
    case NodeKind::kTemplate: ok = WalkTemplate(dot, node); break;
    case NodeKind::kBreak: return Flow::kBreak;
    case NodeKind::kContinue: return Flow::kContinue;
    case NodeKind::kList: return WalkList(dot, node);
    default: ok = Fail("unknown node"); break;
  }
  if (ok && out_->size() - begin_ > bounds_.output_bytes_max) {
    ok = FailLimit("template_output_bytes_max", bounds_.output_bytes_max);
  }
  return ok ? Flow::kNext : Flow::kFailed;
}

bool TemplateEvaluator::PrintPlain(const Value& dot, const Node& pipe) {
  if (pipe.children.size() != 1 || !pipe.declared.empty()) return false;
  const Node& command = *pipe.children[0];
  if (command.children.size() != 1) return false;
  const Node& operand = *command.children[0];
  if (operand.kind == NodeKind::kField && operand.names.size() == 1 && IsRow(dot)) {
    *out_ += host_.Label(operand.names[0]);
    return true;
  }
  std::string_view text;
  if (operand.kind != NodeKind::kIdentifier || !host_.PlainText(*operand.function, &text)) return false;
  *out_ += text;
  return true;
}

bool TemplateEvaluator::Print(const Value& value, const Node& pipe) {
  if (escaper_ != nullptr) {
    std::string error;
    return escaper_->AppendValue(value, pipe, out_, &error) || Fail(error);
  }
  if (value.is_nil() || value.missing()) {
    *out_ += "<no value>";
  } else if (value.type == ValueType::kString) {
    *out_ += value.text;
  } else if (IsRow(value)) {
    Value labels;
    if (!LabelMap(&labels)) return false;
    AppendGoValue(labels, out_);
  } else {
    AppendGoValue(value, out_);
  }
  return true;
}

TemplateEvaluator::Flow TemplateEvaluator::WalkIfOrWith(const Value& dot, const Node& node) {
  const size_t mark = variables_.size();
  Value value;
  if (!Pipeline(dot, *node.pipe, &value)) return Flow::kFailed;
  if (IsRow(value) && !LabelMap(&value)) return Flow::kFailed;
  Flow flow = Flow::kNext;
  if (IsTrue(value)) {
    flow = WalkList(node.kind == NodeKind::kWith ? value : dot, *node.list);
  } else if (node.else_list != nullptr) {
    flow = WalkList(dot, *node.else_list);
  }
  variables_.resize(mark);
  return flow;
}

TemplateEvaluator::Flow TemplateEvaluator::WalkRange(const Value& dot, const Node& node) {
  const size_t mark = variables_.size();
  Value value;
  if (!Pipeline(dot, *node.pipe, &value)) return Flow::kFailed;
  if (IsRow(value) && !LabelMap(&value)) return Flow::kFailed;
  const size_t body_mark = variables_.size();
  const size_t declared = node.pipe->declared.size();
  const auto turn = [&](const Value& key, const Value& element) {
    if (!Step()) return Flow::kFailed;
    if (node.pipe->is_assignment) {
      if (declared > 1 && !SetVariable(node.pipe->declared[0], key)) return Flow::kFailed;
      if (declared > 0 && !SetVariable(node.pipe->declared[declared - 1], element)) return Flow::kFailed;
    } else {
      if (declared > 0) variables_[body_mark - 1].value = element;
      if (declared > 1) variables_[body_mark - 2].value = key;
    }
    const Flow flow = WalkList(element, *node.list);
    variables_.resize(body_mark);
    return flow;
  };
  Flow flow = Flow::kNext;
  size_t turns = 0;
  const auto goes_on = [&] { return flow == Flow::kNext || flow == Flow::kContinue; };
  if (value.type == ValueType::kList) {
    for (const Value& item : value.list->items) {
      flow = turn(Value::Int(static_cast<int64_t>(turns++)), item);
      if (!goes_on()) break;
    }
  } else if (value.is_map()) {
    for (const TemplateMap::Entry& entry : value.map->entries) {
      ++turns;
      flow = turn(Value::String(entry.key), entry.value);
      if (!goes_on()) break;
    }
  } else if (value.is_integer()) {
    if (declared > 1) {
      Fail("can't use " + ShownValue(value) + " to iterate over more than one variable");
      return Flow::kFailed;
    }
    for (int64_t i = 0; i < value.integer && goes_on(); ++i, ++turns)
      flow = turn(Value(), Value::Integer(value.type, i));
  } else if (!value.is_nil()) {
    Fail("range can't iterate over " + ShownValue(value));
    return Flow::kFailed;
  }
  if (flow == Flow::kFailed) return flow;
  flow = Flow::kNext;
  if (turns == 0 && node.else_list != nullptr) flow = WalkList(dot, *node.else_list);
  variables_.resize(mark);
  return flow;
}

TemplateEvaluator::Definition TemplateEvaluator::Lookup(const std::string& name) const {
  Definition found{name, &top_, nullptr};
  if (const auto own = top_.definitions.find(name); own != top_.definitions.end()) {
    found.body = own->second;
  } else if (name == top_.name) {
    found.body = top_.root;
  } else {
    found.body = host_.Definition(name, &found.tree);
  }
  return found;
}

bool TemplateEvaluator::Find(const std::string& name, Definition* found) {
  *found = Lookup(name);
  if (found->body != nullptr) return true;
  std::string quoted;
  AppendQuotedGo(name, false, '"', &quoted);
  return Fail("template " + quoted + " not defined");
}

bool TemplateEvaluator::WalkTemplate(const Value& dot, const Node& node) {
  Definition found;
  Value argument = Value::Invalid();
  return Find(node.text, &found) && (node.pipe == nullptr || Pipeline(dot, *node.pipe, &argument)) &&
         Invoke(found, argument);
}

bool TemplateEvaluator::Invoke(const Definition& called, const Value& argument) {
  std::vector<Variable> variables;
  variables.swap(variables_);
  const Value dollar = std::exchange(dollar_, argument);
  const std::string_view executing = std::exchange(executing_, called.name);
  const TemplateTree* const caller = std::exchange(tree_, called.tree);
  if (WalkList(argument, *called.body) == Flow::kFailed) return false;
  tree_ = caller;
  executing_ = executing;
  dollar_ = dollar;
  variables.swap(variables_);
  return true;
}

bool TemplateEvaluator::Pipeline(const Value& dot, const Node& pipe, Value* value) {
  if (++depth_ > kTemplateDepthMax) return FailLimit("template_depth_max", kTemplateDepthMax);
  at_ = &pipe;
  Value current;
  for (const Node* command : pipe.children) {
    Value next;
    if (!Command(dot, *command, current, &next)) return false;
    current = next.type == ValueType::kNil ? Value::Invalid() : next;
  }
  for (const std::string& name : pipe.declared) {
    if (pipe.is_assignment) {
      if (!SetVariable(name, current)) return false;
    } else {
      if (variables_.size() >= kTemplateVariablesMax)
        return FailLimit("template_variables_max", kTemplateVariablesMax);
      variables_.push_back({name, current});
    }
  }
  --depth_;
  *value = current;
  return true;
}

bool TemplateEvaluator::NotAFunction(const Node& command, const Value& final) {
  if (command.children.size() == 1 && final.missing()) return true;
  return Fail("can't give argument to non-function " + DescribeNode(*command.children[0]));
}

bool TemplateEvaluator::Command(const Value& dot, const Node& command, const Value& final, Value* value) {
  if (!Step()) return false;
  const Node& first = *command.children[0];
  switch (first.kind) {
    case NodeKind::kField: at_ = &first; return Fields(dot, first, 0, dot, &command, final, value);
    case NodeKind::kChain: {
      at_ = &first;
      Value receiver;
      return Argument(dot, 0, *first.children[0], &receiver) &&
             Fields(dot, first, 0, receiver, &command, final, value);
    }
    case NodeKind::kIdentifier: return Function(dot, first, command, final, value);
    case NodeKind::kPipe: return NotAFunction(command, final) && Pipeline(dot, first, value);
    case NodeKind::kVariable: {
      at_ = &first;
      Value variable;
      if (!FindVariable(first.names[0].text, &variable)) return false;
      if (first.names.size() > 1) return Fields(dot, first, 1, variable, &command, final, value);
      *value = variable;
      return NotAFunction(command, final);
    }
    default: break;
  }
  at_ = &first;
  if (!NotAFunction(command, final)) return false;
  switch (first.kind) {
    case NodeKind::kBool: *value = Value::Bool(first.truth); return true;
    case NodeKind::kDot: *value = dot; return true;
    case NodeKind::kNil: return Fail("nil is not a command");
    case NodeKind::kNumber: return Constant(first, value);
    case NodeKind::kString: *value = Value::String(first.decoded); return true;
    default: return Fail("can't evaluate command \"" + DescribeNode(first) + "\"");
  }
}

bool TemplateEvaluator::Constant(const Node& number, Value* value) {
  at_ = &number;
  const bool hex = number.text.size() > 2 && number.text[0] == '0' && (number.text[1] | 0x20) == 'x';
  if (number.is_character) {
    *value = Value::Integer(ValueType::kInt32, number.integer);
  } else if (number.is_float && number.text.find_first_of(hex ? ".pP" : ".eEpP") != std::string::npos) {
    *value = Value::Float64(number.number);
  } else {
    *value = Value::Int(number.integer);
  }
  return true;
}

bool TemplateEvaluator::Function(const Value& dot, const Node& identifier, const Node& command,
                                 const Value& final, Value* value) {
  at_ = &identifier;
  const Node* arguments_of = command.kind == NodeKind::kCommand ? &command : nullptr;
  if (identifier.text == "and" || identifier.text == "or") {
    return ShortCircuit(dot, identifier, command, final, value);
  }
  std::vector<Value> arguments;
  if (!Arguments(dot, identifier, *identifier.function, arguments_of, final, 0, &arguments)) return false;
  return Call(*identifier.function, command, arguments_of, identifier.text, arguments, value);
}

bool TemplateEvaluator::ShortCircuit(const Value& dot, const Node& identifier, const Node& command,
                                     const Value& final, Value* value) {
  const size_t given = command.kind == NodeKind::kCommand ? command.children.size() - 1 : 0;
  if (given + (final.missing() ? 0 : 1) < 1) {
    return Fail("wrong number of args for " + identifier.text + ": want at least 1 got 0");
  }
  for (size_t i = 1; i <= given; ++i) {
    if (!Argument(dot, 'v', *command.children[i], value)) return false;
    if (IsTrue(*value) == (identifier.text == "or")) return true;
  }
  if (!final.missing()) *value = final;
  return true;
}

bool TemplateEvaluator::Arguments(const Value& dot, const Node& node, const TemplateFunction& function,
                                  const Node* command, const Value& final, size_t bound,
                                  std::vector<Value>* arguments) {
  const size_t given = command != nullptr ? command->children.size() - 1 : 0;
  const size_t total = given + (final.missing() ? 0 : 1);
  const size_t fixed = function.fixed_parameters() - bound;
  if (function.variadic() ? total < fixed : total != fixed) {
    return Fail("wrong number of args for " + std::string(function.name) + ": want " +
                (function.variadic() ? "at least " : "") + std::to_string(fixed) + " got " +
                std::to_string(function.variadic() ? given : total));
  }
  static_cast<void>(node);
  arguments->reserve(bound + total);
  for (size_t i = 0; i < given; ++i) {
    Value& value = arguments->emplace_back();
    if (!Argument(dot, function.parameter(bound + i), *command->children[i + 1], &value)) return false;
  }
  if (!final.missing()) {
    Value& value = arguments->emplace_back(final);
    if (!Convert(function.parameter(bound + given), &value)) return false;
  }
  return true;
}

bool TemplateEvaluator::Call(const TemplateFunction& function, const Node& node, const Node* command,
                             std::string_view name, const std::vector<Value>& arguments, Value* value) {
  size_t bytes = 0;
  for (const Value& argument : arguments) bytes += argument.text.size();
  if (!Step(1 + bytes / kTemplateBytesPerStep)) return false;
  TemplateCall call{.arguments = arguments,
                    .memory = &memory_,
                    .host = &host_,
                    .evaluator = this,
                    .prepared = command == nullptr ? nullptr : command->regex,
                    .result = {},
                    .error = {}};
  if (!function.apply(&call)) {
    if (call.error.empty()) return false;  // a template inside failed
    at_ = &node;
    return Fail("error calling " + std::string(name) + ": " + call.error);
  }
  *value = call.result;
  return true;
}

bool TemplateEvaluator::Fields(const Value& dot, const Node& node, size_t first, const Value& receiver,
                               const Node* command, const Value& final, Value* value) {
  Value current = receiver;
  for (size_t i = first; i < node.names.size(); ++i) {
    const bool last = i + 1 == node.names.size();
    Value next;
    if (!Field(dot, node, node.names[i], current, last ? command : nullptr, last ? final : Value(), &next))
      return false;
    current = next;
  }
  *value = current;
  return true;
}

bool TemplateEvaluator::Field(const Value& dot, const Node& node, const FieldName& name,
                              const Value& receiver, const Node* command, const Value& final, Value* value) {
  if (receiver.type == ValueType::kInvalid || receiver.missing()) {
    *value = Value::Invalid();
    return true;
  }
  if (receiver.type == ValueType::kNil) return Fail("nil pointer evaluating interface {}." + name.text);
  const bool has_arguments = (command != nullptr && command->children.size() > 1) || !final.missing();
  if (const TemplateFunction* method = FindMethod(receiver, name.text); method != nullptr) {
    return Method(dot, node, name, receiver, command, final, *method, value);
  }
  if (receiver.is_map()) {
    if (has_arguments) return Fail(name.text + " is not a method but has arguments");
    if (IsRow(receiver)) {
      *value = Value::String(host_.Label(name));
      return true;
    }
    const Value* found = receiver.map->Find(name.text);
    const Value none = receiver.type == ValueType::kLabels ? Value::String("") : Value::Nil();
    *value = found == nullptr ? none : *found;
    return true;
  }
  if (receiver.type == ValueType::kStruct) {
    if (const Value* found = receiver.map->FindField(name.text); found != nullptr) {
      if (has_arguments) return Fail(name.text + " has arguments but cannot be invoked as function");
      *value = *found;
      return true;
    }
  }
  return Fail("can't evaluate field " + name.text + " in type " + std::string(TemplateTypeName(receiver)));
}

bool TemplateEvaluator::Method(const Value& dot, const Node& node, const FieldName& name,
                               const Value& receiver, const Node* command, const Value& final,
                               const TemplateFunction& method, Value* value) {
  std::vector<Value> arguments = {receiver};
  return Arguments(dot, node, method, command, final, 1, &arguments) &&
         Call(method, node, nullptr, name.text, arguments, value);
}

bool TemplateEvaluator::Argument(const Value& dot, Parameter parameter, const Node& node, Value* value) {
  at_ = &node;
  switch (node.kind) {
    case NodeKind::kNil:
      if (parameter != 'a' && parameter != 'v' && parameter != 0)
        return Fail("cannot assign nil to " + ParameterName(parameter));
      *value = parameter == 'v' ? Value::Invalid() : Value::Nil();
      return true;
    case NodeKind::kDot:
    case NodeKind::kField:
    case NodeKind::kVariable:
    case NodeKind::kPipe:
    case NodeKind::kIdentifier:
    case NodeKind::kChain: return Operand(dot, node, value) && Convert(parameter, value);
    default: break;
  }
  switch (parameter) {
    case 's':
      if (node.kind != NodeKind::kString) return Fail("expected string; found " + DescribeNode(node));
      *value = Value::String(node.decoded);
      return true;
    case 'i':
    case 'd':
      if (node.kind != NodeKind::kNumber || !node.is_integer) {
        return Fail("expected integer; found " + DescribeNode(node));
      }
      *value = Value::Integer(parameter == 'i' ? ValueType::kInt : ValueType::kDuration, node.integer);
      return true;
    case 'f':
      if (node.kind != NodeKind::kNumber || !node.is_float)
        return Fail("expected float; found " + DescribeNode(node));
      *value = Value::Float64(node.number);
      return true;
    case 't':
    case 'l':
    case 'L':
    case 'q':
    case 'e':
      return Fail("can't handle " + DescribeNode(node) + " for arg of type " + ParameterName(parameter));
    default: break;
  }
  switch (node.kind) {
    case NodeKind::kBool: *value = Value::Bool(node.truth); return true;
    case NodeKind::kString: *value = Value::String(node.decoded); return true;
    case NodeKind::kNumber: return Constant(node, value);
    default: return Fail("can't handle assignment of " + DescribeNode(node) + " to empty interface argument");
  }
}

bool TemplateEvaluator::Operand(const Value& dot, const Node& node, Value* value) {
  switch (node.kind) {
    case NodeKind::kDot: *value = dot; return true;
    case NodeKind::kField: return Fields(dot, node, 0, dot, nullptr, Value(), value);
    case NodeKind::kVariable: {
      Value variable;
      return FindVariable(node.names[0].text, &variable) &&
             Fields(dot, node, 1, variable, nullptr, Value(), value);
    }
    case NodeKind::kPipe: return Pipeline(dot, node, value);
    case NodeKind::kIdentifier: return Function(dot, node, node, Value(), value);
    default: {
      Value receiver;
      return Argument(dot, 0, *node.children[0], &receiver) &&
             Fields(dot, node, 0, receiver, nullptr, Value(), value);
    }
  }
}

bool TemplateEvaluator::Convert(Parameter parameter, Value* value) {
  if (IsRow(*value) && !LabelMap(value)) return false;
  if (parameter == 0) return true;
  if (parameter == 'a' || parameter == 'v') {
    if (value->is_nil()) *value = parameter == 'v' ? Value::Invalid() : Value::Nil();
    return true;
  }
  if (value->is_nil()) return Fail("invalid value; expected " + ParameterName(parameter));
  const bool list = value->type == ValueType::kList;
  const bool fits =
      (parameter == 's' && value->type == ValueType::kString && value->named == GoType::kNone) ||
      (parameter == 'l' && list &&
       (value->named == GoType::kStringSlice || value->named == GoType::kStrings)) ||
      (parameter == 'L' && list && value->named == GoType::kNone) ||
      (parameter == 'q' && list && value->named == GoType::kQueryResult) ||
      (parameter == 'e' && value->named == GoType::kSample) ||
      (parameter == 'i' && value->type == ValueType::kInt) ||
      (parameter == 'f' && value->type == ValueType::kFloat64) ||
      (parameter == 't' && value->type == ValueType::kTime) ||
      (parameter == 'd' && value->type == ValueType::kDuration);
  return fits || Fail("wrong type for value; expected " + ParameterName(parameter) + "; got " +
                      std::string(TemplateTypeName(*value)));
}

bool TemplateEvaluator::SetVariable(std::string_view name, const Value& value) {
  for (auto variable = variables_.rbegin(); variable != variables_.rend(); ++variable) {
    if (variable->name != name) continue;
    variable->value = value;
    return true;
  }
  return Fail("undefined variable: " + std::string(name));
}

bool TemplateEvaluator::FindVariable(std::string_view name, Value* value) {
  for (auto variable = variables_.rbegin(); variable != variables_.rend(); ++variable) {
    if (variable->name != name) continue;
    *value = variable->value;
    return true;
  }
  if (name == "$") {
    *value = dollar_;
    return true;
  }
  return Fail("undefined variable: " + std::string(name));
}

bool TemplateEvaluator::LabelMap(Value* value) {
  if (labels_.missing()) {
    auto* map = memory_.AllocateArray<TemplateMap>(1);
    if (map == nullptr || !host_.Labels(&memory_, map)) return FailMemory();
    labels_ = Value::Map(ValueType::kLabels, map);
  }
  *value = labels_;
  return true;
}

}  // namespace varve::templates
