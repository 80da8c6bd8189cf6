// Operators between two vectors, but for and, or, unless.
//
// Which result series a pair of series makes does not depend on the step, so it is found once a pair; what may be
// paired does, and so do all errors (prom_surface 4.2).
#include <algorithm>
#include <optional>
#include <unordered_map>

#include "query/promql/eval/binary.h"
#include "query/promql/functions/histogram_binary.h"

namespace varve::promql {
namespace {

constexpr uint32_t kNobody = UINT32_MAX;  // a fill value stands in for the partner

class VectorBinary {
 public:
  VectorBinary(Evaluator* eval, const Binary& binary, const EvalScope& scope)
      : eval_(eval), binary_(binary), matching_(*binary.matching), scope_(scope), charge_(eval->tracker()) {}

  Result<ProducerPtr> Run(ChargedMatrix lhs, ChargedMatrix rhs) {
    MatchGroups groups = GroupByMatch(matching_, lhs.series, rhs.series);
    many_ = &lhs.series;
    one_ = &rhs.series;
    many_groups_ = std::move(groups.lhs);
    one_groups_ = std::move(groups.rhs);
    if (swapped()) {
      std::swap(many_, one_);
      std::swap(many_groups_, one_groups_);
    }
    partner_.resize(groups.count);
    matched_.assign(groups.count, 0);
    last_pair_.resize(many_->size());
    VARVE_ASSIGN_OR_RETURN(const bool done, RunByColumn());
    for (size_t step = 0; step < scope_.grid.steps() && !done; ++step) VARVE_RETURN_IF_ERROR(Step(step));
    lhs = {{}, Charge(eval_->tracker())};
    rhs = {{}, Charge(eval_->tracker())};
    charge_.Clear();
    return eval_->FromMatrix(std::move(rows_), scope_, SameLabels::kRefuseStep);
  }

 private:
  // Where the pair of a many-side and a one-side series puts its results.
  struct Pair {
    uint32_t row = 0;
    uint32_t match = 0;  // within the match group, equal for equal labels
  };
  struct CachedPair {
    uint32_t one = kNobody - 1;
    Pair pair;
  };

  // The whole operation series by series, as is possible where no step can have an error: each group has one series
  // on the one side (and, one to one, on the other), and no two pairs make the same labels. False: nothing was done.
  Result<bool> RunByColumn() {
    if (matching_.fill_left.has_value() || matching_.fill_right.has_value()) return false;
    std::fill(partner_.begin(), partner_.end(), kNobody);
    for (uint32_t one = 0; one < one_->size(); ++one) {
      if (std::exchange(partner_[one_groups_[one]], one) != kNobody) return false;
    }
    std::vector<bool> taken(partner_.size());
    std::vector<uint32_t> row_of_many(many_->size(), kNobody);
    size_t pairs = 0;
    for (uint32_t many = 0; many < many_->size(); ++many) {
      const uint32_t group = many_groups_[many];
      if (partner_[group] == kNobody) continue;
      if (one_to_one() && taken[group]) return false;
      taken[group] = true;
      VARVE_ASSIGN_OR_RETURN(const Pair pair, FindPair(many, partner_[group]));
      if (rows_.size() != ++pairs) return false;
      row_of_many[many] = pair.row;
    }
    for (uint32_t many = 0; many < many_->size(); ++many) {
      if (row_of_many[many] == kNobody) continue;
      OperateColumn(std::move((*many_)[many].column), (*one_)[partner_[many_groups_[many]]].column,
                    &rows_[row_of_many[many]].column);
    }
    return true;
  }

