// Recursive descent, bounded by kTemplateNestingMax. Errors carry the line of the token last read.

#include <algorithm>

#include "query/logql/values/number.h"
#include "query/templates/template_lexer.h"
#include "query/templates/template_text.h"
#include "query/templates/template_tree.h"

namespace varve::templates {
namespace {

using Kind = TemplateTokenKind;
using Token = TemplateToken;

class TreeParser {
 public:
  TreeParser(const TemplateDialect& dialect, std::span<const std::string> variables, TemplateTree* tree)
      : dialect_(dialect), tree_(*tree), lexer_(tree->text) {
    variables_.insert(variables_.end(), variables.begin(), variables.end());
  }

  Status Parse() {
    TemplateNode* root = NewNode(NodeKind::kList, 0);
    while (true) {
      const Token token = Next();
      if (token.kind == Kind::kEnd) break;
      if (token.kind == Kind::kLeft) {
        const Token first = NextNonSpace();
        if (first.kind == Kind::kKeyword && first.text == "define") {
          VARVE_RETURN_IF_ERROR(ParseDefinition());
          continue;
        }
        Backup(first);
      }
      const TemplateNode* node = nullptr;
      VARVE_RETURN_IF_ERROR(ParseTextOrAction(token, &node));
      if (node->kind == NodeKind::kEnd || node->kind == NodeKind::kElse)
        return Fail("unexpected " + Describe(*node));
      root->children.push_back(node);
    }
    tree_.root = root;
    return Status::Ok();
  }

 private:
  // Tokens, with up to three read ahead.
  Token Next() {
    Token token;
    if (pending_.empty()) {
      token = lexer_.Next();
    } else {
      token = pending_.back();
      pending_.pop_back();
    }
    line_ = token.line;
    return token;
  }
  void Backup(const Token& token) { pending_.push_back(token); }
  Token NextNonSpace() {
    Token token = Next();
    while (token.kind == Kind::kSpace) token = Next();
    return token;
  }
  Token PeekNonSpace() {
    const Token token = NextNonSpace();
    Backup(token);
    return token;
  }
  Token Peek() {
    const Token token = Next();
    Backup(token);
    return token;
  }

  TemplateNode* NewNode(NodeKind kind, uint32_t position) {
    TemplateNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.position = position;
    return &node;
  }

  Status Fail(const std::string& message) const {
    return InvalidArgument("template: " + tree_.name + ":" + std::to_string(line_) + ": " + message);
  }

  Status Unexpected(const Token& token, std::string_view context) const {
    if (token.kind == Kind::kError) {
      std::string extra;
      if (action_line_ != 0 && action_line_ != token.line) {
        extra = " in action started at " + tree_.name + ":" + std::to_string(action_line_);
        if (lexer_.error().ends_with(" action")) extra.erase(0, 10);  // not "action in action"
      }
      return Fail(lexer_.error() + extra);
    }
    std::string shown;
    if (token.kind == Kind::kEnd) {
      shown = "EOF";
    } else if (token.kind == Kind::kKeyword) {
      shown = "<" + std::string(token.text) + ">";
    } else {
      std::string text(token.text);
      if (token.kind == Kind::kField) text.insert(0, ".");
      const bool cut = text.size() > 10;
      AppendQuotedGo(cut ? std::string_view(text).substr(0, 10) : std::string_view(text), false, '"', &shown);
      if (cut) shown += "...";
    }
    return Fail("unexpected " + shown + " in " + std::string(context));
  }

  static std::string Describe(const TemplateNode& node) {
    return node.kind == NodeKind::kEnd    ? "{{end}}"
           : node.kind == NodeKind::kElse ? "{{else}}"
                                          : DescribeNode(node);
  }

  Status ExpectRight(std::string_view context) {
    const Token token = NextNonSpace();
    return token.kind == Kind::kRight ? Status::Ok() : Unexpected(token, context);
  }

  Status ParseTextOrAction(const Token& token, const TemplateNode** node) {
    if (token.kind == Kind::kText) {
      TemplateNode* text = NewNode(NodeKind::kText, token.position);
      text->text = token.text;
      *node = text;
      return Status::Ok();
    }
    if (token.kind != Kind::kLeft) return Unexpected(token, "input");
    action_line_ = token.line;
    Status status = ParseAction(node);
    if (status.ok()) action_line_ = 0;
    return status;
  }

