// Encoding: keep the sets that rows use. When they are many, look at each name: one whose values
// repeat less than kRepeatsMin times on average leaves the sets for a column. 8,000 rows with a level of
// five values and a trace id each: 8,000 sets of 50 bytes become 5 sets, 3-bit codes, and one column of
// ids, which zstd brings from hexadecimal down to their entropy.
#include "engine/codec/metadata_column.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/codec/compress.h"
#include "engine/codec/integers.h"
#include "engine/codec/log_block.h"
#include "engine/model/log_entry.h"

namespace varve {

namespace {

constexpr size_t kSetsWithoutColumns = 256;
constexpr uint64_t kRepeatsMin = 4;
constexpr size_t kColumnsMax = 64;
// Rows times columns: bounds what a decoder spends on where values lie.
constexpr uint64_t kCellsMax = 1 << 24;

using Pairs = std::vector<MetadataPair>;

// The pairs, or nothing when the bytes are not encoded metadata in its one canonical form.
std::optional<Pairs> ParseSet(std::string_view set) {
  Pairs pairs;
  bool ascending = true;
  const bool ok = ForEachMetadata(set, [&](std::string_view name, std::string_view value) {
    if (!pairs.empty() && pairs.back().first >= name) ascending = false;
    pairs.emplace_back(name, value);
  });
  if (!ok || !ascending) return std::nullopt;
  std::string again;
  for (const auto& [name, value] : pairs) {
    PutLengthPrefixed(&again, name);
    PutLengthPrefixed(&again, value);
  }
  if (again != set) return std::nullopt;  // a varint longer than need be
  return pairs;
}

void AppendBlob(std::string_view raw, std::string* out) {
  std::string stored;
  const Compression compression = AppendCompressed(raw, &stored);
  out->push_back(static_cast<char>(compression));
  PutVarint(out, raw.size());
  PutLengthPrefixed(out, stored);
}

// The rows' metadata with sets that no row uses left out, codes in the order of first use.
struct UsedSets {
  std::vector<uint64_t> codes;
  std::vector<std::string_view> sets;
  std::vector<uint32_t> rows_of_set;
  uint64_t expanded_bytes = 0;  // of all rows

