#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "ingest/metric_import.h"
#include "ingest/metric_labels.h"

namespace varve {
namespace {

constexpr uint64_t kProblemsMax = 10'000;

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (c & 0x80) != 0;
}
bool IsNameCharacter(char c) { return IsNameStart(c) || (c >= '0' && c <= '9') || c == '.' || c == '-'; }

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 0x20) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

MetricType TypeNamed(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(MetricType::kStateset); ++i) {
    if (MetricTypeName(static_cast<MetricType>(i)) == name) return static_cast<MetricType>(i);
  }
  return MetricType::kUnknown;  // untyped, too
}

class TextDecoder {
 public:
  TextDecoder(const TextImport& options, DecodedMetrics* out, ByteArena* arena, DecodeMemory* memory)
      : options_(options), out_(*out), arena_(arena), memory_(memory) {}

  Status Run(std::string_view body) {
    out_.label_form = SeriesLabelForm::kCanonical;
    for (uint64_t number = 1; !body.empty(); ++number) {
      const size_t end = body.find('\n');
      std::string_view line = body.substr(0, end);
      body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line == "# EOF") break;
      Status status = Line(line);
      if (status.ok()) continue;
      if (status.code() != Code::kInvalidArgument) return status;
      VARVE_RETURN_IF_ERROR(AddLineProblem(number, status.message(), 1, &out_, memory_));
      if (out_.problems.size() >= kProblemsMax) return InvalidArgument("more than 10000 lines cannot be read");
    }
    return EndFamily();
  }

 private:
  Status Line(std::string_view line) {
    rest_ = line;
    SkipSpace();
    if (rest_.empty()) return Status::Ok();
    if (rest_.front() == '#') return Comment();
    return SampleLine();
  }

  void SkipSpace() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }
  bool Consume(char c) {
    SkipSpace();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view Word() {
    SkipSpace();
    const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t"));
    rest_.remove_prefix(word.size());
    return word;
  }

  // --- # HELP, # TYPE, # UNIT ---------------------------------------------------------------------

  Status Comment() {
    rest_.remove_prefix(1);
    const std::string_view keyword = Word();
    if (keyword != "HELP" && keyword != "TYPE" && keyword != "UNIT") return Status::Ok();
    SkipSpace();
    std::string_view name;
    if (!rest_.empty() && rest_.front() == '"') {
      VARVE_RETURN_IF_ERROR(Quoted(&name));
    } else {
      name = Word();
    }
    if (name.empty()) return InvalidArgument("# " + std::string(keyword) + " without the name of a metric");
    if (!has_family_ || name != family_.metric) {
      VARVE_RETURN_IF_ERROR(EndFamily());
      family_ = {};
      family_.metric = name;
      has_family_ = true;
      ForgetRun();
    }
    SkipSpace();
    if (keyword == "TYPE") {
      family_.type = TypeNamed(Word());
    } else if (keyword == "UNIT") {
      family_.unit = Word();
    } else {
      VARVE_RETURN_IF_ERROR(Unescaped(rest_, &family_.help));
    }
    return Status::Ok();
  }

  Status EndFamily() {
    if (!has_family_) return Status::Ok();
    has_family_ = false;
    return PushBack(&out_.metadata, family_, memory_);
  }

  // --- Samples ------------------------------------------------------------------------------------

  Status SampleLine() {
    labels_.clear();
    std::string_view name;
    if (IsNameStart(rest_.front())) {
      size_t length = 1;
      while (length < rest_.size() && IsNameCharacter(rest_[length])) ++length;
      name = rest_.substr(0, length);
      rest_.remove_prefix(length);
    }
    if (Consume('{')) VARVE_RETURN_IF_ERROR(Labels(&name, &labels_));
    if (name.empty()) return InvalidArgument("expected the name of a metric");
    double value = 0;
    const std::string_view number = Word();
    if (!ParseImportedNumber(number, &value)) {
      return InvalidArgument("\"" + std::string(number.substr(0, 100)) + "\" is no value");
    }
    int64_t ts_ms = options_.received_ms;
    SkipSpace();
    if (!rest_.empty() && rest_.front() != '#') VARVE_RETURN_IF_ERROR(Time(&ts_ms));
    SkipSpace();
    if (!rest_.empty() && rest_.front() != '#') return InvalidArgument("expected the end of the line");
    if (options_.open_metrics && IsCreated(name)) return Created(value);
    const bool has_exemplar = !rest_.empty() && options_.open_metrics;
    DecodedMetrics::RawExemplar exemplar;
    exemplar.ts_ms = ts_ms;
    if (has_exemplar) VARVE_RETURN_IF_ERROR(ReadExemplar(&exemplar));
    return AddSample(name, {ts_ms, value}, has_exemplar ? &exemplar : nullptr);
  }

  Status Time(int64_t* ts_ms) {
    const std::string_view text = Word();
    double number = 0;
    const char* const end = text.data() + text.size();
    if (!options_.open_metrics) {
      const auto [after, error] = std::from_chars(text.data(), end, *ts_ms);
      if (error == std::errc() && after == end) return Status::Ok();
    }
    if (!ParseImportedNumber(text, &number) || !std::isfinite(number)) {
      return InvalidArgument("\"" + std::string(text.substr(0, 100)) + "\" is no time");
    }
    const double ms = options_.open_metrics ? std::round(number * 1000) : std::trunc(number);
    if (std::fabs(ms) > 9e18) return InvalidArgument("a time is beyond what can be stored");
    *ts_ms = static_cast<int64_t>(ms);
    return Status::Ok();
  }

  // Behind the brace. `name` may be given as a quoted string among them.
  Status Labels(std::string_view* name, std::vector<LabelView>* labels) {
    while (!Consume('}')) {
      LabelView label;
      SkipSpace();
      const bool quoted = !rest_.empty() && rest_.front() == '"';
      if (quoted) {
        VARVE_RETURN_IF_ERROR(Quoted(&label.name));
      } else {
        const size_t length = rest_.find_first_of("=,} \t\"");
        label.name = rest_.substr(0, length);
        rest_.remove_prefix(label.name.size());
      }
      if (Consume('=')) {
        SkipSpace();
        if (rest_.empty() || rest_.front() != '"') return InvalidArgument("expected the value of a label in quotes");
        VARVE_RETURN_IF_ERROR(Quoted(&label.value));
        VARVE_RETURN_IF_ERROR(PushBack(labels, label, memory_));
      } else if (quoted && name != nullptr && name->empty()) {
        *name = label.name;
      } else {
        return InvalidArgument("expected = behind the name of a label");
      }
      if (Consume(',')) continue;
      if (!Consume('}')) return InvalidArgument("expected , or } behind a label");
      break;
    }
    return Status::Ok();
  }

  // A string in quotes, which is next.
  Status Quoted(std::string_view* text) {
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return InvalidArgument("a string does not end");
    const std::string_view raw = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return Unescaped(raw, text);
  }

  Status Unescaped(std::string_view raw, std::string_view* text) {
    *text = raw;
    if (raw.find('\\') == std::string_view::npos) return Status::Ok();
    char* const out = arena_->Allocate(raw.size());
    if (out == nullptr) return arena_->TakeStatus();
    size_t size = 0;
    for (size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\\' || i + 1 == raw.size()) {
        out[size++] = raw[i];
        continue;
      }
      ++i;
      if (raw[i] != 'n' && raw[i] != '\\' && raw[i] != '"') out[size++] = '\\';
      out[size++] = raw[i] == 'n' ? '\n' : raw[i];
    }
    *text = {out, size};
    return Status::Ok();
  }

  // # {trace_id="x"} 0.5 1795000000.123
  Status ReadExemplar(DecodedMetrics::RawExemplar* exemplar) {
    rest_.remove_prefix(1);
    exemplar_labels_.clear();
    if (!Consume('{')) return InvalidArgument("expected the labels of an exemplar behind #");
    VARVE_RETURN_IF_ERROR(Labels(nullptr, &exemplar_labels_));
    if (!ParseImportedNumber(Word(), &exemplar->value)) return InvalidArgument("an exemplar has no value");
    SkipSpace();
    if (!rest_.empty()) VARVE_RETURN_IF_ERROR(Time(&exemplar->ts_ms));
    encoded_.clear();
    for (const LabelView& label : exemplar_labels_) AppendLabel(label);
    return Kept(&exemplar->labels);
  }

  void AppendLabel(const LabelView& label) {
    PutLengthPrefixed(&encoded_, label.name);
    PutLengthPrefixed(&encoded_, label.value);
  }
  Status Kept(std::string_view* bytes) {
    char* const out = arena_->Allocate(encoded_.size());
    if (out == nullptr) return arena_->TakeStatus();
    if (!encoded_.empty()) std::memcpy(out, encoded_.data(), encoded_.size());
    *bytes = {out, encoded_.size()};
    return Status::Ok();
  }

  Status AddSample(std::string_view name, Sample sample, const DecodedMetrics::RawExemplar* exemplar) {
    NoteRun();
    encoded_.clear();
    AppendLabel({kMetricName, name});
    for (const LabelView& label : labels_) AppendLabel(label);
    const bool same = !out_.series.empty() && out_.series.back().labels == encoded_;
    DecodedMetrics::Series series = same ? out_.series.back() : out_.BeginSeries();
    if (!same) VARVE_RETURN_IF_ERROR(Kept(&series.labels));
    VARVE_RETURN_IF_ERROR(PushBack(&run_floats_, static_cast<uint32_t>(out_.floats.size()), memory_));
    VARVE_RETURN_IF_ERROR(AddStartMs(&out_.float_starts_ms, out_.floats.size(), run_created_ms_, memory_));
    VARVE_RETURN_IF_ERROR(PushBack(&out_.floats, sample, memory_));
    if (exemplar != nullptr) VARVE_RETURN_IF_ERROR(PushBack(&out_.exemplars, *exemplar, memory_));
    out_.EndSeries(&series);
    if (same) {
      out_.series.back() = series;
      return Status::Ok();
    }
    return PushBack(&out_.series, series, memory_);
  }

  // --- _created -----------------------------------------------------------------------------------
  // The lines of one metric (its labels without le and quantile) stand together; _created among them says when they
  // began. A run is such lines.

  bool IsCreated(std::string_view name) const {
    using enum MetricType;
    const bool counts = family_.type == kCounter || family_.type == kHistogram || family_.type == kSummary;
    return has_family_ && counts && name.ends_with("_created") &&
           name.substr(0, name.size() - std::string_view("_created").size()) == family_.metric;
  }

  void ForgetRun() {
    run_labels_.clear();
    run_floats_.clear();
    run_created_ms_ = kNoStartMs;
  }

  // Begins a run unless labels_ belong to the one there is.
  void NoteRun() {
    encoded_.clear();
    for (const LabelView& label : labels_) {
      if (label.name != "le" && label.name != "quantile") AppendLabel(label);
    }
    if (encoded_ == run_labels_) return;
    ForgetRun();
    run_labels_ = encoded_;
  }

  Status Created(double seconds) {
    const double ms = std::round(seconds * 1000);
    if (!(std::fabs(ms) < 9e18)) return InvalidArgument("a _created is no time");
    NoteRun();
    const auto created_ms = static_cast<int64_t>(ms);
    for (const uint32_t i : run_floats_) {
      while (out_.float_starts_ms.size() < out_.floats.size()) {
        VARVE_RETURN_IF_ERROR(PushBack(&out_.float_starts_ms, kNoStartMs, memory_));
      }
      if (out_.float_starts_ms[i] == kNoStartMs) out_.float_starts_ms[i] = created_ms;
    }
    run_floats_.clear();
    run_created_ms_ = created_ms;
    return Status::Ok();
  }

  const TextImport& options_;
  DecodedMetrics& out_;
  ByteArena* const arena_;
  DecodeMemory* const memory_;
  std::string_view rest_;  // of the line
  std::vector<LabelView> labels_;
  std::vector<LabelView> exemplar_labels_;
  std::string encoded_;
  bool has_family_ = false;
  DecodedMetrics::Metadata family_;
  std::string run_labels_;
  std::vector<uint32_t> run_floats_;  // without a start
  int64_t run_created_ms_ = kNoStartMs;
};

}  // namespace

