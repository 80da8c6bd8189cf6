#include "ingest/loki_json.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "engine/base/time.h"
#include "ingest/json_cursor.h"

namespace varve {
namespace {

// The words every error about a stream begins with, as Loki's decoder has them.
constexpr char kPush[] = "loghttp.PushRequest.Streams: []loghttp.LogProtoStream";
constexpr char kStream[] = "loghttp.PushRequest.Streams: []loghttp.LogProtoStream: unmarshalerDecoder";

bool IsStreamsKey(std::string_view key) {
  static constexpr std::string_view kName = "streams";
  return std::equal(key.begin(), key.end(), kName.begin(), kName.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
}

// strconv.ParseInt(text, 10, 64).
bool ParseNanoseconds(std::string_view text, int64_t* ts_ns) {
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.size() != text.size() && digits.starts_with('-')) return false;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *ts_ns);
  return error == std::errc() && end == digits.data() + digits.size();
}

class Decoder {
 public:
  Decoder(std::string_view body, bool accept_legacy, DecodedPush* out, ByteArena* arena, DecodeMemory* memory)
      : cursor_(body, arena), accept_legacy_(accept_legacy), out_(out), memory_(memory) {}

  Status Decode() {
    if (cursor_.Peek() == '\0') return InvalidArgument("EOF");
    const bool ok = cursor_.ConsumeNull() || cursor_.Object("loghttp.PushRequest", [&](std::string_view key) {
      return IsStreamsKey(key) ? Streams() : cursor_.Skip(nullptr);
    });
    if (ok && cursor_.Peek() != '\0')
      cursor_.Fail("loghttp.PushRequest: there are bytes left after the request");
    return cursor_.TakeStatus();
  }

 private:
  bool Streams() {
    return cursor_.ConsumeNull() || cursor_.Array(kPush, [&] { return cursor_.ConsumeNull() || Stream(); });
  }

  bool Stream() {
    DecodedPush::Stream stream;
    stream.begin = static_cast<uint32_t>(out_->entries.size());
    const bool ok = cursor_.Object(kStream, [&](std::string_view key) {
      if (key == "stream") return StreamLabels(&stream);
      if (key == "values") return cursor_.ConsumeNull() || cursor_.Array(kStream, [&] { return Value(); });
      if (accept_legacy_ && key == "labels") {
        stream.form = LabelForm::kText;
        return cursor_.String(&stream.labels, kStream);
      }
      if (accept_legacy_ && key == "entries") {
        return cursor_.ConsumeNull() || cursor_.Array(kStream, [&] { return LegacyEntry(); });
      }
      return cursor_.Skip(nullptr);
    });
    if (!ok) return false;
    stream.count = static_cast<uint32_t>(out_->entries.size()) - stream.begin;
    return Add(PushBack(&out_->streams, stream, memory_));
  }

  // Checks that all values are strings and keeps the object's bytes.
  bool StreamLabels(DecodedPush::Stream* stream) {
    if (cursor_.ConsumeNull()) return true;
    cursor_.Peek();
    const size_t begin = cursor_.offset();
    if (!cursor_.Object(kStream, [&](std::string_view) {
          std::string_view value;
          return cursor_.String(&value, kStream);
        })) {
      return false;
    }
    stream->form = LabelForm::kJson;
    stream->labels = cursor_.Since(begin);
    return true;
  }

  // ["<ns>", "line", {metadata}, anything…]
  bool Value() {
    LogEntryView entry;
    const size_t pairs_begin = out_->pairs.size();
    int position = 0;
    const bool ok = cursor_.Array(kStream, [&] {
      switch (position++) {
        case 0: return Nanoseconds(&entry.ts_ns);
        case 1: return cursor_.String(&entry.line, kStream);
        case 2: return MetadataObject();
        default: return cursor_.Skip(nullptr);
      }
    });
    if (!ok) return false;
    if (position == 0) return cursor_.Fail(std::string(kStream) + ": an entry has no timestamp");
    return AddEntry(entry, pairs_begin);
  }

  bool Nanoseconds(int64_t* ts_ns) {
    std::string_view text;
    if (!cursor_.String(&text, kStream)) return false;
    if (ParseNanoseconds(text, ts_ns)) return true;
    return cursor_.Fail(std::string(kStream) + ": strconv.ParseInt: parsing " +
                        GoQuoted(text.substr(0, 100)) + ": invalid syntax");
  }

  bool MetadataObject() {
    return cursor_.Object(kStream, [&](std::string_view name) {
      std::string_view value;
      return cursor_.String(&value, kStream) &&
             Add(PushBack(&out_->pairs, MetadataPair(name, value), memory_));
    });
  }

  bool LegacyEntry() {
    LogEntryView entry;
    const size_t pairs_begin = out_->pairs.size();
    bool timed = false;
    const bool ok = cursor_.Object(kStream, [&](std::string_view key) {
      if (key == "ts" || key == "timestamp") {
        std::string_view text;
        if (!cursor_.String(&text, kStream)) return false;
        timed = ParseRfc3339(text, &entry.ts_ns);
        return timed || cursor_.Fail(std::string(kStream) + ": parsing time " +
                                     GoQuoted(text.substr(0, 100)) + ": not an RFC 3339 time");
      }
      if (key == "line") return cursor_.String(&entry.line, kStream);
      if (key == "structuredMetadata") return LegacyMetadata();
      return cursor_.Skip(nullptr);
    });
    if (!ok) return false;
    if (!timed) return cursor_.Fail(std::string(kStream) + ": an entry has no timestamp");
    return AddEntry(entry, pairs_begin);
  }

