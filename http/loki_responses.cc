#include "http/loki_responses.h"

#include <algorithm>
#include <map>

#include "engine/base/json_writer.h"

namespace varve {
namespace {

void AppendKey(std::string_view key, std::string* out) {
  out->push_back('"');
  out->append(key).append("\":");
}

// ---- Streams ----------------------------------------------------------------------------------------

// base ∪ more; on equal names `more` wins. Both sorted by name.
LabelPairs MergeLabels(const LabelPairs& base, const LabelPairs& more) {
  LabelPairs out;
  out.reserve(base.size() + more.size());
  auto b = base.begin();
  auto m = more.begin();
  while (b != base.end() || m != more.end()) {
    if (m == more.end() || (b != base.end() && b->first < m->first)) {
      out.push_back(*b++);
      continue;
    }
    if (b != base.end() && b->first == m->first) ++b;
    out.push_back(*m++);
  }
  return out;
}

bool IsForward(const Streams& streams) {
  for (const ResultStream& stream : streams.streams) {
    if (stream.entries.size() < 2 || stream.entries.front().ts_ns == stream.entries.back().ts_ns) continue;
    return stream.entries.front().ts_ns < stream.entries.back().ts_ns;
  }
  return true;
}

void AppendEntryHead(const ResultEntry& entry, std::string* out) {
  out->append("[\"");
  AppendInt(out, entry.ts_ns);
  out->append("\",");
  AppendJsonString(out, entry.line);
}

void AppendCategorized(const Streams& streams, std::string* out) {
  bool first_stream = true;
  for (const ResultStream& stream : streams.streams) {
    out->append(first_stream ? "{\"stream\":" : ",{\"stream\":");
    first_stream = false;
    AppendLabelsJson(stream.labels, out);
    out->append(",\"values\":[");
    for (size_t i = 0; i < stream.entries.size(); ++i) {
      const ResultEntry& entry = stream.entries[i];
      if (i != 0) out->push_back(',');
      AppendEntryHead(entry, out);
      out->append(",{");
      if (!entry.metadata.empty()) {
        AppendKey("structuredMetadata", out);
        AppendLabelsJson(entry.metadata, out);
      }
      if (!entry.parsed.empty()) {
        if (!entry.metadata.empty()) out->push_back(',');
        AppendKey("parsed", out);
        AppendLabelsJson(entry.parsed, out);
      }
      out->append("}]");
    }
    out->append("]}");
  }
}

void AppendMerged(const Streams& streams, std::string* out) {
  bool first_stream = true;
  for (const MergedStream& stream : MergeCategories(streams)) {
    out->append(first_stream ? "{\"stream\":" : ",{\"stream\":");
    first_stream = false;
    AppendLabelsJson(stream.labels, out);
    out->append(",\"values\":[");
    for (size_t i = 0; i < stream.entries.size(); ++i) {
      if (i != 0) out->push_back(',');
      AppendEntryHead(*stream.entries[i], out);
      out->push_back(']');
    }
    out->append("]}");
  }
}

// ---- Metrics ----------------------------------------------------------------------------------------

void AppendPoint(const Point& point, std::string* out) {
  out->push_back('[');
  AppendMillisAsSeconds(out, point.t_ms);
  out->append(",\"");
  AppendGoFloat(out, point.value);
  out->append("\"]");
}

void AppendMatrix(const std::vector<ResultSeries>& series, std::string* out) {
  for (size_t s = 0; s < series.size(); ++s) {
    out->append(s == 0 ? "{\"metric\":" : ",{\"metric\":");
    AppendLabelsJson(series[s].labels, out);
    out->append(",\"values\":[");
    for (size_t i = 0; i < series[s].points.size(); ++i) {
      if (i != 0) out->push_back(',');
      AppendPoint(series[s].points[i], out);
    }
    out->append("]}");
  }
}

void AppendVector(const std::vector<ResultSeries>& series, std::string* out) {
  bool first = true;
  for (const ResultSeries& one : series) {
    if (one.points.empty()) continue;
    out->append(first ? "{\"metric\":" : ",{\"metric\":");
    first = false;
    AppendLabelsJson(one.labels, out);
    out->append(",\"value\":");
    AppendPoint(one.points.front(), out);
    out->push_back('}');
  }
}

// ---- Statistics -------------------------------------------------------------------------------------

// Writes "name":value pairs of one object.
class StatsObject {
 public:
  explicit StatsObject(std::string* out) : out_(out) { out_->push_back('{'); }
  void Number(std::string_view name, uint64_t value) {
    Name(name);
    AppendUint(out_, value);
  }
  void Seconds(std::string_view name, double value) {
    Name(name);
    AppendJsonNumber(out_, value);
  }
  void False(std::string_view name) {
    Name(name);
    out_->append("false");
  }
  void Zeros(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) Number(name, 0);
  }
  // A key whose value the caller writes.
  void Name(std::string_view name) {
    if (!first_) out_->push_back(',');
    first_ = false;
    AppendKey(name, out_);
  }
  void End() { out_->push_back('}'); }

