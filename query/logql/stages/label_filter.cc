#include "query/logql/stages/label_filter.h"

#include <vector>

#include "query/logql/ip_match.h"
#include "query/logql/values/byte_size.h"
#include "query/logql/values/duration.h"
#include "query/logql/values/number.h"

namespace varve::logql {
namespace {

// Levels of alternating and/or; chains of one kind count once.
constexpr int kNestingMax = 500;

template <typename T>
bool Compare(CompareOp op, T left, T right) {
  switch (op) {
    case CompareOp::kEq: return left == right;
    case CompareOp::kNe: return left != right;
    case CompareOp::kGt: return left > right;
    case CompareOp::kGe: return left >= right;
    case CompareOp::kLt: return left < right;
    case CompareOp::kLe: return left <= right;
  }
  return false;
}

bool ConvertLabel(std::string_view text, double* value, std::string* error) {
  return ParseGoFloat(text, value, error);
}
bool ConvertLabel(std::string_view text, int64_t* value, std::string* error) {
  return ParseGoDuration(text, value, error);
}
bool ConvertLabel(std::string_view text, uint64_t* value, std::string* error) {
  return ParseByteSize(text, value, error);
}

// T is double for numbers, int64_t for durations, uint64_t for byte sizes.
template <typename T>
class ComparisonStage : public RowStage {
 public:
  ComparisonStage(const std::string& name, CompareOp op, T threshold)
      : name_(name), hash_(HashName(name)), op_(op), threshold_(threshold) {}

  bool Apply(Row* row) const override {
    const RowLabel* label = row->labels.Find(name_, hash_);
    if (label == nullptr) return false;
    T value{};
    if (ConvertLabel(label->value, &value, nullptr)) return Compare(op_, value, threshold_);
    if (row->labels.has_error()) return true;  // what failed first says more
    std::string error;
    ConvertLabel(label->value, &value, &error);
    row->labels.SetError(kLabelFilterError, error);
    return true;
  }

 private:
  const std::string name_;
  const uint32_t hash_;
  const CompareOp op_;
  const T threshold_;
};

class StringStage : public RowStage {
 public:
  explicit StringStage(const Matcher& matcher) : matcher_(matcher), hash_(HashName(matcher.name())) {}
  bool Apply(Row* row) const override {
    return matcher_.Matches(FilteredValue(row->labels, matcher_.name(), hash_));
  }

 private:
  const Matcher matcher_;
  const uint32_t hash_;
};

class IpStage : public RowStage {
 public:
  IpStage(const std::string& name, bool negated, const IpMatcher& matcher)
      : name_(name), hash_(HashName(name)), negated_(negated), matcher_(matcher) {}
  bool Apply(Row* row) const override {
    // Unlike the other filters, even when the label is not there: the error may be why.
    if (row->labels.has_error()) return true;
    const RowLabel* label = row->labels.Find(name_, hash_);
    return label != nullptr && matcher_.MatchesAny(label->value) != negated_;
  }

 private:
  const std::string name_;
  const uint32_t hash_;
  const bool negated_;
  const IpMatcher matcher_;
};

// A chain of `and` inside an `or` is gone through to its end: an operand that does not convert leaves its
// error on the row, which may still pass by the `or`. Elsewhere the row is lost with the first operand that
// fails.
class LogicalStage : public RowStage {
 public:
  LogicalStage(bool is_or, bool inside_or, std::vector<std::unique_ptr<RowStage>> operands)
      : is_or_(is_or), to_the_end_(!is_or && inside_or), operands_(std::move(operands)) {}
  bool Apply(Row* row) const override {
    bool all = true;
    for (const auto& operand : operands_) {
      const bool passes = operand->Apply(row);
      if (passes == is_or_ && !to_the_end_) return is_or_;
      all = all && passes;
    }
    return !is_or_ && all;
  }

 private:
  const bool is_or_;
  const bool to_the_end_;
  const std::vector<std::unique_ptr<RowStage>> operands_;
};

using Stage = std::unique_ptr<RowStage>;

Result<Stage> Compile(const LabelFilter& filter, int depth, bool inside_or);

// The operands of a chain of one operator, in order, however it was nested.
Result<Stage> CompileChain(const BinaryLabelFilter& top, int depth, bool inside_or) {
  std::vector<Stage> operands;
  std::vector<const LabelFilter*> pending{top.right.get(), top.left.get()};
  while (!pending.empty()) {
    const LabelFilter* filter = pending.back();
    pending.pop_back();
    const auto* binary = std::get_if<BinaryLabelFilter>(&filter->node);
    if (binary != nullptr && binary->is_or == top.is_or) {
      pending.push_back(binary->right.get());
      pending.push_back(binary->left.get());
      continue;
    }
    VARVE_ASSIGN_OR_RETURN(Stage operand, Compile(*filter, depth + 1, inside_or || top.is_or));
    operands.push_back(std::move(operand));
  }
  return Stage(std::make_unique<LogicalStage>(top.is_or, inside_or, std::move(operands)));
}

Result<Stage> Compile(const LabelFilter& filter, int depth, bool inside_or) {
  if (depth > kNestingMax) return InvalidArgument("label filter is nested too deeply");
  if (const auto* string = std::get_if<StringLabelFilter>(&filter.node)) {
    return Stage(std::make_unique<StringStage>(string->matcher));
  }
  if (const auto* number = std::get_if<NumberLabelFilter>(&filter.node)) {
    return Stage(std::make_unique<ComparisonStage<double>>(number->name, number->op, number->value));
  }
  if (const auto* duration = std::get_if<DurationLabelFilter>(&filter.node)) {
    return Stage(
        std::make_unique<ComparisonStage<int64_t>>(duration->name, duration->op, duration->value_ns));
  }
  if (const auto* bytes = std::get_if<BytesLabelFilter>(&filter.node)) {
    return Stage(std::make_unique<ComparisonStage<uint64_t>>(bytes->name, bytes->op, bytes->value_bytes));
  }
  if (const auto* ip = std::get_if<IpLabelFilter>(&filter.node)) {
    VARVE_ASSIGN_OR_RETURN(const IpMatcher matcher, IpMatcher::Create(ip->pattern));
    return Stage(std::make_unique<IpStage>(ip->name, ip->negated, matcher));
  }
  return CompileChain(std::get<BinaryLabelFilter>(filter.node), depth, inside_or);
}

}  // namespace

Result<std::unique_ptr<RowStage>> CompileLabelFilter(const LabelFilter& filter) {
  return Compile(filter, 0, false);
}

}  // namespace varve::logql
