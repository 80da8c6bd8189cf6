#include "http/tail_group.h"

#include <algorithm>
#include <limits>

#include "query/logql/row_labels.h"

namespace varve {
namespace {

// Entries without room that are remembered; what the clients are told of is no more.
constexpr size_t kDroppedMax = 1000;

}  // namespace

Result<std::shared_ptr<TailGroup>> TailGroup::Make(uint64_t number, std::string tenant,
                                                   const logql::LogSelector& selector, TailForm form,
                                                   std::chrono::milliseconds delay, MemoryBudget* budget) {
  VARVE_ASSIGN_OR_RETURN(auto pipeline,
                         logql::Pipeline::Compile(selector.stages, std::nullopt, logql::LabelNeeds()));
  return std::make_shared<TailGroup>(number, std::move(tenant), selector.matchers, std::move(pipeline), form,
                                     delay, budget);
}

TailGroup::TailGroup(uint64_t number_in, std::string tenant_in, std::vector<Matcher> matchers,
                     std::unique_ptr<const logql::Pipeline> pipeline, TailForm form_in,
                     std::chrono::milliseconds delay, MemoryBudget* budget)
    : number(number_in),
      tenant(std::move(tenant_in)),
      form(form_in),
      matchers_(std::move(matchers)),
      pipeline_(std::move(pipeline)),
      delay_(delay),
      budget_(budget),
      runner_(*pipeline_),
      encoder_(form_in) {}

TailGroup::~TailGroup() {
  for (const Waiting& one : waiting_) budget_->Release(one.bytes);
}

void TailGroup::Process(const TailBatch& batch, const TailBatch::Part& part, const Labels& stream,
                        const std::vector<uint64_t>& identities, const std::vector<bool>& repeated,
                        uint64_t arrival, SteadyTime now) {
  selection_.clear();
  pipeline_->SelectLines(batch.columns, part.row_begin, part.row_end, &selection_);
  if (selection_.empty()) return;
  runner_.SetStream(stream);
  for (const uint32_t row : selection_) {
    const uint32_t i = row - part.row_begin;
    if (repeated[i]) continue;
    const int64_t ts_ns = batch.columns.timestamps_ns[row];
    const std::string_view metadata = batch.columns.Metadata(row);
    if (!runner_.Process(ts_ns, batch.columns.Line(row), metadata)) continue;
    TailEntry entry = encoder_.Encode(part.stream, ts_ns, runner_.line(), runner_.labels(), metadata);
    entry.identity = identities[i];
    entry.arrival = arrival + i;
    Add(std::move(entry), now);
  }
}

void TailGroup::Add(TailEntry entry, SteadyTime now) {
  const int64_t bytes = entry.MemoryBytes();
  if (!budget_->Reserve(bytes).ok()) {
    if (dropped_.size() < kDroppedMax) {
      entry.value.clear();
      dropped_.push_back(std::move(entry));
    }
    return;
  }
  if (delay_.count() != 0) arrivals_.emplace_back(now, entry.ts_ns);
  waiting_.push_back({std::move(entry), bytes});
}

TailGroup::Ready TailGroup::TakeReady(SteadyTime now) {
  Ready ready;
  ready.dropped.swap(dropped_);
  int64_t through_ns = std::numeric_limits<int64_t>::max();
  if (delay_.count() != 0) {
    if (arrivals_.empty() || arrivals_.front().first + delay_ > now) return ready;
    through_ns = std::numeric_limits<int64_t>::min();
    for (; !arrivals_.empty() && arrivals_.front().first + delay_ <= now; arrivals_.pop_front()) {
      through_ns = std::max(through_ns, arrivals_.front().second);
    }
  }
  std::vector<TailEntry> entries;
  const auto stays = [through_ns](const Waiting& one) { return one.entry.ts_ns > through_ns; };
  const auto first_ready = std::stable_partition(waiting_.begin(), waiting_.end(), stays);
  for (auto it = first_ready; it != waiting_.end(); ++it) {
    budget_->Release(it->bytes);
    entries.push_back(std::move(it->entry));
  }
  waiting_.erase(first_ready, waiting_.end());
  std::stable_sort(entries.begin(), entries.end(),
                   [](const TailEntry& a, const TailEntry& b) { return a.ts_ns < b.ts_ns; });
  ForEachFrame(entries, [&](size_t begin, size_t end) {
    auto frame = TailFrame::Make(form, entries, begin, end, budget_);
    if (frame.ok()) return ready.frames.push_back(std::move(*frame));
    for (size_t i = begin; i < end; ++i) ready.dropped.push_back(std::move(entries[i]));
  });
  return ready;
}

TailGroup::SteadyTime TailGroup::NextReady() const {
  return arrivals_.empty() ? SteadyTime::max() : arrivals_.front().first + delay_;
}

std::shared_ptr<const std::string> TailGroup::StreamName(const Labels& stream) const {
  logql::RowLabels labels;
  labels.Reset(stream, {});
  return TailEncoder(form).Encode(0, 0, {}, labels, {}).labels;
}

}  // namespace varve