  UsedSets(std::span<const uint32_t> row_codes, std::span<const std::string_view> all_sets) {
    constexpr uint32_t kUnused = 0xFFFFFFFF;
    std::vector<uint32_t> new_code(all_sets.size(), kUnused);
    codes.reserve(row_codes.size());
    for (const uint32_t code : row_codes) {
      if (new_code[code] == kUnused) {
        new_code[code] = static_cast<uint32_t>(sets.size());
        sets.push_back(all_sets[code]);
        rows_of_set.push_back(0);
      }
      ++rows_of_set[new_code[code]];
      codes.push_back(new_code[code]);
      expanded_bytes += all_sets[code].size();
    }
  }
};

void AppendSets(std::span<const std::string_view> sets, std::span<const uint64_t> codes, std::string* out) {
  PutVarint(out, sets.size());
  std::vector<uint64_t> sizes;
  std::string table;
  for (const std::string_view set : sets) {
    sizes.push_back(set.size());
    table.append(set);
  }
  EncodeIntegers(sizes, out);
  AppendBlob(table, out);
  EncodeIntegers(codes, out);
}

// The names that are worth a column, ascending.
std::vector<std::string_view> ChooseColumns(const UsedSets& used, const std::vector<Pairs>& parsed) {
  struct Use {
    uint64_t rows = 0;
    std::unordered_set<std::string_view> values;
  };
  std::map<std::string_view, Use> uses;
  for (size_t s = 0; s < parsed.size(); ++s) {
    for (const auto& [name, value] : parsed[s]) {
      Use& use = uses[name];
      use.rows += used.rows_of_set[s];
      use.values.insert(value);
    }
  }
  const size_t columns_max = std::min<uint64_t>(kColumnsMax, kCellsMax / used.codes.size());
  std::vector<std::string_view> names;
  for (const auto& [name, use] : uses) {
    const uint64_t distinct = use.values.size();
    if (distinct > kSetsWithoutColumns && distinct * kRepeatsMin > use.rows && names.size() < columns_max) {
      names.push_back(name);
    }
  }
  return names;
}

void AppendColumn(std::string_view name, const UsedSets& used,
                  std::span<const std::optional<std::string_view>> value_of_set, std::string* out) {
  std::vector<uint64_t> presence;
  std::vector<uint64_t> sizes;
  std::string values;
  presence.reserve(used.codes.size());
  for (const uint64_t code : used.codes) {
    const auto& value = value_of_set[code];
    presence.push_back(value.has_value() ? 1 : 0);
    if (!value.has_value()) continue;
    sizes.push_back(value->size());
    values.append(*value);
  }
  PutLengthPrefixed(out, name);
  const bool everywhere = sizes.size() == presence.size();
  out->push_back(everywhere ? 0 : 1);
  if (!everywhere) EncodeIntegers(presence, out);
  EncodeIntegers(sizes, out);
  AppendBlob(values, out);
}

void AppendSetsAndColumns(const UsedSets& used, const std::vector<Pairs>& parsed,
                          const std::vector<std::string_view>& names, std::string* out) {
  std::vector<std::vector<std::optional<std::string_view>>> values(names.size());
  for (auto& column : values) column.resize(parsed.size());
  std::unordered_map<std::string, uint64_t> code_of_rest;
  std::vector<uint64_t> rest_of_set;
  std::vector<std::string_view> rests;
  std::string rest;
  for (size_t s = 0; s < parsed.size(); ++s) {
    rest.clear();
    for (const auto& [name, value] : parsed[s]) {
      const auto it = std::lower_bound(names.begin(), names.end(), name);
      if (it != names.end() && *it == name) {
        values[static_cast<size_t>(it - names.begin())][s] = value;
      } else {
        PutLengthPrefixed(&rest, name);
        PutLengthPrefixed(&rest, value);
      }
    }
    const auto [it, is_new] = code_of_rest.emplace(rest, rests.size());
    if (is_new) rests.push_back(it->first);  // keys of an unordered_map stay where they are
    rest_of_set.push_back(it->second);
  }
  std::vector<uint64_t> codes;
  codes.reserve(used.codes.size());
  for (const uint64_t code : used.codes) codes.push_back(rest_of_set[code]);
  AppendSets(rests, codes, out);
  PutVarint(out, names.size());
  for (size_t c = 0; c < names.size(); ++c) AppendColumn(names[c], used, values[c], out);
}

Status Malformed(const char* what) { return Corruption(std::string("metadata: ") + what); }

struct Blob {
  Compression compression;
  uint64_t decoded_bytes;
  std::string_view stored;
};

// Sizes must add up to what the blob claims to hold.
Status ReadBlob(ByteReader* reader, std::span<const uint64_t> sizes, Blob* blob) {
  blob->compression = static_cast<Compression>(reader->Fixed<uint8_t>());
  blob->decoded_bytes = reader->Varint();
  blob->stored = reader->LengthPrefixed();
  if (!reader->ok()) return Malformed("ends early");
  uint64_t sum = 0;
  for (const uint64_t size : sizes) {
    if (size > kLogBlockMetadataBytesMax) return Malformed("a value is larger than the limit");
    sum += size;
  }
  if (sum > kLogBlockMetadataBytesMax) return Malformed("values are larger than the limit");
  if (sum != blob->decoded_bytes) return Malformed("sizes do not add up");
  return CheckDecodedSize(blob->compression, blob->stored, blob->decoded_bytes)
      .WithContext("metadata values");
}

// A section up to where its table of sets ends.
struct SetTable {
  std::vector<uint64_t> sizes;
  Blob blob;
};

Status ReadSetTable(ByteReader* reader, uint32_t row_count, SetTable* table) {
  const uint64_t set_count = reader->Varint();
  if (!reader->ok() || set_count > row_count || (set_count == 0) != (row_count == 0)) {
    return Malformed("impossible number of sets");
  }
  table->sizes.resize(set_count);
  if (!DecodeIntegers(reader, table->sizes)) return Malformed("bad set sizes");
  return ReadBlob(reader, table->sizes, &table->blob);
}

struct Column {
  std::string_view name;
  // Of each row: where its value lies in `bytes`; absent when the size is kAbsent.
  static constexpr uint32_t kAbsent = 0xFFFFFFFF;
  std::vector<uint32_t> offsets;
  std::vector<uint32_t> sizes;
  std::string bytes;
};

Status ReadColumn(ByteReader* reader, uint32_t row_count, Column* column) {
  column->name = reader->LengthPrefixed();
  const uint8_t presence_form = reader->Fixed<uint8_t>();
  if (!reader->ok() || presence_form > 1) return Malformed("bad column head");
  std::vector<uint64_t> presence(row_count, 1);
  size_t present = row_count;
  if (presence_form == 1) {
    if (!DecodeIntegers(reader, presence)) return Malformed("bad presence");
    present = 0;
    for (const uint64_t p : presence) {
      if (p > 1) return Malformed("bad presence");
      present += p;
    }
  }
  std::vector<uint64_t> sizes(present);
  if (!DecodeIntegers(reader, sizes)) return Malformed("bad value sizes");
  Blob blob;
  VARVE_RETURN_IF_ERROR(ReadBlob(reader, sizes, &blob));
  column->bytes.resize(blob.decoded_bytes);
  VARVE_RETURN_IF_ERROR(Decompress(blob.compression, blob.stored, column->bytes.data(), blob.decoded_bytes)
                            .WithContext("metadata values"));
  column->offsets.resize(row_count, 0);
  column->sizes.resize(row_count, Column::kAbsent);
  uint32_t offset = 0;
  const uint64_t* size = sizes.data();
  for (uint32_t row = 0; row < row_count; ++row) {
    if (presence[row] == 0) continue;
    column->offsets[row] = offset;
    column->sizes[row] = static_cast<uint32_t>(*size);
    offset += static_cast<uint32_t>(*size++);
  }
  return Status::Ok();
}

Status ReadColumns(ByteReader* reader, uint32_t row_count, std::vector<Column>* columns) {
  const uint64_t column_count = reader->Varint();
  if (!reader->ok() || column_count > kColumnsMax || column_count * row_count > kCellsMax) {
    return Malformed("impossible number of columns");
  }
  columns->resize(column_count);
  uint64_t bytes = 0;
  for (size_t c = 0; c < column_count; ++c) {
    VARVE_RETURN_IF_ERROR(ReadColumn(reader, row_count, &(*columns)[c]));
    bytes += (*columns)[c].bytes.size();
    if (bytes > kLogBlockMetadataBytesMax) return Malformed("columns are larger than the limit");
    if (c > 0 && (*columns)[c - 1].name >= (*columns)[c].name) return Malformed("columns out of order");
  }
  return reader->AtEnd() ? Status::Ok() : Malformed("bytes after the last column");
}

void AppendPair(std::vector<char>* out, std::string_view name, std::string_view value, std::string* scratch) {
  scratch->clear();
  PutLengthPrefixed(scratch, name);
  PutLengthPrefixed(scratch, value);
  out->insert(out->end(), scratch->begin(), scratch->end());
}

// Appends one row's set with its columns' pairs merged in by name. False when a name occurs twice.
bool AppendMergedRow(const Pairs& set, const std::vector<Column>& columns, uint32_t row,
                     std::vector<char>* out, std::string* scratch) {
  auto pair = set.begin();
  for (const Column& column : columns) {
    if (column.sizes[row] == Column::kAbsent) continue;
    for (; pair != set.end() && pair->first < column.name; ++pair) {
      AppendPair(out, pair->first, pair->second, scratch);
    }
    if (pair != set.end() && pair->first == column.name) return false;
    AppendPair(out, column.name, {column.bytes.data() + column.offsets[row], column.sizes[row]}, scratch);
  }
  for (; pair != set.end(); ++pair) AppendPair(out, pair->first, pair->second, scratch);
  return true;
}

// Replaces the sets of `out` by one set a row, in which the columns' pairs are merged. `rebuilt_bytes`
// is what they take together.
Status MergeColumns(const std::vector<Column>& columns, uint64_t rebuilt_bytes, LogColumns* out) {
  std::vector<Pairs> parsed;
  for (const std::string_view set : out->metadata_sets) {
    auto pairs = ParseSet(set);
    if (!pairs.has_value()) return Malformed("a set is not encoded metadata");
    parsed.push_back(*std::move(pairs));
  }
  std::vector<char> bytes;
  bytes.reserve(rebuilt_bytes);
  std::vector<size_t> ends;
  ends.reserve(out->row_count);
  std::string scratch;
  for (uint32_t row = 0; row < out->row_count; ++row) {
    if (!AppendMergedRow(parsed[out->metadata_codes[row]], columns, row, &bytes, &scratch)) {
      return Malformed("a name is both in a set and a column");
    }
    if (bytes.size() > rebuilt_bytes) return Malformed("rows are larger than declared");
    ends.push_back(bytes.size());
  }
  if (bytes.size() != rebuilt_bytes) return Malformed("rows are smaller than declared");
  out->metadata_bytes = std::move(bytes);
  out->metadata_sets.clear();
  size_t begin = 0;
  for (uint32_t row = 0; row < out->row_count; ++row) {
    out->metadata_sets.emplace_back(out->metadata_bytes.data() + begin, ends[row] - begin);
    out->metadata_codes[row] = row;
    begin = ends[row];
  }
  return Status::Ok();
}

}  // namespace

void EncodeMetadataColumn(std::span<const uint32_t> codes, std::span<const std::string_view> sets,
                          std::string* out) {
  if (std::all_of(sets.begin(), sets.end(), [](std::string_view set) { return set.empty(); })) return;
  const UsedSets used(codes, sets);
  if (used.expanded_bytes == 0) return;
  std::vector<std::string_view> names;
  std::vector<Pairs> parsed;
  if (used.sets.size() > kSetsWithoutColumns && used.expanded_bytes <= kLogBlockMetadataBytesMax) {
    for (const std::string_view set : used.sets) {
      auto pairs = ParseSet(set);
      if (!pairs.has_value()) break;
      parsed.push_back(*std::move(pairs));
    }
    if (parsed.size() == used.sets.size()) names = ChooseColumns(used, parsed);
  }
  if (!names.empty()) {
    PutVarint(out, used.expanded_bytes);
    AppendSetsAndColumns(used, parsed, names, out);
    return;
  }
  uint64_t set_bytes = 0;
  for (const std::string_view set : used.sets) set_bytes += set.size();
  PutVarint(out, set_bytes);
  AppendSets(used.sets, used.codes, out);
  PutVarint(out, 0);
}

Result<uint64_t> MetadataColumnRebuiltBytes(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint64_t rebuilt_bytes = reader.Varint();
  if (!reader.ok() || rebuilt_bytes > kLogBlockMetadataBytesMax) return Malformed("larger than the limit");
  return rebuilt_bytes;
}

Status DecodeMetadataColumn(std::string_view bytes, LogColumns* out) {
  VARVE_ASSIGN_OR_RETURN(const uint64_t rebuilt_bytes, MetadataColumnRebuiltBytes(bytes));
  ByteReader reader(bytes);
  reader.Varint();  // just read
  SetTable table;
  VARVE_RETURN_IF_ERROR(ReadSetTable(&reader, out->row_count, &table));
  std::vector<uint64_t> codes(out->row_count);
  if (!DecodeIntegers(&reader, codes)) return Malformed("bad codes");
  out->metadata_codes.resize(out->row_count);
  for (uint32_t row = 0; row < out->row_count; ++row) {
    if (codes[row] >= table.sizes.size()) return Malformed("a code without a set");
    out->metadata_codes[row] = static_cast<uint32_t>(codes[row]);
  }
  out->metadata_bytes.resize(table.blob.decoded_bytes);
  VARVE_RETURN_IF_ERROR(Decompress(table.blob.compression, table.blob.stored, out->metadata_bytes.data(),
                                   table.blob.decoded_bytes)
                            .WithContext("metadata sets"));
  size_t begin = 0;
  for (const uint64_t size : table.sizes) {
    out->metadata_sets.emplace_back(out->metadata_bytes.data() + begin, size);
    begin += size;
  }
  std::vector<Column> columns;
  VARVE_RETURN_IF_ERROR(ReadColumns(&reader, out->row_count, &columns));
  if (!columns.empty()) return MergeColumns(columns, rebuilt_bytes, out);
  return rebuilt_bytes == begin ? Status::Ok() : Malformed("sets are not as large as declared");
}

}  // namespace varve
