#include <cmath>
#include <cstring>
#include <string>

#include "engine/base/bytes.h"
#include "ingest/json_cursor.h"
#include "ingest/metric_import.h"
#include "ingest/otlp_json_reader.h"

namespace varve {
namespace {

constexpr char kLine[] = "import";

class LineDecoder {
 public:
  LineDecoder(DecodedMetrics* out, ByteArena* arena, DecodeMemory* memory)
      : out_(*out), arena_(arena), memory_(memory) {}

  // An error of the memory ends the import; any other is the line's own.
  Status Line(std::string_view text, uint64_t number) {
    const size_t floats_before = out_.floats.size();
    times_.clear();
    labels_.clear();
    DecodedMetrics::Series series = out_.BeginSeries();
    JsonCursor cursor(text, arena_);
    const bool ok = cursor.Object(kLine, [&](std::string_view key) { return Field(&cursor, key); }) &&
                    (cursor.Peek() == '\0' || cursor.Fail("there are bytes left after the object"));
    Status status = ok ? Finish(&series) : cursor.TakeStatus();
    if (status.ok()) return status;
    const size_t samples = out_.floats.size() - floats_before;
    out_.floats.resize(floats_before);
    if (status.code() != Code::kInvalidArgument) return status;
    return AddLineProblem(number, status.message(), samples, &out_, memory_);
  }

 private:
  bool Field(JsonCursor* cursor, std::string_view key) {
    if (key == "metric") return Metric(cursor);
    if (key == "values") {
      return cursor->Array(kLine, [&] { return Value(cursor); });
    }
    if (key == "timestamps") {
      return cursor->Array(kLine, [&] { return Time(cursor); });
    }
    return cursor->Skip(nullptr);
  }

  bool Metric(JsonCursor* cursor) {
    labels_.clear();
    return cursor->Object(kLine, [&](std::string_view name) {
      std::string_view value;
      if (!cursor->String(&value, kLine)) return false;
      PutLengthPrefixed(&labels_, name);
      PutLengthPrefixed(&labels_, value);
      return true;
    });
  }

  bool Value(JsonCursor* cursor) {
    Sample sample;
    std::string_view text;
    if (cursor->ConsumeNull()) {
      text = "NaN";
    } else if (cursor->Peek() == '"' ? !cursor->String(&text, kLine) : !cursor->Skip(&text)) {
      return false;
    }
    if (text == "StaleNaN") {
      sample.value = StaleNan();
    } else if (!ParseImportedNumber(text, &sample.value)) {
      return cursor->Fail("\"" + std::string(text.substr(0, 100)) + "\" is no value");
    }
    const Status status = PushBack(&out_.floats, sample, memory_);
    return status.ok() || cursor->Fail(status.Clone());
  }

  bool Time(JsonCursor* cursor) {
    std::string_view text;
    int64_t ms = 0;
    if (!cursor->Skip(&text)) return false;
    if (!ParseOtlpInteger(text, &ms)) {
      return cursor->Fail("\"" + std::string(text.substr(0, 100)) + "\" is no time in milliseconds");
    }
    const Status status = PushBack(&times_, ms, memory_);
    return status.ok() || cursor->Fail(status.Clone());
  }

  Status Finish(DecodedMetrics::Series* series) {
    out_.EndSeries(series);
    if (times_.size() != series->float_count) {
      return InvalidArgument(std::to_string(series->float_count) + " values and " + std::to_string(times_.size()) +
                             " timestamps");
    }
    for (size_t i = 0; i < times_.size(); ++i) out_.floats[series->float_begin + i].ts_ms = times_[i];
    if (labels_.empty()) return InvalidArgument("there is no metric");
    char* const bytes = arena_->Allocate(labels_.size());
    if (bytes == nullptr) return arena_->TakeStatus();
    std::memcpy(bytes, labels_.data(), labels_.size());
    series->labels = {bytes, labels_.size()};
    return PushBack(&out_.series, *series, memory_);
  }

  DecodedMetrics& out_;
  ByteArena* const arena_;
  DecodeMemory* const memory_;
  std::string labels_;
  std::vector<int64_t> times_;
};

}  // namespace

Status AddLineProblem(uint64_t line, std::string_view what, uint64_t samples, DecodedMetrics* out,
                      DecodeMemory* memory) {
  DecodedMetrics::Problem problem{"line " + std::to_string(line) + ": " + std::string(what.substr(0, 500)), samples};
  VARVE_RETURN_IF_ERROR(memory->Add(static_cast<int64_t>(sizeof(problem) + problem.text.size())));
  out->problems.push_back(std::move(problem));
  return Status::Ok();
}

Status DecodeImportJson(std::string_view body, DecodedMetrics* out, ByteArena* arena, DecodeMemory* memory) {
  out->label_form = SeriesLabelForm::kCanonical;
  LineDecoder decoder(out, arena, memory);
  uint64_t number = 0;
  while (!body.empty()) {
    const size_t end = body.find('\n');
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    VARVE_RETURN_IF_ERROR(decoder.Line(line, number));
  }
  return Status::Ok();
}

}  // namespace varve
