// Base series and info series are joined on (instance, job), one info metric name at a time. Both are whole columns:
// first every group of info series of the same name and identity gets its newest sample a step; then each base series
// finds at each step which labels its groups give it. Most series get one set of labels for all steps, and their
// column moves over as it is.
#include "query/promql/functions/info.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace varve::promql {
namespace {

constexpr std::array<std::string_view, 2> kIdentity = {"instance", "job"};
constexpr size_t kRegexValuesMax = 1000;  // more identities: all info series are read and sifted here
constexpr int32_t kNoSeries = -1;

// What the second argument asks for.
struct InfoSelector {
  std::vector<Matcher> names;                        // of the info metrics, on __name__
  std::map<std::string, std::vector<Matcher>> data;  // on the labels to add; empty: add all

  // Whether a base series without any info series stays.
  bool TakesNothing() const {
    for (const auto& [name, matchers] : data) {
      for (const Matcher& matcher : matchers) {
        if (!matcher.MatchesEmpty()) return false;
      }
    }
    return true;
  }
};

Result<InfoSelector> ReadSelector(const std::vector<SeriesArgument>& args) {
  InfoSelector out;
  if (args.size() > 1) {
    for (const Matcher& matcher : Cast<VectorSelector>(*args[1].expr).matchers) {
      (matcher.name() == kMetricName ? out.names : out.data[matcher.name()]).push_back(matcher);
    }
  }
  const bool positive = std::any_of(out.names.begin(), out.names.end(), [](const Matcher& matcher) {
    return matcher.op() == MatchOp::kEqual || matcher.op() == MatchOp::kRegexMatch;
  });
  if (positive) return out;
  const bool none = out.names.empty();
  VARVE_ASSIGN_OR_RETURN(Matcher matcher,
                         Matcher::Create(std::string(kMetricName), none ? MatchOp::kEqual : MatchOp::kRegexMatch,
                                         none ? "target_info" : ".+_info"));
  out.names.insert(out.names.begin(), std::move(matcher));
  return out;
}

bool AllMatch(const std::vector<Matcher>& matchers, std::string_view value) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) { return m.Matches(value); });
}

// The values that the base series have for each identifying label.
using Identities = std::array<std::set<std::string, std::less<>>, kIdentity.size()>;

