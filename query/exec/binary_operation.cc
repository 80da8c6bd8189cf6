#include "query/exec/binary_operation.h"
#include "query/logql/arithmetic.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace varve {
namespace {

using logql::BinaryOp;
using logql::BinaryOperation;
using logql::VectorMatching;
using Cardinality = VectorMatching::Cardinality;

// The value of left op right as a point of the result, if it has one. `kept` is what a comparison without
// `bool` keeps.
std::optional<double> Combine(const BinaryOperation& operation, double left, double right, double kept) {
  const double value = ApplyToNumbers(operation.op, left, right);
  if (!IsComparison(operation.op) || operation.return_bool) return value;
  return value != 0 ? std::optional<double>(kept) : std::nullopt;
}

SeriesSet WithNumber(const BinaryOperation& operation, SeriesSet vector, double number, bool number_is_left) {
  SeriesSet result;
  for (Series& series : vector) {
    std::vector<StepPoint> points;
    for (const StepPoint& point : series.points) {
      const auto value = number_is_left ? Combine(operation, number, point.value, point.value)
                                        : Combine(operation, point.value, number, point.value);
      if (value.has_value()) points.push_back({point.step, *value});
    }
    if (points.empty()) continue;
    result.push_back({std::move(series.labels), std::move(points)});
  }
  return result;
}

// The part of a series' labels by which it matches.
class Signature {
 public:
  explicit Signature(const VectorMatching& matching) : on_(matching.on), names_(matching.labels) {
    std::sort(names_.begin(), names_.end());
  }
  LabelPairs Of(const LabelPairs& labels) const {
    LabelPairs of = on_ ? KeepLabels(labels, names_) : DropLabels(labels, names_);
    RemoveEmptyLabels(&of);
    return of;
  }

