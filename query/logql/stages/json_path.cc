#include "query/logql/stages/json_path.h"

#include <algorithm>
#include <charconv>

#include "query/logql/stages/label_key.h"

namespace varve::logql {
namespace {

enum class Token { kEnd, kField, kString, kIndex, kDot, kLeft, kRight };

std::string_view TokenName(Token token) {
  switch (token) {
    case Token::kEnd: return "$end";
    case Token::kField: return "FIELD";
    case Token::kString: return "STRING";
    case Token::kIndex: return "INDEX";
    case Token::kDot: return "DOT";
    case Token::kLeft: return "LSB";
    case Token::kRight: return "RSB";
  }
  return "?";
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsFieldStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

}  // namespace

std::string_view TakeQuoted(std::string_view* rest) {
  const size_t end = rest->find_first_of("\"]");
  const std::string_view text = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 1);
  return text;
}

std::string_view FirstCharacter(std::string_view text) {
  const size_t length = Utf8SequenceLength(text);
  return length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
}

namespace {

class Lexer {
 public:
  explicit Lexer(std::string_view input) : rest_(input) {}

  // What cannot be read ends the input, and `error` says why; a syntax error at that point comes first.
  Token Next() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n'))
      rest_.remove_prefix(1);
    if (rest_.empty()) return Token::kEnd;
    const char c = rest_[0];
    if (IsDigit(c)) return ReadIndex();
    if (IsFieldStart(c)) {
      size_t size = 1;
      while (size < rest_.size() && (IsFieldStart(rest_[size]) || IsDigit(rest_[size]))) ++size;
      text = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return Token::kField;
    }
    rest_.remove_prefix(1);
    switch (c) {
      case '.': return Token::kDot;
      case '[': return Token::kLeft;
      case ']': return Token::kRight;
      case '"': {
        text = TakeQuoted(&rest_);
        return Token::kString;
      }
      default:
        return Fail("unexpected char " + std::string(FirstCharacter({rest_.data() - 1, rest_.size() + 1})));
    }
  }

  std::string_view text;  // of kField and kString
  uint32_t index = 0;
  std::string error;

 private:
  // A number, with a blank or ']' behind it.
  Token ReadIndex() {
    size_t size = 0;
    while (size < rest_.size() && IsDigit(rest_[size])) ++size;
    const std::string_view digits = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (rest_.empty()) return Fail("non-integer value: " + std::string(1, '\0'));
    if (rest_[0] == '.') return Fail("cannot use float as array index");
    if (std::string_view("] \t\n").find(rest_[0]) == std::string_view::npos) {
      return Fail("non-integer value: " + std::string(FirstCharacter(rest_)));
    }
    int64_t value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) {
      return Fail("strconv.Atoi: parsing \"" + std::string(digits) + "\": value out of range");
    }
    // No array is that long.
    index = static_cast<uint32_t>(std::min<int64_t>(value, UINT32_MAX));
    return Token::kIndex;
  }

  Token Fail(std::string message) {
    error = std::move(message);
    rest_ = {};
    return Token::kEnd;
  }

  std::string_view rest_;
};

Status Unexpected(Token token, std::string_view expecting) {
  std::string message = "syntax error: unexpected ";
  message += TokenName(token);
  if (!expecting.empty()) {
    message += ", expecting ";
    message += expecting;
  }
  return InvalidArgument(std::move(message));
}

}  // namespace

Result<JsonPath> ParseJsonPath(std::string_view text) {
  Lexer lexer(text);
  JsonPath path;
  for (bool first = true;; first = false) {
    Token token = lexer.Next();
    if (!first && token == Token::kEnd) break;
    if (token == Token::kLeft) {
      token = lexer.Next();
      if (token == Token::kString) {
        path.push_back({.is_index = false, .key = std::string(lexer.text), .index = 0});
      } else if (token == Token::kIndex) {
        path.push_back({.is_index = true, .key = {}, .index = lexer.index});
      } else {
        return Unexpected(token, "STRING or INDEX");
      }
      token = lexer.Next();
      if (token != Token::kRight) return Unexpected(token, "RSB");
    } else {
      if (!first) {
        if (token != Token::kDot) return Unexpected(token, "");
        token = lexer.Next();
        if (token != Token::kField) return Unexpected(token, "FIELD");
      } else if (token != Token::kField) {
        return Unexpected(token, "LSB or FIELD");
      }
      path.push_back({.is_index = false, .key = std::string(lexer.text), .index = 0});
    }
    if (path.size() > kJsonPathStepsMax) return InvalidArgument("path has too many steps");
  }
  if (!lexer.error.empty()) return InvalidArgument(lexer.error);
  return path;
}

}  // namespace varve::logql
