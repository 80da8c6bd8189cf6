#include "ingest/metric_labels.h"

#include <algorithm>

#include "engine/base/bytes.h"
#include "engine/model/labels.h"
#include "ingest/message_cursor.h"
#include "ingest/utf8_repair.h"

namespace varve {
namespace {

using enum WireType;
using Reason = MetricDiscardReason;

Status ReadMessages(std::string_view raw, std::vector<LabelView>* out) {
  MessageCursor fields(raw);
  while (!fields.AtEnd()) {
    if (fields.Varint() != Tag(1, kBytes)) return MalformedMessage("Label");
    MessageCursor cursor(fields.Bytes());
    LabelView label;
    while (!cursor.AtEnd()) {
      const uint64_t tag = cursor.Varint();
      switch (tag) {
        case Tag(1, kBytes): label.name = cursor.Bytes(); break;
        case Tag(2, kBytes): label.value = cursor.Bytes(); break;
        default:
          if (!cursor.ok()) break;
          VARVE_RETURN_IF_ERROR(SkipUnknownField(&cursor, tag, FieldsUpTo(2), "Label"));
      }
    }
    if (!cursor.ok()) return MalformedMessage("Label");
    out->push_back(label);
  }
  return fields.ok() ? Status::Ok() : MalformedMessage("Label");
}

Status ReadSymbols(const std::vector<std::string_view>& symbols, std::string_view raw,
                   std::vector<LabelView>* out) {
  MessageCursor cursor(raw);
  const auto next = [&](std::string_view* text) {
    const uint64_t number = cursor.Varint();
    if (!cursor.ok()) return MalformedMessage("TimeSeries");
    if (number >= symbols.size()) {
      return InvalidArgument("labelRefs " + std::to_string(number) + " out of range: the request has " +
                             std::to_string(symbols.size()) + " symbols");
    }
    *text = symbols[number];
    return Status::Ok();
  };
  while (!cursor.AtEnd()) {
    LabelView label;
    VARVE_RETURN_IF_ERROR(next(&label.name));
    if (cursor.AtEnd()) return InvalidArgument("invalid labelRefs length: not a multiple of 2");
    VARVE_RETURN_IF_ERROR(next(&label.value));
    out->push_back(label);
  }
  return Status::Ok();
}

Status ReadCanonical(std::string_view raw, std::vector<LabelView>* out) {
  ByteReader reader(raw);
  while (reader.ok() && reader.remaining() != 0) {
    LabelView label;
    label.name = reader.LengthPrefixed();
    label.value = reader.LengthPrefixed();
    if (reader.ok()) out->push_back(label);
  }
  return reader.ok() ? Status::Ok() : InternalError("unreadable labels");
}

std::optional<std::string_view> DuplicateName(const std::vector<LabelView>& labels) {
  std::vector<std::string_view> names;
  names.reserve(labels.size());
  for (const LabelView& label : labels) names.push_back(label.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  return twice == names.end() ? std::nullopt : std::optional(*twice);
}

std::string Shown(std::string_view text) {
  constexpr size_t kShownMax = 200;
  std::string quoted;
  AppendGoQuoted(&quoted, text.substr(0, kShownMax));
  if (text.size() > kShownMax) quoted += "…";
  return quoted;
}

std::string LimitText(std::string_view what, uint64_t actual, uint64_t limit, std::string_view key,
                      const std::vector<LabelView>& labels) {
  return "received a series whose " + std::string(what) + " exceeds the limit (actual: " +
         std::to_string(actual) + ", limit: " + std::to_string(limit) + ", limits." + std::string(key) +
         ") for series " + LabelListText(labels);
}

}  // namespace

Status ReadRawLabels(const DecodedMetrics& decoded, std::string_view raw, std::vector<LabelView>* out) {
  out->clear();
  switch (decoded.label_form) {
    case SeriesLabelForm::kMessages: return ReadMessages(raw, out);
    case SeriesLabelForm::kSymbols: return ReadSymbols(decoded.symbols, raw, out);
    case SeriesLabelForm::kCanonical: return ReadCanonical(raw, out);
  }
  return InternalError("no such form of labels");
}

std::string LabelListText(std::vector<LabelView> labels) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const LabelView& a, const LabelView& b) { return a.name < b.name; });
  std::string out = "{";
  for (const LabelView& label : labels) {
    if (out.size() > kLabelTextMax) {
      out += ", …";
      break;
    }
    if (out.size() > 1) out += ", ";
    if (IsValidLabelName(label.name)) {
      out.append(label.name.substr(0, kLabelTextMax));
    } else {
      AppendGoQuoted(&out, label.name.substr(0, kLabelTextMax));
    }
    out += '=';
    AppendGoQuoted(&out, label.value.substr(0, kLabelTextMax));
  }
  return out + "}";
}