 private:
  const bool on_;
  std::vector<std::string> names_;
};

using BySignature = std::map<LabelPairs, std::vector<const Series*>>;

BySignature Index(const Signature& signature, const SeriesSet& vector) {
  BySignature index;
  for (const Series& series : vector) index[signature.Of(series.labels)].push_back(&series);
  return index;
}

Status DuplicateOn(std::string_view side) {
  return ExecutionError(
      "found duplicate series on the " + std::string(side) +
      " hand-side;many-to-many matching not allowed: matching labels must be unique on one side");
}
Status ManyMustBeExplicit() {
  return ExecutionError(
      "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
}
Status GroupingNotUnique() {
  return ExecutionError("multiple matches for labels: grouping labels must ensure unique matches");
}

// One operation between two vectors. `many_` is the side that may have several series to one of `one_`;
// without group_left or group_right it is the left.
class VectorMatch {
 public:
  VectorMatch(QueryContext& query, const BinaryOperation& operation, const SeriesSet& left,
              const SeriesSet& right, uint32_t step_count)
      : query_(query),
        operation_(operation),
        swapped_(operation.matching.cardinality == Cardinality::kOneToMany),
        many_(swapped_ ? right : left),
        one_(swapped_ ? left : right),
        partner_(step_count) {}

  Result<SeriesSet> Run() {
    const Signature signature(operation_.matching);
    const BySignature many = Index(signature, many_);
    for (const auto& [labels, ones] : Index(signature, one_)) {
      VARVE_RETURN_IF_ERROR(query_.CheckAlive());
      VARVE_RETURN_IF_ERROR(PlacePartners(ones));
      const auto found = many.find(labels);
      if (found != many.end()) {
        VARVE_RETURN_IF_ERROR(operation_.matching.cardinality == Cardinality::kOneToOne
                                  ? MatchOne(labels, found->second)
                                  : MatchMany(found->second));
      }
      for (const Series* one : ones) {
        for (const StepPoint& point : one->points) partner_[point.step] = Partner();
      }
    }
    return Collect();
  }

 private:
  // What stands on the `one` side at a step.
  struct Partner {
    const Series* series = nullptr;
    double value = 0;
    bool taken = false;
  };

  Status PlacePartners(const std::vector<const Series*>& ones) {
    for (const Series* one : ones) {
      for (const StepPoint& point : one->points) {
        if (partner_[point.step].series != nullptr) return DuplicateOn(swapped_ ? "left" : "right");
        partner_[point.step] = {one, point.value, false};
      }
    }
    return Status::Ok();
  }

  std::optional<double> Evaluate(double many, double one) const {
    const double left = swapped_ ? one : many;
    const double right = swapped_ ? many : one;
    return Combine(operation_, left, right, left);
  }

  // The result's labels are those that matched.
  Status MatchOne(const LabelPairs& labels, const std::vector<const Series*>& many) {
    for (const Series* series : many) {
      for (const StepPoint& point : series->points) {
        Partner& partner = partner_[point.step];
        if (partner.series == nullptr) continue;
        if (partner.taken) return ManyMustBeExplicit();
        partner.taken = true;
        const auto value = Evaluate(point.value, partner.value);
        if (value.has_value()) results_[labels][point.step] = *value;
      }
    }
    return Status::Ok();
  }

  // The result's labels are those of the many side, with the included ones of its partner.
  Status MatchMany(const std::vector<const Series*>& many) {
    std::set<std::pair<LabelPairs, uint32_t>> taken;  // (result's labels, step): each may occur once
    for (const Series* series : many) {
      const Series* labels_of = nullptr;  // partner whose labels are in `labels`
      LabelPairs labels;
      const bool may_collide = many.size() > 1;
      for (const StepPoint& point : series->points) {
        const Partner& partner = partner_[point.step];
        if (partner.series == nullptr) continue;
        if (partner.series != labels_of) {
          labels = Included(series->labels, partner.series->labels);
          labels_of = partner.series;
        }
        if (may_collide && !taken.emplace(labels, point.step).second) return GroupingNotUnique();
        const auto value = Evaluate(point.value, partner.value);
        if (value.has_value()) results_[labels][point.step] = *value;
      }
    }
    return Status::Ok();
  }

  LabelPairs Included(const LabelPairs& many, const LabelPairs& one) const {
    LabelPairs labels = many;
    RemoveEmptyLabels(&labels);
    for (const std::string& name : operation_.matching.include) {
      std::erase_if(labels, [&](const auto& label) { return label.first == name; });
      const std::string_view value = LabelValue(one, name);
      if (!value.empty()) labels.emplace_back(name, value);
    }
    std::sort(labels.begin(), labels.end());
    return labels;
  }

  SeriesSet Collect() const {
    SeriesSet set;
    for (const auto& [labels, points] : results_) {
      Series series;
      series.labels = labels;
      for (const auto& [step, value] : points) series.points.push_back({step, value});
      set.push_back(std::move(series));
    }
    return set;
  }

  QueryContext& query_;
  const BinaryOperation& operation_;
  const bool swapped_;
  const SeriesSet& many_;
  const SeriesSet& one_;
  std::vector<Partner> partner_;  // by step
  std::map<LabelPairs, std::map<uint32_t, double>> results_;
};

// and, unless: the left points at steps where the right has (has not) a matching series.
// or: the left, and of the right what has no match on the left.
SeriesSet ApplySet(const BinaryOperation& operation, SeriesSet left, SeriesSet right, uint32_t step_count) {
  const Signature signature(operation.matching);
  const bool is_or = operation.op == BinaryOp::kOr;
  SeriesSet& filtered = is_or ? right : left;
  const BySignature others = Index(signature, is_or ? left : right);
  const bool keep_matched = operation.op == BinaryOp::kAnd;
  std::vector<bool> present(step_count);
  SeriesSet kept;
  for (Series& series : filtered) {
    const auto found = others.find(signature.Of(series.labels));
    if (found != others.end()) {
      for (const Series* other : found->second) {
        for (const StepPoint& point : other->points) present[point.step] = true;
      }
    }
    std::erase_if(series.points, [&](const StepPoint& point) { return present[point.step] != keep_matched; });
    if (found != others.end()) present.assign(step_count, false);
  }
  std::erase_if(filtered, [](const Series& series) { return series.points.empty(); });
  if (!is_or) return left;
  // Equal labels on both sides are one series; where both matched, the left has spoken.
  std::map<LabelPairs, size_t> known;  // the first of those labels
  for (size_t i = 0; i < left.size(); ++i) known.emplace(left[i].labels, i);
  const size_t left_count = left.size();
  for (Series& series : right) {
    const auto same = known.find(series.labels);
    if (same == known.end() || same->second >= left_count) {
      left.push_back(std::move(series));
      continue;
    }
    std::vector<StepPoint>& points = left[same->second].points;
    points.insert(points.end(), series.points.begin(), series.points.end());
    std::sort(points.begin(), points.end(),
              [](const StepPoint& a, const StepPoint& b) { return a.step < b.step; });
  }
  // Which side a series came from may differ from step to step, so it must not decide ties further up.
  SortByLabels(&left);
  return left;
}

}  // namespace

Result<MetricValue> ApplyBinary(QueryContext& query, const BinaryOperation& operation, MetricValue left,
                                MetricValue right, uint32_t step_count) {
  const double* left_number = std::get_if<double>(&left);
  const double* right_number = std::get_if<double>(&right);
  if (IsSetOp(operation.op)) {
    if (left_number != nullptr || right_number != nullptr) {
      return InvalidArgument("set operations (" + std::string(BinaryOpText(operation.op)) +
                             ") are between vectors, not numbers");
    }
    return MetricValue(ApplySet(operation, std::get<SeriesSet>(std::move(left)),
                                std::get<SeriesSet>(std::move(right)), step_count));
  }
  if (left_number != nullptr && right_number != nullptr) {
    return MetricValue(ApplyToNumbers(operation.op, *left_number, *right_number));
  }
  if (left_number != nullptr) {
    return MetricValue(WithNumber(operation, std::get<SeriesSet>(std::move(right)), *left_number, true));
  }
  if (right_number != nullptr) {
    return MetricValue(WithNumber(operation, std::get<SeriesSet>(std::move(left)), *right_number, false));
  }
  VectorMatch match(query, operation, std::get<SeriesSet>(left), std::get<SeriesSet>(right), step_count);
  VARVE_ASSIGN_OR_RETURN(SeriesSet result, match.Run());
  return MetricValue(std::move(result));
}

}  // namespace varve
