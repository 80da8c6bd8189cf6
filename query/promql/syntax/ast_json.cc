// The tree as /api/v1/parse_query shows it. What newer versions of Prometheus added (expressions for durations, fill
// values, anchored, smoothed) is there only where it is used.
#include <cmath>

#include "query/promql/syntax/function_table.h"
#include "query/promql/syntax/number_text.h"
#include "query/promql/syntax/parser.h"

namespace varve::promql {
namespace {

class JsonWriter {
 public:
  void Node(const Expr& expr);
  std::string Take() && { return std::move(out_); }

 private:
  void Begin() { out_.push_back('{'), first_ = true; }
  void End() { out_.push_back('}'), first_ = false; }
  void Key(std::string_view key) {
    if (!first_) out_.push_back(',');
    first_ = false;
    out_.push_back('"');
    out_.append(key).append("\":");
  }
  void String(std::string_view text);
  void Field(std::string_view key, std::string_view text) { Key(key), String(text); }
  void Field(std::string_view key, int64_t value) { Key(key), out_.append(std::to_string(value)); }
  void Flag(std::string_view key, bool value) { Key(key), out_.append(value ? "true" : "false"); }
  void Child(std::string_view key, const Expr* expr) {
    Key(key);
    if (expr == nullptr) {
      out_.append("null");
    } else {
      Node(*expr);
    }
  }
  void Strings(std::string_view key, const std::vector<std::string>& texts);
  template <typename Items, typename Write>
  void List(std::string_view key, const Items& items, const Write& write) {
    Key(key);
    out_.push_back('[');
    bool separate = false;
    for (const auto& item : items) {
      if (separate) out_.push_back(',');
      separate = true;
      write(item);
    }
    out_.push_back(']');
    first_ = false;
  }

  void Number(const NumberLiteral& number, bool in_duration);
  void Duration(const DurationExpr& duration);
  void DurationChild(std::string_view key, const Expr* expr);
  void Matchers(const std::vector<Matcher>& matchers);
  void Selector(const VectorSelector& selector);
  void Shift(const TimeShift& shift);
  void Matching(const VectorMatching& matching);
  void FillValue(std::string_view key, const std::optional<double>& value);
  void CallNode(const Call& call);