std::optional<MetricLabelRefusal> CheckMetricLabels(const std::vector<LabelView>& labels,
                                                    const IngestLimits& limits) {
  const auto refuse = [&](Reason reason, std::string text) {
    return MetricLabelRefusal{reason, std::move(text)};
  };
  std::string_view name;
  size_t count = 0;
  for (const LabelView& label : labels) {
    if (label.name == kMetricName) name = label.value;
    if (!label.value.empty()) ++count;
    if (label.name.empty() || !IsValidUtf8(label.name) || !IsValidUtf8(label.value)) {
      return refuse(Reason::kInvalidLabels, "invalid metric name or labels, got " + LabelListText(labels) +
                                                ": label " + Shown(label.name) +
                                                (label.name.empty()          ? " has no name"
                                                 : IsValidUtf8(label.name) ? " has a value that is not UTF-8"
                                                                             : " is not UTF-8"));
    }
  }
  if (name.empty()) {
    return refuse(Reason::kMissingMetricName,
                  "invalid metric name or labels, got " + LabelListText(labels) + ": there is no __name__");
  }
  if (const std::optional<std::string_view> twice = DuplicateName(labels)) {
    return refuse(Reason::kDuplicateLabelNames, "invalid labels for series, labels " + LabelListText(labels) +
                                                    ", duplicated label " + std::string(*twice));
  }
  if (count > limits.max_label_names_per_metric_series) {
    return refuse(Reason::kMaxLabelNames,
                  LimitText("number of labels", count, limits.max_label_names_per_metric_series,
                            "max_label_names_per_metric_series", labels));
  }
  for (const LabelView& label : labels) {
    if (label.name.size() > limits.max_label_name_length) {
      return refuse(Reason::kLabelNameTooLong,
                    LimitText("label name length of " + Shown(label.name), label.name.size(),
                              limits.max_label_name_length, "max_label_name_length", labels));
    }
    if (label.value.size() > limits.max_metric_label_value_length) {
      return refuse(Reason::kLabelValueTooLong,
                    LimitText("label value length of " + Shown(label.name), label.value.size(),
                              limits.max_metric_label_value_length, "max_metric_label_value_length", labels));
    }
  }
  return std::nullopt;
}

std::string MetricLabelLimitsKey(const IngestLimits& limits) {
  std::string key;
  PutVarint(&key, limits.max_label_names_per_metric_series);
  PutVarint(&key, limits.max_label_name_length);
  PutVarint(&key, limits.max_metric_label_value_length);
  return key;
}

std::string_view MetricFamilyName(std::string_view series_name, MetricType type) {
  using enum MetricType;
  if (type != kHistogram && type != kGaugeHistogram && type != kSummary) return series_name;
  for (const std::string_view suffix : {"_bucket", "_count", "_sum", "_gcount", "_gsum"}) {
    if (type == kSummary && suffix == "_bucket") continue;
    if (suffix.starts_with("_g") && type != kGaugeHistogram) continue;
    if (series_name.ends_with(suffix)) return series_name.substr(0, series_name.size() - suffix.size());
  }
  return series_name;
}

bool AreExemplarLabels(const std::vector<LabelView>& labels) {
  return !DuplicateName(labels).has_value() &&
         std::all_of(labels.begin(), labels.end(), [](const LabelView& label) {
           return !label.name.empty() && IsValidUtf8(label.name) && IsValidUtf8(label.value);
         });
}

size_t ExemplarRunes(const std::vector<LabelView>& labels) {
  size_t runes = 0;
  for (const LabelView& label : labels) {
    for (const std::string_view text : {label.name, label.value}) {
      for (size_t i = 0; i < text.size(); ++runes) {
        uint32_t rune = 0;
        i += std::max<size_t>(1, DecodeUtf8Sequence(text, i, &rune));
      }
    }
  }
  return runes;
}

}  // namespace varve