  // Behind its {{.
  Status ParseAction(const TemplateNode** node) {
    const Token token = NextNonSpace();
    if (token.kind != Kind::kKeyword || token.text == "define") {
      Backup(token);
      TemplateNode* action = NewNode(NodeKind::kAction, token.position);
      *node = action;
      return ParsePipeline("command", Kind::kRight, &action->pipe);
    }
    if (token.text == "if") return ParseControl(NodeKind::kIf, token, node);
    if (token.text == "range") return ParseControl(NodeKind::kRange, token, node);
    if (token.text == "with") return ParseControl(NodeKind::kWith, token, node);
    if (token.text == "template") return ParseTemplateCall(node);
    if (token.text == "block") return ParseBlock(node);
    if (token.text == "break" || token.text == "continue") return ParseLoopExit(token, node);
    if (token.text == "end") {
      *node = NewNode(NodeKind::kEnd, token.position);
      return ExpectRight("end");
    }
    *node = NewNode(NodeKind::kElse, token.position);
    const Token next = PeekNonSpace();
    // {{else if}} is {{else}}{{if}} with one {{end}} less.
    if (next.kind == Kind::kKeyword && (next.text == "if" || next.text == "with")) return Status::Ok();
    return ExpectRight("else");
  }

  Status ParseLoopExit(const Token& token, const TemplateNode** node) {
    const std::string shown = "{{" + std::string(token.text) + "}}";
    const Token next = NextNonSpace();
    if (next.kind != Kind::kRight) return Unexpected(next, shown);
    if (range_depth_ == 0) return Fail(shown + " outside {{range}}");
    *node = NewNode(token.text == "break" ? NodeKind::kBreak : NodeKind::kContinue, token.position);
    return Status::Ok();
  }

  // Up to {{end}} or {{else}}, which `stop` gets.
  Status ParseList(const TemplateNode** list, const TemplateNode** stop) {
    TemplateNode* result = NewNode(NodeKind::kList, Peek().position);
    while (true) {
      const Token token = NextNonSpace();
      if (token.kind == Kind::kEnd) return Fail("unexpected EOF");
      const TemplateNode* node = nullptr;
      VARVE_RETURN_IF_ERROR(ParseTextOrAction(token, &node));
      if (node->kind == NodeKind::kEnd || node->kind == NodeKind::kElse) {
        *list = result;
        *stop = node;
        return Status::Ok();
      }
      result->children.push_back(node);
    }
  }

  Status Enter() {
    if (++nesting_ > kTemplateNestingMax)
      return Fail(LimitError("template_nesting_max", kTemplateNestingMax));
    return Status::Ok();
  }

  Status ParseControl(NodeKind kind, const Token& token, const TemplateNode** node) {
    VARVE_RETURN_IF_ERROR(Enter());
    const size_t variables = variables_.size();
    const int rebound = dot_rebound_;
    TemplateNode* control = NewNode(kind, token.position);
    *node = control;
    VARVE_RETURN_IF_ERROR(ParsePipeline(token.text, Kind::kRight, &control->pipe));
    range_depth_ += kind == NodeKind::kRange ? 1 : 0;
    dot_rebound_ += kind == NodeKind::kIf ? 0 : 1;
    const TemplateNode* stop = nullptr;
    VARVE_RETURN_IF_ERROR(ParseList(&control->list, &stop));
    range_depth_ -= kind == NodeKind::kRange ? 1 : 0;
    dot_rebound_ = rebound;
    if (stop->kind == NodeKind::kElse) VARVE_RETURN_IF_ERROR(ParseElse(kind, *stop, control));
    variables_.resize(variables);
    --nesting_;
    return Status::Ok();
  }

  Status ParseElse(NodeKind kind, const TemplateNode& stop, TemplateNode* control) {
    const Token next = Peek();
    if (next.kind == Kind::kKeyword && next.text == (kind == NodeKind::kIf ? "if" : "with") &&
        kind != NodeKind::kRange) {
      Next();
      TemplateNode* list = NewNode(NodeKind::kList, stop.position);
      control->else_list = list;
      const TemplateNode* inner = nullptr;
      VARVE_RETURN_IF_ERROR(ParseControl(kind, next, &inner));
      list->children.push_back(inner);
      return Status::Ok();
    }
    const TemplateNode* end = nullptr;
    VARVE_RETURN_IF_ERROR(ParseList(&control->else_list, &end));
    if (end->kind != NodeKind::kEnd) return Fail("expected end; found " + Describe(*end));
    return Status::Ok();
  }

