// The rules of Parser for what stands between a stream selector and the end of its pipeline.
#include <algorithm>
#include <utility>

#include "query/logql/literals.h"
#include "query/logql/parser_state.h"
#include "query/logql/validation.h"

namespace varve::logql {
namespace {

std::optional<LineFilterOp> LineFilterOpOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kPipeExact: return LineFilterOp::kContains;
    case TokenKind::kNotEqual: return LineFilterOp::kNotContains;
    case TokenKind::kPipeMatch: return LineFilterOp::kRegex;
    case TokenKind::kRegexNotMatch: return LineFilterOp::kNotRegex;
    case TokenKind::kPipePattern: return LineFilterOp::kPattern;
    case TokenKind::kNotPattern: return LineFilterOp::kNotPattern;
    default: return std::nullopt;
  }
}

std::optional<MatchOp> MatchOpOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEqual: return MatchOp::kEqual;
    case TokenKind::kNotEqual: return MatchOp::kNotEqual;
    case TokenKind::kRegexMatch: return MatchOp::kRegexMatch;
    case TokenKind::kRegexNotMatch: return MatchOp::kRegexNotMatch;
    default: return std::nullopt;
  }
}

std::optional<CompareOp> CompareOpOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEqual:
    case TokenKind::kEqualEqual: return CompareOp::kEq;
    case TokenKind::kNotEqual: return CompareOp::kNe;
    case TokenKind::kGreater: return CompareOp::kGt;
    case TokenKind::kGreaterEqual: return CompareOp::kGe;
    case TokenKind::kLess: return CompareOp::kLt;
    case TokenKind::kLessEqual: return CompareOp::kLe;
    default: return std::nullopt;
  }
}

template <typename Node>
void SetFilter(Node node, uint32_t height, ParsedFilter* out) {
  out->filter = std::make_shared<const LabelFilter>(LabelFilter{std::move(node)});
  out->height = height;
}

constexpr int kOrPrecedence = 1;
constexpr int kAndPrecedence = 2;

}  // namespace

Status Parser::ParseSelector(std::vector<Matcher>* out) {
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kLeftBrace, ""));
  if (At(TokenKind::kRightBrace)) return Advance();
  std::string_view expected = "IDENTIFIER or }";
  while (true) {
    std::string name;
    VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kIdentifier, expected, &name));
    expected = "IDENTIFIER";  // unlike PromQL's, the list does not end in a comma
    if (!MatchOpOf(token_.kind)) return Unexpected("= or =~ or !~ or !=");
    std::optional<Matcher> matcher;
    VARVE_RETURN_IF_ERROR(ParseMatcherTail(std::move(name), /*dot_matches_newline=*/true, &matcher));
    out->push_back(*std::move(matcher));
    if (At(TokenKind::kRightBrace)) return Advance();
    VARVE_RETURN_IF_ERROR(Expect(TokenKind::kComma, "} or ,"));
  }
}

// The operator and string of a matcher whose name has been read.
Status Parser::ParseMatcherTail(std::string name, bool dot_matches_newline, std::optional<Matcher>* out) {
  const MatchOp op = *MatchOpOf(token_.kind);
  VARVE_RETURN_IF_ERROR(Advance());
  std::string value;
  VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kString, "STRING", &value));
  Result<Matcher> matcher = Matcher::Create(std::move(name), op, std::move(value), dot_matches_newline);
  if (!matcher.ok()) return SemanticError(matcher.status().message());
  *out = *std::move(matcher);
  if ((*out)->regex() != nullptr) regex_budget_.Charge((*out)->regex());
  return regex_budget_.status();
}

Status Parser::ParsePipeline(std::vector<Stage>* stages, std::optional<Unwrap>* unwrap) {
  while (true) {
    if (const std::optional<LineFilterOp> op = LineFilterOpOf(token_.kind)) {
      VARVE_RETURN_IF_ERROR(ParseLineFilter(*op, stages));
      continue;
    }
    if (!At(TokenKind::kPipe)) return Status::Ok();
    VARVE_RETURN_IF_ERROR(Advance());
    if (unwrap != nullptr && At(TokenKind::kUnwrap)) return ParseUnwrap(unwrap);
    VARVE_RETURN_IF_ERROR(ParseStage(stages));
  }
}

