#include "ingest/stream_labels.h"

#include <algorithm>

#include "engine/base/bytes.h"
#include "ingest/label_text.h"
#include "ingest/loki_json.h"
#include "ingest/utf8_repair.h"

namespace varve {
namespace {

constexpr std::string_view kServiceName = "service_name";

// {a="b", c="d"} of labels in their given order: what a parse error of a JSON stream is about.
std::string LabelText(const std::vector<Label>& labels) {
  std::string text = "{";
  for (const Label& label : labels) {
    if (text.size() > 1) text += ", ";
    text += label.name + "=" + GoQuoted(label.value);
  }
  return text + "}";
}

Status CouldNotParse(Status status) { return std::move(status).WithContext("couldn't parse labels"); }

Result<std::vector<Label>> ParseJson(std::string_view raw, ByteArena* arena) {
  Result<std::vector<Label>> labels = ParseJsonLabels(raw, arena);
  if (!labels.ok()) return labels;
  if (std::all_of(labels->begin(), labels->end(),
                  [](const Label& label) { return IsValidLabelName(label.name); })) {
    return labels;
  }
  // A name that is none: the text form says what is wrong and where.
  Result<std::vector<Label>> parsed = ParseLabelText(LabelText(*labels));
  if (!parsed.ok()) return CouldNotParse(std::move(parsed).status());
  return CouldNotParse(InvalidArgument("invalid label name in " + LabelText(*labels)));
}

Result<std::vector<Label>> ParseText(std::string_view raw) {
  Result<std::vector<Label>> labels = ParseLabelText(raw);
  if (!labels.ok()) return CouldNotParse(std::move(labels).status());
  return labels;
}

// What OtlpBatch wrote.
Result<std::vector<Label>> ParseCanonical(std::string_view raw) {
  std::vector<Label> labels;
  ByteReader reader(raw);
  while (reader.remaining() != 0) {
    const std::string_view name = reader.LengthPrefixed();
    const std::string_view value = reader.LengthPrefixed();
    if (!reader.ok()) return Corruption("unreadable labels");
    labels.push_back({std::string(name), std::string(value)});
  }
  return labels;
}

Result<std::vector<Label>> Parse(LabelForm form, std::string_view raw, ByteArena* arena) {
  switch (form) {
    case LabelForm::kText: return ParseText(raw);
    case LabelForm::kJson: return ParseJson(raw, arena);
    case LabelForm::kCanonical: return ParseCanonical(raw);
  }
  return Corruption("unknown form of labels");
}

void AddServiceName(const std::vector<std::string>& sources, std::vector<Label>* labels) {
  const auto value_of = [&](std::string_view name) -> std::string_view {
    for (const Label& label : *labels) {
      if (label.name == name && !label.value.empty()) return label.value;
    }
    return {};
  };
  if (!value_of(kServiceName).empty()) return;
  std::string service = "unknown_service";
  for (const std::string& source : sources) {
    if (const std::string_view value = value_of(source); !value.empty()) {
      service = value;
      break;
    }
  }
  labels->push_back({std::string(kServiceName), std::move(service)});
}

}  // namespace

Result<Labels> ResolveStreamLabels(LabelForm form, std::string_view raw,
                                   const std::vector<std::string>& service_names, ByteArena* arena) {
  if (raw.size() > kStreamLabelBytesMax) {
    return TooLarge("request body too large: stream labels size " + std::to_string(raw.size()) +
                    " exceeds limit of " + std::to_string(kStreamLabelBytesMax));
  }
  std::vector<Label> labels;
  if (!raw.empty()) {
    Result<std::vector<Label>> parsed = Parse(form, raw, arena);
    if (!parsed.ok()) return std::move(parsed).status();
    labels = std::move(*parsed);
  }
  for (Label& label : labels) {
    if (!IsAscii(label.value) && !IsValidUtf8(label.value)) label.value = RepairedUtf8(label.value);
  }
  if (form != LabelForm::kCanonical && !service_names.empty()) AddServiceName(service_names, &labels);
  return Labels::FromUnsorted(std::move(labels));
}

std::string LabelLimitsKey(const IngestLimits& limits) {
  std::string key;
  PutVarint(&key, limits.max_label_names_per_series);
  PutVarint(&key, limits.max_label_name_length);
  PutVarint(&key, limits.max_label_value_length);
  for (const std::string& name : limits.enforced_labels) PutLengthPrefixed(&key, name);
  return key;
}

std::optional<LabelRejection> CheckStreamLabels(std::string_view tenant, const Labels& labels,
                                                const IngestLimits& limits) {
  if (labels.empty()) {
    return LabelRejection{DiscardReason::kMissingLabels,
                          "error at least one label pair is required per stream"};
  }
  std::string missing;
  for (const std::string& name : limits.enforced_labels) {
    if (!labels.Has(name)) missing += (missing.empty() ? "" : ",") + name;
  }
  if (!missing.empty()) {
    return LabelRejection{DiscardReason::kMissingEnforcedLabels,
                          "missing required labels '" + missing + "' for user '" + std::string(tenant) +
                              "' for stream '" + labels.ToString() + "' (policy: '')"};
  }
  const size_t names = labels.size() - (labels.Has(kServiceName) ? 1 : 0);
  if (names > limits.max_label_names_per_series) {
    return LabelRejection{DiscardReason::kMaxLabelNamesPerSeries,
                          "entry for stream '" + labels.ToString() + "' has " + std::to_string(names) +
                              " label names; limit " + std::to_string(limits.max_label_names_per_series)};
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    const Label& label = labels[i];
    const auto refuse = [&](DiscardReason reason, const char* what, const std::string& part) {
      return LabelRejection{reason, "stream '" + labels.ToString() + "' has " + what + ": '" + part + "'"};
    };
    if (label.name.size() > limits.max_label_name_length) {
      return refuse(DiscardReason::kLabelNameTooLong, "label name too long", label.name);
    }
    if (label.value.size() > limits.max_label_value_length) {
      return refuse(DiscardReason::kLabelValueTooLong, "label value too long", label.value);
    }
    if (i != 0 && labels[i - 1].name == label.name) {
      return refuse(DiscardReason::kDuplicateLabelNames, "duplicate label name", label.name);
    }
  }
  return std::nullopt;
}

}  // namespace varve
