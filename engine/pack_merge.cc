// One stream at a time: its *pieces* (row ranges of blocks of the inputs) are sorted by their first
// timestamp; a sweep finds those that touch no other. Pieces are opened when the merge gets to their first
// timestamp and let go when it has passed their last, so that of a long stream only what overlaps at one
// instant is in memory. The next row is the least of the open pieces by (timestamp, input, block), which is
// the order in which readers of the inputs saw rows of equal time.
#include "engine/pack_merge.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <string>
#include <utility>

#include "engine/codec/log_block.h"

namespace varve {
namespace {

// Decoded blocks that an input keeps although no piece needs them: neighbouring streams share blocks.
constexpr size_t kBlocksKeptMax = 2;

struct DecodedBlock {
  explicit DecodedBlock(MemoryBudget* budget_in) : budget(budget_in) {}
  ~DecodedBlock() { budget->Release(bytes); }
  DecodedBlock(const DecodedBlock&) = delete;
  DecodedBlock& operator=(const DecodedBlock&) = delete;

  MemoryBudget* const budget;
  int64_t bytes = 0;
  LogColumns columns;
};
using DecodedBlockPtr = std::shared_ptr<const DecodedBlock>;

// A row range of an input.
struct Piece {
  size_t input = 0;
  PackIndex::Entry entry;
  const RowHiding* hiding = nullptr;  // null when it hides none of these rows
  bool whole_block = false;           // full, and of this stream alone
  bool alone = false;                 // touches no other piece in time
};

// A piece being merged.
struct Cursor {
  const Piece* piece = nullptr;
  DecodedBlockPtr block;
  std::vector<uint32_t> rows;
  size_t next = 0;

  int64_t ts_ns() const { return block->columns.timestamps_ns[rows[next]]; }
  bool Before(const Cursor& other) const {
    if (ts_ns() != other.ts_ns()) return ts_ns() < other.ts_ns();
    if (piece->input != other.piece->input) return piece->input < other.piece->input;
    return piece->entry.block < other.piece->entry.block;
  }
};

class Merge {
 public:
  Merge(const std::vector<MergeInput>& inputs, const StreamTable& streams, const PackStore& store,
        const MergeOptions& options, PendingPack* pending, MergeStats* stats,
        std::optional<size_t>* bad_input)
      : inputs_(inputs),
        streams_(streams),
        store_(store),
        options_(options),
        writer_(options.writer, pending),
        stats_(*stats),
        bad_input_(*bad_input),
        kept_(inputs.size()),
        single_stream_(inputs.size()) {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      std::vector<uint32_t> ranges(inputs_[i].index->block_bytes.size(), 0);
      for (const PackIndex::Entry& entry : inputs_[i].index->entries) ++ranges[entry.block];
      for (const uint32_t count : ranges) single_stream_[i].push_back(count == 1);
    }
  }

  Result<std::optional<PackDirectory>> Run() {
    for (const Stream& stream : SortedStreams()) VARVE_RETURN_IF_ERROR(MergeStream(stream));
    stats_.duplicates_dropped = writer_.duplicates_dropped();
    if (!any_row_) return std::optional<PackDirectory>();
    VARVE_ASSIGN_OR_RETURN(PackDirectory directory, writer_.Finish());
    stats_.rows_written = directory.row_count;
    stats_.bytes_written = directory.encoded_bytes;
    if (stats_.rows_read != stats_.rows_written + stats_.rows_hidden + stats_.duplicates_dropped) {
      return InternalError("a merge of packs has lost count of its rows");
    }
    return std::optional<PackDirectory>(std::move(directory));
  }

 private:
  struct Stream {
    StreamOrdinal ordinal = 0;
    const StreamInfo* info = nullptr;
    std::string canonical;
  };

