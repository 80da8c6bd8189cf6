// Finds the series of a request by the bytes of their labels.
//
// Threads: thread-safe; a scratch belongs to one request.
#pragma once

#include <string_view>

#include "ingest/metric_scratch.h"
#include "ingest/series_alias_table.h"

namespace varve {

// Fills scratch->keys, and scratch->symbol_hashes where labels are symbols.
void MakeSeriesKeys(const SeriesAliasTable& aliases, std::string_view tenant, std::string_view kind,
                    MetricScratch* scratch);

// Fills scratch->ordinals from the table, kNoSeries where it does not know the labels.
void FindSeries(const SeriesAliasTable& aliases, MetricScratch* scratch);

}  // namespace varve
