#include "ingest/stream_resolution.h"

#include <utility>
#include <vector>

#include "ingest/stream_labels.h"

namespace varve {

Status StreamResolution::Resolve(std::string_view tenant, const DecodeOptions& options,
                                 std::string_view alias_scope, const DecodedPush::Stream& raw,
                                 ByteArena* arena, PushScratch::Stream* stream) const {
  stream->key = aliases_->MakeKey(tenant, alias_scope, raw.form, raw.labels);
  stream->facts = aliases_->Find(stream->key);
  if (stream->facts != nullptr) return Status::Ok();
  VARVE_ASSIGN_OR_RETURN(Labels labels,
                         ResolveStreamLabels(raw.form, raw.labels, options.service_names(), arena));
  StreamFacts facts;
  if (options.add_detected_level()) facts.label_level = options.level_detector().FromLabels(labels);
  if (!facts.label_level.empty()) {
    std::vector<MetadataPair> pairs{{kDetectedLevel, facts.label_level}};
    EncodeMetadata(&pairs, &facts.label_level_metadata);
  }
  stream->facts = std::make_shared<const StreamFacts>(std::move(facts));
  stream->new_labels = std::make_unique<Labels>(std::move(labels));
  return Status::Ok();
}

Status StreamResolution::Intern(TenantId tenant, PushScratch::Stream* stream) const {
  if (stream->new_labels == nullptr) return Status::Ok();
  // The entries' metadata may point into the facts so far, which therefore stay alive beside the complete
  // ones.
  stream->provisional_facts = stream->facts;
  StreamFacts facts = *stream->facts;
  VARVE_ASSIGN_OR_RETURN(facts.ordinal, engine_->InternStream(tenant, *stream->new_labels));
  stream->facts = std::make_shared<const StreamFacts>(std::move(facts));
  stream->new_labels.reset();
  aliases_->Insert(stream->key, stream->facts);
  return Status::Ok();
}

const Labels& StreamResolution::LabelsOf(const PushScratch::Stream& stream) const {
  return stream.new_labels != nullptr ? *stream.new_labels : engine_->StreamLabels(stream.facts->ordinal);
}

}  // namespace varve
