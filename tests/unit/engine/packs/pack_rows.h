// Rows for pack tests, and reading them back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/packs/pack_store.h"
#include "engine/packs/pack_writer.h"

namespace varve {

struct TestRow {
  int64_t ts_ns;
  std::string line;
  std::string metadata;
  bool operator==(const TestRow&) const = default;
};

struct TestStream {
  std::string tenant;
  uint64_t fingerprint;
  std::string labels;
  std::vector<TestRow> rows;
};

// Writes the streams as one pack.
inline Result<PackDirectory> WritePack(PackStore* store, const PackId& id, const PackWriterOptions& options,
                                       const std::vector<TestStream>& streams,
                                       uint64_t* duplicates = nullptr) {
  VARVE_ASSIGN_OR_RETURN(const auto pending, store->Begin(id));
  PackWriter writer(options, pending.get());
  for (const TestStream& stream : streams) {
    uint64_t bytes = 0;
    for (const TestRow& row : stream.rows) bytes += row.line.size();
    VARVE_RETURN_IF_ERROR(writer.AddStream(stream.fingerprint, stream.tenant, stream.labels, bytes));
    for (const TestRow& row : stream.rows) {
      VARVE_RETURN_IF_ERROR(writer.AddRow(row.ts_ns, row.line, row.metadata));
    }
  }
  auto directory = writer.Finish();
  if (duplicates != nullptr) *duplicates = writer.duplicates_dropped();
  return directory;
}

// All rows by tenant + labels, read through the stored directory.
inline Result<std::map<std::string, std::vector<TestRow>>> ReadPack(const PackStore& store,
                                                                    const PackId& id) {
  std::map<std::string, std::vector<TestRow>> rows;
  VARVE_ASSIGN_OR_RETURN(const PackDirectory directory, store.ReadDirectory(id));
  for (uint32_t b = 0; b < directory.blocks.size(); ++b) {
    VARVE_ASSIGN_OR_RETURN(const PackBytes bytes, store.ReadBlock(id, b));
    LogColumns columns;
    VARVE_RETURN_IF_ERROR(DecodeLogBlock(bytes.view, kTimestamps | kLines | kMetadata, &columns));
    for (const PackRowRange& range : directory.RangesOf(directory.blocks[b])) {
      const PackStream& stream = directory.streams[range.stream];
      auto& out = rows[directory.tenants[stream.tenant] + stream.canonical_labels];
      for (uint32_t i = range.row_begin; i < range.row_begin + range.row_count; ++i) {
        out.push_back(
            {columns.timestamps_ns[i], std::string(columns.Line(i)), std::string(columns.Metadata(i))});
      }
    }
  }
  return rows;
}

inline TestStream NumberedStream(const std::string& tenant, uint64_t fingerprint, int rows, size_t line_bytes,
                                 int64_t first_ts_ns = 0) {
  TestStream stream{tenant, fingerprint, "labels-" + std::to_string(fingerprint), {}};
  for (int i = 0; i < rows; ++i) {
    std::string line = std::to_string(fingerprint) + ":" + std::to_string(i) + " ";
    line.resize(std::max(line.size(), line_bytes), 'x');
    stream.rows.push_back({first_ts_ns + i * 1000, std::move(line), ""});
  }
  return stream;
}

}  // namespace varve
