#include "alerting/rules/rule_test_file.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "alerting/yaml_reader.h"
#include "engine/base/rfc3339.h"
#include "engine/base/time.h"
#include "engine/model/labels.h"

namespace varve {
namespace {

constexpr size_t kErrorsMax = 200;

class TestDecoder {
 public:
  explicit TestDecoder(std::string_view name)
      : reader_([this, name](uint32_t line, std::string text) {
          if (++errors_told_ > kErrorsMax) return;
          errors_ += (errors_.empty() ? "" : "\n") + std::string(name) + ":" + std::to_string(line) + ": " + text;
        }) {}

  RuleTestFile File(const YamlNode& root);
  const std::string& errors() const { return errors_; }

 private:
  // A list of maps that `one` reads.
  template <typename T, typename Read>
  YamlReader::Field ListOf(std::string_view key, std::vector<T>* values, Read one) {
    return {key, [this, key, values, one](const YamlNode& list) {
              reader_.List(list, "'" + std::string(key) + "'", [&](const YamlNode& node) {
                if (node.is_null()) return;
                T value;
                one(node, &value);
                values->push_back(std::move(value));
              });
            }};
  }

  void Test(const YamlNode& node, RuleTest* test);
  void Start(const YamlNode& node, int64_t* start_ms);
  void Stream(const YamlNode& node, const RuleTest& test, TestStream* stream);
  void Entry(const YamlNode& node, TestStream* stream);
  void Lines(const YamlNode& node, int64_t start_ms, int64_t interval_ms, TestStream* stream);
  bool AddEntry(uint32_t line, TestEntry entry, TestStream* stream);
  void Alert(const YamlNode& node, AlertTest* alert);
  void Expression(const YamlNode& node, ExpressionTest* test);

