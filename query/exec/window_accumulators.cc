#include "query/exec/window_accumulators.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "query/exec/distinct_accumulator.h"
#include "query/exec/exact_sum.h"
#include "query/exec/interval_column.h"

namespace varve {
namespace {

using logql::RangeOp;

constexpr double kNsPerSecondReal = 1e9;
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

// ---- Cells ------------------------------------------------------------------------------------

struct RowTally {
  uint64_t rows = 0;
  uint64_t line_bytes = 0;

  bool empty() const { return rows == 0; }
  void Merge(const RowTally& other) {
    rows += other.rows;
    line_bytes += other.line_bytes;
  }
};

struct SumCell {
  uint64_t rows = 0;
  ExactSum sum;

  bool empty() const { return rows == 0; }
  void Add(const RowValue& row) {
    ++rows;
    sum.Add(row.value);
  }
  void Merge(const SumCell& other) {
    rows += other.rows;
    sum.Merge(other.sum);
  }
};

// The least or greatest value; NaN only when there is nothing else.
template <bool kGreatest>
struct ExtremeCell {
  bool filled = false;
  double value = kNotANumber;

  bool empty() const { return !filled; }
  void Take(double x) {
    if (!filled || std::isnan(value) || (kGreatest ? x > value : x < value)) value = x;
    filled = true;
  }
  void Add(const RowValue& row) { Take(row.value); }
  void Merge(const ExtremeCell& other) {
    if (other.filled) Take(other.value);
  }
};

struct MomentCell {
  uint64_t rows = 0;
  ExactSum sum;
  ExactSum squares;
  double least = std::numeric_limits<double>::infinity();
  double greatest = -std::numeric_limits<double>::infinity();

  bool empty() const { return rows == 0; }
  void Add(const RowValue& row) {
    ++rows;
    least = std::min(least, row.value);
    greatest = std::max(greatest, row.value);
    sum.Add(row.value);
    squares.AddSquare(row.value);
  }
  void Merge(const MomentCell& other) {
    rows += other.rows;
    least = std::min(least, other.least);
    greatest = std::max(greatest, other.greatest);
    sum.Merge(other.sum);
    squares.Merge(other.squares);
  }
  // Of the population. Σx² - (Σx)²/n cancels badly in 53 bits; in 106 it does not.
  double Variance() const {
    if (!std::isfinite(squares.high()) || !std::isfinite(sum.high())) return kNotANumber;
    if (least == greatest) return 0;
    const auto n = static_cast<double>(rows);
    const double mean = sum.Value() / n;
    // Σ(x - m)² = Σx² - 2mΣx + n·m², each product kept with its rounding error.
    ExactSum total = squares;
    AddProduct(&total, -2 * mean, sum.high());
    AddProduct(&total, -2 * mean, sum.low());
    const double mean_n = mean * n;
    AddProduct(&total, mean_n, mean);
    AddProduct(&total, std::fma(mean, n, -mean_n), mean);
    return std::max(0.0, total.Value() / n);
  }

 private:
  static void AddProduct(ExactSum* total, double a, double b) {
    const double product = a * b;
    total->Add(product);
    total->Add(std::fma(a, b, -product));
  }
};

// The earliest or latest value.
template <bool kLatest>
struct EdgeCell {
  bool filled = false;
  RowValue row;

