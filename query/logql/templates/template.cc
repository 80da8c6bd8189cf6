#include "query/logql/templates/template.h"

#include <algorithm>
#include <charconv>

#include "query/logql/templates/template_lexer.h"
#include "query/logql/templates/template_names.h"
#include "query/logql/values/number.h"

namespace varve::logql {
namespace {

using Kind = TemplateTokenKind;
using Expression = TemplateExpression;

// Decodes a "…" constant; only the plain escapes.
bool Unquote(std::string_view quoted, std::string* out) {
  const std::string_view text = quoted.substr(1, quoted.size() - 2);
  static constexpr std::string_view kEscapes = "\"\\'abfnrtv";
  static constexpr std::string_view kDecoded = "\"\\'\a\b\f\n\r\t\v";
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out->push_back(text[i]);
      continue;
    }
    const size_t which = ++i < text.size() ? kEscapes.find(text[i]) : std::string_view::npos;
    if (which == std::string_view::npos) return false;
    out->push_back(kDecoded[which]);
  }
  return true;
}

const TemplateFunction* FindFunction(std::string_view name) {
  const TemplateFunction* function = FindTextFunction(name);
  return function != nullptr ? function : FindNumberFunction(name);
}

Expression TextConstant(std::string text) {
  Expression expression;
  expression.text = std::move(text);
  expression.is_text = true;
  return expression;
}

}  // namespace

class TemplateParser {
 public:
  TemplateParser(std::string_view name, std::string_view text) : lexer_(text) { result_.name_ = name; }

  Result<Template> Parse() {
    while (true) {
      const TemplateToken token = lexer_.Next();
      switch (token.kind) {
        case Kind::kEnd:
          if (depth_ > 0) return Fail(token, "unexpected EOF");
          if (!unsupported_.ok()) return std::move(unsupported_);
          return std::move(result_);
        case Kind::kError: return Fail(token, token.text);
        case Kind::kText: AddText(token.text); break;
        default: VARVE_RETURN_IF_ERROR(ParseAction(token)); break;
      }
    }
  }

 private:
  // One action, behind its {{. What is not supported is remembered, and the rest still checked, so that an
  // error in the template is reported as Loki would.
  Status ParseAction(const TemplateToken& left) {
    tokens_.clear();
    next_ = 0;
    while (true) {
      TemplateToken token = lexer_.Next();
      if (token.kind == Kind::kError) return Fail(token, token.text);
      if (token.kind == Kind::kRight) break;
      if (token.kind != Kind::kSpace) tokens_.push_back(std::move(token));
    }
    if (tokens_.empty()) return Fail(left, "missing value for command");
    DeclareVariables();
    VARVE_RETURN_IF_ERROR(CheckNames());
    const TemplateToken& first = tokens_.front();
    if (first.kind == Kind::kIdentifier && IsTemplateKeyword(first.text)) return ParseKeyword(first);
    Expression value;
    bool supported = true;
    VARVE_RETURN_IF_ERROR(ParsePipeline(Kind::kEnd, 0, &value, &supported));
    if (!supported) return Status::Ok();
    CollectFields(value);
    if (value.kind == Expression::Kind::kConstant && value.is_text) {
      AddText(value.text);
    } else {
      result_.nodes_.push_back(std::move(value));
    }
    return Status::Ok();
  }

  Status ParseKeyword(const TemplateToken& keyword) {
    if (keyword.text == "end") {
      if (depth_ == 0) return Fail(keyword, "unexpected {{end}}");
      --depth_;
      return Status::Ok();
    }
    if (keyword.text == "else") {
      if (depth_ == 0) return Fail(keyword, "unexpected {{else}}");
    } else if (keyword.text != "template" && keyword.text != "break" && keyword.text != "continue") {
      ++depth_;
      if (tokens_.size() == 1) return Fail(keyword, "missing value for " + keyword.text);
    }
    Unsupported("template action '" + keyword.text + "'");
    return Status::Ok();
  }