 private:
  std::string* const out_;
  bool first_ = true;
};

// What one kind of store contributed: heads to "ingester", packs to "querier".
struct StoreShare {
  uint64_t chunks = 0, chunks_loaded = 0;
  uint64_t head_bytes = 0, head_lines = 0;
  uint64_t decompressed_bytes = 0, decompressed_lines = 0, compressed_bytes = 0;
  uint64_t duplicates = 0, lines_after_filters = 0, metadata_bytes = 0;
};

void AppendStore(const StoreShare& share, std::string* out) {
  StatsObject store(out);
  store.Number("totalChunksRef", share.chunks);
  store.Number("totalChunksDownloaded", share.chunks_loaded);
  store.Number("chunksDownloadTime", 0);
  store.False("queryReferencedStructuredMetadata");
  store.False("queryUsedV2Engine");
  store.Name("chunk");
  StatsObject chunk(out);
  chunk.Number("headChunkBytes", share.head_bytes);
  chunk.Number("headChunkLines", share.head_lines);
  chunk.Number("decompressedBytes", share.decompressed_bytes);
  chunk.Number("decompressedLines", share.decompressed_lines);
  chunk.Number("compressedBytes", share.compressed_bytes);
  chunk.Number("totalDuplicates", share.duplicates);
  chunk.Number("postFilterLines", share.lines_after_filters);
  chunk.Number("headChunkStructuredMetadataBytes", 0);
  chunk.Number("decompressedStructuredMetadataBytes", share.metadata_bytes);
  chunk.End();
  store.Zeros({"chunkRefsFetchTime", "congestionControlLatency", "pipelineWrapperFilteredLines"});
  store.Name("dataobj");
  StatsObject dataobj(out);
  dataobj.Zeros({"prePredicateDecompressedRows", "prePredicateDecompressedBytes",
                 "prePredicateDecompressedStructuredMetadataBytes", "postPredicateRows",
                 "postPredicateDecompressedBytes", "postPredicateStructuredMetadataBytes", "postFilterRows",
                 "pagesScanned", "pagesDownloaded", "pagesDownloadedBytes", "pageBatches",
                 "totalRowsAvailable", "totalPageDownloadTime"});
  dataobj.End();
  store.End();
}

void AppendResultCache(const ResultCacheStats& stats, std::string* out) {
  StatsObject result(out);
  result.Number("entriesFound", stats.entries_found);
  result.Number("entriesRequested", stats.entries_requested);
  result.Number("entriesStored", stats.entries_stored);
  result.Number("bytesReceived", stats.bytes_received);
  result.Number("bytesSent", stats.bytes_sent);
  result.Number("requests", stats.requests);
  result.Number("downloadTime", 0);
  result.Number("queryLengthServed", static_cast<uint64_t>(stats.length_served_ns));
  result.End();
}

void AppendSummary(const QueryStats& stats, std::string* out) {
  const auto per_second = [&](uint64_t count) {
    return stats.exec_seconds > 0 ? static_cast<uint64_t>(static_cast<double>(count) / stats.exec_seconds)
                                  : 0;
  };
  StatsObject summary(out);
  summary.Number("bytesProcessedPerSecond", per_second(stats.bytes_processed));
  summary.Number("linesProcessedPerSecond", per_second(stats.lines_processed));
  summary.Number("totalBytesProcessed", stats.bytes_processed);
  summary.Number("totalLinesProcessed", stats.lines_processed);
  summary.Seconds("execTime", stats.exec_seconds);
  summary.Zeros({"queueTime", "subqueries"});
  summary.Number("totalEntriesReturned", stats.entries_returned);
  summary.Zeros({"splits", "shards"});
  summary.Number("totalPostFilterLines", stats.lines_after_filters);
  summary.Number("totalStructuredMetadataBytesProcessed", stats.metadata_bytes_processed);
  summary.End();
}

}  // namespace