  void OperateColumn(StepColumn many, const StepColumn& one, StepColumn* out) {
    *out = std::move(many);
    if (!out->histograms.empty() || !one.histograms.empty() || IsTrim(binary_.op)) return OperateMixed(one, out);
    switch (binary_.op) {
      case BinaryOp::kAdd: return Arithmetic(one, out, [](double a, double b) { return a + b; });
      case BinaryOp::kSub: return Arithmetic(one, out, [](double a, double b) { return a - b; });
      case BinaryOp::kMul: return Arithmetic(one, out, [](double a, double b) { return a * b; });
      case BinaryOp::kDiv: return Arithmetic(one, out, [](double a, double b) { return a / b; });
      default: break;
    }
    if (!IsComparison(binary_.op)) {
      return Arithmetic(one, out, [this](double a, double b) { return FloatArithmetic(binary_.op, a, b); });
    }
    for (size_t step = 0; step < out->kinds.size(); ++step) {
      if (out->kinds[step] == PointKind::kNone || one.kinds[step] == PointKind::kNone) {
        out->Erase(step);
        continue;
      }
      const double lhs = swapped() ? one.values[step] : out->values[step];
      const double rhs = swapped() ? out->values[step] : one.values[step];
      const bool holds = FloatCompare(binary_.op, lhs, rhs);
      out->values[step] = binary_.return_bool ? (holds ? 1 : 0) : lhs;
      if (!holds && !binary_.return_bool) out->Erase(step);
    }
  }

  template <typename Fn>
  void Arithmetic(const StepColumn& one, StepColumn* out, const Fn& fn) const {
    const bool swap = swapped();
    for (size_t step = 0; step < out->kinds.size(); ++step) {
      const double a = out->values[step];
      const double b = one.values[step];
      out->values[step] = swap ? fn(b, a) : fn(a, b);
      if (one.kinds[step] == PointKind::kNone) out->kinds[step] = PointKind::kNone;
    }
  }

  // Columns with native histograms in one or both.
  void OperateMixed(const StepColumn& one, StepColumn* out) {
    for (size_t step = 0; step < out->kinds.size(); ++step) {
      Point lhs = out->Get(step);
      Point rhs = one.Get(step);
      out->Erase(step);
      if (lhs.kind == PointKind::kNone || rhs.kind == PointKind::kNone) continue;
      if (swapped()) std::swap(lhs, rhs);
      out->Set(step, ElementResult(std::move(lhs), std::move(rhs)).value_or(Point::None()));
    }
  }

  // Null where the operands do not go together; no point where a comparison does not hold.
  std::optional<Point> ElementResult(Point lhs, Point rhs) {
    if (lhs.kind == PointKind::kFloat && rhs.kind == PointKind::kFloat && !IsTrim(binary_.op)) {
      if (!IsComparison(binary_.op)) return Point::Float(FloatArithmetic(binary_.op, lhs.value, rhs.value));
      const bool holds = FloatCompare(binary_.op, lhs.value, rhs.value);
      if (binary_.return_bool) return Point::Float(holds ? 1 : 0);
      return holds ? lhs : Point::None();
    }
    HistogramBinaryResult result = ApplyHistogramBinary(binary_.op, lhs, rhs, binary_.pos, eval_->notes());
    if (result.failed) return std::nullopt;
    if (binary_.return_bool) return Point::Float(result.keep ? 1 : 0);
    return result.keep ? std::move(result.point) : Point::None();
  }

  bool swapped() const { return matching_.card == MatchCardinality::kOneToMany; }
  bool one_to_one() const { return matching_.card == MatchCardinality::kOneToOne; }