  Status ParseName(std::string_view context, std::string* name) {
    const Token token = NextNonSpace();
    if (token.kind != Kind::kString && token.kind != Kind::kRawString) return Unexpected(token, context);
    return UnquoteGo(token.text, name) ? Status::Ok() : Fail("invalid syntax");
  }

  Status ParseTemplateCall(const TemplateNode** node) {
    TemplateNode* call = NewNode(NodeKind::kTemplate, PeekNonSpace().position);
    *node = call;
    VARVE_RETURN_IF_ERROR(ParseName("template clause", &call->text));
    const Token next = NextNonSpace();
    if (next.kind == Kind::kRight) return Status::Ok();
    Backup(next);
    return ParsePipeline("template clause", Kind::kRight, &call->pipe);
  }

  Status ParseBlock(const TemplateNode** node) {
    TemplateNode* call = NewNode(NodeKind::kTemplate, PeekNonSpace().position);
    *node = call;
    VARVE_RETURN_IF_ERROR(ParseName("block clause", &call->text));
    VARVE_RETURN_IF_ERROR(ParsePipeline("block clause", Kind::kRight, &call->pipe));
    return ParseBody(call->text, "block clause");
  }

  Status ParseDefinition() {
    std::string name;
    VARVE_RETURN_IF_ERROR(ParseName("define clause", &name));
    VARVE_RETURN_IF_ERROR(ExpectRight("define clause"));
    return ParseBody(name, "define clause");
  }

  // Of a template of its own: the variables and loops around it are not seen.
  Status ParseBody(const std::string& name, std::string_view context) {
    VARVE_RETURN_IF_ERROR(Enter());
    std::vector<std::string> variables = {"$"};
    variables.swap(variables_);
    const int range_depth = range_depth_;
    range_depth_ = 0;
    ++dot_rebound_;
    ++definition_depth_;
    const TemplateNode* list = nullptr;
    const TemplateNode* stop = nullptr;
    VARVE_RETURN_IF_ERROR(ParseList(&list, &stop));
    if (stop->kind != NodeKind::kEnd)
      return Fail("unexpected " + Describe(*stop) + " in " + std::string(context));
    --definition_depth_;
    --dot_rebound_;
    range_depth_ = range_depth;
    variables.swap(variables_);
    --nesting_;
    const auto known = tree_.definitions.find(name);
    if (known == tree_.definitions.end() || IsEmptyList(*known->second)) {
      tree_.definitions[name] = list;
    } else if (!IsEmptyList(*list)) {
      std::string quoted;
      AppendQuotedGo(name, false, '"', &quoted);
      return Fail("template: multiple definition of template " + quoted);
    }
    return Status::Ok();
  }

  Status ParsePipeline(std::string_view context, Kind end, const TemplateNode** node) {
    VARVE_RETURN_IF_ERROR(Enter());
    TemplateNode* pipe = NewNode(NodeKind::kPipe, PeekNonSpace().position);
    *node = pipe;
    VARVE_RETURN_IF_ERROR(ParseDeclarations(context, pipe));
    while (true) {
      const Token token = NextNonSpace();
      if (token.kind == end) break;
      if (!StartsOperand(token.kind)) return Unexpected(token, context);
      Backup(token);
      VARVE_RETURN_IF_ERROR(ParseCommand(pipe));
    }
    --nesting_;
    if (pipe->children.empty()) return Fail("missing value for " + std::string(context));
    for (size_t i = 1; i < pipe->children.size(); ++i) {
      switch (pipe->children[i]->children[0]->kind) {
        case NodeKind::kBool:
        case NodeKind::kDot:
        case NodeKind::kNil:
        case NodeKind::kNumber:
        case NodeKind::kString:
          return Fail("non executable command in pipeline stage " + std::to_string(i + 1));
        default: break;
      }
    }
    return Status::Ok();
  }

  static bool StartsOperand(Kind kind) {
    switch (kind) {
      case Kind::kField:
      case Kind::kDot:
      case Kind::kVariable:
      case Kind::kIdentifier:
      case Kind::kBool:
      case Kind::kNil:
      case Kind::kString:
      case Kind::kRawString:
      case Kind::kNumber:
      case Kind::kCharacter:
      case Kind::kOpenParen: return true;
      default: return false;
    }
  }

