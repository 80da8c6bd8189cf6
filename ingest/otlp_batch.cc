#include "ingest/otlp_batch.h"

#include <algorithm>
#include <cstring>

#include "ingest/metadata_names.h"

namespace varve {
namespace {

constexpr std::string_view kServiceNameAttribute = "service.name";
constexpr std::string_view kServiceName = "service_name";
constexpr std::string_view kUnknownService = "unknown_service";
constexpr std::string_view kSeverityText = "severity_text";

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

char* PutPart(char* out, std::string_view text) {
  uint64_t size = text.size();
  for (; size >= 0x80; size >>= 7) *out++ = static_cast<char>(size | 0x80);
  *out++ = static_cast<char>(size);
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

// Sorts by name and keeps the last of each name, if it has a value.
void TidyLabels(std::vector<MetadataPair>* labels) {
  std::stable_sort(labels->begin(), labels->end(),
                   [](const MetadataPair& a, const MetadataPair& b) { return a.first < b.first; });
  size_t kept = 0;
  for (size_t i = 0; i < labels->size(); ++i) {
    const bool last = i + 1 == labels->size() || (*labels)[i + 1].first != (*labels)[i].first;
    if (last && !(*labels)[i].second.empty()) (*labels)[kept++] = (*labels)[i];
  }
  labels->resize(kept);
}

}  // namespace

OtlpBatch::OtlpBatch(const DecodeOptions& options, int64_t received_ns, DecodedPush* out, ByteArena* arena,
                     DecodeMemory* memory)
    : rules_(options.otlp_rules()),
      service_names_(options.service_names()),
      untimed_ns_(received_ns),
      out_(out),
      arena_(arena),
      memory_(memory),
      text_(arena, memory) {}

void OtlpBatch::BeginResource() {
  resource_labels_.clear();
  resource_pairs_.clear();
  has_service_name_ = saw_service_name_ = false;
  found_service_name_ = {};
}

// service_name: the attribute service.name, wherever it goes, makes it unnecessary; else it is what the first
// label says that discover_service_name lists.
Status OtlpBatch::EndResource() {
  if (!service_names_.empty() && !has_service_name_) {
    const std::string_view name = found_service_name_.empty() ? kUnknownService : found_service_name_;
    VARVE_RETURN_IF_ERROR(PushBack(&resource_labels_, MetadataPair(kServiceName, name), memory_));
  }
  TidyLabels(&resource_labels_);
  VARVE_ASSIGN_OR_RETURN(resource_stream_, EncodeLabels(resource_labels_));
  return Status::Ok();
}

void OtlpBatch::BeginScope() { scope_pairs_.clear(); }

Status OtlpBatch::EndScope(const OtlpScope& scope) {
  const auto add = [&](std::string_view name, std::string_view value) {
    return PushBack(&scope_pairs_, MetadataPair(name, value), memory_);
  };
  if (!scope.name.empty()) VARVE_RETURN_IF_ERROR(add("scope_name", scope.name));
  if (!scope.version.empty()) VARVE_RETURN_IF_ERROR(add("scope_version", scope.version));
  if (scope.dropped_attributes_count == 0) return Status::Ok();
  VARVE_ASSIGN_OR_RETURN(const std::string_view count, text_.OfNumber(scope.dropped_attributes_count));
  return add("scope_dropped_attributes_count", count);
}

void OtlpBatch::BeginRecord() {
  record_labels_.clear();
  record_pairs_begin_ = out_->pairs.size();
}

Status OtlpBatch::EndRecord(const OtlpRecord& record) {
  const auto add = [&](std::string_view name, std::string_view value) {
    return PushBack(&out_->pairs, MetadataPair(name, value), memory_);
  };
  if (record.time_unix_nano != 0 && record.observed_time_unix_nano != 0) {
    VARVE_RETURN_IF_ERROR(
        AddNumber("observed_timestamp", static_cast<int64_t>(record.observed_time_unix_nano)));
  }
  if (record.severity_number != 0) {
    VARVE_RETURN_IF_ERROR(AddNumber("severity_number", record.severity_number));
  }
  if (!record.severity_text.empty()) {
    VARVE_RETURN_IF_ERROR(add(kSeverityText, record.severity_text));
    if (rules_.severity_text_as_label()) {
      VARVE_RETURN_IF_ERROR(
          PushBack(&record_labels_, MetadataPair(kSeverityText, record.severity_text), memory_));
    }
  }
  if (record.dropped_attributes_count != 0) {
    VARVE_RETURN_IF_ERROR(AddNumber("dropped_attributes_count", record.dropped_attributes_count));
  }
  if (record.flags != 0) VARVE_RETURN_IF_ERROR(AddNumber("flags", record.flags));
  if (!record.trace_id.empty()) VARVE_RETURN_IF_ERROR(add("trace_id", record.trace_id));
  if (!record.span_id.empty()) VARVE_RETURN_IF_ERROR(add("span_id", record.span_id));
  for (const std::vector<MetadataPair>* pairs : {&resource_pairs_, &scope_pairs_}) {
    for (const MetadataPair& pair : *pairs) VARVE_RETURN_IF_ERROR(PushBack(&out_->pairs, pair, memory_));
  }
  if (const size_t count = out_->pairs.size() - record_pairs_begin_; count != 0) {
    const DecodedPush::EntryMetadata metadata{static_cast<uint32_t>(out_->entries.size()),
                                              static_cast<uint32_t>(record_pairs_begin_),
                                              static_cast<uint32_t>(count)};
    VARVE_RETURN_IF_ERROR(PushBack(&out_->metadata, metadata, memory_));
  }
  VARVE_RETURN_IF_ERROR(OpenStream());
  ++out_->streams.back().count;
  return PushBack(&out_->entries, LogEntryView{TimeOf(record), record.line, {}}, memory_);
}

// Makes out_->streams.back() the stream of the record that ends.
Status OtlpBatch::OpenStream() {
  std::string_view labels = resource_stream_;
  if (!record_labels_.empty()) {
    merged_labels_.clear();
    for (const std::vector<MetadataPair>* part : {&resource_labels_, &record_labels_}) {
      for (const MetadataPair& label : *part)
        VARVE_RETURN_IF_ERROR(PushBack(&merged_labels_, label, memory_));
    }
    TidyLabels(&merged_labels_);
    VARVE_ASSIGN_OR_RETURN(labels, EncodeLabels(merged_labels_));
  }
  if (!out_->streams.empty() && out_->streams.back().labels == labels) return Status::Ok();
  DecodedPush::Stream stream;
  stream.labels = labels;
  stream.form = LabelForm::kCanonical;
  stream.begin = static_cast<uint32_t>(out_->entries.size());
  return PushBack(&out_->streams, stream, memory_);
}

int64_t OtlpBatch::TimeOf(const OtlpRecord& record) {
  const uint64_t time = record.time_unix_nano != 0 ? record.time_unix_nano : record.observed_time_unix_nano;
  if (time == 0) return untimed_ns_++;
  return time > static_cast<uint64_t>(INT64_MAX) ? kTimestampTooNewNs : static_cast<int64_t>(time);
}

Status OtlpBatch::AddAttribute(OtlpLevel level, std::string_view key, const OtlpValues& values) {
  if (level == OtlpLevel::kResource && key == kServiceNameAttribute) NoteServiceName(values);
  const OtlpAction action = rules_.ActionFor(level, key);
  if (action == OtlpAction::kDrop) return Status::Ok();
  return AddValue(level, action, key, values, 0);
}

// The first attribute of that name decides, and counts unless its text is empty.
void OtlpBatch::NoteServiceName(const OtlpValues& values) {
  if (saw_service_name_) return;
  saw_service_name_ = true;
  const OtlpValue& value = values[0];
  const bool text = value.kind == OtlpValue::Kind::kString || value.kind == OtlpValue::Kind::kBytes;
  has_service_name_ = text ? !value.text.empty() : value.kind != OtlpValue::Kind::kEmpty;
}

// A map becomes a pair for each of its leaves. Recursion is bounded by kOtlpValueDepthMax.
Status OtlpBatch::AddValue(OtlpLevel level, OtlpAction action, std::string_view name,
                           const OtlpValues& values, uint32_t i) {
  const OtlpValue& value = values[i];
  if (value.kind == OtlpValue::Kind::kMap) {
    for (uint32_t child = i + 1; child < value.end; child = NextOtlpValue(values, child)) {
      VARVE_ASSIGN_OR_RETURN(const std::string_view inner, Joined(name, values[child].key));
      VARVE_RETURN_IF_ERROR(AddValue(level, action, inner, values, child));
    }
    return Status::Ok();
  }
  VARVE_ASSIGN_OR_RETURN(const std::string_view text, text_.Of(values, i));
  Result<std::string_view> stored = StoredMetadataName(name, arena_);
  if (action == OtlpAction::kIndexLabel) {
    if (!stored.ok()) return std::move(stored).status().WithContext("couldn't parse labels");
    return AddLabel(level, *stored, text);
  }
  // A name that cannot be stored is refused with its entry.
  if (!stored.ok() && stored.status().code() != Code::kInvalidArgument) return std::move(stored).status();
  return AddPair(level, {stored.ok() ? *stored : name, text});
}

Status OtlpBatch::AddPair(OtlpLevel level, MetadataPair pair) {
  std::vector<MetadataPair>* const pairs = level == OtlpLevel::kResource ? &resource_pairs_
                                           : level == OtlpLevel::kScope  ? &scope_pairs_
                                                                         : &out_->pairs;
  return PushBack(pairs, pair, memory_);
}

Status OtlpBatch::AddLabel(OtlpLevel level, std::string_view name, std::string_view value) {
  if (level != OtlpLevel::kResource) return PushBack(&record_labels_, MetadataPair(name, value), memory_);
  const bool names_service =
      std::find(service_names_.begin(), service_names_.end(), name) != service_names_.end();
  if (names_service && found_service_name_.empty()) found_service_name_ = value;
  return PushBack(&resource_labels_, MetadataPair(name, value), memory_);
}

Status OtlpBatch::AddNumber(std::string_view name, int64_t number) {
  VARVE_ASSIGN_OR_RETURN(const std::string_view text, text_.OfNumber(number));
  return PushBack(&out_->pairs, MetadataPair(name, text), memory_);
}

Result<std::string_view> OtlpBatch::Joined(std::string_view prefix, std::string_view key) {
  if (prefix.empty()) return key;
  char* const out = arena_->Allocate(prefix.size() + 1 + key.size());
  if (out == nullptr) return arena_->TakeStatus();
  std::memcpy(out, prefix.data(), prefix.size());
  out[prefix.size()] = '_';
  if (!key.empty()) std::memcpy(out + prefix.size() + 1, key.data(), key.size());
  return std::string_view(out, prefix.size() + 1 + key.size());
}

Result<std::string_view> OtlpBatch::EncodeLabels(const std::vector<MetadataPair>& labels) {
  size_t size = 0;
  for (const auto& [name, value] : labels) {
    size += VarintSize(name.size()) + name.size() + VarintSize(value.size()) + value.size();
  }
  if (size == 0) return std::string_view();
  char* const begin = arena_->Allocate(size);
  if (begin == nullptr) return arena_->TakeStatus();
  char* out = begin;
  for (const auto& [name, value] : labels) out = PutPart(PutPart(out, name), value);
  return std::string_view(begin, size);
}

}  // namespace varve