  std::string out_;
  bool first_ = true;
};

void JsonWriter::String(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out_.push_back('"');
  for (size_t at = 0; at < text.size();) {
    const DecodedRune decoded = DecodeRune(text, at);
    const std::string_view bytes = text.substr(at, static_cast<size_t>(decoded.width));
    at += bytes.size();
    if (decoded.rune == '"' || decoded.rune == '\\') {
      out_.push_back('\\');
      out_.append(bytes);
    } else if (decoded.rune < 0x20) {
      out_.append("\\u00");
      out_.push_back(kHex[decoded.rune >> 4]);
      out_.push_back(kHex[decoded.rune & 15]);
    } else if (decoded.rune == 0xFFFD && decoded.width == 1) {
      out_.append("\\ufffd");  // not UTF-8
    } else {
      out_.append(bytes);
    }
  }
  out_.push_back('"');
}

void JsonWriter::Strings(std::string_view key, const std::vector<std::string>& texts) {
  List(key, texts, [this](const std::string& text) { String(text); });
}

void JsonWriter::Matchers(const std::vector<Matcher>& matchers) {
  List("matchers", matchers, [this](const Matcher& matcher) {
    Begin();
    Field("name", matcher.name());
    Field("type", MatchOpText(matcher.op()));
    Field("value", matcher.value());
    End();
  });
}

void JsonWriter::Number(const NumberLiteral& number, bool in_duration) {
  std::string text;
  AppendPlainNumber(&text, number.value);
  Begin();
  if (in_duration) Flag("duration", number.is_duration);
  Field("type", "numberLiteral");
  Field("val", text);
  End();
}

void JsonWriter::DurationChild(std::string_view key, const Expr* expr) {
  Key(key);
  if (expr == nullptr) {
    out_.append("null");
  } else if (expr->kind == ExprKind::kNumber) {
    Number(Cast<NumberLiteral>(*expr), true);
  } else {
    Duration(Cast<DurationExpr>(*expr));
  }
}

void JsonWriter::Duration(const DurationExpr& duration) {
  static constexpr std::string_view kOps[] = {"+", "-", "*", "/", "%", "^", "step", "range", "min_of", "max_of"};
  Begin();
  DurationChild("lhs", duration.lhs.get());
  Field("op", kOps[static_cast<size_t>(duration.op)]);
  DurationChild("rhs", duration.rhs.get());
  Field("type", "durationExpr");
  Flag("wrapped", duration.wrapped);
  End();
}

void JsonWriter::Shift(const TimeShift& shift) {
  Field("offset", shift.offset_ms);
  if (shift.offset_expr) DurationChild("offsetExpr", shift.offset_expr.get());
  Key("startOrEnd");
  if (shift.at_anchor == AtAnchor::kNone) {
    out_.append("null");
  } else {
    String(shift.at_anchor == AtAnchor::kStart ? "start" : "end");
  }
  Key("timestamp");
  out_.append(shift.at_ms ? std::to_string(*shift.at_ms) : "null");
}

void JsonWriter::Selector(const VectorSelector& selector) {
  Matchers(selector.matchers);
  Field("name", selector.name);
  Shift(selector.shift);
  if (selector.anchored) Flag("anchored", true);
  if (selector.smoothed) Flag("smoothed", true);
}

void JsonWriter::FillValue(std::string_view key, const std::optional<double>& value) {
  Key(key);
  if (!value || !std::isfinite(*value)) {
    out_.append("null");
  } else {
    AppendGoJsonNumber(&out_, *value);
  }
}

void JsonWriter::Matching(const VectorMatching& matching) {
  static constexpr std::string_view kCards[] = {"one-to-one", "many-to-one", "one-to-many", "many-to-many"};
  Begin();
  Field("card", kCards[static_cast<size_t>(matching.card)]);
  if (matching.fill_left || matching.fill_right) {
    Key("fillValues");
    Begin();
    FillValue("lhs", matching.fill_left);
    FillValue("rhs", matching.fill_right);
    End();
  }
  Strings("include", matching.include);
  Strings("labels", matching.labels);
  Flag("on", matching.on);
  End();
}

void JsonWriter::CallNode(const Call& call) {
  Begin();
  List("args", call.args, [this](const ExprPtr& arg) { Node(*arg); });
  Key("func");
  Begin();
  List("argTypes", call.function->args, [this](ValueType type) { String(ApiType(type)); });
  Field("name", call.function->name);
  Field("returnType", ApiType(call.function->result));
  Field("variadic", call.function->variadic);
  End();
  Field("type", "call");
  End();
}

void JsonWriter::Node(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNumber: return Number(Cast<NumberLiteral>(expr), false);
    case ExprKind::kDuration: return Duration(Cast<DurationExpr>(expr));
    case ExprKind::kCall: return CallNode(Cast<Call>(expr));
    default: break;
  }
  Begin();
  switch (expr.kind) {
    case ExprKind::kString:
      Field("type", "stringLiteral");
      Field("val", Cast<StringLiteral>(expr).value);
      break;
    case ExprKind::kVectorSelector:
      Selector(Cast<VectorSelector>(expr));
      Field("type", "vectorSelector");
      break;
    case ExprKind::kMatrixSelector: {
      const auto& matrix = Cast<MatrixSelector>(expr);
      Selector(*matrix.selector);
      Field("range", matrix.range_ms);
      if (matrix.range_expr) DurationChild("rangeExpr", matrix.range_expr.get());
      Field("type", "matrixSelector");
      break;
    }
    case ExprKind::kSubquery: {
      const auto& subquery = Cast<Subquery>(expr);
      Child("expr", subquery.expr.get());
      Shift(subquery.shift);
      Field("range", subquery.range_ms);
      if (subquery.range_expr) DurationChild("rangeExpr", subquery.range_expr.get());
      Field("step", subquery.step_ms);
      if (subquery.step_expr) DurationChild("stepExpr", subquery.step_expr.get());
      Field("type", "subquery");
      break;
    }
    case ExprKind::kAggregate: {
      const auto& aggregate = Cast<Aggregate>(expr);
      Child("expr", aggregate.expr.get());
      Strings("grouping", aggregate.grouping);
      Field("op", AggregateName(aggregate.op));
      Child("param", aggregate.param.get());
      Field("type", "aggregation");
      Flag("without", aggregate.without);
      break;
    }
    case ExprKind::kBinary: {
      const auto& binary = Cast<Binary>(expr);
      Flag("bool", binary.return_bool);
      Child("lhs", binary.lhs.get());
      Key("matching");
      if (binary.matching) {
        Matching(*binary.matching);
      } else {
        out_.append("null");
      }
      Field("op", BinaryOpText(binary.op));
      Child("rhs", binary.rhs.get());
      Field("type", "binaryExpr");
      break;
    }
    case ExprKind::kUnary:
      Child("expr", Cast<Unary>(expr).expr.get());
      Field("op", Cast<Unary>(expr).negate ? "-" : "+");
      Field("type", "unaryExpr");
      break;
    case ExprKind::kParen:
      Child("expr", Cast<Paren>(expr).expr.get());
      Field("type", "parenExpr");
      break;
    case ExprKind::kLogql:
      Field("query", Cast<LogqlVector>(expr).query);
      Field("type", "logql");
      break;
    default: break;
  }
  End();
}

}  // namespace

std::string ToAstJson(const Expr& expr) {
  JsonWriter writer;
  writer.Node(expr);
  return std::move(writer).Take();
}

}  // namespace varve::promql
