// The protobuf messages of Prometheus's remote read (prom_surface 3.3), read and written field by field.
//
// Errors: kInvalidArgument. Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/metric_scan.h"
#include "engine/model/matcher.h"
#include "http/remote_read_chunks.h"

namespace varve {

// Numbers are on the wire.
enum class ReadResponseType : uint8_t { kSamples = 0, kStreamedXorChunks = 1 };

struct RemoteReadQuery {
  MetricRange range;
  std::vector<Matcher> matchers;
};

struct RemoteReadRequest {
  std::vector<RemoteReadQuery> queries;  // hints are not looked at: they may only ask for less
  ReadResponseType type = ReadResponseType::kSamples;  // the first one the client takes that there is
};

inline constexpr size_t kRemoteReadBytesMax = 32 << 20;  // decompressed
inline constexpr size_t kRemoteReadQueriesMax = 1000;
inline constexpr size_t kRemoteReadMatchersMax = 10'000;  // of all queries

// `body` is snappy-compressed, in the block format.
Result<RemoteReadRequest> DecodeRemoteRead(std::string_view body);

// A TimeSeries, as a field of a QueryResult.
void AppendTimeSeries(const PackedLabels& labels, const SeriesSamples& samples, std::string* out);
// A QueryResult, as a field of a ReadResponse.
void AppendQueryResult(std::string_view time_series, std::string* out);
std::string CompressSnappy(std::string_view plain);

// A frame of the stream: length, checksum, ChunkedReadResponse with these chunks of one series.
void AppendChunkFrame(const PackedLabels& labels, const std::vector<ReadChunk>& chunks, size_t begin, size_t end,
                      uint64_t query_index, std::string* out);
// CRC-32 with Castagnoli's polynomial.
uint32_t Crc32c(std::string_view bytes);

}  // namespace varve