  Status Step(size_t step) {
    VARVE_RETURN_IF_ERROR(eval_->CheckAlive());
    const bool many_empty = IsEmpty(*many_, step);
    const bool one_empty = IsEmpty(*one_, step);
    const bool fills = matching_.fill_left.has_value() || matching_.fill_right.has_value();
    if ((many_empty && one_empty) || ((many_empty || one_empty) && !fills)) return Status::Ok();
    std::fill(partner_.begin(), partner_.end(), kNobody);
    ++stamp_;
    for (uint32_t one = 0; one < one_->size(); ++one) {
      if ((*one_)[one].column.kinds[step] == PointKind::kNone) continue;
      uint32_t* partner = &partner_[one_groups_[one]];
      if (*partner != kNobody) return DuplicateError((*one_)[one].labels, (*one_)[*partner].labels);
      *partner = one;
    }
    for (uint32_t many = 0; many < many_->size(); ++many) {
      const StepColumn& column = (*many_)[many].column;
      if (column.kinds[step] == PointKind::kNone) continue;
      const uint32_t one = partner_[many_groups_[many]];
      if (one == kNobody && !matching_.fill_right.has_value()) continue;
      VARVE_RETURN_IF_ERROR(Operate(step, many, one));
    }
    if (!matching_.fill_left.has_value()) return Status::Ok();
    for (uint32_t one = 0; one < one_->size(); ++one) {
      if ((*one_)[one].column.kinds[step] == PointKind::kNone || matched_[one_groups_[one]] == stamp_) continue;
      VARVE_RETURN_IF_ERROR(Operate(step, kNobody, one));
    }
    return Status::Ok();
  }

  static bool IsEmpty(const StepMatrix& matrix, size_t step) {
    return std::all_of(matrix.begin(), matrix.end(),
                       [&](const StepSeries& series) { return series.column.kinds[step] == PointKind::kNone; });
  }

  Status Operate(size_t step, uint32_t many, uint32_t one) {
    Point lhs = many == kNobody ? Point::Float(*matching_.fill_left) : (*many_)[many].column.Get(step);
    Point rhs = one == kNobody ? Point::Float(*matching_.fill_right) : (*one_)[one].column.Get(step);
    if (swapped()) std::swap(lhs, rhs);
    std::optional<Point> result = ElementResult(std::move(lhs), std::move(rhs));
    if (!result.has_value()) return Status::Ok();
    VARVE_ASSIGN_OR_RETURN(const uint32_t row, Match(many, one));
    return result->kind == PointKind::kNone ? Status::Ok() : Put(step, row, std::move(*result));
  }

  Status Put(size_t step, uint32_t row, Point point) {
    StepColumn& column = rows_[row].column;
    if (column.kinds[step] != PointKind::kNone) return SameLabelsetError();
    column.Set(step, std::move(point));
    return Status::Ok();
  }