  // `$i, $x := …`: scopes are not tracked, a variable is known from its declaration on.
  void DeclareVariables() {
    const auto declare = std::find_if(tokens_.begin(), tokens_.end(),
                                      [](const TemplateToken& token) { return token.kind == Kind::kDeclare; });
    if (declare == tokens_.end()) return;
    for (auto token = tokens_.begin(); token != declare; ++token) {
      if (token->kind == Kind::kVariable) variables_.push_back(token->text);
    }
  }

  // Unknown functions and variables are errors whatever else is not supported.
  Status CheckNames() {
    for (const TemplateToken& token : tokens_) {
      if (token.kind == Kind::kIdentifier && token.text != "true" && token.text != "false" && token.text != "nil" &&
          !IsTemplateFunction(token.text) && !IsTemplateKeyword(token.text)) {
        return Fail(token, "function \"" + token.text + "\" not defined");
      }
      if (token.kind != Kind::kVariable || token.text == "$") continue;
      if (std::find(variables_.begin(), variables_.end(), token.text) == variables_.end()) {
        return Fail(token, "undefined variable \"" + token.text + "\"");
      }
    }
    return Status::Ok();
  }

  bool AtEnd(Kind end) const {
    return next_ == tokens_.size() || (end != Kind::kEnd && tokens_[next_].kind == end);
  }

  // command { "|" command }, up to the token `end` or the last one. With `supported` false the tokens were
  // consumed and the reason remembered.
  Status ParsePipeline(Kind end, int depth, Expression* value, bool* supported) {
    if (depth > kTemplateNestingMax) return Fail(tokens_[next_], "max expression depth exceeded");
    if (AtEnd(end)) {
      return Fail(tokens_[next_ == tokens_.size() ? next_ - 1 : next_], "missing value for " +
                                                        std::string(depth == 0 ? "command" : "parenthesized pipeline"));
    }
    bool first = true;
    while (!AtEnd(end)) {  // a trailing pipe is accepted
      Expression command;
      VARVE_RETURN_IF_ERROR(ParseCommand(end, depth, first ? nullptr : value, &command, supported));
      *value = std::move(command);
      first = false;
    }
    return Status::Ok();
  }

  // Operands up to a pipe; `piped` becomes the last argument.
  Status ParseCommand(Kind end, int depth, Expression* piped, Expression* command, bool* supported) {
    const size_t begin = next_;
    std::vector<Expression> operands;
    const bool is_call = tokens_[next_].kind == Kind::kIdentifier && !IsConstantName(tokens_[next_].text);
    while (!AtEnd(end) && tokens_[next_].kind != Kind::kPipe) {
      if (is_call && next_ == begin) {
        ++next_;
        continue;
      }
      Expression& operand = operands.emplace_back();
      VARVE_RETURN_IF_ERROR(ParseOperand(depth, &operand, supported));
    }
    const TemplateToken& head = tokens_[begin];
    if (next_ == begin) return Fail(head, "missing value for command");
    const std::string source = Source(begin, next_);
    if (!AtEnd(end)) ++next_;  // the pipe
    if (!is_call) {
      if (piped != nullptr) return Fail(head, "non executable command in pipeline stage 2");
      if (operands.size() > 1) *supported = Unsupported("template expression '" + source + "'");
      *command = std::move(operands[0]);
      return Status::Ok();
    }
    if (piped != nullptr) operands.push_back(std::move(*piped));
    if (head.text == "__line__" && operands.empty()) {
      command->kind = Expression::Kind::kLine;
      return Status::Ok();
    }
    command->kind = Expression::Kind::kCall;
    command->text = source;
    command->line = head.line;
    command->column = head.column;
    command->arguments = std::move(operands);
    command->function = FindFunction(head.text);
    if (command->function == nullptr || command->arguments.size() > kTemplateArgumentsMax) {
      *supported = Unsupported("template function '" + head.text + "'");
    }
    return Status::Ok();
  }

