#include "query/logql/token.h"

#include <array>

namespace varve::logql {
namespace {

struct NamedToken {
  TokenKind kind;
  std::string_view name;
};

constexpr std::array<NamedToken, 22> kKeywords = {{{TokenKind::kBy, "by"},
                                                   {TokenKind::kWithout, "without"},
                                                   {TokenKind::kOn, "on"},
                                                   {TokenKind::kIgnoring, "ignoring"},
                                                   {TokenKind::kGroupLeft, "group_left"},
                                                   {TokenKind::kGroupRight, "group_right"},
                                                   {TokenKind::kBool, "bool"},
                                                   {TokenKind::kOffset, "offset"},
                                                   {TokenKind::kAnd, "and"},
                                                   {TokenKind::kOr, "or"},
                                                   {TokenKind::kUnless, "unless"},
                                                   {TokenKind::kJson, "json"},
                                                   {TokenKind::kLogfmt, "logfmt"},
                                                   {TokenKind::kPattern, "pattern"},
                                                   {TokenKind::kRegexp, "regexp"},
                                                   {TokenKind::kUnpack, "unpack"},
                                                   {TokenKind::kUnwrap, "unwrap"},
                                                   {TokenKind::kLineFormat, "line_format"},
                                                   {TokenKind::kLabelFormat, "label_format"},
                                                   {TokenKind::kDecolorize, "decolorize"},
                                                   {TokenKind::kDrop, "drop"},
                                                   {TokenKind::kKeep, "keep"}}};

constexpr std::array<NamedToken, 28> kPunctuation = {{{TokenKind::kLeftBrace, "{"},
                                                      {TokenKind::kRightBrace, "}"},
                                                      {TokenKind::kLeftParen, "("},
                                                      {TokenKind::kRightParen, ")"},
                                                      {TokenKind::kLeftBracket, "["},
                                                      {TokenKind::kRightBracket, "]"},
                                                      {TokenKind::kComma, ","},
                                                      {TokenKind::kDot, "."},
                                                      {TokenKind::kPipe, "|"},
                                                      {TokenKind::kPipeExact, "|="},
                                                      {TokenKind::kPipeMatch, "|~"},
                                                      {TokenKind::kPipePattern, "|>"},
                                                      {TokenKind::kNotPattern, "!>"},
                                                      {TokenKind::kEqual, "="},
                                                      {TokenKind::kNotEqual, "!="},
                                                      {TokenKind::kRegexMatch, "=~"},
                                                      {TokenKind::kRegexNotMatch, "!~"},
                                                      {TokenKind::kEqualEqual, "=="},
                                                      {TokenKind::kGreater, ">"},
                                                      {TokenKind::kGreaterEqual, ">="},
                                                      {TokenKind::kLess, "<"},
                                                      {TokenKind::kLessEqual, "<="},
                                                      {TokenKind::kAdd, "+"},
                                                      {TokenKind::kSub, "-"},
                                                      {TokenKind::kMul, "*"},
                                                      {TokenKind::kDiv, "/"},
                                                      {TokenKind::kMod, "%"},
                                                      {TokenKind::kPow, "^"}}};

constexpr std::array<NamedToken, 10> kClasses = {{{TokenKind::kEnd, "$end"},
                                                 {TokenKind::kIdentifier, "IDENTIFIER"},
                                                 {TokenKind::kString, "STRING"},
                                                 {TokenKind::kNumber, "NUMBER"},
                                                 {TokenKind::kDuration, "DURATION"},
                                                 {TokenKind::kBytes, "BYTES"},
                                                 {TokenKind::kRange, "RANGE"},
                                                 {TokenKind::kFunctionFlag, "FUNCTION_FLAG"},
                                                 {TokenKind::kIp, "ip"},
                                                 {TokenKind::kLabelReplace, "label_replace"}}};

template <size_t N>
std::optional<std::string_view> NameIn(const std::array<NamedToken, N>& table, TokenKind kind) {
  for (const NamedToken& entry : table) {
    if (entry.kind == kind) return entry.name;
  }
  return std::nullopt;
}

}  // namespace

std::string TokenName(const Token& token) {
  if (const auto name = NameIn(kClasses, token.kind)) return std::string(*name);
  if (const auto name = NameIn(kKeywords, token.kind)) return std::string(*name);
  if (const auto name = NameIn(kPunctuation, token.kind)) return std::string(*name);
  std::string upper = token.text;
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  if (token.kind == TokenKind::kUnwrapConversion) upper += "_CONV";
  return upper;
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

std::optional<TokenKind> FindKeyword(std::string_view word) {
  for (const NamedToken& entry : kKeywords) {
    if (EqualsIgnoringCase(word, entry.name)) return entry.kind;
  }
  return std::nullopt;
}

bool FindFunction(std::string_view word, Token* token) {
  const auto found = [token](TokenKind kind, std::string_view name) {
    token->kind = kind;
    token->text = name;
    return true;
  };
  for (int i = 0; i <= static_cast<int>(kLastRangeOp); ++i) {
    const RangeOp op = static_cast<RangeOp>(i);
    if (!EqualsIgnoringCase(word, RangeOpName(op))) continue;
    token->range_op = op;
    return found(TokenKind::kRangeFunction, RangeOpName(op));
  }
  for (int i = 0; i <= static_cast<int>(VectorOp::kSortDesc); ++i) {
    const VectorOp op = static_cast<VectorOp>(i);
    if (!EqualsIgnoringCase(word, VectorOpName(op))) continue;
    token->vector_op = op;
    return found(TokenKind::kVectorFunction, VectorOpName(op));
  }
  for (const UnwrapConversion conversion :
       {UnwrapConversion::kBytes, UnwrapConversion::kDuration, UnwrapConversion::kDurationSeconds}) {
    if (!EqualsIgnoringCase(word, UnwrapConversionName(conversion))) continue;
    token->conversion = conversion;
    return found(TokenKind::kUnwrapConversion, UnwrapConversionName(conversion));
  }
  if (EqualsIgnoringCase(word, "ip")) return found(TokenKind::kIp, "ip");
  if (EqualsIgnoringCase(word, "vector")) return found(TokenKind::kVector, "vector");
  if (EqualsIgnoringCase(word, "label_replace")) return found(TokenKind::kLabelReplace, "label_replace");
  if (EqualsIgnoringCase(word, "variants")) return found(TokenKind::kVariants, "variants");
  return false;
}

std::optional<TokenKind> FindPunctuation(std::string_view text) {
  for (const NamedToken& entry : kPunctuation) {
    if (entry.name == text) return entry.kind;
  }
  return std::nullopt;
}

}  // namespace varve::logql