bool ParseImportedNumber(std::string_view text, double* value) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (EqualsIgnoringCase(digits, "nan")) {
    *value = std::bit_cast<double>(kNormalNanBits);
    return true;
  }
  if (EqualsIgnoringCase(digits, "inf") || EqualsIgnoringCase(digits, "infinity")) {
    *value = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return true;
  }
  // from_chars would take another sign, and other words.
  if (digits.empty() || digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos ||
      digits.front() == '-' || digits.front() == '+') {
    return false;
  }
  const char* const end = digits.data() + digits.size();
  const auto [after, error] = std::from_chars(digits.data(), end, *value);
  if (after != end || (error != std::errc() && error != std::errc::result_out_of_range)) return false;
  if (error == std::errc::result_out_of_range) {
    // Too large is an error; too small is zero.
    const size_t exponent = digits.find_first_of("eE");
    if (exponent == std::string_view::npos || digits.substr(exponent + 1, 1) != "-") return false;
    *value = 0;
  }
  if (negative) *value = -*value;
  return true;
}

bool LooksLikeOpenMetrics(std::string_view body) {
  while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.remove_suffix(1);
  return body == "# EOF" || body.ends_with("\n# EOF");
}

Status DecodeImportText(std::string_view body, const TextImport& options, DecodedMetrics* out, ByteArena* arena,
                        DecodeMemory* memory) {
  return TextDecoder(options, out, arena, memory).Run(body);
}

}  // namespace varve
