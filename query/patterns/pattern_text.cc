#include "query/patterns/pattern_text.h"

#include <string_view>

namespace varve {
namespace {

constexpr std::string_view kWildcard = "<_>";

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// The length of what reads as a capture at the start of `text`, or 0.
size_t CaptureLength(std::string_view text) {
  if (text.size() < 3 || text[0] != '<' || !IsNameStart(text[1])) return 0;
  size_t i = 2;
  while (i < text.size() && (IsNameStart(text[i]) || (text[i] >= '0' && text[i] <= '9'))) ++i;
  return i < text.size() && text[i] == '>' ? i + 1 : 0;
}

// Literals and wildcards in turn.
class TextBuilder {
 public:
  void AddLiteral(std::string_view text) { literal_.append(text); }

  void AddWildcard() {
    CloseLiteral();
    Wildcard();
  }

  std::string Take() {
    CloseLiteral();
    return std::move(text_);
  }

 private:
  void Wildcard() {
    if (separator_ != 0) {
      text_.resize(text_.size() - separator_);
    } else if (!text_.ends_with(kWildcard)) {
      text_.append(kWildcard);
    }
    separator_ = 0;
  }

  // Moves the literal into the text, with captures in it replaced.
  void CloseLiteral() {
    std::string_view rest = literal_;
    size_t plain = 0;
    while (plain < rest.size()) {
      const size_t capture = CaptureLength(rest.substr(plain));
      if (capture == 0) {
        ++plain;
        continue;
      }
      Append(rest.substr(0, plain));
      Wildcard();
      rest.remove_prefix(plain + capture);
      plain = 0;
    }
    Append(rest);
    literal_.clear();
  }

  void Append(std::string_view text) {
    if (text.empty()) return;
    const bool separates =
        text.find_first_not_of(' ') == std::string_view::npos ||
        (text.size() == 1 && std::string_view(".,:-/+_%#@").find(text[0]) != std::string_view::npos);
    separator_ = separates && text_.ends_with(kWildcard) ? text.size() : 0;
    text_.append(text);
  }

  std::string literal_;  // not yet in text_
  std::string text_;
  // Bytes at the end of text_ that only separate its last wildcard from what follows; another wildcard
  // swallows them.
  size_t separator_ = 0;
};

bool IsClean(std::string_view gap) {
  for (const char c : gap) {
    if (static_cast<unsigned char>(c) >= 0x80 || c == kVariableMark) return false;
  }
  return true;
}

// The value that slot has in all lines of the cluster, or "".
std::string_view ConstantOf(const ShapeCluster& cluster, size_t slot) {
  if (cluster.lines < kConstantLinesMin) return {};
  const std::string& value = cluster.shape->constants[slot];
  for (const Shape* member : cluster.members) {
    if (!member->tokens[slot].is_variable() || member->constants[slot] != value) return {};
  }
  return value;
}

}  // namespace

std::string PatternText(const ShapeCluster& cluster, bool constants) {
  const Shape& shape = *cluster.shape;
  TextBuilder text;
  for (size_t i = 0; i <= shape.tokens.size(); ++i) {
    // Words beyond ASCII were checked when they became words; keys of JSON and logfmt are gaps.
    if (const std::string_view gap = shape.Gap(i); IsClean(gap)) {
      text.AddLiteral(gap);
    } else {
      text.AddWildcard();
    }
    if (i == shape.tokens.size()) break;
    const std::string_view constant = constants ? ConstantOf(cluster, i) : std::string_view();
    if (!cluster.variable[i]) {
      text.AddLiteral(shape.tokens[i].In(shape.text));
    } else if (!constant.empty()) {
      text.AddLiteral(constant);
    } else {
      text.AddWildcard();
    }
  }
  return text.Take();
}

}  // namespace varve