  Status ParseOperand(int depth, Expression* operand, bool* supported) {
    const TemplateToken& token = tokens_[next_++];
    switch (token.kind) {
      case Kind::kField:
        operand->kind = Expression::Kind::kField;
        operand->text = token.text;
        operand->hash = HashName(token.text);
        break;
      case Kind::kRawString: *operand = TextConstant(token.text.substr(1, token.text.size() - 2)); break;
      case Kind::kString: {
        std::string text;
        if (!Unquote(token.text, &text)) *supported = Unsupported("template constant " + token.text);
        *operand = TextConstant(std::move(text));
        break;
      }
      case Kind::kNumber: return ParseNumber(token, operand, supported);
      case Kind::kIdentifier: return ParseName(token, operand, supported);
      case Kind::kOpenParen: {
        VARVE_RETURN_IF_ERROR(ParsePipeline(Kind::kCloseParen, depth + 1, operand, supported));
        if (next_ == tokens_.size()) return Fail(token, "unclosed left paren");
        ++next_;
        break;
      }
      case Kind::kComma:
      case Kind::kCloseParen: return Fail(token, "unexpected \"" + token.text + "\" in operand");
      default: *supported = Unsupported("template expression '" + token.text + "'"); break;
    }
    // `.a.b` and `(…).b` look into values; none of ours has fields.
    if (token.kind != Kind::kField && next_ < tokens_.size() && tokens_[next_].kind == Kind::kField &&
        Adjacent(next_ - 1)) {
      *supported = Unsupported("template expression '" + Source(next_, next_ + 1) + "'");
    } else if (token.kind == Kind::kField && next_ < tokens_.size() && tokens_[next_].kind == Kind::kField &&
               Adjacent(next_ - 1)) {
      *supported = Unsupported("template expression '." + token.text + "." + tokens_[next_].text + "'");
    }
    return Status::Ok();
  }

  Status ParseNumber(const TemplateToken& token, Expression* operand, bool* supported) {
    const std::string_view text = token.text.starts_with('+') ? std::string_view(token.text).substr(1) : token.text;
    int64_t integer = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), integer);
    const bool leading_zero = text.size() > 1 && text[0] == '0' && text[1] != '.';
    if (code == std::errc() && end == text.data() + text.size() && !leading_zero) {
      operand->constant = integer;
      return Status::Ok();
    }
    double number = 0;
    if (leading_zero || !ParseGoFloat(text, &number, nullptr)) {
      *supported = Unsupported("template constant " + token.text);
    }
    operand->constant = number;
    return Status::Ok();
  }

  // true, false, or a function without arguments among operands.
  Status ParseName(const TemplateToken& token, Expression* operand, bool* supported) {
    if (token.text == "true" || token.text == "false") {
      operand->constant = token.text == "true";
    } else if (token.text == "__line__") {
      operand->kind = Expression::Kind::kLine;
    } else {
      *supported = Unsupported("template function '" + token.text + "'");
    }
    return Status::Ok();
  }

  static bool IsConstantName(const std::string& name) { return name == "true" || name == "false" || name == "nil"; }

  // Whether tokens i and i + 1 stand side by side without a space.
  bool Adjacent(size_t i) const {
    const TemplateToken& token = tokens_[i];
    const auto size = static_cast<int>(token.text.size()) + (token.kind == Kind::kField ? 1 : 0);
    return token.line == tokens_[i + 1].line && token.column + size == tokens_[i + 1].column;
  }

  // The tokens [begin, end) as Go prints a command.
  std::string Source(size_t begin, size_t end) const {
    std::string text;
    for (size_t i = begin; i < end; ++i) {
      const bool glued = text.empty() || text.back() == '(' || tokens_[i].kind == Kind::kCloseParen;
      if (!glued) text += ' ';
      if (tokens_[i].kind == Kind::kField) text += '.';
      text += tokens_[i].text;
    }
    return text;
  }

  void CollectFields(const Expression& expression) {
    if (expression.kind == Expression::Kind::kField &&
        std::find(result_.fields_.begin(), result_.fields_.end(), expression.text) == result_.fields_.end()) {
      result_.fields_.push_back(expression.text);
    }
    for (const Expression& argument : expression.arguments) CollectFields(argument);
  }

  void AddText(const std::string& text) {
    if (text.empty()) return;
    if (!result_.nodes_.empty() && result_.nodes_.back().is_text) {
      result_.nodes_.back().text += text;
    } else {
      result_.nodes_.push_back(TextConstant(text));
    }
  }

  Status Fail(const TemplateToken& token, const std::string& message) {
    return InvalidArgument("template: " + result_.name_ + ":" + std::to_string(token.line) + ": " + message);
  }

  // Always false, for `supported`.
  bool Unsupported(const std::string& what) {
    if (unsupported_.ok()) unsupported_ = Unimplemented(what + " is not supported yet");
    return false;
  }

  TemplateLexer lexer_;
  Template result_;
  Status unsupported_;
  std::vector<std::string> variables_;
  std::vector<TemplateToken> tokens_;  // of the current action
  size_t next_ = 0;
  int depth_ = 0;  // of control structures
};

