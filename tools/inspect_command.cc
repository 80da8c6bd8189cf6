// varve inspect: what a data directory holds, by time and by pack.
#include "engine/inspect.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "tools/commands.h"
#include "tools/table.h"
#include "tools/terminal.h"
#include "tools/time_text.h"
#include "tools/units.h"

namespace varve {
namespace {

struct InspectOptions {
  std::string data_dir;
  bool packs = false;
};

std::string Size(uint64_t bytes) { return FormatByteSizeRounded(static_cast<double>(bytes)); }

// How many times smaller than the lines their blocks are.
std::string Ratio(uint64_t line_bytes, uint64_t block_bytes) {
  if (block_bytes == 0) return "-";
  return fmt::format("{:.1f}", static_cast<double>(line_bytes) / static_cast<double>(block_bytes));
}

std::string Minute(int64_t t_ns) { return FormatLocalTime(t_ns).substr(0, sizeof("2026-11-01 06:30") - 1); }

std::string BucketTable(const DataDirReport& report, const Style& style) {
  Table table({"bucket from", "packs", "blocks", "entries", "lines", "blocks' bytes", "ratio"}, 1);
  const auto row = [&table](std::string name, const InspectedBucket& bucket) {
    table.Add({std::move(name), fmt::format("{}", bucket.packs), fmt::format("{}", bucket.blocks),
               fmt::format("{}", bucket.entries), Size(bucket.line_bytes), Size(bucket.block_bytes),
               Ratio(bucket.line_bytes, bucket.block_bytes)});
  };
  for (const auto& [number, bucket] : report.buckets) row(Minute(bucket.begin_ns), bucket);
  row("all", report.total);
  return table.Print(style);
}

std::string PackTable(const DataDirReport& report, const Style& style) {
  Table table({"from", "to", "pack", "shard", "streams", "blocks", "entries", "lines", "file", "ratio"}, 2);
  for (const InspectedPack& pack : report.packs) {
    table.Add({FormatLocalTime(pack.min_ts_ns), FormatLocalTime(pack.max_ts_ns),
               fmt::format("{}", pack.number), fmt::format("{}", pack.shard), fmt::format("{}", pack.streams),
               fmt::format("{}", pack.blocks), fmt::format("{}", pack.entries), Size(pack.line_bytes),
               pack.bytes_on_disk == 0 ? "missing" : Size(pack.bytes_on_disk),
               Ratio(pack.line_bytes, pack.block_bytes)});
  }
  return table.Print(style);
}

Status RunInspect(const InspectOptions& options) {
  VARVE_ASSIGN_OR_RETURN(const DataDirReport report, InspectDataDir(options.data_dir));
  const Style style{.colour = WantsColour(STDOUT_FILENO)};
  fmt::print("{}: format {}, {} shards, buckets of {}\n", options.data_dir, report.format_version,
             report.shard_count, FormatDuration(report.bucket_ns));
  fmt::print("streams: {}\n", report.streams);
  if (report.streams_by_tenant.size() > 1) {
    for (const auto& [tenant, streams] : report.streams_by_tenant) {
      fmt::print("  {}: {}\n", Printable(tenant), streams);
    }
  }
  fmt::print("journal: {} records, {} not yet in packs\n", report.journal_live_records,
             Size(report.journal_live_bytes));
  fmt::print("packs: {} entries in {} packs, {} on disk\n", report.total.entries, report.total.packs,
             Size(report.pack_bytes_on_disk));
  if (report.orphan_packs > 0) {
    fmt::print("orphans: {} packs that were never committed; the next start drops them\n",
               report.orphan_packs);
  }
  if (!report.buckets.empty()) fmt::print("\n{}", BucketTable(report, style));
  if (options.packs && !report.packs.empty()) fmt::print("\n{}", PackTable(report, style));
  return Status::Ok();
}

}  // namespace

void AddInspectCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("inspect", "Show what a data directory holds");
  auto options = std::make_shared<InspectOptions>();
  command->add_option("DIR", options->data_dir, "the data directory")->required()->type_name("");
  command->add_flag("--packs", options->packs, "also each pack");
  command->footer(
      "Reads only, and may run beside the server.\n\n"
      "Examples:\n"
      "  varve inspect ./varve-data\n"
      "  varve inspect ./varve-data --packs");
  command->callback([options, chosen] { *chosen = [options] { return RunInspect(*options); }; });
}

}  // namespace varve
