// varve verify: reads everything in a data directory and compares every checksum.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "engine/inspect.h"
#include "tools/commands.h"
#include "tools/progress_bar.h"
#include "tools/terminal.h"

namespace varve {
namespace {

Status RunVerify(const std::string& data_dir) {
  ProgressBar progress;
  const auto on_problem = [&progress](const VerifyProblem& problem) {
    progress.Clear();
    fmt::print("{}: {}\n", Printable(problem.where), Printable(problem.status.ToString()));
  };
  const auto on_pack = [&progress](uint64_t done, uint64_t all) {
    progress.Update("verifying", done, all, fmt::format("{} of {} packs", done, all));
  };
  VARVE_ASSIGN_OR_RETURN(const VerifyTotals totals, VerifyDataDir(data_dir, on_problem, on_pack));
  progress.Clear();
  fmt::print("read {} packs with {} blocks and {} entries, {} journal records, {} streams\n", totals.packs,
             totals.blocks, totals.entries, totals.journal_records, totals.streams);
  if (totals.problems == 0) return Status::Ok();
  return Corruption(
      fmt::format("{}: {} problem{} found", data_dir, totals.problems, totals.problems == 1 ? "" : "s"));
}

}  // namespace

void AddVerifyCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("verify", "Check every checksum in a data directory");
  auto data_dir = std::make_shared<std::string>();
  command->add_option("DIR", *data_dir, "the data directory")->required()->type_name("");
  command->footer(
      "Lists what is damaged, one line each; then the exit status is 1. Reads only, and may run beside the\n"
      "server.\n\n"
      "Examples:\n"
      "  varve verify ./varve-data");
  command->callback([data_dir, chosen] { *chosen = [data_dir] { return RunVerify(*data_dir); }; });
}

}  // namespace varve