  // The row for the pair, once it is clear that they may be matched at this step.
  Result<uint32_t> Match(uint32_t many, uint32_t one) {
    VARVE_ASSIGN_OR_RETURN(const Pair pair, FindPair(many, one));
    const uint32_t group = many == kNobody ? one_groups_[one] : many_groups_[many];
    if (one_to_one()) {
      if (matched_[group] == stamp_) {
        return ExecutionError(
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
      }
    } else {
      if (match_stamps_[pair.match] == stamp_) {
        return ExecutionError("multiple matches for labels: grouping labels must ensure unique matches");
      }
      match_stamps_[pair.match] = stamp_;
    }
    matched_[group] = stamp_;
    return pair.row;
  }

  Result<Pair> FindPair(uint32_t many, uint32_t one) {
    if (many != kNobody && last_pair_[many].one == one) return last_pair_[many].pair;
    const auto [at, is_new] = pairs_.try_emplace(uint64_t{many} << 32 | one);
    if (is_new) {
      VARVE_ASSIGN_OR_RETURN(at->second, MakePair(many, one));
    }
    if (many != kNobody) last_pair_[many] = {one, at->second};
    return at->second;
  }

  Result<Pair> MakePair(uint32_t many, uint32_t one) {
    PackedLabels labels = ResultLabels(many == kNobody ? MatchLabels((*one_)[one].labels) : (*many_)[many].labels,
                                       one == kNobody ? MatchLabels((*many_)[many].labels) : (*one_)[one].labels);
    const uint32_t group = many == kNobody ? one_groups_[one] : many_groups_[many];
    Pair pair;
    pair.match = matches_.try_emplace(std::to_string(group) + "," + labels.canonical(),
                                      static_cast<uint32_t>(matches_.size())).first->second;
    match_stamps_.resize(matches_.size());
    const bool merge_rows = !(scope_.is_instant() && eval_->delayed_names());
    const auto found = row_of_.find(labels);
    if (merge_rows && found != row_of_.end()) {
      pair.row = found->second;
      return pair;
    }
    const size_t steps = scope_.grid.steps();
    VARVE_RETURN_IF_ERROR(charge_.Add(0, static_cast<int64_t>(steps * (sizeof(double) + sizeof(PointKind)) +
                                                              3 * labels.canonical().size())));
    pair.row = static_cast<uint32_t>(rows_.size());
    row_of_.emplace(labels, pair.row);
    rows_.emplace_back();
    rows_.back().labels = std::move(labels);
    rows_.back().drop_name = binary_.return_bool && eval_->delayed_names();
    rows_.back().column.Resize(steps);
    return pair;
  }

  // Those labels by which two sides are matched.
  PackedLabels MatchLabels(const PackedLabels& labels) const {
    PackedLabelsBuilder builder(labels);
    for (const LabelView& label : labels) {
      const bool listed = std::find(matching_.labels.begin(), matching_.labels.end(), label.name) !=
                          matching_.labels.end();
      if (listed != matching_.on || (!matching_.on && label.name == kMetricName)) builder.Delete(label.name);
    }
    return builder.Build();
  }

  PackedLabels ResultLabels(const PackedLabels& many, const PackedLabels& one) const {
    const bool drop_name = DropsName(binary_.op) || (binary_.return_bool && !eval_->delayed_names());
    PackedLabelsBuilder builder(drop_name ? DropMetricLabels(many) : many);
    if (one_to_one()) {
      std::vector<std::string> names = matching_.labels;
      std::sort(names.begin(), names.end());
      if (matching_.on) builder.Keep(names);
      if (!matching_.on) builder.Drop(names);
    }
    for (const std::string& name : matching_.include) builder.Set(name, one.Get(name));
    return builder.Build();
  }

  Status DuplicateError(const PackedLabels& a, const PackedLabels& b) const {
    std::string first = a.ToBracedString();
    std::string second = b.ToBracedString();
    if (first > second) std::swap(first, second);
    return ExecutionError("found duplicate series for the match group " + MatchLabels(a).ToBracedString() + " on the " +
                          (swapped() ? "left" : "right") + " hand-side of the operation: [" + first + ", " + second +
                          "];many-to-many matching not allowed: matching labels must be unique on one side");
  }

  Evaluator* const eval_;
  const Binary& binary_;
  const VectorMatching& matching_;
  const EvalScope& scope_;
  Charge charge_;  // for rows_
  StepMatrix* many_ = nullptr;
  StepMatrix* one_ = nullptr;
  std::vector<uint32_t> many_groups_;
  std::vector<uint32_t> one_groups_;

  StepMatrix rows_;
  std::unordered_map<PackedLabels, uint32_t, PackedLabelsHash> row_of_;
  std::unordered_map<uint64_t, Pair> pairs_;
  std::vector<CachedPair> last_pair_;  // of each many-side series
  std::unordered_map<std::string, uint32_t> matches_;

  // Of the present step: stamps equal to stamp_ are set.
  uint32_t stamp_ = 0;
  std::vector<uint32_t> partner_;  // a group: its one-side series
  std::vector<uint32_t> matched_;  // a group: has had a result
  std::vector<uint32_t> match_stamps_;
};

}  // namespace

Result<ProducerPtr> EvalVectorBinary(Evaluator* eval, const Binary& binary, const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(ChargedMatrix lhs, eval->Matrix(*binary.lhs, scope));
  VARVE_ASSIGN_OR_RETURN(ChargedMatrix rhs, eval->Matrix(*binary.rhs, scope));
  return VectorBinary(eval, binary, scope).Run(std::move(lhs), std::move(rhs));
}

}  // namespace varve::promql
