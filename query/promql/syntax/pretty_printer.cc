// The canonical form over several lines: what is longer than a line goes on lines of its own, two blanks deeper.
#include "query/promql/syntax/function_table.h"
#include "query/promql/syntax/parser.h"
#include "query/promql/syntax/print_parts.h"

namespace varve::promql {
namespace {

constexpr size_t kLineMax = 100;

void Pretty(std::string* out, const Expr& expr, size_t level);

void Indent(std::string* out, size_t level) { out->append(2 * level, ' '); }

void PrettySplit(std::string* out, const Expr& expr, size_t level) {
  switch (expr.kind) {
    case ExprKind::kAggregate: {
      const auto& aggregate = Cast<Aggregate>(expr);
      AppendAggregateHead(out, aggregate);
      out->append("(\n");
      if (aggregate.param) {
        Pretty(out, *aggregate.param, level + 1);
        out->append(",\n");
      }
      Pretty(out, *aggregate.expr, level + 1);
      out->push_back('\n');
      Indent(out, level);
      out->push_back(')');
      return;
    }
    case ExprKind::kCall: {
      const auto& call = Cast<Call>(expr);
      out->append(call.function->name).append("(\n");
      for (size_t i = 0; i < call.args.size(); ++i) {
        if (i > 0) out->append(",\n");
        Pretty(out, *call.args[i], level + 1);
      }
      out->push_back('\n');
      Indent(out, level);
      out->push_back(')');
      return;
    }
    case ExprKind::kParen:
      out->append("(\n");
      Pretty(out, *Cast<Paren>(expr).expr, level + 1);
      out->push_back('\n');
      Indent(out, level);
      out->push_back(')');
      return;
    default: return AppendExpr(out, expr);
  }
}

void Pretty(std::string* out, const Expr& expr, size_t level) {
  const bool split = ToString(expr).size() > kLineMax;
  switch (expr.kind) {
    case ExprKind::kUnary: {
      const auto& unary = Cast<Unary>(expr);
      Indent(out, level);
      out->push_back(unary.negate ? '-' : '+');
      std::string child;
      Pretty(&child, *unary.expr, level);
      out->append(child, std::min(child.find_first_not_of(" \t\n\r\v\f"), child.size()));
      return;
    }
    case ExprKind::kSubquery:
      // Prometheus does not indent a subquery that fits its line.
      if (!split) return AppendExpr(out, expr);
      Pretty(out, *Cast<Subquery>(expr).expr, level);
      return AppendSubquerySuffix(out, Cast<Subquery>(expr));
    case ExprKind::kBinary: {
      if (!split) break;
      const auto& binary = Cast<Binary>(expr);
      Pretty(out, *binary.lhs, level + 1);
      out->push_back('\n');
      Indent(out, level);
      AppendOperator(out, binary);
      out->push_back('\n');
      return Pretty(out, *binary.rhs, level + 1);
    }
    default: break;
  }
  Indent(out, level);
  if (split) return PrettySplit(out, expr, level);
  AppendExpr(out, expr);
}

}  // namespace

std::string Prettify(const Expr& expr) {
  std::string out;
  Pretty(&out, expr, 0);
  return out;
}

}  // namespace varve::promql