Status Parser::ParseLineFilter(LineFilterOp op, std::vector<Stage>* stages) {
  const Position start = Here();
  LineFilter filter;
  filter.op = op;
  do {
    VARVE_RETURN_IF_ERROR(Advance());
    VARVE_RETURN_IF_ERROR(ParseLineFilterTerm(&filter));
  } while (At(TokenKind::kOr));
  Defer(start, CheckLineFilter(filter, &regex_budget_));
  VARVE_RETURN_IF_ERROR(regex_budget_.status());
  stages->emplace_back(std::move(filter));
  return Status::Ok();
}

Status Parser::ParseLineFilterTerm(LineFilter* out) {
  LineFilterTerm& term = out->terms.emplace_back();
  term.is_ip = At(TokenKind::kIp);
  if (term.is_ip) return ParseIpArgument(&term.text);
  return ExpectText(TokenKind::kString, "STRING or ip", &term.text);
}

// "ip" "(" STRING ")"
Status Parser::ParseIpArgument(std::string* out) {
  VARVE_RETURN_IF_ERROR(Advance());
  VARVE_RETURN_IF_ERROR(Expect(TokenKind::kLeftParen, "("));
  VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kString, "STRING", out));
  return Expect(TokenKind::kRightParen, ")");
}

Status Parser::ParseStage(std::vector<Stage>* stages) {
  const TokenKind kind = token_.kind;
  if (kind == TokenKind::kIdentifier || kind == TokenKind::kLeftParen) {
    ParsedFilter parsed;
    VARVE_RETURN_IF_ERROR(ParseLabelFilter(0, &parsed));
    stages->emplace_back(LabelFilterStage{std::move(parsed.filter)});
    return Status::Ok();
  }
  const auto advance_to = [this, stages](Stage stage) -> Result<Stage*> {
    VARVE_RETURN_IF_ERROR(Advance());
    return &stages->emplace_back(std::move(stage));
  };
  switch (kind) {
    case TokenKind::kJson: {
      VARVE_ASSIGN_OR_RETURN(Stage* const stage, advance_to(JsonParser()));
      return ParseExtractions(&std::get<JsonParser>(*stage).extractions);
    }
    case TokenKind::kLogfmt: {
      VARVE_ASSIGN_OR_RETURN(Stage* const stage, advance_to(LogfmtParser()));
      return ParseLogfmt(&std::get<LogfmtParser>(*stage));
    }
    case TokenKind::kRegexp: {
      VARVE_ASSIGN_OR_RETURN(Stage* const stage, advance_to(RegexpParser()));
      return ParseRegexpPattern(&std::get<RegexpParser>(*stage).pattern);
    }
    case TokenKind::kPattern: {
      VARVE_ASSIGN_OR_RETURN(Stage* const stage, advance_to(PatternParser()));
      return ExpectText(TokenKind::kString, "STRING", &std::get<PatternParser>(*stage).pattern);
    }
    case TokenKind::kLineFormat: {
      VARVE_ASSIGN_OR_RETURN(Stage* const stage, advance_to(LineFormat()));
      return ExpectText(TokenKind::kString, "STRING", &std::get<LineFormat>(*stage).template_text);
    }
    case TokenKind::kLabelFormat: {
      VARVE_ASSIGN_OR_RETURN(Stage* const stage, advance_to(LabelFormat()));
      return ParseLabelFormat(&std::get<LabelFormat>(*stage));
    }
    case TokenKind::kDrop: {
      VARVE_ASSIGN_OR_RETURN(Stage* const stage, advance_to(DropLabels()));
      return ParseLabelSelections(&std::get<DropLabels>(*stage).items);
    }
    case TokenKind::kKeep: {
      VARVE_ASSIGN_OR_RETURN(Stage* const stage, advance_to(KeepLabels()));
      return ParseLabelSelections(&std::get<KeepLabels>(*stage).items);
    }
    case TokenKind::kUnpack: return advance_to(UnpackParser()).status().Clone();
    case TokenKind::kDecolorize: return advance_to(Decolorize()).status().Clone();
    default: return Unexpected();
  }
}

// What is wrong with the expression, its named groups above all, is for Pipeline::Compile to say.
Status Parser::ParseRegexpPattern(std::string* out) {
  VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kString, "STRING", out));
  const Result<Regex> regex = CompileRegex(*out, {});
  if (regex.ok()) regex_budget_.Charge(*regex);
  return regex_budget_.status();
}