EncodingFlags EncodingFlags::Parse(std::string_view header) {
  EncodingFlags flags;
  while (!header.empty()) {
    const size_t comma = std::min(header.find(','), header.size());
    flags.as_sent.emplace_back(header.substr(0, comma));
    flags.categorize_labels |= flags.as_sent.back() == "categorize-labels";
    header.remove_prefix(std::min(comma + 1, header.size()));
  }
  return flags;
}

void AppendLabelsJson(const LabelPairs& labels, std::string* out) {
  out->push_back('{');
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i != 0) out->push_back(',');
    AppendJsonString(out, labels[i].first);
    out->push_back(':');
    AppendJsonString(out, labels[i].second);
  }
  out->push_back('}');
}

std::vector<MergedStream> MergeCategories(const Streams& streams) {
  struct Group {
    std::vector<const ResultEntry*> entries;
    size_t last_stream = 0;
    bool joined = false;  // fed by more than one stream
  };
  std::map<LabelPairs, Group> groups;
  for (size_t s = 0; s < streams.streams.size(); ++s) {
    const ResultStream& stream = streams.streams[s];
    Group* group = nullptr;
    const ResultEntry* previous = nullptr;
    for (const ResultEntry& entry : stream.entries) {
      // Neighbours tend to have equal labels; only a change costs a look-up.
      if (previous == nullptr || entry.metadata != previous->metadata || entry.parsed != previous->parsed) {
        group = &groups[MergeLabels(MergeLabels(stream.labels, entry.metadata), entry.parsed)];
        group->joined |= !group->entries.empty() && group->last_stream != s;
        group->last_stream = s;
      }
      previous = &entry;
      group->entries.push_back(&entry);
    }
  }
  const bool forward = IsForward(streams);
  for (auto& [labels, group] : groups) {
    if (!group.joined) continue;
    std::stable_sort(group.entries.begin(), group.entries.end(),
                     [forward](const ResultEntry* a, const ResultEntry* b) {
                       return forward ? a->ts_ns < b->ts_ns : a->ts_ns > b->ts_ns;
                     });
  }
  std::vector<MergedStream> out;
  out.reserve(groups.size());
  while (!groups.empty()) {
    auto node = groups.extract(groups.begin());
    out.push_back({std::move(node.key()), std::move(node.mapped().entries)});
  }
  return out;
}

void AppendLokiStats(const QueryStats& stats, std::string* out) {
  StoreShare heads, packs;
  heads.head_bytes = stats.head_bytes;
  heads.head_lines = stats.head_lines;
  packs.chunks = stats.sources;
  packs.chunks_loaded = stats.sources_loaded;
  packs.decompressed_bytes = stats.bytes_processed - std::min(stats.bytes_processed, stats.head_bytes);
  packs.decompressed_lines = stats.lines_processed - std::min(stats.lines_processed, stats.head_lines);
  packs.compressed_bytes = stats.bytes_on_disk_read;
  packs.duplicates = stats.duplicates;
  packs.lines_after_filters = stats.lines_after_filters;
  packs.metadata_bytes = stats.metadata_bytes_processed;

  StatsObject all(out);
  all.Name("summary");
  AppendSummary(stats, out);
  all.Name("querier");
  StatsObject querier(out);
  querier.Name("store");
  AppendStore(packs, out);
  querier.Seconds("querierExecTime", stats.exec_seconds);
  querier.End();
  all.Name("ingester");
  StatsObject ingester(out);
  ingester.Number("totalReached", 1);
  ingester.Number("totalChunksMatched", 0);
  ingester.Number("totalBatches", 0);
  ingester.Number("totalLinesSent", stats.head_lines);
  ingester.Name("store");
  AppendStore(heads, out);
  ingester.Number("recvWaitTime", 0);
  ingester.End();
  all.Name("cache");
  StatsObject cache(out);
  for (const std::string_view name : {"chunk", "index", "result", "statsResult", "volumeResult",
                                      "seriesResult", "labelResult", "instantMetricResult"}) {
    cache.Name(name);
    if (name == "result") {
      AppendResultCache(stats.result_cache, out);
      continue;
    }
    StatsObject one(out);
    one.Zeros({"entriesFound", "entriesRequested", "entriesStored", "bytesReceived", "bytesSent", "requests",
               "downloadTime", "queryLengthServed"});
    one.End();
  }
  cache.End();
  all.Name("index");
  StatsObject index(out);
  index.Number("totalChunks", stats.sources);
  index.Number("postFilterChunks", stats.sources_loaded);
  index.Number("shardsDuration", 0);
  index.False("usedBloomFilters");
  index.Number("totalStreams", stats.streams);
  index.Zeros({"chunkRefsLookupTime", "bloomFilterTime"});
  index.End();
  all.End();
}

