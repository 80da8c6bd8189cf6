// A parsed template: a tree of nodes as Go's text/template/parse builds it, functions already looked up.
//
// Ownership: nodes point at each other and live in their tree; texts are the tree's. Threads: immutable once
// parsed, share freely.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/regex.h"
#include "query/templates/template_call.h"

namespace varve::templates {

enum class NodeKind : uint8_t {
  // What an action holds.
  kPipe,        // children: commands
  kCommand,     // children: the operands; the first is what is called
  kIdentifier,  // a function
  kField,       // names: .a.b
  kVariable,    // names: $x.a.b, the first with its $
  kChain,       // children[0], then names: (…).a.b
  kDot,
  kNil,
  kBool,
  kNumber,
  kString,
  // What a list holds.
  kList,
  kText,
  kAction,  // pipe
  kIf,      // pipe, list, else_list
  kRange,
  kWith,
  kTemplate,  // text: the name; pipe may be null
  kBreak,
  kContinue,
  // Only while parsing.
  kEnd,
  kElse,
};

// What a text may name.
struct TemplateDialect {
  const FunctionTable* functions;
  // Of field names, for TemplateHost::Label; null: not wanted.
  uint32_t (*hash)(std::string_view name) = nullptr;
};

struct FieldName {
  std::string text;
  uint32_t hash = 0;  // TemplateDialect::hash
};

// A regular expression that is a constant in the template, or why it is none.
struct PreparedRegex {
  Regex regex;
  std::string error;
};

struct TemplateNode {
  NodeKind kind = NodeKind::kList;
  uint32_t position = 0;
  std::vector<const TemplateNode*> children;
  std::vector<FieldName> names;
  std::string text;     // text; the constant as it was written; a function's name
  std::string decoded;  // of a string constant
  const TemplateNode* pipe = nullptr;
  const TemplateNode* list = nullptr;
  const TemplateNode* else_list = nullptr;
  const TemplateFunction* function = nullptr;  // of kIdentifier
  const PreparedRegex* regex = nullptr;        // of kCommand
  // Of kPipe: the variables it sets.
  std::vector<std::string> declared;
  bool is_assignment = false;
  bool truth = false;  // of kBool
  // Of kNumber.
  bool is_integer = false;
  bool is_float = false;
  bool is_character = false;
  int64_t integer = 0;
  double number = 0;
};

struct TemplateTree {
  std::string name;  // as errors show it
  std::string text;
  std::deque<TemplateNode> nodes;
  std::deque<PreparedRegex> regexes;
  const TemplateNode* root = nullptr;
  std::vector<std::string> variables;                                   // given, not declared
  std::map<std::string, const TemplateNode*, std::less<>> definitions;  // by {{define}} and {{block}}
  std::vector<std::string> fields;                                      // labels it reads, unique
  std::vector<const TemplateFunction*> functions;                       // it calls, unique
  bool reads_all_labels = false;
};

// kInvalidArgument: "template: line:1: unclosed action" and the like; also for what exceeds a limit.
// `variables` are there without being declared, each with its $, beside $ itself.
Status ParseTemplate(std::string_view name, std::string_view text, const TemplateDialect& dialect,
                     std::span<const std::string> variables, TemplateTree* tree);

// Whether a template of this list says nothing, so that another of its name replaces it.
bool IsEmptyList(const TemplateNode& list);

// A node as Go prints it, for errors: `divf .a 0`.
std::string DescribeNode(const TemplateNode& node);

}  // namespace varve::templates
