#include "query/exec/source_columns.h"

namespace varve {

Status SourceColumns::Ensure(ColumnMask want) {
  if ((want & kLines) != 0) want |= kLengths;
  ColumnMask missing = want & ~loaded_;
  if (missing == 0) return Status::Ok();
  // Lines come with their lengths, in one and the same object.
  if ((missing & kLines) != 0) missing |= kLengths;
  VARVE_ASSIGN_OR_RETURN(std::shared_ptr<const LogColumns> columns,
                         snapshot_.Load(source_, missing, query_.budget()));
  if (loaded_ == 0) {
    stats_.sources_loaded = 1;
    stats_.bytes_on_disk_read = snapshot_.SourceBytesOnDisk(source_);
  }
  row_count_ = columns->row_count;
  if ((missing & kTimestamps) != 0) timestamps_ = columns;
  if ((missing & kLengths) != 0) lengths_ = columns;
  if ((missing & kLines) != 0) lines_ = columns;
  if ((missing & kMetadata) != 0) metadata_ = columns;
  loaded_ |= missing;
  return Status::Ok();
}

}  // namespace varve