  std::vector<Stream> SortedStreams() const {
    std::vector<StreamOrdinal> ordinals;
    for (const MergeInput& input : inputs_) {
      ordinals.insert(ordinals.end(), input.index->streams.begin(), input.index->streams.end());
    }
    std::sort(ordinals.begin(), ordinals.end());
    ordinals.erase(std::unique(ordinals.begin(), ordinals.end()), ordinals.end());
    std::vector<Stream> sorted;
    sorted.reserve(ordinals.size());
    for (const StreamOrdinal ordinal : ordinals) {
      const StreamInfo& info = streams_.Get(ordinal);
      sorted.push_back({.ordinal = ordinal, .info = &info, .canonical = info.labels.Canonical()});
    }
    std::sort(sorted.begin(), sorted.end(), [](const Stream& a, const Stream& b) {
      if (a.info->tenant != b.info->tenant) return a.info->tenant < b.info->tenant;
      if (a.info->similarity != b.info->similarity) return a.info->similarity < b.info->similarity;
      return a.canonical < b.canonical;
    });
    return sorted;
  }

  RowHiding HidingOf(const Stream& stream, const MergeInput& input) const {
    RowHiding hiding;
    hiding.before_ns = options_.retention_begin_ns(stream.ordinal);
    for (const LiveDeletePtr& live : input.deletes) {
      if (live->tenant == stream.info->tenant && live->filter->TakesStream(stream.info->labels)) {
        hiding.deletes.push_back(live);
      }
    }
    return hiding;
  }