  // [{"name":…,"value":…}, …] or {"name":"value", …}
  bool LegacyMetadata() {
    if (cursor_.ConsumeNull()) return true;
    if (cursor_.Peek() == '{') return MetadataObject();
    return cursor_.Array(kStream, [&] {
      MetadataPair pair;
      const bool ok = cursor_.Object(kStream, [&](std::string_view key) {
        if (key == "name") return cursor_.String(&pair.first, kStream);
        if (key == "value") return cursor_.String(&pair.second, kStream);
        return cursor_.Skip(nullptr);
      });
      return ok && Add(PushBack(&out_->pairs, pair, memory_));
    });
  }

  bool AddEntry(const LogEntryView& entry, size_t pairs_begin) {
    if (out_->pairs.size() != pairs_begin) {
      const DecodedPush::EntryMetadata metadata{static_cast<uint32_t>(out_->entries.size()),
                                                static_cast<uint32_t>(pairs_begin),
                                                static_cast<uint32_t>(out_->pairs.size() - pairs_begin)};
      if (!Add(PushBack(&out_->metadata, metadata, memory_))) return false;
    }
    return Add(PushBack(&out_->entries, entry, memory_));
  }

  bool Add(Status status) { return status.ok() || cursor_.Fail(std::move(status)); }

  JsonCursor cursor_;
  const bool accept_legacy_;
  DecodedPush* const out_;
  DecodeMemory* const memory_;
};

// Reads `count` digits at *text and passes over them; -1 where there are none.
int Digits(std::string_view* text, size_t count) {
  if (text->size() < count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    const char c = (*text)[i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text->remove_prefix(count);
  return value;
}

bool Take(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
int64_t DaysSinceEpoch(int year, int month, int day) {
  const int y = month <= 2 ? year - 1 : year;
  const int era = y / 400;
  const int year_of_era = y - era * 400;
  const int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<int64_t>(era) * 146097 + day_of_era - 719468;
}

int DaysInMonth(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

}  // namespace

Status DecodeLokiJson(std::string_view body, bool accept_legacy, DecodedPush* out, ByteArena* arena,
                      DecodeMemory* memory) {
  return Decoder(body, accept_legacy, out, arena, memory).Decode();
}

Result<std::vector<Label>> ParseJsonLabels(std::string_view object, ByteArena* arena) {
  JsonCursor cursor(object, arena);
  std::vector<Label> labels;
  cursor.Object(kStream, [&](std::string_view name) {
    std::string_view value;
    if (!cursor.String(&value, kStream)) return false;
    labels.push_back({std::string(name), std::string(value)});
    return true;
  });
  VARVE_RETURN_IF_ERROR(cursor.TakeStatus());
  std::stable_sort(labels.begin(), labels.end(),
                   [](const Label& a, const Label& b) { return a.name < b.name; });
  // Keep the last of each name.
  const auto begin = std::unique(labels.rbegin(), labels.rend(), [](const Label& a, const Label& b) {
                       return a.name == b.name;
                     }).base();
  labels.erase(labels.begin(), begin);
  return labels;
}

bool ParseRfc3339(std::string_view text, int64_t* ts_ns) {
  const int year = Digits(&text, 4);
  if (year < 0 || !Take(&text, '-')) return false;
  const int month = Digits(&text, 2);
  if (month < 1 || month > 12 || !Take(&text, '-')) return false;
  const int day = Digits(&text, 2);
  if (day < 1 || day > DaysInMonth(year, month)) return false;
  if (!Take(&text, 'T') && !Take(&text, 't')) return false;
  const int hour = Digits(&text, 2);
  if (hour < 0 || hour > 23 || !Take(&text, ':')) return false;
  const int minute = Digits(&text, 2);
  if (minute < 0 || minute > 59 || !Take(&text, ':')) return false;
  const int second = Digits(&text, 2);
  if (second < 0 || second > 59) return false;
  int64_t nanos = 0;
  if (Take(&text, '.')) {
    int64_t unit = kNsPerSecond / 10;
    if (text.empty() || text[0] < '0' || text[0] > '9') return false;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), unit /= 10) {
      nanos += unit * (text[0] - '0');
    }
  }
  int64_t offset = 0;
  if (!Take(&text, 'Z') && !Take(&text, 'z')) {
    const bool east = Take(&text, '+');
    if (!east && !Take(&text, '-')) return false;
    const int hours = Digits(&text, 2);
    if (hours < 0 || hours > 23 || !Take(&text, ':')) return false;
    const int minutes = Digits(&text, 2);
    if (minutes < 0 || minutes > 59) return false;
    offset = (hours * 3600 + minutes * 60) * (east ? 1 : -1);
  }
  if (!text.empty()) return false;
  const int64_t seconds =
      DaysSinceEpoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
  return !__builtin_mul_overflow(seconds, kNsPerSecond, ts_ns) &&
         !__builtin_add_overflow(*ts_ns, nanos, ts_ns);
}

}  // namespace varve
