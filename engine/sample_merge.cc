#include "engine/sample_merge.h"

#include <algorithm>
#include <utility>

namespace varve {
namespace {

// Moves over the samples of one SeriesSamples in order of time, floats and histograms together.
struct Position {
  const SeriesSamples* samples;
  size_t floats = 0;
  size_t histograms = 0;

  bool AtEnd() const { return floats == samples->floats.size() && histograms == samples->histograms.size(); }
  bool IsFloat() const {
    if (floats == samples->floats.size()) return false;
    return histograms == samples->histograms.size() ||
           samples->float_ts_ms[floats] <= samples->histograms[histograms].ts_ms;
  }
  int64_t ts_ms() const { return IsFloat() ? samples->float_ts_ms[floats] : samples->histograms[histograms].ts_ms; }
  void Step() { ++(IsFloat() ? floats : histograms); }
};

int64_t StartOf(const std::vector<int64_t>& starts, size_t i) { return starts.empty() ? kNoStartMs : starts[i]; }

// Appends the sample that `at` stands on. Columns of starts follow when there are any, on either side.
void AppendSample(const Position& at, bool float_starts, bool histogram_starts, SeriesSamples* out) {
  const SeriesSamples& from = *at.samples;
  if (at.IsFloat()) {
    out->float_ts_ms.push_back(from.float_ts_ms[at.floats]);
    out->floats.push_back(from.floats[at.floats]);
    if (float_starts) out->float_starts_ms.push_back(StartOf(from.float_starts_ms, at.floats));
    return;
  }
  out->histograms.push_back(from.histograms[at.histograms]);
  if (histogram_starts) out->histogram_starts_ms.push_back(StartOf(from.histogram_starts_ms, at.histograms));
}

// Appends what is all later, of both kinds.
void AppendSamples(const SeriesSamples& from, SeriesSamples* to) {
  const auto append_starts = [](const std::vector<int64_t>& starts, size_t before, size_t count,
                                std::vector<int64_t>* out) {
    if (starts.empty() && out->empty()) return;
    out->resize(before, kNoStartMs);
    out->insert(out->end(), starts.begin(), starts.end());
    out->resize(before + count, kNoStartMs);
  };
  append_starts(from.float_starts_ms, to->floats.size(), from.floats.size(), &to->float_starts_ms);
  append_starts(from.histogram_starts_ms, to->histograms.size(), from.histograms.size(), &to->histogram_starts_ms);
  to->float_ts_ms.insert(to->float_ts_ms.end(), from.float_ts_ms.begin(), from.float_ts_ms.end());
  to->floats.insert(to->floats.end(), from.floats.begin(), from.floats.end());
  to->histograms.insert(to->histograms.end(), from.histograms.begin(), from.histograms.end());
}

int64_t FirstMs(const SeriesSamples& samples) { return Position{&samples}.ts_ms(); }

int64_t LastMs(const SeriesSamples& samples) {
  if (samples.histograms.empty()) return samples.float_ts_ms.back();
  const int64_t last_ms = samples.histograms.back().ts_ms;
  return samples.floats.empty() ? last_ms : std::max(last_ms, samples.float_ts_ms.back());
}

bool HasOnlyFloats(const SeriesSamples& samples) {
  return samples.histograms.empty() && samples.float_starts_ms.empty();
}

// Of floats without start timestamps, which nearly all are.
uint64_t MergeFloats(const SeriesSamples& newer, SeriesSamples* older) {
  SeriesSamples merged;
  const size_t total = older->floats.size() + newer.floats.size();
  merged.float_ts_ms.resize(total);
  merged.floats.resize(total);
  size_t a = 0;
  size_t b = 0;
  size_t out = 0;
  const auto take = [&](const SeriesSamples& from, size_t i) {
    merged.float_ts_ms[out] = from.float_ts_ms[i];
    merged.floats[out] = from.floats[i];
    ++out;
  };
  while (a < older->floats.size() && b < newer.floats.size()) {
    if (newer.float_ts_ms[b] < older->float_ts_ms[a]) {
      take(newer, b++);
      continue;
    }
    b += newer.float_ts_ms[b] == older->float_ts_ms[a] ? 1 : 0;
    take(*older, a++);
  }
  while (a < older->floats.size()) take(*older, a++);
  while (b < newer.floats.size()) take(newer, b++);
  merged.float_ts_ms.resize(out);
  merged.floats.resize(out);
  *older = std::move(merged);
  return total - out;
}

}  // namespace

uint64_t MergeSamples(const SeriesSamples& newer, SeriesSamples* older) {
  if (newer.empty()) return 0;
  if (older->empty() || FirstMs(newer) > LastMs(*older)) {
    AppendSamples(newer, older);
    return 0;
  }
  if (HasOnlyFloats(newer) && HasOnlyFloats(*older)) return MergeFloats(newer, older);
  const bool float_starts = !older->float_starts_ms.empty() || !newer.float_starts_ms.empty();
  const bool histogram_starts = !older->histogram_starts_ms.empty() || !newer.histogram_starts_ms.empty();
  SeriesSamples merged;
  uint64_t dropped = 0;
  Position a{older};
  Position b{&newer};
  while (!a.AtEnd() || !b.AtEnd()) {
    if (b.AtEnd() || (!a.AtEnd() && a.ts_ms() <= b.ts_ms())) {
      if (!b.AtEnd() && a.ts_ms() == b.ts_ms()) {
        b.Step();
        ++dropped;
      }
      AppendSample(a, float_starts, histogram_starts, &merged);
      a.Step();
    } else {
      AppendSample(b, float_starts, histogram_starts, &merged);
      b.Step();
    }
  }
  *older = std::move(merged);
  return dropped;
}

}  // namespace varve