  // `$x := `, `$x = ` and, for range, `$i, $x := `.
  Status ParseDeclarations(std::string_view context, TemplateNode* pipe) {
    while (true) {
      const Token variable = NextNonSpace();
      if (variable.kind != Kind::kVariable) {
        Backup(variable);
        return Status::Ok();
      }
      const Token adjacent = Next();
      Token next = adjacent;
      while (next.kind == Kind::kSpace) next = Next();
      const bool comma = next.kind == Kind::kPunctuation && next.text == ",";
      if (next.kind != Kind::kAssign && next.kind != Kind::kDeclare && !comma) {
        Backup(next);
        if (adjacent.kind == Kind::kSpace) Backup(adjacent);
        Backup(variable);
        return Status::Ok();
      }
      pipe->is_assignment = next.kind == Kind::kAssign;
      pipe->declared.emplace_back(variable.text);
      variables_.emplace_back(variable.text);
      if (!comma) return Status::Ok();
      if (context != "range" || pipe->declared.size() >= 2)
        return Fail("too many declarations in " + std::string(context));
      const Kind after = PeekNonSpace().kind;
      if (after != Kind::kVariable && after != Kind::kRight && after != Kind::kCloseParen) {
        return Fail("range can only initialize variables");
      }
    }
  }

  Status ParseCommand(TemplateNode* pipe) {
    TemplateNode* command = NewNode(NodeKind::kCommand, PeekNonSpace().position);
    while (true) {
      const TemplateNode* operand = nullptr;
      VARVE_RETURN_IF_ERROR(ParseOperand(&operand));
      if (operand != nullptr) command->children.push_back(operand);
      const Token token = Next();
      if (token.kind == Kind::kSpace) continue;
      if (token.kind == Kind::kRight || token.kind == Kind::kCloseParen) {
        Backup(token);
      } else if (token.kind != Kind::kPipe) {
        return Unexpected(token, "operand");
      }
      break;
    }
    if (command->children.empty()) return Fail("empty command");
    PrepareRegex(command);
    pipe->children.push_back(command);
    return Status::Ok();
  }

  void PrepareRegex(TemplateNode* command) {
    const TemplateNode& callee = *command->children[0];
    if (callee.function == nullptr || !callee.function->takes_regex || command->children.size() < 2) return;
    const TemplateNode& pattern = *command->children[1];
    if (pattern.kind != NodeKind::kString) return;
    PreparedRegex& prepared = tree_.regexes.emplace_back();
    Result<Regex> regex = CompileRegex(pattern.decoded, RegexOptions{});
    if (regex.ok()) {
      prepared.regex = std::move(*regex);
    } else {
      prepared.error = regex.status().message();
    }
    command->regex = &prepared;
  }

  Status ParseOperand(const TemplateNode** operand) {
    TemplateNode* node = nullptr;
    VARVE_RETURN_IF_ERROR(ParseTerm(&node));
    *operand = node;
    if (node == nullptr || Peek().kind != Kind::kField) return Status::Ok();
    const uint32_t position = Peek().position;
    switch (node->kind) {
      case NodeKind::kField:
      case NodeKind::kVariable: node->position = position; break;
      case NodeKind::kBool:
      case NodeKind::kString:
      case NodeKind::kNumber:
      case NodeKind::kNil:
      case NodeKind::kDot: return Fail("unexpected . after term \"" + EscapedTerm(*node) + "\"");
      default: {
        TemplateNode* chain = NewNode(NodeKind::kChain, position);
        chain->children.push_back(node);
        node = chain;
        *operand = chain;
        break;
      }
    }
    while (Peek().kind == Kind::kField) AddName(Next().text, node);
    if (node->kind == NodeKind::kVariable && node->names[0].text == "$") NoteField(node->names[1].text);
    return Status::Ok();
  }

  static std::string EscapedTerm(const TemplateNode& node) {
    std::string quoted;
    AppendQuotedGo(DescribeNode(node), false, '"', &quoted);
    return quoted.substr(1, quoted.size() - 2);
  }

  void AddName(std::string_view name, TemplateNode* node) const {
    node->names.push_back({std::string(name), dialect_.hash == nullptr ? 0 : dialect_.hash(name)});
  }