  static auto Order(const RowValue& r) { return std::tie(r.ts_ns, r.stream, r.source, r.row); }
  bool empty() const { return !filled; }
  void Add(const RowValue& other) {
    if (!filled || (kLatest ? Order(row) < Order(other) : Order(other) < Order(row))) row = other;
    filled = true;
  }
  void Merge(const EdgeCell& other) {
    if (other.filled) Add(other.row);
  }
};

// ---- Windows ----------------------------------------------------------------------------------

// Calls emit(step, merged cell) for every step whose window holds one of `cells` (ascending). A queue of
// two stacks: `front` holds, for each cell still to leave, the merge of it and all younger ones in front;
// `back` is the merge of what came since. Each cell is merged at most three times.
template <typename Cell, typename Emit>
void SlideWindows(const WindowGrid& grid, const std::vector<std::pair<uint32_t, Cell>>& cells, Emit emit) {
  if (cells.empty()) return;
  std::vector<std::pair<uint32_t, Cell>> front;  // ascending towards the back of the vector's reverse
  Cell back;
  size_t next = 0;        // first cell not yet in the queue
  size_t back_begin = 0;  // first cell that is in `back`
  const uint32_t last_step = grid.StepsOf(cells.back().first).last;
  for (uint32_t step = grid.StepsOf(cells.front().first).first; step <= last_step; ++step) {
    const uint32_t begin = grid.WindowBegin(step);
    const uint32_t end = grid.WindowEnd(step);
    for (; next < cells.size() && cells[next].first < end; ++next) back.Merge(cells[next].second);
    while (!front.empty() && front.back().first < begin) front.pop_back();
    if (front.empty() && back_begin < next && cells[back_begin].first < begin) {
      while (back_begin < next && cells[back_begin].first < begin) ++back_begin;
      Cell merged;
      for (size_t i = next; i-- > back_begin;) {
        merged.Merge(cells[i].second);
        front.emplace_back(cells[i].first, merged);
      }
      back_begin = next;
      back = Cell();
    }
    if (front.empty() && back.empty()) {
      step = grid.StepsOf(cells[next].first).first - 1;  // nothing until the next cell; there is one
      continue;
    }
    Cell window = back;
    if (!front.empty()) window.Merge(front.back().second);
    emit(step, window);
  }
}

// ---- Rows: count, bytes and their rates ---------------------------------------------------------

class TallyAccumulator final : public WindowAccumulator {
 public:
  TallyAccumulator(RangeOp op, int64_t range_ns, const WindowGrid& grid)
      : op_(op), range_seconds_(static_cast<double>(range_ns) / kNsPerSecondReal), grid_(grid) {}

  void AddRows(uint32_t series, uint32_t interval, uint64_t rows, uint64_t line_bytes) override {
    if (series >= columns_.size()) columns_.resize(series + 1);
    columns_[series].At(interval, grid_.interval_count()).Merge({rows, line_bytes});
  }
  void AddValue(uint32_t, uint32_t, const RowValue&) override { VARVE_CHECK(false); }

  void MergeFrom(WindowAccumulator& other, std::span<const uint32_t> series_map) override {
    auto& tally = static_cast<TallyAccumulator&>(other);
    for (size_t i = 0; i < tally.columns_.size(); ++i) {
      const uint32_t series = series_map[i];
      if (series >= columns_.size()) columns_.resize(series + 1);
      columns_[series].MergeFrom(tally.columns_[i], grid_.interval_count());
      tally.columns_[i] = {};
    }
  }

  void Finish(uint32_t series, std::vector<StepPoint>* out) override {
    if (series >= columns_.size()) return;
    const auto cells = columns_[series].TakeSorted();
    if (cells.empty()) return;
    RowTally window;
    size_t entering = 0, leaving = 0;
    const uint32_t last_step = grid_.StepsOf(cells.back().first).last;
    for (uint32_t step = grid_.StepsOf(cells.front().first).first; step <= last_step; ++step) {
      for (; entering < cells.size() && cells[entering].first < grid_.WindowEnd(step); ++entering) {
        window.Merge(cells[entering].second);
      }
      for (; leaving < entering && cells[leaving].first < grid_.WindowBegin(step); ++leaving) {
        window.rows -= cells[leaving].second.rows;
        window.line_bytes -= cells[leaving].second.line_bytes;
      }
      if (window.rows != 0) {
        out->push_back({step, Value(window)});
      } else {
        step = grid_.StepsOf(cells[entering].first).first - 1;  // nothing until the next cell; there is one
      }
    }
  }

  int64_t MemoryBytes() const override {
    int64_t bytes = 0;
    for (const auto& column : columns_) bytes += column.MemoryBytes();
    return bytes;
  }

 private:
  double Value(const RowTally& tally) const {
    switch (op_) {
      case RangeOp::kRate: return static_cast<double>(tally.rows) / range_seconds_;
      case RangeOp::kBytesOverTime: return static_cast<double>(tally.line_bytes);
      case RangeOp::kBytesRate: return static_cast<double>(tally.line_bytes) / range_seconds_;
      default: return static_cast<double>(tally.rows);
    }
  }

  const RangeOp op_;
  const double range_seconds_;
  const WindowGrid& grid_;
  std::vector<IntervalColumn<RowTally>> columns_;
};

// ---- Values that merge: sums, extremes, moments, edges --------------------------------------------

template <typename Cell, typename Evaluate>
class CellAccumulator final : public WindowAccumulator {
 public:
  CellAccumulator(const WindowGrid& grid, Evaluate evaluate) : grid_(grid), evaluate_(evaluate) {}

