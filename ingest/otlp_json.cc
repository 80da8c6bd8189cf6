#include "ingest/otlp_json.h"

#include <array>

#include "ingest/otlp_json_reader.h"

namespace varve {
namespace {

constexpr size_t kTraceIdDigits = 32;
constexpr size_t kSpanIdDigits = 16;

constexpr char kRequest[] = "otlp: ExportLogsServiceRequest";
constexpr char kResourceLogs[] = "otlp: ResourceLogs";
constexpr char kResource[] = "otlp: Resource";
constexpr char kScopeLogs[] = "otlp: ScopeLogs";
constexpr char kScope[] = "otlp: InstrumentationScope";
constexpr char kRecord[] = "otlp: LogRecord";
constexpr char kKeyValue[] = "otlp: KeyValue";

// SEVERITY_NUMBER_INFO2 → 10. False for what is no name.
bool ParseSeverityName(std::string_view name, int32_t* number) {
  static constexpr std::string_view kPrefix = "SEVERITY_NUMBER_";
  static constexpr std::array<std::string_view, 6> kLevels = {"TRACE", "DEBUG", "INFO",
                                                              "WARN",  "ERROR", "FATAL"};
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  if (name == "UNSPECIFIED") {
    *number = 0;
    return true;
  }
  for (size_t i = 0; i < kLevels.size(); ++i) {
    if (!name.starts_with(kLevels[i])) continue;
    const std::string_view digit = name.substr(kLevels[i].size());
    if (!digit.empty() && (digit.size() != 1 || digit[0] < '2' || digit[0] > '4')) return false;
    *number = static_cast<int32_t>(4 * i + 1) + (digit.empty() ? 0 : digit[0] - '1');
    return true;
  }
  return false;
}

class Decoder : OtlpJsonReader {
 public:
  Decoder(std::string_view body, OtlpBatch* batch, ByteArena* arena, DecodeMemory* memory)
      : OtlpJsonReader(body, arena, memory), batch_(*batch) {}

  Status Decode() {
    if (cursor_.Peek() == '\0') return InvalidArgument("EOF");
    const bool ok = cursor_.Object(kRequest, [&](std::string_view key) {
      if (key != "resourceLogs" && key != "resource_logs") return cursor_.Skip(nullptr);
      return List(kRequest, [&] { return ResourceLogs(); });
    });
    if (ok && cursor_.Peek() != '\0') Fail(kRequest, "there are bytes left after the request");
    return cursor_.TakeStatus();
  }

 private:
  bool ResourceLogs() {
    batch_.BeginResource();
    return PartThenList(
        kResourceLogs, "resource", {"scopeLogs", "scope_logs"},
        [&] {
          return Message(kResource, [&](std::string_view key) {
            return key == "attributes" ? Attributes(OtlpLevel::kResource) : cursor_.Skip(nullptr);
          });
        },
        [&] { return batch_.EndResource(); },
        [&] { return List(kResourceLogs, [&] { return ScopeLogs(); }); });
  }

  bool ScopeLogs() {
    OtlpScope scope;
    batch_.BeginScope();
    return PartThenList(
        kScopeLogs, "scope", {"logRecords", "log_records"}, [&] { return Scope(&scope); },
        [&] { return batch_.EndScope(scope); },
        [&] { return List(kScopeLogs, [&] { return LogRecord(); }); });
  }

  bool Scope(OtlpScope* scope) {
    return Message(kScope, [&](std::string_view key) {
      if (key == "name") return Text(&scope->name, kScope);
      if (key == "version") return Text(&scope->version, kScope);
      if (key == "attributes") return Attributes(OtlpLevel::kScope);
      if (key == "droppedAttributesCount" || key == "dropped_attributes_count") {
        return Integer(&scope->dropped_attributes_count, kScope);
      }
      return cursor_.Skip(nullptr);
    });
  }

  bool LogRecord() {
    OtlpRecord record;
    batch_.BeginRecord();
    return cursor_.Object(kRecord, [&](std::string_view key) { return RecordField(key, &record); }) &&
           Add(batch_.EndRecord(record));
  }

  bool RecordField(std::string_view key, OtlpRecord* record) {
    if (key == "timeUnixNano" || key == "time_unix_nano") return Integer(&record->time_unix_nano, kRecord);
    if (key == "body") return Body(&record->line);
    if (key == "attributes") return Attributes(OtlpLevel::kLog);
    if (key == "severityNumber" || key == "severity_number") return Severity(&record->severity_number);
    if (key == "severityText" || key == "severity_text") return Text(&record->severity_text, kRecord);
    if (key == "observedTimeUnixNano" || key == "observed_time_unix_nano") {
      return Integer(&record->observed_time_unix_nano, kRecord);
    }
    if (key == "traceId" || key == "trace_id") return Id(&record->trace_id, kTraceIdDigits, kRecord, "traceId");
    if (key == "spanId" || key == "span_id") return Id(&record->span_id, kSpanIdDigits, kRecord, "spanId");
    if (key == "flags") return Integer(&record->flags, kRecord);
    if (key == "droppedAttributesCount" || key == "dropped_attributes_count") {
      return Integer(&record->dropped_attributes_count, kRecord);
    }
    return cursor_.Skip(nullptr);
  }

  bool Body(std::string_view* line) {
    if (!AnyValue()) return false;
    Result<std::string_view> text = batch_.text().Of(values(), 0);
    if (!text.ok()) return Add(std::move(text).status());
    *line = *text;
    return true;
  }

  bool Severity(int32_t* number) {
    if (cursor_.Peek() != '"') return Integer(number, kRecord);
    std::string_view name;
    if (!cursor_.String(&name, kRecord)) return false;
    return ParseSeverityName(name, number) || ParseOtlpInteger(name, number) ||
           Fail(kRecord, "severityNumber is no name or number of a severity");
  }

  bool Attributes(OtlpLevel level) {
    return List(kKeyValue,
                [&] { return Attribute() && Add(batch_.AddAttribute(level, values()[0].key, values())); });
  }

  OtlpBatch& batch_;
};

}  // namespace

Status DecodeOtlpJson(std::string_view body, OtlpBatch* batch, ByteArena* arena, DecodeMemory* memory) {
  return Decoder(body, batch, arena, memory).Decode();
}

}  // namespace varve
