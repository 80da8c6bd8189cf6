#include "http/tail_frame.h"

#include <xxhash.h>

#include <utility>

#include "engine/base/json_writer.h"
#include "http/legacy_api.h"

namespace varve {
namespace {

// What an object needs besides labels and values, at most.
constexpr size_t kObjectBytes = 32;

}  // namespace

uint64_t TailIdentity(StreamOrdinal stream, int64_t ts_ns, std::string_view line, std::string_view metadata) {
  const uint64_t head[] = {stream, static_cast<uint64_t>(ts_ns), XXH3_64bits(line.data(), line.size()),
                           XXH3_64bits(metadata.data(), metadata.size()), line.size()};
  return XXH3_64bits(head, sizeof(head));
}

// ---- Frames -----------------------------------------------------------------------------------------

Result<std::shared_ptr<const TailFrame>> TailFrame::Make(TailForm form, const std::vector<TailEntry>& entries,
                                                         size_t begin, size_t end, MemoryBudget* budget) {
  auto frame = std::make_shared<TailFrame>(form, budget);
  size_t bytes = 0;
  for (size_t i = begin; i < end; ++i)
    bytes += entries[i].value.size() + entries[i].labels->size() + kObjectBytes;
  const auto reserved = static_cast<int64_t>(bytes + (end - begin) * sizeof(Place) + sizeof(TailFrame));
  VARVE_RETURN_IF_ERROR(budget->Reserve(reserved));
  frame->bytes_ = reserved;
  frame->body_.reserve(bytes);
  frame->places_.reserve(end - begin);
  for (size_t i = begin; i < end; ++i) {
    const TailEntry& entry = entries[i];
    frame->Add({entry.ts_ns, entry.identity, entry.arrival, entry.labels, 0, 0}, entry.value);
  }
  frame->Finish();
  return std::shared_ptr<const TailFrame>(std::move(frame));
}

std::shared_ptr<const TailFrame> TailFrame::Without(const std::shared_ptr<const TailFrame>& frame,
                                                    const std::function<bool(const Place&)>& seen) {
  std::vector<const Place*> left;
  for (const Place& place : frame->places_) {
    if (!seen(place)) left.push_back(&place);
  }
  if (left.size() == frame->places_.size()) return frame;
  if (left.empty()) return nullptr;
  auto out = std::make_shared<TailFrame>(frame->form_, frame->budget_);
  out->bytes_ = frame->bytes_;
  frame->budget_->ForceReserve(out->bytes_);
  for (const Place* place : left) {
    out->Add(*place, std::string_view(frame->body_).substr(place->begin, place->size));
  }
  out->Finish();
  return out;
}

void TailFrame::Add(const Place& place, std::string_view value) {
  const bool legacy = form_ == TailForm::kLegacy;
  const bool same =
      !places_.empty() && (places_.back().labels == place.labels || *places_.back().labels == *place.labels);
  if (same) {
    body_.push_back(',');
  } else {
    if (!places_.empty()) body_.append("]},");
    body_.append(legacy ? "{\"labels\":" : "{\"stream\":").append(*place.labels);
    body_.append(legacy ? ",\"entries\":[" : ",\"values\":[");
  }
  places_.push_back(place);
  if (same) places_.back().labels = places_[places_.size() - 2].labels;
  places_.back().begin = static_cast<uint32_t>(body_.size());
  places_.back().size = static_cast<uint32_t>(value.size());
  body_.append(value);
}

void TailFrame::Finish() {
  if (!places_.empty()) body_.append("]}");
}

void ForEachFrame(const std::vector<TailEntry>& entries, const std::function<void(size_t, size_t)>& fn) {
  size_t begin = 0, bytes = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    const size_t more = entries[i].value.size() + entries[i].labels->size() + kObjectBytes;
    if (i != begin && (i - begin == TailFrame::kEntriesMax || bytes + more > TailFrame::kBytesMax)) {
      fn(begin, i);
      begin = i;
      bytes = 0;
    }
    bytes += more;
  }
  if (begin != entries.size()) fn(begin, entries.size());
}

// ---- Encoding ---------------------------------------------------------------------------------------

TailEntry TailEncoder::Encode(StreamOrdinal stream, int64_t ts_ns, std::string_view line,
                              const logql::RowLabels& labels, std::string_view stored_metadata) {
  const bool same = reusable_ && !labels.modified() && !labels.has_error() && labels_stream_ == stream &&
                    labels_metadata_ == stored_metadata;
  if (!same || form_ == TailForm::kCategorized) writer_.SetRow(labels);
  if (!same) {
    scratch_.clear();
    if (form_ == TailForm::kMerged) {
      writer_.AppendMerged(&scratch_);
    } else if (form_ == TailForm::kCategorized) {
      writer_.AppendStream(&scratch_);
    } else {
      std::string text;
      writer_.AppendSelectorText(&text);
      AppendJsonString(&scratch_, text);
    }
    if (labels_ == nullptr || *labels_ != scratch_) labels_ = std::make_shared<const std::string>(scratch_);
    reusable_ = !labels.modified() && !labels.has_error();
    labels_stream_ = stream;
    labels_metadata_ = stored_metadata;
  }
  TailEntry entry;
  entry.ts_ns = ts_ns;
  entry.labels = labels_;
  std::string& value = entry.value;
  value.reserve(line.size() + 48);
  if (form_ == TailForm::kLegacy) {
    value.append("{\"ts\":\"").append(Rfc3339NanoText(ts_ns)).append("\",\"line\":");
    AppendJsonString(&value, line);
    value.push_back('}');
    return entry;
  }
  value.append("[\"");
  AppendInt(&value, ts_ns);
  value.append("\",");
  AppendJsonString(&value, line);
  if (form_ == TailForm::kCategorized) {
    value.push_back(',');
    writer_.AppendCategories(&value);
  }
  value.push_back(']');
  return entry;
}

}  // namespace varve
