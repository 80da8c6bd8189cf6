#include "engine/snapshot.h"

#include "engine/base/check.h"
#include "engine/codec/log_block.h"
#include "engine/head/head_columns.h"
#include "engine/pack_index_cache.h"

namespace varve {
namespace {

// Columns and what they count against.
struct BudgetedColumns {
  explicit BudgetedColumns(MemoryBudget* budget) : reservation(budget) {}
  MemoryReservation reservation;
  std::shared_ptr<const LogColumns> columns;
};

std::shared_ptr<const LogColumns> ColumnsOf(std::shared_ptr<BudgetedColumns> holder) {
  const LogColumns* columns = holder->columns.get();
  return std::shared_ptr<const LogColumns>(std::move(holder), columns);
}

}  // namespace

std::string PackedLogSnapshot::SourceName(uint32_t source) const {
  VARVE_CHECK(source < sources_.size());
  const SnapshotSource& from = sources_[source];
  if (from.pack == nullptr) return "head of shard " + std::to_string(from.shard);
  return from.pack->id.ToString() + " block " + std::to_string(from.block);
}

uint64_t PackedLogSnapshot::SourceBytesOnDisk(uint32_t source) const {
  VARVE_CHECK(source < sources_.size());
  return sources_[source].block_bytes;
}

Result<std::shared_ptr<const LogColumns>> PackedLogSnapshot::LoadBlock(const SnapshotSource& source,
                                                                       ColumnMask want,
                                                                       MemoryBudget* budget) const {
  const uint64_t number = source.pack->id.number;
  if (std::shared_ptr<const LogColumns> cached = cache_->Find(number, source.block, want)) return cached;
  VARVE_ASSIGN_OR_RETURN(const PackBytes bytes, store_->ReadBlock(source.pack->id, source.block));
  VARVE_ASSIGN_OR_RETURN(const int64_t size, LogBlockDecodedBytes(bytes.view, want));
  auto holder = std::make_shared<BudgetedColumns>(budget);
  VARVE_RETURN_IF_ERROR(holder->reservation.Add(size));
  auto columns = std::make_shared<LogColumns>();
  VARVE_RETURN_IF_ERROR(DecodeLogBlock(bytes.view, want, columns.get()));
  // What the cache keeps counts against the cache.
  if (cache_->Insert(number, source.block, want, columns)) return std::shared_ptr<const LogColumns>(columns);
  holder->columns = std::move(columns);
  return ColumnsOf(std::move(holder));
}

Result<std::shared_ptr<const LogColumns>> PackedLogSnapshot::Load(uint32_t source, ColumnMask want,
                                                                  MemoryBudget* budget) const {
  VARVE_CHECK(source < sources_.size());
  const SnapshotSource& from = sources_[source];
  if (from.pack != nullptr) {
    Result<std::shared_ptr<const LogColumns>> loaded = LoadBlock(from, want, budget);
    if (loaded.ok() || loaded.status().code() == Code::kResourceExhausted) return loaded;
    return CommittedPackError(std::move(loaded).status()).WithContext(SourceName(source));
  }
  auto holder = std::make_shared<BudgetedColumns>(budget);
  VARVE_RETURN_IF_ERROR(holder->reservation.Add(MaterialisedBytesMax(from.runs, want)));
  holder->columns = std::make_shared<LogColumns>(MaterialiseRuns(from.runs, want));
  return ColumnsOf(std::move(holder));
}

Status PackedLogSnapshot::DropHidden(const LogSlice& slice, MemoryBudget* budget,
                                     std::vector<uint32_t>* rows) const {
  if (!slice.may_hide() || rows->empty()) return Status::Ok();
  const RowHiding& hiding = hidings_[slice.hiding - 1];
  VARVE_ASSIGN_OR_RETURN(const auto columns, Load(slice.source, hiding.columns(), budget));
  hiding.Drop(*streams_[slice.stream].labels, *columns, rows);
  return Status::Ok();
}

}  // namespace varve