  void AddRows(uint32_t, uint32_t, uint64_t, uint64_t) override { VARVE_CHECK(false); }
  void AddValue(uint32_t series, uint32_t interval, const RowValue& value) override {
    if (series >= columns_.size()) columns_.resize(series + 1);
    columns_[series].At(interval, grid_.interval_count()).Add(value);
  }

  void MergeFrom(WindowAccumulator& other, std::span<const uint32_t> series_map) override {
    auto& cells = static_cast<CellAccumulator&>(other);
    for (size_t i = 0; i < cells.columns_.size(); ++i) {
      const uint32_t series = series_map[i];
      if (series >= columns_.size()) columns_.resize(series + 1);
      columns_[series].MergeFrom(cells.columns_[i], grid_.interval_count());
      cells.columns_[i] = {};
    }
  }

  void Finish(uint32_t series, std::vector<StepPoint>* out) override {
    if (series >= columns_.size()) return;
    SlideWindows(grid_, columns_[series].TakeSorted(), [&](uint32_t step, const Cell& window) {
      out->push_back({step, evaluate_(window)});
    });
  }

  int64_t MemoryBytes() const override {
    int64_t bytes = 0;
    for (const auto& column : columns_) bytes += column.MemoryBytes();
    return bytes;
  }

 private:
  const WindowGrid& grid_;
  const Evaluate evaluate_;
  std::vector<IntervalColumn<Cell>> columns_;
};

template <typename Cell, typename Evaluate>
std::unique_ptr<WindowAccumulator> MakeCells(const WindowGrid& grid, Evaluate evaluate) {
  return std::make_unique<CellAccumulator<Cell, Evaluate>>(grid, evaluate);
}

// ---- Samples: quantiles, counter rates ----------------------------------------------------------

// A value and its interval, all that a quantile needs.
struct PlacedValue {
  uint32_t interval;
  double value;
};

template <typename Sample>
class SampleColumns {
 public:
  void Add(uint32_t series, const Sample& sample) {
    if (series >= columns_.size()) columns_.resize(series + 1);
    columns_[series].push_back(sample);
  }
  void MergeFrom(SampleColumns* other, std::span<const uint32_t> series_map) {
    for (size_t i = 0; i < other->columns_.size(); ++i) {
      const uint32_t series = series_map[i];
      if (series >= columns_.size()) columns_.resize(series + 1);
      auto& from = other->columns_[i];
      auto& to = columns_[series];
      if (to.empty()) {
        to = std::move(from);
      } else {
        to.insert(to.end(), from.begin(), from.end());
      }
      from = {};
    }
  }
  std::vector<Sample> Take(uint32_t series) {
    return series < columns_.size() ? std::move(columns_[series]) : std::vector<Sample>();
  }
  int64_t MemoryBytes() const {
    int64_t bytes = 0;
    for (const auto& column : columns_) {
      bytes += static_cast<int64_t>(sizeof(column) + column.capacity() * sizeof(Sample));
    }
    return bytes;
  }

 private:
  std::vector<std::vector<Sample>> columns_;
};

class QuantileAccumulator final : public WindowAccumulator {
 public:
  QuantileAccumulator(double phi, const WindowGrid& grid) : phi_(phi), grid_(grid) {}

  void AddRows(uint32_t, uint32_t, uint64_t, uint64_t) override { VARVE_CHECK(false); }
  void AddValue(uint32_t series, uint32_t interval, const RowValue& value) override {
    columns_.Add(series, {interval, value.value});
  }
  void MergeFrom(WindowAccumulator& other, std::span<const uint32_t> series_map) override {
    columns_.MergeFrom(&static_cast<QuantileAccumulator&>(other).columns_, series_map);
  }

  void Finish(uint32_t series, std::vector<StepPoint>* out) override {
    std::vector<PlacedValue> samples = columns_.Take(series);
    if (samples.empty()) return;
    std::sort(samples.begin(), samples.end(),
              [](const PlacedValue& a, const PlacedValue& b) { return a.interval < b.interval; });
    size_t begin = 0, end = 0;
    std::vector<double> window;
    const uint32_t last_step = grid_.StepsOf(samples.back().interval).last;
    for (uint32_t step = grid_.StepsOf(samples.front().interval).first; step <= last_step; ++step) {
      while (end < samples.size() && samples[end].interval < grid_.WindowEnd(step)) ++end;
      while (begin < end && samples[begin].interval < grid_.WindowBegin(step)) ++begin;
      if (begin == end) {
        step = grid_.StepsOf(samples[end].interval).first - 1;  // nothing until the next; there is one
        continue;
      }
      window.clear();
      for (size_t i = begin; i < end; ++i) window.push_back(samples[i].value);
      out->push_back({step, Quantile(phi_, window)});
    }
  }

