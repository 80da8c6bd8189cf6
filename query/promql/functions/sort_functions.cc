#include "query/promql/functions/sort_functions.h"

#include <algorithm>
#include <cmath>

namespace varve::promql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Cuts the first run of digits, or of anything else, off `text`.
std::string_view TakeChunk(std::string_view* text) {
  const bool digits = IsDigit((*text)[0]);
  size_t end = 1;
  while (end < text->size() && IsDigit((*text)[end]) == digits) ++end;
  const std::string_view chunk = text->substr(0, end);
  text->remove_prefix(end);
  return chunk;
}

std::weak_ordering CompareNumbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

void NoteRangeQuery(const SeriesCall& call) {
  if (call.grid.start_ms == call.grid.end_ms || call.notes == nullptr) return;
  call.notes->AddWarning(call.call->pos,
                         "sort is ineffective for range queries since results are always ordered by labels");
}

// Leaves only floats; series that had none go.
StepMatrix OnlyFloats(StepMatrix matrix) {
  for (StepSeries& series : matrix) {
    if (series.column.histograms.empty()) continue;
    for (PointKind& kind : series.column.kinds) {
      if (kind == PointKind::kHistogram) kind = PointKind::kNone;
    }
    series.column.histograms.clear();
  }
  std::erase_if(matrix, [](const StepSeries& series) {
    return std::all_of(series.column.kinds.begin(), series.column.kinds.end(),
                       [](PointKind kind) { return kind == PointKind::kNone; });
  });
  return matrix;
}

Result<StepMatrix> SortByValue(const SeriesCall& call, std::vector<SeriesArgument>* args, bool descending) {
  NoteRangeQuery(call);
  StepMatrix out = OnlyFloats(std::move(*(*args)[0].vector));
  if (call.grid.steps() != 1) return out;
  std::stable_sort(out.begin(), out.end(), [descending](const StepSeries& a, const StepSeries& b) {
    const double x = a.column.values[0];
    const double y = b.column.values[0];
    if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);  // last either way
    return descending ? x > y : x < y;
  });
  return out;
}

// One label of two elements as Prometheus compares it while sorting: a text that is empty precedes nothing and is
// preceded by nothing, and of two that differ in leading zeros each precedes the other. That is no order; what comes
// out depends on how one sorts.
bool Precedes(std::string_view a, std::string_view b) {
  return !a.empty() && !b.empty() && CompareNaturally(a, b) <= 0;
}

// Go's slices.SortFunc sorts up to 12 elements by insertion: so they are here, to come out alike.
constexpr size_t kInsertionMax = 12;

class LabelSorter {
 public:
  LabelSorter(const std::vector<SeriesArgument>& args, bool descending) : args_(args), descending_(descending) {}

  void Sort(StepMatrix* matrix) const {
    if (matrix->size() <= kInsertionMax) {
      for (size_t i = 1; i < matrix->size(); ++i) {
        for (size_t j = i; j > 0 && ComesBefore((*matrix)[j], (*matrix)[j - 1]); --j) {
          std::swap((*matrix)[j], (*matrix)[j - 1]);
        }
      }
      return;
    }
    std::stable_sort(matrix->begin(), matrix->end(),
                     [this](const StepSeries& a, const StepSeries& b) { return IsLess(a, b); });
  }

 private:
  bool ComesBefore(const StepSeries& a, const StepSeries& b) const {
    for (size_t i = 1; i < args_.size(); ++i) {
      const std::string_view x = a.labels.Get(args_[i].text);
      const std::string_view y = b.labels.Get(args_[i].text);
      if (x != y) return Precedes(x, y) != descending_;
    }
    return descending_ ? a.labels > b.labels : a.labels < b.labels;
  }

  // A strict weak order: empty texts first, leading zeros ignored.
  bool IsLess(const StepSeries& a, const StepSeries& b) const {
    for (size_t i = 1; i < args_.size(); ++i) {
      const auto order = CompareNaturally(a.labels.Get(args_[i].text), b.labels.Get(args_[i].text));
      if (order != 0) return descending_ ? order > 0 : order < 0;
    }
    return descending_ ? a.labels > b.labels : a.labels < b.labels;
  }

  const std::vector<SeriesArgument>& args_;
  const bool descending_;
};

Result<StepMatrix> SortByLabels(const SeriesCall& call, std::vector<SeriesArgument>* args, bool descending) {
  NoteRangeQuery(call);
  StepMatrix out = std::move(*(*args)[0].vector);
  if (call.grid.steps() == 1) LabelSorter(*args, descending).Sort(&out);
  return out;
}

}  // namespace

std::weak_ordering CompareNaturally(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const std::string_view chunk_a = TakeChunk(&a);
    const std::string_view chunk_b = TakeChunk(&b);
    const bool numbers = IsDigit(chunk_a[0]) && IsDigit(chunk_b[0]);
    const std::weak_ordering order = numbers ? CompareNumbers(chunk_a, chunk_b) : chunk_a <=> chunk_b;
    if (order != 0) return order;
  }
  if (a.empty() == b.empty()) return std::weak_ordering::equivalent;
  return a.empty() ? std::weak_ordering::less : std::weak_ordering::greater;
}

Result<StepMatrix> Sort(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  return SortByValue(call, args, false);
}
Result<StepMatrix> SortDesc(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  return SortByValue(call, args, true);
}
Result<StepMatrix> SortByLabel(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  return SortByLabels(call, args, false);
}
Result<StepMatrix> SortByLabelDesc(const SeriesCall& call, std::vector<SeriesArgument>* args) {
  return SortByLabels(call, args, true);
}

}  // namespace varve::promql
