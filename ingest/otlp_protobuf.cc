#include "ingest/otlp_protobuf.h"

#include "ingest/message_cursor.h"
#include "ingest/otlp_protobuf_value.h"

namespace varve {
namespace {

using enum WireType;

constexpr size_t kTraceIdBytes = 16;
constexpr size_t kSpanIdBytes = 8;

class Decoder {
 public:
  Decoder(OtlpBatch* batch, DecodeMemory* memory) : batch_(*batch), reader_(memory) {}

  Status Request(std::string_view bytes) {
    constexpr char kName[] = "ExportLogsServiceRequest";
    MessageCursor cursor(bytes);
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      if (tag == Tag(1, kBytes)) {
        const std::string_view logs = cursor.Bytes();
        if (cursor.ok()) VARVE_RETURN_IF_ERROR(ResourceLogs(logs));
      } else if (cursor.ok()) {
        VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(1), kName));
      }
    }
    return cursor.ok() ? Status::Ok() : MalformedMessage(kName);
  }

 private:
  // The resource is needed before the first record, wherever it stands.
  Status ResourceLogs(std::string_view bytes) {
    constexpr char kName[] = "ResourceLogs";
    batch_.BeginResource();
    VARVE_RETURN_IF_ERROR(ForEachField(bytes, 1, uint64_t{1} << 1, kName,
                                  [&](std::string_view resource) { return Resource(resource); }));
    VARVE_RETURN_IF_ERROR(batch_.EndResource());
    return ForEachField(bytes, 2, uint64_t{1} << 2, kName,
                   [&](std::string_view scope_logs) { return ScopeLogs(scope_logs); });
  }

  Status Resource(std::string_view bytes) {
    return ForEachField(bytes, 1, uint64_t{1} << 1, "Resource",
                   [&](std::string_view attribute) { return Attribute(OtlpLevel::kResource, attribute); });
  }

  Status ScopeLogs(std::string_view bytes) {
    constexpr char kName[] = "ScopeLogs";
    OtlpScope scope;
    batch_.BeginScope();
    VARVE_RETURN_IF_ERROR(ForEachField(bytes, 1, uint64_t{1} << 1, kName,
                                  [&](std::string_view message) { return Scope(message, &scope); }));
    VARVE_RETURN_IF_ERROR(batch_.EndScope(scope));
    return ForEachField(bytes, 2, uint64_t{1} << 2, kName,
                   [&](std::string_view record) { return LogRecord(record); });
  }

  Status Scope(std::string_view bytes, OtlpScope* scope) {
    constexpr char kName[] = "InstrumentationScope";
    MessageCursor cursor(bytes);
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kBytes): scope->name = cursor.Bytes(); break;
        case Tag(2, kBytes): scope->version = cursor.Bytes(); break;
        case Tag(3, kBytes): {
          const std::string_view attribute = cursor.Bytes();
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(Attribute(OtlpLevel::kScope, attribute));
          break;
        }
        case Tag(4, kVarint): scope->dropped_attributes_count = static_cast<uint32_t>(cursor.Varint()); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(4), kName));
      }
    }
    return cursor.ok() ? Status::Ok() : MalformedMessage(kName);
  }

  Status LogRecord(std::string_view bytes) {
    constexpr char kName[] = "LogRecord";
    constexpr uint64_t kFields = FieldsUpTo(11) & ~(uint64_t{1} << 4);
    MessageCursor cursor(bytes);
    OtlpRecord record;
    std::string_view trace_id;
    std::string_view span_id;
    std::string_view body;
    batch_.BeginRecord();
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kFixed64): record.time_unix_nano = cursor.Fixed<uint64_t>(); break;
        case Tag(2, kVarint): record.severity_number = static_cast<int32_t>(cursor.Varint()); break;
        case Tag(3, kBytes): record.severity_text = cursor.Bytes(); break;
        case Tag(5, kBytes): body = cursor.Bytes(); break;
        case Tag(6, kBytes): {
          const std::string_view attribute = cursor.Bytes();
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(Attribute(OtlpLevel::kLog, attribute));
          break;
        }
        case Tag(7, kVarint): record.dropped_attributes_count = static_cast<uint32_t>(cursor.Varint()); break;
        case Tag(8, kFixed32): record.flags = cursor.Fixed<uint32_t>(); break;
        case Tag(9, kBytes): trace_id = cursor.Bytes(); break;
        case Tag(10, kBytes): span_id = cursor.Bytes(); break;
        case Tag(11, kFixed64): record.observed_time_unix_nano = cursor.Fixed<uint64_t>(); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, kFields, kName));
      }
    }
    if (!cursor.ok()) return MalformedMessage(kName);
    VARVE_RETURN_IF_ERROR(reader_.ReadValue(body, &values_));
    VARVE_ASSIGN_OR_RETURN(record.line, batch_.text().Of(values_, 0));
    VARVE_ASSIGN_OR_RETURN(record.trace_id, IdText(trace_id, kTraceIdBytes, "TraceID"));
    VARVE_ASSIGN_OR_RETURN(record.span_id, IdText(span_id, kSpanIdBytes, "SpanID"));
    return batch_.EndRecord(record);
  }

  Result<std::string_view> IdText(std::string_view id, size_t size, const char* name) {
    if (id.find_first_not_of('\0') == std::string_view::npos && (id.empty() || id.size() == size)) {
      return std::string_view();
    }
    if (id.size() != size)
      return InvalidArgument(std::string("proto: LogRecord: invalid length for ") + name);
    return batch_.text().OfHex(id);
  }

  Status Attribute(OtlpLevel level, std::string_view bytes) {
    VARVE_RETURN_IF_ERROR(reader_.ReadKeyValue(bytes, &values_));
    return batch_.AddAttribute(level, values_[0].key, values_);
  }

  OtlpBatch& batch_;
  OtlpProtobufValueReader reader_;
  OtlpValues values_;  // of the value that is being read
};

}  // namespace

Status DecodeOtlpProtobuf(std::string_view body, OtlpBatch* batch, DecodeMemory* memory) {
  return Decoder(batch, memory).Request(body);
}

}  // namespace varve