Status Parser::ParseLogfmt(LogfmtParser* out) {
  while (At(TokenKind::kFunctionFlag)) {
    (token_.text == "--strict" ? out->strict : out->keep_empty) = true;
    VARVE_RETURN_IF_ERROR(Advance());
  }
  return ParseExtractions(&out->extractions);
}

// [ IDENT [ "=" STRING ] { "," IDENT [ "=" STRING ] } ]
Status Parser::ParseExtractions(std::vector<Extraction>* out) {
  if (!At(TokenKind::kIdentifier)) return Status::Ok();
  while (true) {
    Extraction& extraction = out->emplace_back();
    VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kIdentifier, "IDENTIFIER", &extraction.name));
    extraction.expression = extraction.name;
    if (At(TokenKind::kEqual)) {
      VARVE_RETURN_IF_ERROR(Advance());
      VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kString, "STRING", &extraction.expression));
      extraction.explicit_expression = true;
    }
    if (!At(TokenKind::kComma)) return Status::Ok();
    VARVE_RETURN_IF_ERROR(Advance());
  }
}

// IDENT "=" (IDENT | STRING) { "," … }
Status Parser::ParseLabelFormat(LabelFormat* out) {
  while (true) {
    LabelFormat::Assignment& assignment = out->assignments.emplace_back();
    VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kIdentifier, "IDENTIFIER", &assignment.name));
    VARVE_RETURN_IF_ERROR(Expect(TokenKind::kEqual, "="));
    assignment.is_rename = At(TokenKind::kIdentifier);
    VARVE_RETURN_IF_ERROR(ExpectText(assignment.is_rename ? TokenKind::kIdentifier : TokenKind::kString,
                                     "IDENTIFIER or STRING", &assignment.value));
    if (!At(TokenKind::kComma)) return Status::Ok();
    VARVE_RETURN_IF_ERROR(Advance());
  }
}

// (IDENT | matcher) { "," … }
Status Parser::ParseLabelSelections(std::vector<LabelSelection>* out) {
  while (true) {
    LabelSelection& selection = out->emplace_back();
    VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kIdentifier, "IDENTIFIER", &selection.name));
    if (MatchOpOf(token_.kind)) {
      VARVE_RETURN_IF_ERROR(
          ParseMatcherTail(selection.name, /*dot_matches_newline=*/false, &selection.matcher));
    }
    if (!At(TokenKind::kComma)) return Status::Ok();
    VARVE_RETURN_IF_ERROR(Advance());
  }
}

// "unwrap" (IDENT | conversion "(" IDENT ")") { "|" labelFilter }
Status Parser::ParseUnwrap(std::optional<Unwrap>* out) {
  VARVE_RETURN_IF_ERROR(Advance());
  Unwrap& unwrap = out->emplace();
  if (At(TokenKind::kUnwrapConversion)) {
    unwrap.conversion = token_.conversion;
    VARVE_RETURN_IF_ERROR(Advance());
    VARVE_RETURN_IF_ERROR(Expect(TokenKind::kLeftParen, "("));
    VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kIdentifier, "IDENTIFIER", &unwrap.label));
    VARVE_RETURN_IF_ERROR(Expect(TokenKind::kRightParen, ")"));
  } else {
    VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kIdentifier,
                                     "IDENTIFIER or BYTES_CONV or DURATION_CONV or DURATION_SECONDS_CONV",
                                     &unwrap.label));
  }
  while (At(TokenKind::kPipe)) {
    VARVE_RETURN_IF_ERROR(Advance());
    ParsedFilter parsed;
    VARVE_RETURN_IF_ERROR(ParseLabelFilter(0, &parsed));
    unwrap.post_filters.push_back(std::move(parsed.filter));
  }
  return Status::Ok();
}

// ---- Label filters ------------------------------------------------------------------------------

Status Parser::ParseLabelFilter(int min_precedence, ParsedFilter* out) {
  const Level level(this);
  if (level.too_deep()) return TooDeep();
  VARVE_RETURN_IF_ERROR(ParseLabelFilterOperand(out));
  while (At(TokenKind::kAnd) || At(TokenKind::kOr)) {
    const bool is_or = At(TokenKind::kOr);
    const int precedence = is_or ? kOrPrecedence : kAndPrecedence;
    if (precedence < min_precedence) break;
    VARVE_RETURN_IF_ERROR(Advance());
    ParsedFilter right;
    VARVE_RETURN_IF_ERROR(ParseLabelFilter(precedence + 1, &right));
    VARVE_RETURN_IF_ERROR(CombineFilters(is_or, std::move(*out), std::move(right), out));
  }
  return Status::Ok();
}

