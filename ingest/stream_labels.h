// From a stream's labels as they came to the label set that identifies it.
//
// Labels are parsed, sorted, freed of empty values and given a service_name: the first non-empty of the
// configured labels, else unknown_service; OTLP's have theirs already.
// Threads: thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/labels.h"
#include "ingest/byte_arena.h"
#include "ingest/decoded_push.h"
#include "ingest/limits.h"
#include "ingest/write_path.h"

namespace varve {

// The most bytes the labels of one stream may take on the wire.
inline constexpr size_t kStreamLabelBytesMax = 16 << 20;

// `service_names`: where service_name is taken from; empty = it is not added. Duplicate names stay, side by
// side. kInvalidArgument "couldn't parse labels: 1:3: parse error: …"; kTooLarge.
Result<Labels> ResolveStreamLabels(LabelForm form, std::string_view raw,
                                   const std::vector<std::string>& service_names, ByteArena* arena);

struct LabelRejection {
  DiscardReason reason;
  std::string text;
};
// Why a stream with these labels is refused, if it is.
std::optional<LabelRejection> CheckStreamLabels(std::string_view tenant, const Labels& labels,
                                                const IngestLimits& limits);
// Bytes that are equal where CheckStreamLabels answers the same under two limits.
std::string LabelLimitsKey(const IngestLimits& limits);

}  // namespace varve
