// Several metric packs of one shard and day into one: the inner part of a compaction of metrics.
//
// Series after series in the order of the packs' tables, and of a series span after span: its samples in all
// packs are merged by time (of two at one time that of the older pack stays), hidden ones left out, and
// written anew. Spans that only one pack has, whole, are still decoded: that costs less than reading them.
// Memory: of each input its fingerprints, its labels front-coded, and a block or two a span; the samples of
// one series in one span; and what a MetricPackWriter holds. Threads: a free function.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/metric_scan.h"
#include "engine/packs/metric_pack_directory.h"
#include "engine/packs/metric_pack_writer.h"
#include "engine/packs/pack_id.h"
#include "engine/packs/pack_store.h"

namespace varve {

struct MetricMergeOptions {
  MetricPackWriterOptions writer;
  // Appends the ranges in which samples of the series in `input` (an index) are left out: deleted, or
  // expired. Null: none are.
  std::function<void(size_t input, std::string_view tenant, std::string_view canonical_labels,
                     std::vector<MetricRange>* hidden)>
      hidden;
  // Called for every so many bytes read or written; waits as it sees fit. An error ends the merge. May be
  // null.
  std::function<Status(uint64_t bytes)> pace;
};

struct MetricMergeStats {
  uint64_t bytes_read = 0;  // of blocks
  uint64_t bytes_written = 0;
  uint64_t samples_read = 0;
  uint64_t samples_hidden = 0;
  uint64_t samples_dropped = 0;  // another pack had one at that time
  uint64_t samples_written = 0;
};

// Merges the packs (in order of arrival) into `pending` and commits it; nullopt, and nothing committed, when
// no sample is left. An error that comes from an input sets `*bad_input` to its index.
Result<std::optional<MetricPackDirectory>> MergeMetricPacks(const std::vector<PackId>& inputs,
                                                            const PackStore& store,
                                                            const MetricMergeOptions& options,
                                                            PendingPack* pending, MetricMergeStats* stats,
                                                            std::optional<size_t>* bad_input);

// Takes the samples in any of the ranges out; returns how many.
uint64_t DropHidden(const std::vector<MetricRange>& hidden, SeriesSamples* samples);
}  // namespace varve
