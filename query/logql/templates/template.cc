#include "query/logql/templates/template.h"

#include <algorithm>

#include "query/logql/templates/template_lexer.h"
#include "query/logql/templates/template_names.h"

namespace varve::logql {
namespace {

using Kind = TemplateTokenKind;

bool IsOperand(Kind kind) {
  switch (kind) {
    case Kind::kField:
    case Kind::kDot:
    case Kind::kVariable:
    case Kind::kIdentifier:
    case Kind::kString:
    case Kind::kRawString:
    case Kind::kNumber:
    case Kind::kCharacter:
    case Kind::kOpenParen: return true;
    default: return false;
  }
}

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

}  // namespace

class TemplateParser {
 public:
  TemplateParser(std::string_view name, std::string_view text) : name_(name), lexer_(text) {}

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
        default: VARVE_RETURN_IF_ERROR(ParseAction()); break;
      }
    }
  }

 private:
  // One action, behind its {{. What is not supported is remembered, and the rest still checked, so that an
  // error in the template is reported as Loki would.
  Status ParseAction() {
    std::vector<TemplateToken> tokens;
    while (true) {
      TemplateToken token = lexer_.Next();
      if (token.kind == Kind::kError) return Fail(token, token.text);
      if (token.kind == Kind::kRight) break;
      if (token.kind != Kind::kSpace) tokens.push_back(std::move(token));
    }
    if (tokens.empty()) return Fail({Kind::kRight, "", line_}, "missing value for command");
    line_ = tokens.back().line;
    const TemplateToken& first = tokens.front();
    if (first.kind == Kind::kIdentifier && IsTemplateKeyword(first.text)) return ParseKeyword(tokens);
    DeclareVariables(tokens);
    VARVE_RETURN_IF_ERROR(CheckNames(tokens));
    // A trailing pipe is accepted.
    if (tokens.size() > 1 && tokens.back().kind == Kind::kPipe) tokens.pop_back();
    if (!IsOperand(first.kind)) return Fail(first, "missing value for command");
    if (tokens.size() == 1 && AddOperand(first)) return Status::Ok();
    return Unsupported(Describe(tokens));
  }

  Status ParseKeyword(const std::vector<TemplateToken>& tokens) {
    const TemplateToken& keyword = tokens.front();
    DeclareVariables(tokens);
    VARVE_RETURN_IF_ERROR(CheckNames({tokens.begin() + 1, tokens.end()}));
    if (keyword.text == "end") {
      if (depth_ == 0) return Fail(keyword, "unexpected {{end}}");
      --depth_;
      return Status::Ok();
    }
    if (keyword.text == "else") {
      if (depth_ == 0) return Fail(keyword, "unexpected {{else}}");
    } else if (keyword.text != "template" && keyword.text != "break" && keyword.text != "continue") {
      ++depth_;
      if (tokens.size() == 1) return Fail(keyword, "missing value for " + keyword.text);
    }
    return Unsupported("template action '" + keyword.text + "'");
  }

  // `$i, $x := …`: scopes are not tracked, a variable is known from its declaration on.
  void DeclareVariables(const std::vector<TemplateToken>& tokens) {
    const auto declare = std::find_if(tokens.begin(), tokens.end(),
                                      [](const TemplateToken& token) { return token.kind == Kind::kDeclare; });
    if (declare == tokens.end()) return;
    for (auto token = tokens.begin(); token != declare; ++token) {
      if (token->kind == Kind::kVariable) variables_.push_back(token->text);
    }
  }

  // Unknown functions and variables are errors whatever else is not supported.
  Status CheckNames(const std::vector<TemplateToken>& tokens) {
    for (const TemplateToken& token : tokens) {
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

  static std::string Describe(const std::vector<TemplateToken>& tokens) {
    for (const TemplateToken& token : tokens) {
      if (token.kind == Kind::kIdentifier && token.text != "__line__") return "template function '" + token.text + "'";
    }
    return "template expression '" + tokens.front().text + "'";
  }

  bool AddOperand(const TemplateToken& token) {
    switch (token.kind) {
      case Kind::kField:
        result_.nodes_.push_back({Template::Kind::kField, token.text, HashName(token.text)});
        if (std::find(result_.fields_.begin(), result_.fields_.end(), token.text) == result_.fields_.end()) {
          result_.fields_.push_back(token.text);
        }
        return true;
      case Kind::kIdentifier:
        if (token.text != "__line__") return false;
        result_.nodes_.push_back({Template::Kind::kLine, "", 0});
        return true;
      case Kind::kRawString: AddText(token.text.substr(1, token.text.size() - 2)); return true;
      case Kind::kString: {
        std::string text;
        if (!Unquote(token.text, &text)) return false;
        AddText(text);
        return true;
      }
      default: return false;
    }
  }

  void AddText(const std::string& text) {
    line_ += static_cast<int>(std::count(text.begin(), text.end(), '\n'));
    if (text.empty()) return;
    if (!result_.nodes_.empty() && result_.nodes_.back().kind == Template::Kind::kText) {
      result_.nodes_.back().text += text;
    } else {
      result_.nodes_.push_back({Template::Kind::kText, text, 0});
    }
  }

  Status Fail(const TemplateToken& token, const std::string& message) {
    return InvalidArgument("template: " + name_ + ":" + std::to_string(token.line) + ": " + message);
  }

  Status Unsupported(const std::string& what) {
    if (unsupported_.ok()) unsupported_ = Unimplemented(what + " is not supported yet");
    return Status::Ok();
  }

  std::string name_;
  TemplateLexer lexer_;
  Template result_;
  Status unsupported_;
  std::vector<std::string> variables_;
  int line_ = 1;
  int depth_ = 0;
};

Result<Template> Template::Parse(std::string_view name, std::string_view text) {
  return TemplateParser(name, text).Parse();
}

bool Template::Execute(const Row& row, std::string* out, std::string* /*error*/) const {
  for (const Node& node : nodes_) {
    switch (node.kind) {
      case Kind::kText: out->append(node.text); break;
      case Kind::kLine: out->append(row.line); break;
      case Kind::kField:
        if (const RowLabel* label = row.labels.Find(node.text, node.hash); label != nullptr) {
          out->append(label->value);
        } else if (node.text == kErrorLabel) {
          out->append(row.labels.error());
        } else if (node.text == kErrorDetailsLabel) {
          out->append(row.labels.error_details());
        }
        break;
    }
  }
  return true;
}

}  // namespace varve::logql