Result<Template> Template::Parse(std::string_view name, std::string_view text) {
  return TemplateParser(name, text).Parse();
}

namespace {

std::string_view FieldValue(const Expression& field, const Row& row) {
  if (const RowLabel* label = row.labels.Find(field.text, field.hash); label != nullptr) return label->value;
  if (field.text == kErrorLabel) return row.labels.error();
  if (field.text == kErrorDetailsLabel) return row.labels.error_details();
  return {};
}

}  // namespace

bool Template::Execute(Row* row, std::string* out, std::string* error) const {
  for (const Expression& node : nodes_) {
    if (node.is_text) {
      out->append(node.text);
    } else if (node.kind == Expression::Kind::kField) {
      out->append(FieldValue(node, *row));
    } else {
      TemplateValue value;
      if (!Evaluate(node, row, &value, error)) return false;
      AppendTemplateValue(value, out);
    }
    if (out->size() > kTemplateTextBytesMax) {
      *error = "template: " + name_ + ": result is too long";
      return false;
    }
  }
  return true;
}

bool Template::Evaluate(const Expression& expression, Row* row, TemplateValue* value, std::string* error) const {
  switch (expression.kind) {
    case Expression::Kind::kConstant:
      *value = expression.is_text ? TemplateValue(std::string_view(expression.text)) : expression.constant;
      return true;
    case Expression::Kind::kField: *value = FieldValue(expression, *row); return true;
    case Expression::Kind::kLine: *value = row->line; return true;
    case Expression::Kind::kCall: return Call(expression, row, value, error);
  }
  return false;
}

bool Template::Call(const Expression& call, Row* row, TemplateValue* value, std::string* error) const {
  TemplateValue arguments[kTemplateArgumentsMax];
  const size_t count = call.arguments.size();
  for (size_t i = 0; i < count; ++i) {
    if (!Evaluate(call.arguments[i], row, &arguments[i], error)) return false;
  }
  const TemplateFunction& function = *call.function;
  TemplateCall running{.arguments = {arguments, count}, .arena = row->labels.arena(), .result = {}, .error = {}};
  const bool counts = count >= function.arguments_min && count <= function.arguments_max;
  if (counts && function.apply(&running)) {
    *value = running.result;
    return true;
  }
  *error = "template: " + name_ + ":" + std::to_string(call.line) + ":" + std::to_string(call.column) +
           ": executing \"" + name_ + "\" at <" + call.text + ">: ";
  if (counts) {
    *error += "error calling " + std::string(function.name) + ": " + running.error;
  } else {
    *error += "wrong number of args for " + std::string(function.name) + ": want " +
              std::to_string(function.arguments_min) + " got " + std::to_string(count);
  }
  return false;
}

}  // namespace varve::logql
