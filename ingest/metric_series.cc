#include "ingest/metric_series.h"

#include <string>

#include "ingest/message_cursor.h"

namespace varve {
namespace {

using Key = SeriesAliasTable::Key;
using Scope = SeriesAliasTable::Scope;

// The key of a run of symbol numbers: of what the symbols are, because numbers change from request to request.
Key KeyOfSymbols(const SeriesAliasTable& aliases, const Scope& scope, const std::vector<uint64_t>& hashes,
                 std::string_view refs) {
  constexpr size_t kRefsMax = 512;
  uint64_t words[2 * kRefsMax];
  size_t count = 0;
  MessageCursor cursor(refs);
  while (!cursor.AtEnd()) {
    const uint64_t symbol = cursor.Varint();
    if (count == kRefsMax || symbol >= hashes.size() / 2) return {};
    words[2 * count] = hashes[2 * symbol];
    words[2 * count + 1] = hashes[2 * symbol + 1];
    ++count;
  }
  if (!cursor.ok()) return {};
  return aliases.MakeKey(scope, {reinterpret_cast<const char*>(words), count * 2 * sizeof(uint64_t)});
}

}  // namespace

void MakeSeriesKeys(const SeriesAliasTable& aliases, std::string_view tenant, std::string_view kind,
                    MetricScratch* scratch) {
  const DecodedMetrics& decoded = scratch->decoded;
  std::string form_kind(1, static_cast<char>(decoded.label_form));
  form_kind += kind;
  const Scope scope = aliases.MakeScope(tenant, form_kind);
  scratch->keys.resize(decoded.series.size());
  if (decoded.label_form != SeriesLabelForm::kSymbols) {
    for (size_t i = 0; i < decoded.series.size(); ++i) {
      scratch->keys[i] = aliases.MakeKey(scope, decoded.series[i].labels);
    }
    return;
  }
  scratch->symbol_hashes.resize(2 * decoded.symbols.size());
  for (size_t i = 0; i < decoded.symbols.size(); ++i) {
    const SeriesAliasTable::Scope hash = aliases.Hash(decoded.symbols[i]);
    scratch->symbol_hashes[2 * i] = hash.low;
    scratch->symbol_hashes[2 * i + 1] = hash.high;
  }
  for (size_t i = 0; i < decoded.series.size(); ++i) {
    scratch->keys[i] = KeyOfSymbols(aliases, scope, scratch->symbol_hashes, decoded.series[i].labels);
  }
}

void FindSeries(const SeriesAliasTable& aliases, MetricScratch* scratch) {
  constexpr size_t kAhead = 12;  // so many slots are on their way from memory
  const SeriesAliasTable::Pin pin = aliases.MakePin();
  const std::vector<Key>& keys = scratch->keys;
  scratch->ordinals.assign(keys.size(), MetricScratch::kNoSeries);
  for (size_t i = 0; i < keys.size() && i < kAhead; ++i) pin.Prefetch(keys[i]);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i + kAhead < keys.size()) pin.Prefetch(keys[i + kAhead]);
    if (keys[i].high == 0) continue;
    if (const auto found = pin.Find(keys[i])) scratch->ordinals[i] = *found;
  }
}

}  // namespace varve
