#include "query/promql/eval/sample_tracker.h"

namespace varve::promql {

Status TooManySamples() {
  return ExecutionError("query processing would load too many samples into memory in query execution");
}

Status SampleTracker::Take(uint64_t samples, int64_t bytes) {
  if (samples_max_ != 0 && held_ + samples > samples_max_) return TooManySamples();
  VARVE_RETURN_IF_ERROR(budget_->Reserve(bytes));
  held_ += samples;
  peak_ = std::max(peak_, held_);
  return Status::Ok();
}

void SampleTracker::Release(uint64_t samples, int64_t bytes) {
  held_ -= samples;
  budget_->Release(bytes);
}

Status SampleTracker::Pass(uint64_t samples) {
  if (samples_max_ != 0 && held_ + samples > samples_max_) return TooManySamples();
  NotePeak(samples);
  return Status::Ok();
}

Charge& Charge::operator=(Charge&& other) noexcept {
  if (this == &other) return *this;
  Clear();
  tracker_ = other.tracker_;
  samples_ = std::exchange(other.samples_, 0);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

Status Charge::Add(uint64_t samples, int64_t bytes) {
  VARVE_RETURN_IF_ERROR(tracker_->Take(samples, bytes));
  samples_ += samples;
  bytes_ += bytes;
  return Status::Ok();
}

void Charge::Clear() {
  if (samples_ != 0 || bytes_ != 0) tracker_->Release(samples_, bytes_);
  samples_ = 0;
  bytes_ = 0;
}

}  // namespace varve::promql