  int64_t MemoryBytes() const override { return columns_.MemoryBytes(); }

 private:
  const double phi_;
  const WindowGrid& grid_;
  SampleColumns<PlacedValue> columns_;
};

class CounterRateAccumulator final : public WindowAccumulator {
 public:
  explicit CounterRateAccumulator(const WindowGrid& grid) : grid_(grid) {}

  void AddRows(uint32_t, uint32_t, uint64_t, uint64_t) override { VARVE_CHECK(false); }
  void AddValue(uint32_t series, uint32_t, const RowValue& value) override { columns_.Add(series, value); }
  void MergeFrom(WindowAccumulator& other, std::span<const uint32_t> series_map) override {
    columns_.MergeFrom(&static_cast<CounterRateAccumulator&>(other).columns_, series_map);
  }

  void Finish(uint32_t series, std::vector<StepPoint>* out) override {
    std::vector<RowValue> samples = columns_.Take(series);
    if (samples.empty()) return;
    std::sort(samples.begin(), samples.end(), [](const RowValue& a, const RowValue& b) {
      return EdgeCell<true>::Order(a) < EdgeCell<true>::Order(b);
    });
    size_t begin = 0, end = 0;
    const uint32_t last_step = grid_.StepsOf(grid_.Locate(samples.back().ts_ns).index).last;
    for (uint32_t step = grid_.StepsOf(grid_.Locate(samples.front().ts_ns).index).first; step <= last_step;
         ++step) {
      while (end < samples.size() && samples[end].ts_ns <= grid_.UpperNs(step)) ++end;
      while (begin < end && samples[begin].ts_ns <= grid_.LowerNs(step)) ++begin;
      if (begin == end) continue;
      const std::span<const RowValue> window(samples.data() + begin, end - begin);
      out->push_back({step, CounterRate(window, grid_.LowerNs(step), grid_.UpperNs(step))});
    }
  }

  int64_t MemoryBytes() const override { return columns_.MemoryBytes(); }

