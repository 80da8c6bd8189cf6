// Binary operators: between scalars, a vector and a scalar, two vectors.
//
// Threads: as Evaluator.
#pragma once

#include "query/promql/eval/evaluator.h"

namespace varve::promql {

// At least one side is a vector.
Result<ProducerPtr> EvalBinary(Evaluator* eval, const Binary& binary, const EvalScope& scope);
Result<std::vector<double>> EvalScalarBinary(Evaluator* eval, const Binary& binary, const EvalScope& scope);
// and, or, unless.
Result<ProducerPtr> EvalSetOperator(Evaluator* eval, const Binary& binary, const EvalScope& scope);
// Every other operator between two vectors.
Result<ProducerPtr> EvalVectorBinary(Evaluator* eval, const Binary& binary, const EvalScope& scope);

bool IsTrim(BinaryOp op);
// Whether results are of another kind than the metric, so that they lose its name.
bool DropsName(BinaryOp op);
double FloatArithmetic(BinaryOp op, double lhs, double rhs);
bool FloatCompare(BinaryOp op, double lhs, double rhs);

// The series of both sides grouped by the labels they are matched by.
struct MatchGroups {
  std::vector<uint32_t> lhs;  // a series: its group
  std::vector<uint32_t> rhs;
  size_t count = 0;
};
MatchGroups GroupByMatch(const VectorMatching& matching, const StepMatrix& lhs, const StepMatrix& rhs);

}  // namespace varve::promql