// A comma, or nothing at all, between two filters is an `and` that takes everything to its right first:
// `a, b or c` is `a and (b or c)`.
Status Parser::ParseLabelFilterOperand(ParsedFilter* out) {
  VARVE_RETURN_IF_ERROR(ParseLabelFilterPrimary(out));
  const bool comma = At(TokenKind::kComma);
  if (!comma && !At(TokenKind::kIdentifier) && !At(TokenKind::kLeftParen)) return Status::Ok();
  if (comma) VARVE_RETURN_IF_ERROR(Advance());
  ParsedFilter rest;
  VARVE_RETURN_IF_ERROR(ParseLabelFilter(0, &rest));
  return CombineFilters(/*is_or=*/false, std::move(*out), std::move(rest), out);
}

Status Parser::CombineFilters(bool is_or, ParsedFilter left, ParsedFilter right, ParsedFilter* out) {
  const uint32_t height = std::max(left.height, right.height) + 1;
  if (height > kNestingMax) return TooDeep();
  SetFilter(BinaryLabelFilter{is_or, std::move(left.filter), std::move(right.filter)}, height, out);
  return Status::Ok();
}

Status Parser::ParseLabelFilterPrimary(ParsedFilter* out) {
  if (At(TokenKind::kLeftParen)) {
    VARVE_RETURN_IF_ERROR(Advance());
    VARVE_RETURN_IF_ERROR(ParseLabelFilter(0, out));
    return Expect(TokenKind::kRightParen, "");
  }
  std::string name;
  VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kIdentifier, "IDENTIFIER or (", &name));
  return ParseComparison(std::move(name), out);
}

Status Parser::ParseComparison(std::string name, ParsedFilter* out) {
  const TokenKind kind = token_.kind;
  if (kind == TokenKind::kRegexMatch || kind == TokenKind::kRegexNotMatch) {
    std::optional<Matcher> matcher;
    VARVE_RETURN_IF_ERROR(ParseMatcherTail(std::move(name), /*dot_matches_newline=*/false, &matcher));
    SetFilter(StringLabelFilter{*std::move(matcher)}, 1, out);
    return Status::Ok();
  }
  const std::optional<CompareOp> op = CompareOpOf(kind);
  if (!op) return Unexpected();
  VARVE_RETURN_IF_ERROR(Advance());
  const bool takes_text = kind == TokenKind::kEqual || kind == TokenKind::kNotEqual;
  if (takes_text && At(TokenKind::kString)) {
    Result<Matcher> matcher = Matcher::Create(std::move(name), *MatchOpOf(kind), std::move(token_.text),
                                              /*dot_matches_newline=*/false);
    if (!matcher.ok()) return SemanticError(matcher.status().message());
    SetFilter(StringLabelFilter{*std::move(matcher)}, 1, out);
    return Advance();
  }
  if (takes_text && At(TokenKind::kIp)) {
    IpLabelFilter filter{std::move(name), kind == TokenKind::kNotEqual, ""};
    VARVE_RETURN_IF_ERROR(ParseIpArgument(&filter.pattern));
    SetFilter(std::move(filter), 1, out);
    return Status::Ok();
  }
  return ParseComparisonValue(std::move(name), *op, out);
}

Status Parser::ParseComparisonValue(std::string name, CompareOp op, ParsedFilter* out) {
  if (At(TokenKind::kDuration)) {
    SetFilter(DurationLabelFilter{std::move(name), op, token_.duration_ns}, 1, out);
    return Advance();
  }
  if (At(TokenKind::kBytes)) {
    SetFilter(BytesLabelFilter{std::move(name), op, token_.bytes}, 1, out);
    return Advance();
  }
  const bool negative = At(TokenKind::kSub);
  const bool has_sign = negative || At(TokenKind::kAdd);
  if (has_sign) VARVE_RETURN_IF_ERROR(Advance());
  std::string text;
  VARVE_RETURN_IF_ERROR(ExpectText(TokenKind::kNumber, has_sign ? "NUMBER" : "", &text));
  Result<double> value = ParseNumber(text);
  if (!value.ok()) return SemanticError("unable to parse literal as a float: " + value.status().message());
  NumberLabelFilter filter{std::move(name), op, negative ? -*value : *value, negative ? "-" + text : text};
  SetFilter(std::move(filter), 1, out);
  return Status::Ok();
}

}  // namespace varve::logql