 private:
  const WindowGrid& grid_;
  SampleColumns<RowValue> columns_;
};

}  // namespace

void WindowAccumulator::AddText(uint32_t, uint32_t, uint64_t) { VARVE_CHECK(false); }

bool AggregatesTexts(RangeOp op) { return op == RangeOp::kCountDistinctOverTime; }

bool AggregatesRows(const logql::RangeAggregation& aggregation) {
  return !aggregation.range.unwrap.has_value();
}

bool AggregatesBytes(RangeOp op) { return op == RangeOp::kBytesOverTime || op == RangeOp::kBytesRate; }

Result<std::unique_ptr<WindowAccumulator>> WindowAccumulator::Create(
    const logql::RangeAggregation& aggregation, const WindowGrid& grid) {
  const int64_t range_ns = aggregation.range.range_ns;
  const double seconds = static_cast<double>(range_ns) / kNsPerSecondReal;
  if (AggregatesRows(aggregation)) {
    switch (aggregation.op) {
      case RangeOp::kCountOverTime:
      case RangeOp::kRate:
      case RangeOp::kBytesOverTime:
      case RangeOp::kBytesRate:
      case RangeOp::kAbsentOverTime:
        return std::unique_ptr<WindowAccumulator>(
            std::make_unique<TallyAccumulator>(aggregation.op, range_ns, grid));
      default: break;
    }
    return InvalidArgument("parse error : invalid aggregation " + std::string(RangeOpName(aggregation.op)) +
                           " without unwrap");
  }
  switch (aggregation.op) {
    case RangeOp::kSumOverTime:
      return MakeCells<SumCell>(grid, [](const SumCell& c) { return c.sum.Value(); });
    case RangeOp::kRate:
      return MakeCells<SumCell>(grid, [seconds](const SumCell& c) { return c.sum.Value() / seconds; });
    case RangeOp::kAvgOverTime:
      return MakeCells<SumCell>(grid,
                                [](const SumCell& c) { return c.sum.Value() / static_cast<double>(c.rows); });
    case RangeOp::kAbsentOverTime:
      return MakeCells<SumCell>(grid, [](const SumCell& c) { return static_cast<double>(c.rows); });
    case RangeOp::kMinOverTime:
      return MakeCells<ExtremeCell<false>>(grid, [](const ExtremeCell<false>& c) { return c.value; });
    case RangeOp::kMaxOverTime:
      return MakeCells<ExtremeCell<true>>(grid, [](const ExtremeCell<true>& c) { return c.value; });
    case RangeOp::kStdvarOverTime:
      return MakeCells<MomentCell>(grid, [](const MomentCell& c) { return c.Variance(); });
    case RangeOp::kStddevOverTime:
      return MakeCells<MomentCell>(grid, [](const MomentCell& c) { return std::sqrt(c.Variance()); });
    case RangeOp::kFirstOverTime:
      return MakeCells<EdgeCell<false>>(grid, [](const EdgeCell<false>& c) { return c.row.value; });
    case RangeOp::kLastOverTime:
      return MakeCells<EdgeCell<true>>(grid, [](const EdgeCell<true>& c) { return c.row.value; });
    case RangeOp::kQuantileOverTime:
      return std::unique_ptr<WindowAccumulator>(
          std::make_unique<QuantileAccumulator>(aggregation.parameter.value_or(kNotANumber), grid));
    case RangeOp::kRateCounter:
      return std::unique_ptr<WindowAccumulator>(std::make_unique<CounterRateAccumulator>(grid));
    case RangeOp::kCountDistinctOverTime:
      return std::unique_ptr<WindowAccumulator>(std::make_unique<DistinctAccumulator>(grid));
    case RangeOp::kCountOverTime:
    case RangeOp::kBytesOverTime:
    case RangeOp::kBytesRate: break;
  }
  return InvalidArgument("parse error : invalid aggregation " + std::string(RangeOpName(aggregation.op)) +
                         " with unwrap");
}

double Quantile(double phi, std::span<double> values) {
  if (values.empty() || std::isnan(phi)) return kNotANumber;
  if (phi < 0) return -std::numeric_limits<double>::infinity();
  if (phi > 1) return std::numeric_limits<double>::infinity();
  const auto less = [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; };
  const double rank = phi * static_cast<double>(values.size() - 1);
  const double floor = std::floor(rank);
  const auto lower = static_cast<size_t>(floor);
  const double weight = rank - floor;
  const auto at = values.begin() + static_cast<ptrdiff_t>(lower);
  std::nth_element(values.begin(), at, values.end(), less);
  const double low = *at;
  if (lower + 1 >= values.size()) return low;
  const double high = *std::min_element(at + 1, values.end(), less);
  return low * (1 - weight) + high * weight;
}

double CounterRate(std::span<const RowValue> samples, int64_t lower_ns, int64_t upper_ns) {
  if (samples.size() < 2) return 0;
  double increase = samples.back().value - samples.front().value;
  for (size_t i = 1; i < samples.size(); ++i) {
    if (samples[i].value < samples[i - 1].value) increase += samples[i - 1].value;  // the counter was reset
  }
  const auto seconds = [](int64_t from_ns, int64_t to_ns) {
    return static_cast<double>(to_ns - from_ns) / kNsPerSecondReal;
  };
  const double sampled = seconds(samples.front().ts_ns, samples.back().ts_ns);
  if (sampled == 0) return 0;
  const double spacing = sampled / static_cast<double>(samples.size() - 1);
  // A gap at an edge that is not longer than usual means that the counter goes on there; a longer one means
  // that it began or ended within the window, on average half a spacing beyond its samples.
  const double threshold = spacing * 1.1;
  double to_start = seconds(lower_ns, samples.front().ts_ns);
  double to_end = seconds(samples.back().ts_ns, upper_ns);
  if (to_start >= threshold) to_start = spacing / 2;
  if (to_end >= threshold) to_end = spacing / 2;
  // A counter is never negative: it cannot have begun before it was zero.
  if (increase > 0 && samples.front().value >= 0) {
    to_start = std::min(to_start, sampled * (samples.front().value / increase));
  }
  const double extrapolated = increase * ((sampled + to_start + to_end) / sampled);
  return extrapolated / seconds(lower_ns, upper_ns);
}

}  // namespace varve