std::string QuotedAlternatives(const std::set<std::string, std::less<>>& values) {
  std::string out;
  for (const std::string& value : values) {
    if (!out.empty()) out += '|';
    for (const char c : value) {
      if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

Result<std::vector<Matcher>> InfoMatchers(const InfoSelector& selector, const Identities& identities) {
  std::vector<Matcher> out = selector.names;
  for (const auto& [name, matchers] : selector.data) out.insert(out.end(), matchers.begin(), matchers.end());
  for (size_t i = 0; i < kIdentity.size(); ++i) {
    if (identities[i].empty() || identities[i].size() > kRegexValuesMax) continue;
    const bool one = identities[i].size() == 1;
    Result<Matcher> matcher =
        Matcher::Create(std::string(kIdentity[i]), one ? MatchOp::kEqual : MatchOp::kRegexMatch,
                        one ? *identities[i].begin() : QuotedAlternatives(identities[i]));
    if (matcher.ok()) out.push_back(std::move(matcher).value());  // too large a program: sifted here as well
  }
  return out;
}

bool HasKnownIdentity(const PackedLabels& labels, const Identities& identities) {
  for (size_t i = 0; i < kIdentity.size(); ++i) {
    if (!identities[i].empty() && !identities[i].contains(labels.Get(kIdentity[i]))) return false;
  }
  return true;
}

// Info series of one metric name and identity, and which of them is the newest at each step.
struct InfoGroup {
  std::vector<int32_t> series;
  std::vector<int32_t> newest;  // one a step; kNoSeries: none has a sample
};
// By (instance, job), then by metric name.
using InfoGroups = std::map<std::array<std::string, 2>, std::map<std::string, InfoGroup, std::less<>>>;

class InfoJoin {
 public:
  InfoJoin(const SeriesCall& call, InfoSelector selector, StepMatrix info)
      : call_(call), selector_(std::move(selector)), info_(std::move(info)), steps_(call.grid.steps()) {}

  Status Group(const StepMatrix& base, const Identities& identities) {
    std::vector<bool> wanted(steps_);
    for (const StepSeries& series : base) {
      for (size_t step = 0; step < steps_; ++step) {
        if (series.column.kinds[step] != PointKind::kNone) wanted[step] = true;
      }
    }
    for (size_t i = 0; i < info_.size(); ++i) {
      const PackedLabels& labels = info_[i].labels;
      if (!HasKnownIdentity(labels, identities)) continue;
      auto& by_name = groups_[IdentityOf(labels)];
      by_name[std::string(labels.metric_name())].series.push_back(static_cast<int32_t>(i));
    }
    for (auto& [identity, by_name] : groups_) {
      for (auto& [name, group] : by_name) VARVE_RETURN_IF_ERROR(FindNewest(wanted, &group));
    }
    return Status::Ok();
  }

  // Appends the series that `base` becomes.
  Status Enrich(StepSeries base, StepMatrix* out) {
    std::vector<const InfoGroup*> groups;
    const auto found = groups_.find(IdentityOf(base.labels));
    if (found != groups_.end()) {
      for (const auto& [name, group] : found->second) groups.push_back(&group);
    }
    // Which info series, one a group, made which of the new label sets.
    std::map<std::vector<int32_t>, int32_t> sets;
    std::vector<PackedLabels> labels;
    std::vector<int32_t> targets(steps_, kNoSeries);
    std::vector<int32_t> picked(groups.size());
    bool whole = true;
    for (size_t step = 0; step < steps_; ++step) {
      if (base.column.kinds[step] == PointKind::kNone) continue;
      for (size_t g = 0; g < groups.size(); ++g) picked[g] = groups[g]->newest[step];
      const auto [set, fresh] = sets.try_emplace(picked, kNoSeries);
      if (fresh) {
        const bool none = std::all_of(picked.begin(), picked.end(), [](int32_t i) { return i == kNoSeries; });
        if (!none || selector_.TakesNothing()) {
          VARVE_ASSIGN_OR_RETURN(PackedLabels joined, Join(base.labels, picked));
          set->second = static_cast<int32_t>(labels.size());
          labels.push_back(std::move(joined));
        }
      }
      targets[step] = set->second;
      whole = whole && set->second != kNoSeries;
    }
    if (whole && labels.size() == 1) {
      base.labels = std::move(labels[0]);
      out->push_back(std::move(base));
      return Status::Ok();
    }
    return Split(std::move(base), std::move(labels), targets, out);
  }

 private:
  static std::array<std::string, 2> IdentityOf(const PackedLabels& labels) {
    return {std::string(labels.Get(kIdentity[0])), std::string(labels.Get(kIdentity[1]))};
  }

  int64_t TimeOf(int32_t series, size_t step) const {
    return static_cast<int64_t>(info_[static_cast<size_t>(series)].column.values[step]);
  }

  Status FindNewest(const std::vector<bool>& wanted, InfoGroup* group) const {
    group->newest.assign(steps_, kNoSeries);
    for (size_t step = 0; step < steps_; ++step) {
      if (!wanted[step]) continue;
      for (const int32_t i : group->series) {
        const StepSeries& series = info_[static_cast<size_t>(i)];
        const PointKind kind = series.column.kinds[step];
        if (kind == PointKind::kNone) continue;
        if (kind == PointKind::kHistogram) return ExecutionError("info sample should be float");
        int32_t& newest = group->newest[step];
        if (newest != kNoSeries && TimeOf(newest, step) == TimeOf(i, step)) {
          return ExecutionError(fmt::format("found duplicate series for info metric: existing {} @ {}, new {} @ {}",
                                            info_[static_cast<size_t>(newest)].labels.ToBracedString(),
                                            TimeOf(newest, step), series.labels.ToBracedString(), TimeOf(i, step)));
        }
        if (newest == kNoSeries || TimeOf(newest, step) < TimeOf(i, step)) newest = i;
      }
    }
    return Status::Ok();
  }

  // The base labels and those the picked info series add; what the base has stays.
  Result<PackedLabels> Join(const PackedLabels& base, const std::vector<int32_t>& picked) const {
    PackedLabelsBuilder added;
    PackedLabelsBuilder joined(base);
    for (const int32_t i : picked) {
      if (i == kNoSeries) continue;
      for (const LabelView& label : info_[static_cast<size_t>(i)].labels) {
        if (label.name == kMetricName) continue;
        if (!selector_.data.empty() && !selector_.data.contains(std::string(label.name))) continue;
        const std::string_view other = added.Get(label.name);
        if (!other.empty() && other != label.value) {
          return ExecutionError("conflicting label: " + std::string(label.name));
        }
        if (base.Has(label.name)) continue;
        added.Set(label.name, label.value);
        joined.Set(label.name, label.value);
      }
    }
    return joined.Build();
  }

  // Gives each label set the steps that are its; steps without one are dropped.
  Status Split(StepSeries base, std::vector<PackedLabels> labels, const std::vector<int32_t>& targets,
               StepMatrix* out) {
    const size_t first = out->size();
    for (PackedLabels& set : labels) {
      VARVE_RETURN_IF_ERROR(Charge());
      out->push_back({std::move(set), base.drop_name, {}});
      out->back().column.Resize(steps_);
    }
    for (size_t step = 0; step < steps_; ++step) {
      if (targets[step] == kNoSeries) continue;
      (*out)[first + static_cast<size_t>(targets[step])].column.Set(step, base.column.Get(step));
    }
    return Status::Ok();
  }

  Status Charge() {
    if (call_.budget == nullptr) return Status::Ok();
    if (!reservation_) reservation_.emplace(call_.budget);
    return reservation_->Add(static_cast<int64_t>(steps_ * (sizeof(PointKind) + sizeof(double))));
  }

  const SeriesCall& call_;
  const InfoSelector selector_;
  const StepMatrix info_;
  const size_t steps_;
  InfoGroups groups_;
  std::optional<MemoryReservation> reservation_;  // for columns that the argument did not have
};

const VectorSelector* FirstSelector(const Expr& expr, std::vector<const Subquery*>* around) {
  switch (expr.kind) {
    case ExprKind::kVectorSelector: return &Cast<VectorSelector>(expr);
    case ExprKind::kMatrixSelector: return Cast<MatrixSelector>(expr).selector.get();
    case ExprKind::kParen: return FirstSelector(*Cast<Paren>(expr).expr, around);
    case ExprKind::kUnary: return FirstSelector(*Cast<Unary>(expr).expr, around);
    case ExprKind::kSubquery: {
      around->push_back(&Cast<Subquery>(expr));
      const VectorSelector* found = FirstSelector(*Cast<Subquery>(expr).expr, around);
      if (found == nullptr) around->pop_back();
      return found;
    }
    case ExprKind::kAggregate: {
      const auto& aggregate = Cast<Aggregate>(expr);
      const VectorSelector* found = FirstSelector(*aggregate.expr, around);
      if (found != nullptr || aggregate.param == nullptr) return found;
      return FirstSelector(*aggregate.param, around);
    }
    case ExprKind::kBinary: {
      const VectorSelector* found = FirstSelector(*Cast<Binary>(expr).lhs, around);
      return found != nullptr ? found : FirstSelector(*Cast<Binary>(expr).rhs, around);
    }
    case ExprKind::kCall:
      for (const ExprPtr& arg : Cast<Call>(expr).args) {
        if (const VectorSelector* found = FirstSelector(*arg, around)) return found;
      }
      return nullptr;
    case ExprKind::kNumber:
    case ExprKind::kString:
    case ExprKind::kDuration:
    case ExprKind::kLogql: return nullptr;
  }
  return nullptr;
}

}  // namespace

InfoTime FindInfoTime(const Expr& argument) {
  std::vector<const Subquery*> around;
  const VectorSelector* selector = FirstSelector(argument, &around);
  if (selector == nullptr) return {};
  InfoTime out{selector->shift.offset_ms, selector->shift.at_ms};
  // From the inside out, until an @ settles the time.
  for (size_t i = around.size(); i > 0 && !out.at_ms; --i) {
    out.offset_ms += around[i - 1]->shift.offset_ms;
    out.at_ms = around[i - 1]->shift.at_ms;
  }
  return out;
}

Result<StepMatrix> Info(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  VARVE_ASSIGN_OR_RETURN(InfoSelector selector, ReadSelector(*args));
  StepMatrix base = std::move(*(*args)[0].vector);
  // Info series among the base pass through.
  std::vector<bool> passes(base.size());
  Identities identities;
  for (size_t i = 0; i < base.size(); ++i) {
    passes[i] = AllMatch(selector.names, base[i].labels.metric_name());
    if (passes[i]) continue;
    for (size_t l = 0; l < kIdentity.size(); ++l) {
      const std::string_view value = base[i].labels.Get(kIdentity[l]);
      if (!value.empty()) identities[l].emplace(value);
    }
  }
  StepMatrix info;
  if (!identities[0].empty() || !identities[1].empty()) {
    const InfoTime time = FindInfoTime(*(*args)[0].expr);
    VARVE_ASSIGN_OR_RETURN(const std::vector<Matcher> matchers, InfoMatchers(selector, identities));
    VARVE_ASSIGN_OR_RETURN(info, call.select(matchers, time.at_ms, time.offset_ms, true));
  }
  InfoJoin join(call, std::move(selector), std::move(info));
  VARVE_RETURN_IF_ERROR(join.Group(base, identities));
  StepMatrix out;
  for (size_t i = 0; i < base.size(); ++i) {
    if (passes[i]) {
      out.push_back(std::move(base[i]));
    } else {
      VARVE_RETURN_IF_ERROR(join.Enrich(std::move(base[i]), &out));
    }
  }
  return MergeSameLabels(std::move(out));
}

}  // namespace varve::promql