  void NoteField(const std::string& name) {
    if (std::find(tree_.fields.begin(), tree_.fields.end(), name) == tree_.fields.end())
      tree_.fields.push_back(name);
  }

  // Null when there is no operand here.
  Status ParseTerm(TemplateNode** node) {
    const Token token = NextNonSpace();
    switch (token.kind) {
      case Kind::kIdentifier: return ParseIdentifier(token, node);
      case Kind::kDot:
        *node = NewNode(NodeKind::kDot, token.position);
        if (dot_rebound_ == 0) tree_.reads_all_labels = true;
        return Status::Ok();
      case Kind::kNil: *node = NewNode(NodeKind::kNil, token.position); return Status::Ok();
      case Kind::kVariable: return ParseVariable(token, node);
      case Kind::kField:
        *node = NewNode(NodeKind::kField, token.position);
        AddName(token.text, *node);
        NoteField((*node)->names[0].text);
        return Status::Ok();
      case Kind::kBool:
        *node = NewNode(NodeKind::kBool, token.position);
        (*node)->truth = token.text == "true";
        return Status::Ok();
      case Kind::kCharacter:
      case Kind::kNumber: return ParseNumber(token, node);
      case Kind::kString:
      case Kind::kRawString:
        *node = NewNode(NodeKind::kString, token.position);
        (*node)->text = token.text;
        return UnquoteGo(token.text, &(*node)->decoded) ? Status::Ok() : Fail("invalid syntax");
      case Kind::kOpenParen: {
        const TemplateNode* pipe = nullptr;
        VARVE_RETURN_IF_ERROR(ParsePipeline("parenthesized pipeline", Kind::kCloseParen, &pipe));
        *node = const_cast<TemplateNode*>(pipe);  // the parser's own node, not finished before it returns
        return Status::Ok();
      }
      default: Backup(token); return Status::Ok();
    }
  }

  Status ParseIdentifier(const Token& token, TemplateNode** node) {
    *node = NewNode(NodeKind::kIdentifier, token.position);
    (*node)->text = token.text;
    (*node)->function = dialect_.functions->Find(token.text);
    if ((*node)->function != nullptr) {
      if (std::find(tree_.functions.begin(), tree_.functions.end(), (*node)->function) ==
          tree_.functions.end())
        tree_.functions.push_back((*node)->function);
      return Status::Ok();
    }
    return Fail("function \"" + std::string(token.text) + "\" not defined");
  }

  Status ParseVariable(const Token& token, TemplateNode** node) {
    *node = NewNode(NodeKind::kVariable, token.position);
    AddName(token.text, *node);
    if (std::find(variables_.begin(), variables_.end(), token.text) == variables_.end()) {
      return Fail("undefined variable \"" + std::string(token.text) + "\"");
    }
    // Inside a definition $ is what the caller passes.
    if (token.text == "$" && definition_depth_ == 0 && Peek().kind != Kind::kField)
      tree_.reads_all_labels = true;
    return Status::Ok();
  }

  Status ParseNumber(const Token& token, TemplateNode** node) {
    TemplateNode* number = NewNode(NodeKind::kNumber, token.position);
    *node = number;
    number->text = token.text;
    if (token.kind == Kind::kCharacter) {
      std::string decoded;
      if (!UnquoteGo(token.text, &decoded)) return Fail("malformed character constant: " + number->text);
      number->integer = FirstRune(decoded).first;
      number->number = static_cast<double>(number->integer);
      number->is_integer = number->is_float = number->is_character = true;
      return Status::Ok();
    }
    const GoInteger integer = ParseGoInteger(token.text, &number->integer);
    if (integer == GoInteger::kOk) {
      number->is_integer = number->is_float = true;
      number->number = static_cast<double>(number->integer);
      return Status::Ok();
    }
    const bool looks_like_float = token.text.find_first_of(".eEpP") != std::string_view::npos;
    if (!logql::ParseGoFloat(token.text, &number->number, nullptr))
      return Fail("illegal number syntax: \"" + number->text + "\"");
    if (!looks_like_float) return Fail("integer overflow: \"" + number->text + "\"");
    number->is_float = true;
    // A whole number passes where an int is wanted.
    if (number->number >= -9.2e18 && number->number <= 9.2e18) {
      number->integer = static_cast<int64_t>(number->number);
      number->is_integer = static_cast<double>(number->integer) == number->number;
    }
    return Status::Ok();
  }