  size_t errors_told_ = 0;
  std::string errors_;
  const YamlReader reader_;
  // Of the test that is being read.
  size_t entries_ = 0;
  size_t entry_bytes_ = 0;
};

// Unix seconds, with a fraction or without, or RFC 3339.
void TestDecoder::Start(const YamlNode& node, int64_t* start_ms) {
  std::string text;
  if (!reader_.Text(node, "start_timestamp", &text)) return;
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seconds);
  if (error == std::errc() && stop == end && std::fabs(seconds) < 1e11) {
    *start_ms = std::llround(seconds * 1000);
    return;
  }
  if (const std::optional<UnixTime> instant = ParseRfc3339(text)) {
    *start_ms = instant->seconds * 1000 + instant->ns / kNsPerMs;
    return;
  }
  reader_.Problem(node.line, "'start_timestamp' must be Unix seconds or an instant such as 2026-11-20T00:00:00Z");
}

bool TestDecoder::AddEntry(uint32_t line, TestEntry entry, TestStream* stream) {
  ++entries_;
  entry_bytes_ += entry.line.size();
  for (const auto& [name, value] : entry.metadata) entry_bytes_ += name.size() + value.size();
  if (entries_ > kTestEntriesMax || entry_bytes_ > kTestEntryBytesMax) {
    reader_.Problem(line, "a test's streams may have " + std::to_string(kTestEntriesMax) + " entries and " +
                              std::to_string(kTestEntryBytesMax >> 20) + " MiB");
    return false;
  }
  stream->entries.push_back(std::move(entry));
  return true;
}

void TestDecoder::Entry(const YamlNode& node, TestStream* stream) {
  TestEntry entry;
  int64_t repeat = 1;
  int64_t every_ms = 0;
  reader_.Map(node, "an entry",
              {reader_.DurationField("at", &entry.at_ms), reader_.TextField("line", &entry.line),
               reader_.LabelsField("metadata", &entry.metadata),
               {"repeat",
                [&](const YamlNode& from) {
                  reader_.Integer(from, "repeat", 1, static_cast<int64_t>(kTestEntriesMax), &repeat);
                }},
               reader_.DurationField("every", &every_ms)});
  if (every_ms != 0 && node.Find("repeat") == nullptr) reader_.Problem(node.line, "'every' goes with 'repeat'");
  for (int64_t i = 0; i < repeat; ++i, entry.at_ms += every_ms) {
    if (!AddEntry(node.line, entry, stream)) return;
    if (entry.at_ms > std::numeric_limits<int64_t>::max() - every_ms) {
      return reader_.Problem(node.line, "an entry's time is out of range");
    }
  }
}

void TestDecoder::Lines(const YamlNode& node, int64_t start_ms, int64_t interval_ms, TestStream* stream) {
  std::vector<std::string> lines;
  reader_.TextList(node, "lines", &lines);
  int64_t at_ms = start_ms;
  for (std::string& line : lines) {
    if (!AddEntry(node.line, {at_ms, std::move(line), {}}, stream)) return;
    if (at_ms > std::numeric_limits<int64_t>::max() - interval_ms) {
      return reader_.Problem(node.line, "a line's time is out of range");
    }
    at_ms += interval_ms;
  }
}

void TestDecoder::Stream(const YamlNode& node, const RuleTest& test, TestStream* stream) {
  const YamlNode* lines = nullptr;
  int64_t start_ms = 0;
  int64_t interval_ms = test.interval_ms;
  const auto entries = [&](const YamlNode& list) {
    reader_.List(list, "'entries'", [&](const YamlNode& one) { Entry(one, stream); });
  };
  reader_.Map(node, "an input stream",
              {reader_.TextField("stream", &stream->stream), {"entries", entries},
               {"lines", [&](const YamlNode& from) { lines = &from; }}, reader_.DurationField("start", &start_ms),
               reader_.DurationField("interval", &interval_ms)});
  if (lines != nullptr) Lines(*lines, start_ms, interval_ms, stream);
  if (stream->stream.empty()) reader_.Problem(node.line, "an input stream needs a 'stream' such as '{job=\"a\"}'");
}

void TestDecoder::Alert(const YamlNode& node, AlertTest* alert) {
  const auto expected = [this](const YamlNode& one, ExpectedAlert* into) {
    reader_.Map(one, "an expected alert",
                {reader_.LabelsField("exp_labels", &into->labels),
                 reader_.LabelsField("exp_annotations", &into->annotations)});
  };
  reader_.Map(node, "an alert test",
              {reader_.DurationField("eval_time", &alert->eval_time_ms), reader_.TextField("alertname", &alert->alertname),
               ListOf("exp_alerts", &alert->alerts, expected)});
  if (alert->alertname.empty()) {
    reader_.Problem(node.line, "an item under alert_rule_test misses required attribute alertname");
  }
}

void TestDecoder::Expression(const YamlNode& node, ExpressionTest* test) {
  const auto sample = [this](const YamlNode& one, ExpectedSample* into) {
    reader_.Map(one, "an expected sample",
                {reader_.TextField("labels", &into->labels),
                 {"value", [&](const YamlNode& from) { reader_.Number(from, "value", &into->value); }},
                 reader_.TextField("histogram", &into->histogram)});
  };
  reader_.Map(node, "an expression's test",
              {reader_.TextField("expr", &test->expr), reader_.DurationField("eval_time", &test->eval_time_ms),
               ListOf("exp_samples", &test->samples, sample)});
}

void TestDecoder::Test(const YamlNode& node, RuleTest* test) {
  entries_ = entry_bytes_ = 0;
  const YamlNode* streams = nullptr;
  const auto series = [this](const YamlNode& one, TestSeries* into) {
    reader_.Map(one, "an input series",
                {reader_.TextField("series", &into->series), reader_.TextField("values", &into->values)});
  };
  const auto expression = [this](RuleLanguage language) {
    return [this, language](const YamlNode& one, ExpressionTest* into) {
      into->language = language;
      Expression(one, into);
    };
  };
  reader_.Map(node, "a test",
              {reader_.TextField("name", &test->name), reader_.DurationField("interval", &test->interval_ms),
               ListOf("input_series", &test->series, series),
               {"input_streams", [&](const YamlNode& from) { streams = &from; }},
               ListOf("alert_rule_test", &test->alert_tests, [this](const YamlNode& one, AlertTest* into) { Alert(one, into); }),
               ListOf("promql_expr_test", &test->expression_tests, expression(RuleLanguage::kPromql)),
               ListOf("logql_expr_test", &test->expression_tests, expression(RuleLanguage::kLogql)),
               reader_.LabelsField("external_labels", &test->external_labels),
               reader_.TextField("external_url", &test->external_url),
               {"start_timestamp", [&](const YamlNode& from) { Start(from, &test->start_ms); }}});
  if (streams == nullptr) return;
  // After `interval`, which is theirs too.
  ListOf("input_streams", &test->streams, [&](const YamlNode& one, TestStream* into) {
    Stream(one, *test, into);
  }).read(*streams);
}

RuleTestFile TestDecoder::File(const YamlNode& root) {
  RuleTestFile file;
  if (root.is_null()) return file;
  const YamlNode* tests = nullptr;
  int64_t interval_ms = 0;
  reader_.Map(root, "a rule test file",
              {{"rule_files", [&](const YamlNode& from) { reader_.TextList(from, "rule_files", &file.rule_files); }},
               reader_.DurationField("evaluation_interval", &interval_ms),
               {"group_eval_order",
                [&](const YamlNode& from) { reader_.TextList(from, "group_eval_order", &file.group_eval_order); }},
               {"fuzzy_compare", [&](const YamlNode& from) { reader_.Flag(from, "fuzzy_compare", &file.fuzzy_compare); }},
               {"tests", [&](const YamlNode& from) { tests = &from; }}});
  if (interval_ms > 0) file.evaluation_interval_ms = interval_ms;
  std::set<std::string_view> names;
  for (const std::string& name : file.group_eval_order) {
    if (!names.insert(name).second) {
      reader_.Problem(root.line, "group name repeated in evaluation order: " + name);
    }
  }
  if (tests == nullptr) return file;
  ListOf("tests", &file.tests, [&](const YamlNode& one, RuleTest* into) {
    into->interval_ms = file.evaluation_interval_ms;
    Test(one, into);
    if (into->interval_ms <= 0) into->interval_ms = file.evaluation_interval_ms;
  }).read(*tests);
  return file;
}

}  // namespace

Result<RuleTestFile> ParseRuleTestFile(std::string_view text, std::string_view name) {
  VARVE_ASSIGN_OR_RETURN(const YamlDocument document, ParseYaml(text, name));
  TestDecoder decoder(name);
  RuleTestFile file = decoder.File(document.root);
  if (!decoder.errors().empty()) return InvalidArgument(decoder.errors());
  return file;
}

}  // namespace varve
