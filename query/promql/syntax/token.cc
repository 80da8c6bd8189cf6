#include "query/promql/syntax/token.h"

#include <array>

#include "engine/model/labels.h"
#include "query/promql/syntax/number_text.h"

namespace varve::promql {
namespace {

struct WordEntry {
  std::string_view word;
  TokenType type;
};

constexpr std::array<WordEntry, 39> kWords = {{
    {"and", TokenType::kAnd},
    {"or", TokenType::kOr},
    {"unless", TokenType::kUnless},
    {"atan2", TokenType::kAtan2},
    {"sum", TokenType::kSum},
    {"avg", TokenType::kAvg},
    {"count", TokenType::kCount},
    {"min", TokenType::kMin},
    {"max", TokenType::kMax},
    {"group", TokenType::kGroup},
    {"stddev", TokenType::kStddev},
    {"stdvar", TokenType::kStdvar},
    {"topk", TokenType::kTopk},
    {"bottomk", TokenType::kBottomk},
    {"count_values", TokenType::kCountValues},
    {"quantile", TokenType::kQuantile},
    {"limitk", TokenType::kLimitk},
    {"limit_ratio", TokenType::kLimitRatio},
    {"offset", TokenType::kOffset},
    {"smoothed", TokenType::kSmoothed},
    {"anchored", TokenType::kAnchored},
    {"by", TokenType::kBy},
    {"without", TokenType::kWithout},
    {"on", TokenType::kOn},
    {"ignoring", TokenType::kIgnoring},
    {"group_left", TokenType::kGroupLeft},
    {"group_right", TokenType::kGroupRight},
    {"fill", TokenType::kFill},
    {"fill_left", TokenType::kFillLeft},
    {"fill_right", TokenType::kFillRight},
    {"bool", TokenType::kBool},
    {"start", TokenType::kStart},
    {"end", TokenType::kEndWord},
    {"step", TokenType::kStep},
    {"range", TokenType::kRange},
    {"max_of", TokenType::kMaxOf},
    {"min_of", TokenType::kMinOf},
    {"inf", TokenType::kNumber},
    {"nan", TokenType::kNumber},
}};

// At most ten characters, then quoted.
std::string QuotedShort(std::string_view text) {
  if (text.size() <= 10) return GoQuoted(text);
  size_t end = 0;
  for (int runes = 0; runes < 10 && end < text.size(); ++runes) {
    end += static_cast<size_t>(DecodeRune(text, end).width);
  }
  return GoQuoted(text.substr(0, end)) + "...";
}

}  // namespace

TokenType WordType(std::string_view word) {
  std::string lower;
  if (word.size() > 12) return TokenType::kIdentifier;
  for (const char c : word) lower.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  for (const WordEntry& entry : kWords) {
    if (entry.word == lower) return entry.type;
  }
  return TokenType::kIdentifier;
}

bool CanBeMetricName(TokenType type) {
  switch (type) {
    case TokenType::kIdentifier:
    case TokenType::kMetricIdentifier:
    case TokenType::kAnd:
    case TokenType::kOr:
    case TokenType::kUnless:
    case TokenType::kOffset:
    case TokenType::kSmoothed:
    case TokenType::kAnchored:
    case TokenType::kBy:
    case TokenType::kWithout:
    case TokenType::kFill:
    case TokenType::kFillLeft:
    case TokenType::kFillRight: return true;
    default: return IsAggregator(type) || IsTimeWord(type);
  }
}

bool CanBeLabelName(TokenType type) {
  return CanBeMetricName(type) || IsKeyword(type) || type == TokenType::kAtan2;
}

std::string Token::Description() const {
  if (type == TokenType::kEnd) return "end of input";
  if (type == TokenType::kError) return error;
  if (IsKeyword(type)) return "<" + std::string(text) + ">";
  if (IsOperator(type)) return "<op:" + std::string(text) + ">";
  if (IsAggregator(type)) return "<aggr:" + std::string(text) + ">";
  switch (type) {
    case TokenType::kIdentifier: return "identifier " + GoQuoted(text);
    case TokenType::kMetricIdentifier: return "metric identifier " + GoQuoted(text);
    case TokenType::kString: return "string " + QuotedShort(text);
    case TokenType::kNumber: return "number " + QuotedShort(text);
    case TokenType::kDuration: return "duration " + QuotedShort(text);
    default: return QuotedShort(text);
  }
}

}  // namespace varve::promql