  const TemplateDialect& dialect_;
  TemplateTree& tree_;
  TemplateLexer lexer_;
  std::vector<Token> pending_;
  std::vector<std::string> variables_ = {"$"};
  int line_ = 1;
  int action_line_ = 0;  // of the action being read; 0 outside
  int nesting_ = 0;
  int range_depth_ = 0;
  int definition_depth_ = 0;
  int dot_rebound_ = 0;  // above 0 the dot need not be the labels
};

void Describe(const TemplateNode& node, std::string* out);

void DescribeAll(const TemplateNode& node, std::string_view separator, std::string* out) {
  for (size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) *out += separator;
    const TemplateNode& child = *node.children[i];
    const bool parenthesized = child.kind == NodeKind::kPipe;
    if (parenthesized) out->push_back('(');
    Describe(child, out);
    if (parenthesized) out->push_back(')');
  }
}

void DescribeBranch(std::string_view name, const TemplateNode& node, std::string* out) {
  *out += "{{" + std::string(name) + " ";
  Describe(*node.pipe, out);
  *out += "}}";
  Describe(*node.list, out);
  if (node.else_list != nullptr) {
    *out += "{{else}}";
    Describe(*node.else_list, out);
  }
  *out += "{{end}}";
}

void DescribePipe(const TemplateNode& node, std::string* out) {
  for (size_t i = 0; i < node.declared.size(); ++i) {
    if (i > 0) *out += ", ";
    *out += node.declared[i];
  }
  if (!node.declared.empty()) *out += node.is_assignment ? " = " : " := ";
  DescribeAll(node, " | ", out);
}

// As deep as the parser lets the tree be.
void Describe(const TemplateNode& node, std::string* out) {
  switch (node.kind) {
    case NodeKind::kPipe: DescribePipe(node, out); break;
    case NodeKind::kCommand: DescribeAll(node, " ", out); break;
    case NodeKind::kIdentifier:
    case NodeKind::kNumber:
    case NodeKind::kText:
    case NodeKind::kString: *out += node.text; break;
    case NodeKind::kField:
    case NodeKind::kChain:
      DescribeAll(node, "", out);
      for (const FieldName& name : node.names) *out += "." + name.text;
      break;
    case NodeKind::kVariable:
      for (size_t i = 0; i < node.names.size(); ++i) *out += (i > 0 ? "." : "") + node.names[i].text;
      break;
    case NodeKind::kDot: *out += "."; break;
    case NodeKind::kNil: *out += "nil"; break;
    case NodeKind::kBool: *out += node.truth ? "true" : "false"; break;
    case NodeKind::kList: DescribeAll(node, "", out); break;
    case NodeKind::kAction:
      *out += "{{";
      Describe(*node.pipe, out);
      *out += "}}";
      break;
    case NodeKind::kIf: DescribeBranch("if", node, out); break;
    case NodeKind::kRange: DescribeBranch("range", node, out); break;
    case NodeKind::kWith: DescribeBranch("with", node, out); break;
    case NodeKind::kTemplate:
      *out += "{{template ";
      AppendQuotedGo(node.text, false, '"', out);
      if (node.pipe != nullptr) {
        out->push_back(' ');
        Describe(*node.pipe, out);
      }
      *out += "}}";
      break;
    case NodeKind::kBreak: *out += "{{break}}"; break;
    case NodeKind::kContinue: *out += "{{continue}}"; break;
    case NodeKind::kEnd: *out += "{{end}}"; break;
    case NodeKind::kElse: *out += "{{else}}"; break;
  }
}

}  // namespace

Status ParseTemplate(std::string_view name, std::string_view text, const TemplateDialect& dialect,
                     std::span<const std::string> variables, TemplateTree* tree) {
  tree->name = name;
  tree->text = text;
  tree->variables.assign(variables.begin(), variables.end());
  return TreeParser(dialect, variables, tree).Parse();
}

bool IsEmptyList(const TemplateNode& list) {
  return std::all_of(list.children.begin(), list.children.end(), [](const TemplateNode* node) {
    return node->kind == NodeKind::kText && node->text.find_first_not_of(" \t\r\n") == std::string::npos;
  });
}

std::string DescribeNode(const TemplateNode& node) {
  std::string out;
  Describe(node, &out);
  return out;
}

}  // namespace varve::templates
