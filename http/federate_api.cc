#include "http/federate_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/base/json_writer.h"
#include "engine/base/memory_budget.h"
#include "http/prometheus_json.h"
#include "ingest/utf8_repair.h"
#include "query/promql/syntax/parser.h"

namespace varve {
namespace {

constexpr std::array<std::pair<std::string_view, NameEscaping>, 4> kEscapings = {{
    {"underscores", NameEscaping::kUnderscores},
    {"allow-utf-8", NameEscaping::kAllowUtf8},
    {"dots", NameEscaping::kDots},
    {"values", NameEscaping::kValues},
}};
constexpr std::string_view kInstance = "instance";

bool IsLegacyRune(uint32_t rune, bool first) {
  return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z') || rune == '_' || rune == ':' ||
         (rune >= '0' && rune <= '9' && !first);
}

bool IsLegacyName(std::string_view name) {
  for (size_t i = 0; i < name.size(); ++i) {
    if (!IsLegacyRune(static_cast<uint8_t>(name[i]), i == 0)) return false;
  }
  return !name.empty();
}

void AppendEscapedValue(std::string* out, std::string_view value) {
  out->push_back('"');
  for (const char c : value) {
    if (c == '\n') {
      out->append("\\n");
      continue;
    }
    if (c == '\\' || c == '"') out->push_back('\\');
    out->push_back(c);
  }
  out->push_back('"');
}

// Go's %g: as short as it reads back, with an exponent from 1e6 on and below 1e-4.
void AppendGoG(std::string* out, double value) {
  if (!std::isfinite(value) || value == 0) return AppendPromFloat(out, value);
  char buffer[40];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(result.ptr - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  const char* const begin = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(begin, text.data() + text.size(), exponent);
  constexpr int kExponentMin = -4;
  constexpr int kExponentMax = 5;
  if (exponent >= kExponentMin && exponent <= kExponentMax) return AppendGoFloat(out, value);
  out->append(text);
}

// A line: `name{a="b"} 1 1234`; `suffix` belongs to the name, `le` becomes the last label.
class LineWriter {
 public:
  LineWriter(const FederatedSample& sample, NameEscaping escaping, std::string* out)
      : sample_(sample), escaping_(escaping), out_(out) {}

  void Write(std::string_view suffix, const double* le, double value) {
    const std::string name =
        EscapeName(std::string(sample_.labels.metric_name()) + std::string(suffix), escaping_);
    const bool quoted = !IsLegacyName(name);
    if (quoted) {
      out_->push_back('{');
      AppendEscapedValue(out_, name);
    } else {
      out_->append(name).push_back('{');
    }
    for (const LabelView& label : sample_.labels) {
      if (label.name != kMetricName) Label(label.name, label.value);
    }
    // So that who scrapes this does not put its own there.
    if (!sample_.labels.Has(kInstance)) Label(kInstance, "");
    if (le != nullptr) {
      std::string bound;
      AppendGoG(&bound, *le);
      Label("le", bound);
    }
    out_->append("} ");
    AppendGoG(out_, value);
    out_->push_back(' ');
    AppendInt(out_, sample_.ts_ms);
    out_->push_back('\n');
  }

 private:
  void Label(std::string_view name, std::string_view value) {
    if (out_->back() != '{') out_->push_back(',');
    const std::string escaped = EscapeName(name, escaping_);
    if (IsLegacyName(escaped)) {
      out_->append(escaped);
    } else {
      AppendEscapedValue(out_, escaped);
    }
    out_->push_back('=');
    AppendEscapedValue(out_, value);
  }

  const FederatedSample& sample_;
  const NameEscaping escaping_;
  std::string* const out_;
};

// The count in each bucket of a custom layout, by index.
std::vector<double> CustomCounts(const NativeHistogram& h) {
  std::vector<double> counts(h.custom_values.size() + 1, 0);
  int64_t index = 0;
  int64_t integer_count = 0;
  size_t at = 0;
  for (const BucketSpan& span : h.positive_spans) {
    index += span.offset;
    for (uint32_t i = 0; i < span.length; ++i, ++index, ++at) {
      double count = 0;
      if (h.is_float) {
        if (at < h.positive_counts.size()) count = h.positive_counts[at];
      } else if (at < h.positive_deltas.size()) {
        integer_count += h.positive_deltas[at];
        count = static_cast<double>(integer_count);
      }
      if (index >= 0 && index < static_cast<int64_t>(counts.size())) counts[static_cast<size_t>(index)] = count;
    }
  }
  return counts;
}

void AppendClassicHistogram(const FederatedSample& sample, NameEscaping escaping, std::string* out) {
  const NativeHistogram& h = *sample.histogram;
  const double count = h.is_float ? h.float_count : static_cast<double>(h.count);
  const std::vector<double> counts = CustomCounts(h);
  LineWriter lines(sample, escaping, out);
  double cumulative = 0;
  for (size_t i = 0; i < h.custom_values.size(); ++i) {
    cumulative += counts[i];
    lines.Write("_bucket", &h.custom_values[i], cumulative);
  }
  const double infinity = std::numeric_limits<double>::infinity();
  if (h.custom_values.empty() || h.custom_values.back() != infinity) lines.Write("_bucket", &infinity, count);
  lines.Write("_sum", nullptr, h.sum);
  lines.Write("_count", nullptr, count);
}

std::string_view FamilyType(const FederatedSample& sample) {
  if (sample.histogram == nullptr) return "untyped";
  return sample.histogram->hint == CounterResetHint::kGauge ? "gaugehistogram" : "histogram";
}

// Nothing when the latest sample is a stale marker, or a histogram that the text format cannot show.
bool TakeLatest(const SeriesSamples& samples, FederatedSample* out) {
  const bool has_float = !samples.float_ts_ms.empty();
  const bool has_histogram = !samples.histograms.empty();
  if (!has_float && !has_histogram) return false;
  out->histogram = nullptr;
  if (!has_histogram || (has_float && samples.float_ts_ms.back() > samples.histograms.back().ts_ms)) {
    out->ts_ms = samples.float_ts_ms.back();
    out->value = samples.floats.back();
    return !IsStaleNan(out->value);
  }
  out->ts_ms = samples.histograms.back().ts_ms;
  out->histogram = samples.histograms.back().histogram;
  return out->histogram->is_custom() && !IsStaleNan(out->histogram->sum);
}

Result<std::vector<std::vector<Matcher>>> ParseFederateMatches(const PromCall& call) {
  std::vector<std::vector<Matcher>> selectors;
  for (const std::string_view text : call.params.All("match[]")) {
    // Everything, here: the others want at least one matcher that says something.
    if (text == "{}") {
      selectors.emplace_back();
      continue;
    }
    VARVE_ASSIGN_OR_RETURN(std::vector<Matcher> matchers, promql::ParseSelector(text));
    selectors.push_back(std::move(matchers));
  }
  return selectors;
}

}  // namespace

NameEscaping NameEscapingOf(std::string_view accept) {
  constexpr std::string_view kParameter = "escaping=";
  const size_t at = accept.find(kParameter);
  if (at == std::string_view::npos) return NameEscaping::kUnderscores;
  const std::string_view rest = accept.substr(at + kParameter.size());
  for (const auto& [text, escaping] : kEscapings) {
    if (rest.starts_with(text)) return escaping;
  }
  return NameEscaping::kUnderscores;
}

std::string_view NameEscapingText(NameEscaping escaping) {
  for (const auto& [text, value] : kEscapings) {
    if (value == escaping) return text;
  }
  return kEscapings.front().first;
}

std::string EscapeName(std::string_view name, NameEscaping escaping) {
  if (escaping == NameEscaping::kAllowUtf8) return std::string(name);
  if (IsLegacyName(name) && escaping != NameEscaping::kDots) return std::string(name);
  std::string out = escaping == NameEscaping::kValues ? "U__" : "";
  for (size_t i = 0; i < name.size();) {
    uint32_t rune = 0;
    const size_t length = DecodeUtf8Sequence(name, i, &rune);
    if (length == 0) rune = 0xFFFD;
    const bool legacy = IsLegacyRune(rune, i == 0);
    if (rune == '_' && escaping != NameEscaping::kUnderscores) {
      out.append("__");
    } else if (legacy) {
      out.push_back(static_cast<char>(rune));
    } else if (escaping == NameEscaping::kValues) {
      char digits[12];
      const auto result = std::to_chars(digits, digits + sizeof(digits), rune, 16);
      out.append("_").append(digits, result.ptr).append("_");
    } else if (escaping == NameEscaping::kDots) {
      out.append(rune == '.' ? "_dot_" : "__");
    } else {
      out.push_back('_');
    }
    i += length == 0 ? 1 : length;
  }
  return out;
}

std::string FederateText(const std::vector<FederatedSample>& samples, NameEscaping escaping) {
  std::string out;
  std::string_view last_name;
  std::string_view last_type;
  for (const FederatedSample& sample : samples) {
    const std::string_view name = sample.labels.metric_name();
    const std::string_view type = FamilyType(sample);
    if (name != last_name || type != last_type) {
      const std::string escaped = EscapeName(name, escaping);
      out.append("# TYPE ");
      if (IsLegacyName(escaped)) {
        out.append(escaped);
      } else {
        AppendEscapedValue(&out, escaped);
      }
      out.append(" ").append(type).append("\n");
      last_name = name;
      last_type = type;
    }
    if (sample.histogram != nullptr) {
      AppendClassicHistogram(sample, escaping, &out);
    } else {
      LineWriter(sample, escaping, &out).Write("", nullptr, sample.value);
    }
  }
  return out;
}

void FederateApi::AddRoutes(Router* router) {
  for (const std::string_view path : {"/federate", "/prometheus/federate"}) {
    router->Add({"GET"}, path, Worker::kQuery, [this](const HttpRequest& request) {
      return AnswerPrometheus(context_, request,
                              [this](const PromCall& call) -> Result<HttpResponse> { return Federate(call); });
    });
  }
}

HttpResponse FederateApi::Federate(const PromCall& call) const {
  if (!call.form_error.ok()) return ErrorText(400, "error parsing form values: " + call.form_error.message() + "\n");
  const Result<std::vector<std::vector<Matcher>>> selectors = ParseFederateMatches(call);
  if (!selectors.ok()) return ErrorText(400, selectors.status().message() + "\n");
  const Result<std::vector<FederatedSample>> samples = Collect(call, selectors.value());
  if (!samples.ok()) return ErrorText(500, samples.status().message() + "\n");
  const NameEscaping escaping = NameEscapingOf(call.request.Header("accept"));
  HttpResponse response = TextResponse(200, FederateText(samples.value(), escaping));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8; escaping=";
  response.content_type.append(NameEscapingText(escaping));
  PromqlCounters::Add(&context_.counters->federated_samples, samples.value().size());
  return response;
}

Result<std::vector<FederatedSample>> FederateApi::Collect(
    const PromCall& call, const std::vector<std::vector<Matcher>>& selectors) const {
  const MetricRange range{call.now_ms - context_.options.promql.lookback_ms, call.now_ms};
  MemoryBudget budget("federate", QueryMemoryOf(context_, call.tenant_name), context_.engine->query_budget());
  MemoryReservation taken(&budget);
  std::vector<FederatedSample> found;
  SeriesSamples samples;
  FederatedSample latest;
  for (const std::vector<Matcher>& matchers : selectors) {
    VARVE_ASSIGN_OR_RETURN(const auto snapshot, call.metrics().Snapshot(call.tenant, matchers, range));
    for (size_t i = 0; i < snapshot->size(); ++i) {
      VARVE_RETURN_IF_ERROR(call.request.cancel->Check());
      VARVE_RETURN_IF_ERROR(snapshot->Read(i, range, &budget, &samples));
      if (snapshot->labels(i).metric_name().empty() || !TakeLatest(samples, &latest)) continue;
      // The labels are there twice: here, and in the text.
      VARVE_RETURN_IF_ERROR(
          taken.Add(static_cast<int64_t>(sizeof(latest) + 3 * snapshot->labels(i).canonical().size())));
      latest.labels = snapshot->labels(i);
      found.push_back(latest);
    }
  }
  const auto name_then_labels = [](const FederatedSample& a, const FederatedSample& b) {
    const int order = a.labels.metric_name().compare(b.labels.metric_name());
    return order != 0 ? order < 0 : a.labels < b.labels;
  };
  std::sort(found.begin(), found.end(), name_then_labels);
  // Several selectors may take one series.
  const auto same = [](const FederatedSample& a, const FederatedSample& b) { return a.labels == b.labels; };
  found.erase(std::unique(found.begin(), found.end(), same), found.end());
  return found;
}

}  // namespace varve