size_t EstimateJsonBytes(const QueryResult& result) {
  constexpr size_t kStatsBytes = 6 << 10;
  constexpr size_t kEntryBytes = 64;  // time stamp and punctuation
  constexpr size_t kPointBytes = 32;
  const auto labels_bytes = [](const LabelPairs& labels) {
    size_t bytes = 0;
    for (const auto& [name, value] : labels) bytes += name.size() + value.size() + 6;
    return bytes;
  };
  size_t bytes = kStatsBytes;
  const auto add_series = [&](const std::vector<ResultSeries>& series) {
    for (const ResultSeries& one : series)
      bytes += labels_bytes(one.labels) + one.points.size() * kPointBytes;
  };
  if (const auto* streams = std::get_if<Streams>(&result.data)) {
    for (const ResultStream& stream : streams->streams) {
      bytes += labels_bytes(stream.labels);
      for (const ResultEntry& entry : stream.entries) {
        bytes += entry.line.size() + kEntryBytes + labels_bytes(entry.metadata) + labels_bytes(entry.parsed);
      }
    }
  } else if (const auto* matrix = std::get_if<MatrixResult>(&result.data)) {
    add_series(matrix->series);
  } else if (const auto* vector = std::get_if<VectorResult>(&result.data)) {
    add_series(vector->series);
  }
  return bytes;
}

std::string LokiQueryJson(const QueryResult& result, const EncodingFlags& flags,
                          const std::optional<std::string>& cursor) {
  std::string out;
  out.reserve(EstimateJsonBytes(result));
  out.append("{\"status\":\"success\"");
  if (!result.warnings.empty()) {
    out.append(",\"warnings\":[");
    for (size_t i = 0; i < result.warnings.size(); ++i) {
      if (i != 0) out.push_back(',');
      AppendJsonString(&out, result.warnings[i]);
    }
    out.push_back(']');
  }
  out.append(",\"data\":{\"resultType\":");
  if (const auto* streams = std::get_if<Streams>(&result.data)) {
    out.append("\"streams\"");
    // Loki echoes the flags where they mean something: with streams.
    if (!flags.as_sent.empty()) {
      out.append(",\"encodingFlags\":[");
      for (size_t i = 0; i < flags.as_sent.size(); ++i) {
        if (i != 0) out.push_back(',');
        AppendJsonString(&out, flags.as_sent[i]);
      }
      out.push_back(']');
    }
    out.append(",\"result\":[");
    if (flags.categorize_labels) {
      AppendCategorized(*streams, &out);
    } else {
      AppendMerged(*streams, &out);
    }
    out.push_back(']');
  } else if (const auto* matrix = std::get_if<MatrixResult>(&result.data)) {
    out.append("\"matrix\",\"result\":[");
    AppendMatrix(matrix->series, &out);
    out.push_back(']');
  } else if (const auto* vector = std::get_if<VectorResult>(&result.data)) {
    out.append("\"vector\",\"result\":[");
    AppendVector(vector->series, &out);
    out.push_back(']');
  } else {
    const auto& scalar = std::get<ScalarResult>(result.data);
    out.append("\"scalar\",\"result\":");
    AppendPoint({scalar.t_ms, scalar.value}, &out);
  }
  out.append(",\"stats\":");
  AppendLokiStats(result.stats, &out);
  if (cursor.has_value()) {
    out.append(",\"cursor\":");
    AppendJsonString(&out, *cursor);
  }
  return out.append("}}\n");
}

}  // namespace varve