  // Those that hold a row to keep, by their first timestamp.
  std::vector<Piece> PiecesOf(const Stream& stream, std::deque<RowHiding>* hidings) {
    std::vector<Piece> pieces;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const PackIndex& index = *inputs_[i].index;
      const auto it = std::lower_bound(index.streams.begin(), index.streams.end(), stream.ordinal);
      if (it == index.streams.end() || *it != stream.ordinal) continue;
      hidings->push_back(HidingOf(stream, inputs_[i]));
      const RowHiding& hiding = hidings->back();
      const auto entries = index.EntriesOf(static_cast<size_t>(it - index.streams.begin()));
      for (const PackIndex::Entry& entry : entries) {
        stats_.rows_read += entry.row_count;
        if (hiding.HidesAll(entry.min_ts_ns, entry.max_ts_ns)) {
          stats_.rows_hidden += entry.row_count;
          continue;
        }
        Piece piece{.input = i, .entry = entry};
        if (!hiding.HidesNone(entry.min_ts_ns, entry.max_ts_ns)) piece.hiding = &hiding;
        // One that is followed by another of its stream was closed because it was full.
        const bool full = entry.line_bytes >= options_.writer.block_bytes / 4 * 3 ||
                          entry.row_count >= options_.writer.block_rows / 4 * 3 ||
                          &entry != &entries.back();
        piece.whole_block = full && single_stream_[i][entry.block];
        pieces.push_back(piece);
      }
    }
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
      if (a.entry.min_ts_ns != b.entry.min_ts_ns) return a.entry.min_ts_ns < b.entry.min_ts_ns;
      return std::pair(a.input, a.entry.block) < std::pair(b.input, b.entry.block);
    });
    int64_t latest = std::numeric_limits<int64_t>::min();
    for (size_t i = 0; i < pieces.size(); ++i) {
      pieces[i].alone = (i == 0 || pieces[i].entry.min_ts_ns > latest) &&
                        (i + 1 == pieces.size() || pieces[i + 1].entry.min_ts_ns > pieces[i].entry.max_ts_ns);
      latest = std::max(latest, pieces[i].entry.max_ts_ns);
    }
    return pieces;
  }

  static bool Copies(const Piece& piece) {
    return piece.alone && piece.whole_block && piece.hiding == nullptr;
  }

  // `bad_input_` is set while an input is at fault.
  Result<PackBytes> ReadBlock(size_t input, uint32_t block) {
    const uint32_t bytes = inputs_[input].index->block_bytes[block];
    VARVE_RETURN_IF_ERROR(options_.pace(bytes));
    bad_input_ = input;
    Result<PackBytes> read = store_.ReadBlock(inputs_[input].pack->id, block);
    if (!read.ok()) return CommittedPackError(std::move(read).status());
    bad_input_.reset();
    stats_.bytes_read += read->view.size();
    return read;
  }

  Result<DecodedBlockPtr> Decode(size_t input, uint32_t block) {
    auto& kept = kept_[input];
    for (auto it = kept.begin(); it != kept.end(); ++it) {
      if (it->first != block) continue;
      std::rotate(it, it + 1, kept.end());  // the last one used stays longest
      return kept.back().second;
    }
    VARVE_ASSIGN_OR_RETURN(const PackBytes bytes, ReadBlock(input, block));
    bad_input_ = input;
    constexpr ColumnMask kAll = kTimestamps | kLines | kMetadata;
    auto decoded = std::make_shared<DecodedBlock>(options_.budget);
    VARVE_ASSIGN_OR_RETURN(decoded->bytes, LogBlockDecodedBytes(bytes.view, kAll));
    options_.budget->ForceReserve(decoded->bytes);
    VARVE_RETURN_IF_ERROR(DecodeLogBlock(bytes.view, kAll, &decoded->columns)
                              .WithContext(inputs_[input].pack->id.ToString() + " block " +
                                           std::to_string(block)));
    bad_input_.reset();
    ++stats_.blocks_decoded;
    if (kept.size() == kBlocksKeptMax) kept.erase(kept.begin());
    kept.emplace_back(block, decoded);
    return DecodedBlockPtr(std::move(decoded));
  }

  Status StartStream(const Stream& stream, uint64_t line_bytes) {
    if (stream_started_) return Status::Ok();
    stream_started_ = true;
    any_row_ = true;
    if (!tenant_.has_value() || *tenant_ != stream.info->tenant) {
      tenant_ = stream.info->tenant;
      tenant_name_ = streams_.TenantName(*tenant_);
    }
    return writer_.AddStream(stream.info->fingerprint, tenant_name_, stream.canonical, line_bytes);
  }

  Status CopyPiece(const Piece& piece) {
    VARVE_ASSIGN_OR_RETURN(const PackBytes bytes, ReadBlock(piece.input, piece.entry.block));
    bad_input_ = piece.input;
    VARVE_ASSIGN_OR_RETURN(const LogBlockHeader header, ReadLogBlockHeader(bytes.view));
    if (header.row_count != piece.entry.row_count || header.line_bytes != piece.entry.line_bytes) {
      return Corruption(inputs_[piece.input].pack->id.ToString() + " block " +
                        std::to_string(piece.entry.block) + " is not what its directory says");
    }
    bad_input_.reset();
    VARVE_RETURN_IF_ERROR(options_.pace(bytes.view.size()));
    ++stats_.blocks_copied;
    PackBlock block;
    block.row_count = piece.entry.row_count;
    block.line_bytes = piece.entry.line_bytes;
    block.min_ts_ns = piece.entry.min_ts_ns;
    block.max_ts_ns = piece.entry.max_ts_ns;
    return writer_.CopyBlock(bytes.view, block);
  }

  Status Open(const Stream& stream, const Piece& piece) {
    Cursor cursor;
    cursor.piece = &piece;
    VARVE_ASSIGN_OR_RETURN(cursor.block, Decode(piece.input, piece.entry.block));
    const uint32_t end = piece.entry.row_begin + piece.entry.row_count;
    if (end > cursor.block->columns.row_count) {
      bad_input_ = piece.input;
      return Corruption(inputs_[piece.input].pack->id.ToString() + " has fewer rows than its directory says");
    }
    for (uint32_t row = piece.entry.row_begin; row < end; ++row) cursor.rows.push_back(row);
    if (piece.hiding != nullptr) {
      piece.hiding->Drop(stream.info->labels, cursor.block->columns, &cursor.rows);
      stats_.rows_hidden += piece.entry.row_count - cursor.rows.size();
    }
    if (!cursor.rows.empty()) open_.push_back(std::move(cursor));
    return Status::Ok();
  }

  // Writes the next row of the open pieces.
  Status WriteRow(const Stream& stream, uint64_t line_bytes) {
    auto least = open_.begin();
    for (auto it = open_.begin() + 1; it < open_.end(); ++it) {
      if (it->Before(*least)) least = it;
    }
    const LogColumns& columns = least->block->columns;
    const uint32_t row = least->rows[least->next];
    const int64_t ts_ns = columns.timestamps_ns[row];
    VARVE_RETURN_IF_ERROR(StartStream(stream, line_bytes));
    // The writer looks at the rows of the current timestamp again; those before it need their blocks no more.
    if (ts_ns != held_ts_ns_) held_.clear();
    held_ts_ns_ = ts_ns;
    VARVE_RETURN_IF_ERROR(writer_.AddRow(ts_ns, columns.Line(row), columns.Metadata(row)));
    paced_bytes_ += columns.LineLength(row);
    if (++least->next == least->rows.size()) {
      held_.push_back(std::move(least->block));
      open_.erase(least);
    }
    if (paced_bytes_ < options_.writer.block_bytes) return Status::Ok();
    // What is written is several times smaller; the reads are paced by their true size.
    return options_.pace(std::exchange(paced_bytes_, 0) / 8);
  }

  Status MergeStream(const Stream& stream) {
    stream_started_ = false;
    std::deque<RowHiding> hidings;
    const std::vector<Piece> pieces = PiecesOf(stream, &hidings);
    uint64_t line_bytes = 0;
    for (const Piece& piece : pieces) line_bytes += Copies(piece) ? 0 : piece.entry.line_bytes;
    size_t next = 0;
    while (next < pieces.size() || !open_.empty()) {
      int64_t least_ts_ns = std::numeric_limits<int64_t>::max();
      for (const Cursor& cursor : open_) least_ts_ns = std::min(least_ts_ns, cursor.ts_ns());
      if (next < pieces.size() && pieces[next].entry.min_ts_ns <= least_ts_ns) {
        const Piece& piece = pieces[next++];
        if (!Copies(piece)) {
          VARVE_RETURN_IF_ERROR(Open(stream, piece));
          continue;
        }
        VARVE_RETURN_IF_ERROR(StartStream(stream, line_bytes));
        VARVE_RETURN_IF_ERROR(CopyPiece(piece));
        continue;
      }
      VARVE_RETURN_IF_ERROR(WriteRow(stream, line_bytes));
    }
    held_.clear();
    held_ts_ns_ = std::numeric_limits<int64_t>::min();
    return Status::Ok();
  }

  const std::vector<MergeInput>& inputs_;
  const StreamTable& streams_;
  const PackStore& store_;
  const MergeOptions& options_;
  PackWriter writer_;
  MergeStats& stats_;
  std::optional<size_t>& bad_input_;
  std::vector<std::vector<std::pair<uint32_t, DecodedBlockPtr>>> kept_;  // by input; the latest used last
  std::vector<std::vector<bool>> single_stream_;                        // by input and block
  std::optional<TenantId> tenant_;
  std::string tenant_name_;
  bool stream_started_ = false;
  bool any_row_ = false;
  std::vector<Cursor> open_;
  std::vector<DecodedBlockPtr> held_;
  int64_t held_ts_ns_ = std::numeric_limits<int64_t>::min();
  uint64_t paced_bytes_ = 0;
};

}  // namespace

Result<std::optional<PackDirectory>> MergePacks(const std::vector<MergeInput>& inputs,
                                                const StreamTable& streams, const PackStore& store,
                                                const MergeOptions& options, PendingPack* pending,
                                                MergeStats* stats, std::optional<size_t>* bad_input) {
  return Merge(inputs, streams, store, options, pending, stats, bad_input).Run();
}

}  // namespace varve
