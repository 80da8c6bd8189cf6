// What is wrong is collected, so that a file's errors come together.
#include "alerting/reports/report_config.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <initializer_list>
#include <set>

#include "alerting/reports/report_message.h"
#include "alerting/reports/report_queries.h"
#include "alerting/yaml_document.h"
#include "query/logql/parser.h"
#include "query/promql/syntax/parser.h"

namespace varve {
namespace {

constexpr size_t kReportsMax = 1000;
constexpr size_t kQueriesMax = 200;
constexpr size_t kErrorsMax = 50;

Result<std::string> ReadFile(const std::string& path, size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return IoError(fmt::format("{}: cannot be read", path));
  std::string text(bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (text.size() > bytes_max) return TooLarge(fmt::format("{}: has more than {} bytes", path, bytes_max));
  return text;
}

bool IsName(std::string_view text, std::string_view also) {
  if (text.empty() || text.size() > 100) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           also.find(c) != std::string_view::npos;
  });
}
// What LogQL's json stage makes a label of as it is, and a template reaches as .name.
bool IsFieldName(std::string_view text) { return IsName(text, "") && text[0] >= 'a' && text[0] <= 'z'; }

bool ParseWhole(std::string_view text, uint32_t* number) {
  const std::from_chars_result read = std::from_chars(text.data(), text.data() + text.size(), *number);
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
}

bool ParseReal(std::string_view text, double* number) {
  const std::from_chars_result read = std::from_chars(text.data(), text.data() + text.size(), *number);
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size() && std::isfinite(*number);
}

struct FieldWord {
  std::string_view word;
  FieldKind kind;
  TimeFormat format = TimeFormat::kHour;
};
// total: value
constexpr FieldWord kPlainFields[] = {
    {"value", FieldKind::kValue}, {"count", FieldKind::kCount}, {"sum", FieldKind::kSum},
    {"min", FieldKind::kMin},     {"max", FieldKind::kMax},     {"avg", FieldKind::kAvg},
    {"max_hour", FieldKind::kMaxTime, TimeFormat::kHour},       {"max_time", FieldKind::kMaxTime, TimeFormat::kTime},
    {"max_date", FieldKind::kMaxTime, TimeFormat::kDate}};

class Reader {
 public:
  Reader(std::string_view name, std::string_view base_dir) : name_(name), base_dir_(base_dir) {}

  std::vector<ReportConfig> Read(const YamlNode& list) {
    std::vector<ReportConfig> reports;
    if (list.is_null()) return reports;
    if (!list.is_sequence() || list.items.size() > kReportsMax) {
      Complain(list, fmt::format("reports is not a list of at most {}", kReportsMax));
      return reports;
    }
    for (const YamlNode& node : list.items) {
      reports.push_back(ReadReport(node));
    }
    return reports;
  }
  Status status() const { return errors_.empty() ? Status::Ok() : InvalidArgument(errors_); }
  void Complain(const YamlNode& node, std::string_view what) {
    if (++error_count_ > kErrorsMax) return;
    if (!errors_.empty()) errors_.push_back('\n');
    const std::string report = report_.empty() ? "" : fmt::format("report \"{}\": ", report_);
    errors_ += fmt::format("{}:{}: {}{}", name_, node.line, report, what);
  }
  // Whether `node` is a map; its keys are to be among these.
  bool IsMapOf(const YamlNode& node, std::initializer_list<std::string_view> keys) {
    if (!node.is_map()) {
      Complain(node, "not a map of keys to values");
      return false;
    }
    for (const YamlNode& key : node.keys) {
      if (std::find(keys.begin(), keys.end(), key.text) == keys.end()) {
        Complain(key, fmt::format("unknown key \"{}\"", key.text));
      }
    }
    return true;
  }

 private:
  ReportConfig ReadReport(const YamlNode& node);
  void ReadPeriod(const YamlNode& node, ReportConfig* report);
  void ReadRetry(const YamlNode& node, ReportConfig* report);
  void ReadQueries(const YamlNode& node, ReportConfig* report);
  ReportQuery ReadQuery(const YamlNode& node);
  void ReadLanguage(const YamlNode& node, ReportQuery* query);
  void ReadFields(const YamlNode& node, ReportQuery* query);
  void ReadField(const YamlNode& node, ReportField* field);
  void ReadComputed(const YamlNode& node, const std::string& table, ReportConfig* report);
  void ReadTemplates(const YamlNode& node, ReportConfig* report);
  void CheckFields(const YamlNode& node, const ReportConfig& report);

  // Of `node[key]`; what it is when it is not there.
  std::string Text(const YamlNode& node, const char* key, std::string_view otherwise = {}) {
    const YamlNode* value = node.Find(key);
    if (value == nullptr) return std::string(otherwise);
    if (value->is_scalar()) return value->text;
    Complain(*value, fmt::format("{} is not a text", key));
    return std::string(otherwise);
  }
  uint32_t Number(const YamlNode& node, const char* key, uint32_t otherwise, uint32_t most) {
    const YamlNode* value = node.Find(key);
    if (value == nullptr) return otherwise;
    uint32_t number = 0;
    if (value->is_scalar() && ParseWhole(value->text, &number) && number <= most) return number;
    Complain(*value, fmt::format("{} is not a number from 0 to {}", key, most));
    return otherwise;
  }
  int64_t DurationMs(const YamlNode& node, const char* key, int64_t otherwise) {
    const YamlNode* value = node.Find(key);
    if (value == nullptr) return otherwise;
    const Result<int64_t> duration = promql::ParseDuration(value->text);
    if (duration.ok() && *duration > 0) return *duration;
    Complain(*value, fmt::format("{} is not a duration like 5m", key));
    return otherwise;
  }
  std::vector<std::string> Texts(const YamlNode& node, const char* key) {
    std::vector<std::string> texts;
    const YamlNode* value = node.Find(key);
    if (value == nullptr) return texts;
    bool good = value->is_sequence();
    for (const YamlNode& text : value->items) {
      good = good && text.is_scalar();
      if (good) texts.push_back(text.text);
    }
    if (!good) Complain(*value, fmt::format("{} is not a list of texts", key));
    return texts;
  }

  const std::string_view name_;
  const std::string_view base_dir_;
  std::string report_;  // that is being read
  std::string errors_;
  size_t error_count_ = 0;
};

ReportConfig Reader::ReadReport(const YamlNode& node) {
  const YamlNode* name = node.Find("name");
  report_ = name == nullptr ? "" : name->text;
  ReportConfig report;
  if (!IsMapOf(node, {"name", "tenant", "schedule", "time_zone", "period", "queries", "compute", "subject", "text",
                      "text_file", "html", "html_file", "receivers", "failure_receivers", "retry", "make_up_max",
                      "max_rows"})) {
    return report;
  }
  report.name = Text(node, "name");
  if (!IsName(report.name, ".-")) {
    Complain(node, "name is not 1 to 100 letters, digits, dots, dashes and underscores");
  }
  report.tenant = Text(node, "tenant", "fake");
  ReadPeriod(node, &report);
  ReadRetry(node, &report);
  report.make_up_max = Number(node, "make_up_max", report.make_up_max, 1000);
  report.max_rows = Number(node, "max_rows", report.max_rows, 100'000);
  report.receivers = Texts(node, "receivers");
  report.failure_receivers = Texts(node, "failure_receivers");
  ReadQueries(node, &report);
  if (const YamlNode* compute = node.Find("compute")) ReadComputed(*compute, "", &report);
  CheckFields(node, report);
  ReadTemplates(node, &report);
  return report;
}

void Reader::ReadPeriod(const YamlNode& node, ReportConfig* report) {
  Result<LocalCalendar> calendar = LocalCalendar::Load(Text(node, "time_zone"));
  if (calendar.ok()) {
    report->calendar = *std::move(calendar);
  } else {
    Complain(*node.Find("time_zone"), calendar.status().message());
  }
  Result<CronSchedule> schedule = CronSchedule::Parse(Text(node, "schedule"));
  if (!schedule.ok()) {
    const YamlNode* at = node.Find("schedule");
    if (at == nullptr) return Complain(node, "has no schedule");
    return Complain(*at, schedule.status().message());
  }
  report->schedule = *std::move(schedule);
  report->period = GuessPeriodUnit(report->schedule);
  if (const YamlNode* period = node.Find("period")) {
    constexpr PeriodUnit kUnits[] = {PeriodUnit::kHour, PeriodUnit::kDay, PeriodUnit::kWeek, PeriodUnit::kMonth};
    const std::string word = Text(node, "period");
    const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                    [&](PeriodUnit one) { return PeriodUnitName(one) == word; });
    if (unit == std::end(kUnits)) return Complain(*period, "period is neither hour, day, week nor month");
    report->period = *unit;
  }
}

void Reader::ReadRetry(const YamlNode& node, ReportConfig* report) {
  const YamlNode* retry = node.Find("retry");
  if (retry == nullptr || !IsMapOf(*retry, {"attempts", "delay"})) return;
  report->retry_attempts = Number(*retry, "attempts", report->retry_attempts, 100);
  report->retry_delay_ms = DurationMs(*retry, "delay", report->retry_delay_ms);
}

void Reader::ReadQueries(const YamlNode& node, ReportConfig* report) {
  const YamlNode* queries = node.Find("queries");
  if (queries == nullptr || !queries->is_sequence() || queries->items.empty() || queries->items.size() > kQueriesMax) {
    return Complain(queries == nullptr ? node : *queries, fmt::format("queries is not a list of 1 to {}", kQueriesMax));
  }
  std::set<std::string> names;
  for (const YamlNode& query : queries->items) {
    report->queries.push_back(ReadQuery(query));
    if (!names.insert(report->queries.back().name).second) {
      Complain(query, fmt::format("two queries are called \"{}\"", report->queries.back().name));
    }
  }
}

ReportQuery Reader::ReadQuery(const YamlNode& node) {
  ReportQuery query;
  if (!IsMapOf(node, {"name", "query", "type", "step", "default", "field", "fields"})) return query;
  query.name = Text(node, "name");
  if (!IsFieldName(query.name)) {
    Complain(node, "a query's name is not of letters, digits and underscores, with a small letter first");
  }
  query.text = Text(node, "query");
  query.step_ms = DurationMs(node, "step", 0);
  if (const YamlNode* value = node.Find("default")) {
    double number = 0;
    if (value->is_scalar() && ParseReal(value->text, &number)) {
      query.default_value = number;
    } else {
      Complain(*value, "default is not a number");
    }
  }
  ReadLanguage(node, &query);
  ReadFields(node, &query);
  return query;
}

// The query is checked with values in the place of its variables.
void Reader::ReadLanguage(const YamlNode& node, ReportQuery* query) {
  const std::string text = ReplaceVariables(query->text, ReportPeriod{"2026-11-19", 1'795'046'400, 1'795'132'800});
  const Result<logql::ExprPtr> as_logql = logql::ParseExpr(text);
  const Result<promql::ExprPtr> as_promql = promql::ParseExpr(text);
  const std::string type = Text(node, "type");
  if (!type.empty() && type != "logql" && type != "promql") {
    return Complain(*node.Find("type"), "type is neither logql nor promql");
  }
  const bool says_name = text.find("__name__") != std::string::npos;
  const bool guess_logql = as_logql.ok() && !(as_promql.ok() && says_name);
  query->language = type == "promql" || (type.empty() && !guess_logql) ? ReportLanguage::kPromql : ReportLanguage::kLogql;
  const Status& status = query->language == ReportLanguage::kLogql ? as_logql.status() : as_promql.status();
  const bool parsed = query->language == ReportLanguage::kLogql ? as_logql.ok() : as_promql.ok();
  // What is in neither language is probably a query of logs if it selects streams first.
  const bool like_logs = type.empty() && !parsed && text.find_first_not_of(" \t\n") != std::string::npos &&
                         (text[text.find_first_not_of(" \t\n")] == '{' || text.find('|') != std::string::npos);
  if (!parsed) {
    Complain(node.Find("query") == nullptr ? node : *node.Find("query"),
             fmt::format("query \"{}\": {}", query->name, (like_logs ? as_logql.status() : status).message()));
  }
}

void Reader::ReadFields(const YamlNode& node, ReportQuery* query) {
  const YamlNode* fields = node.Find("fields");
  if (const YamlNode* field = node.Find("field")) {
    if (fields != nullptr) Complain(node, "has both field and fields");
    query->fields.push_back({.name = query->name});
    return ReadField(*field, &query->fields.back());
  }
  if (fields == nullptr) {
    query->fields.push_back({.name = query->name});
    return;
  }
  if (!fields->is_map() || fields->items.empty()) return Complain(*fields, "fields is not a map of names to what they hold");
  for (size_t i = 0; i < fields->items.size(); ++i) {
    query->fields.push_back({.name = fields->keys[i].text});
    ReadField(fields->items[i], &query->fields.back());
  }
}

void Reader::ReadField(const YamlNode& node, ReportField* field) {
  if (!IsFieldName(field->name)) {
    return Complain(node, fmt::format("\"{}\" is no name for a field: letters, digits and underscores, with a small "
                                      "letter first", field->name));
  }
  if (node.is_scalar()) {
    const auto* word = std::find_if(std::begin(kPlainFields), std::end(kPlainFields),
                                    [&](const FieldWord& one) { return one.word == node.text; });
    if (word == std::end(kPlainFields)) {
      return Complain(node, fmt::format("field \"{}\": \"{}\" is none of value, count, sum, min, max, avg, max_hour, "
                                        "max_time, max_date", field->name, node.text));
    }
    field->kind = word->kind;
    field->format = word->format;
    return;
  }
  if (!IsMapOf(node, {"top", "label", "labels", "max_label", "limit", "table", "column", "lines"})) return;
  const auto has = [&](const char* key) { return node.Find(key) != nullptr; };
  if (has("top") + has("labels") + has("max_label") + has("table") + has("lines") != 1) {
    return Complain(node, fmt::format("field \"{}\" needs one of top, labels, max_label, table, lines", field->name));
  }
  if (has("top")) {
    field->kind = FieldKind::kTop;
    field->limit = Number(node, "top", 0, 1000);
    field->labels = {Text(node, "label")};
  } else if (has("labels")) {
    field->kind = FieldKind::kLabels;
    field->limit = Number(node, "limit", 0, 100'000);
    field->labels = {Text(node, "labels")};
  } else if (has("max_label")) {
    field->kind = FieldKind::kMaxLabel;
    field->labels = {Text(node, "max_label")};
  } else if (has("lines")) {
    field->kind = FieldKind::kLogLines;
    field->limit = Number(node, "lines", 0, 1000);
    return;
  } else {
    field->kind = FieldKind::kTable;
    field->labels = Texts(node, "table");
    field->column = Text(node, "column", "value");
    if (!IsFieldName(field->column)) Complain(node, fmt::format("\"{}\" is no name for a column", field->column));
  }
  for (const std::string& label : field->labels) {
    if (!IsName(label, "")) Complain(node, fmt::format("field \"{}\": \"{}\" is no label", field->name, label));
  }
}

// compute: {risk: "{{ … }}", domains: {risk: "{{ … }}"}}
void Reader::ReadComputed(const YamlNode& node, const std::string& table, ReportConfig* report) {
  if (!node.is_map()) return Complain(node, "compute is not a map of names to templates");
  for (size_t i = 0; i < node.items.size(); ++i) {
    const std::string& name = node.keys[i].text;
    const YamlNode& value = node.items[i];
    if (!IsFieldName(name)) {
      Complain(value, fmt::format("\"{}\" is no name for a field", name));
    } else if (value.is_scalar()) {
      report->computed.push_back({table, name, value.text});
      const Status good = CheckTemplate(name, report->computed.back().text);
      if (!good.ok()) Complain(value, good.message());
    } else if (table.empty()) {
      ReadComputed(value, name, report);
    } else {
      Complain(value, fmt::format("column \"{}\" is not a template", name));
    }
  }
}

void Reader::ReadTemplates(const YamlNode& node, ReportConfig* report) {
  report->templates.title = Text(node, "subject");
  const auto read = [&](const char* key, const char* file_key, std::string* into) {
    *into = Text(node, key);
    const std::string path = Text(node, file_key);
    if (path.empty()) return;
    const YamlNode& at = *node.Find(file_key);
    if (node.Find(key) != nullptr) return Complain(at, fmt::format("has both {} and {}", key, file_key));
    const bool whole = path[0] == '/' || base_dir_.empty();
    Result<std::string> text = ReadFile(whole ? path : fmt::format("{}/{}", base_dir_, path), kReportFileBytesMax);
    if (!text.ok()) return Complain(at, text.status().message());
    *into = *std::move(text);
  };
  read("text", "text_file", &report->templates.text);
  read("html", "html_file", &report->templates.html);
  const std::pair<const char*, const std::string*> all[] = {
      {"subject", &report->templates.title}, {"text", &report->templates.text}, {"html", &report->templates.html}};
  for (const auto& [key, text] : all) {
    const Status good = CheckTemplate(key, *text);
    if (!good.ok()) Complain(node.Find(key) == nullptr ? node : *node.Find(key), good.message());
  }
}

// A name is one field; but for a table, which several queries fill, each one column.
void Reader::CheckFields(const YamlNode& node, const ReportConfig& report) {
  std::set<std::string, std::less<>> plain = {"metric_date", "created_at"};
  std::set<std::string, std::less<>> tables;
  std::set<std::pair<std::string, std::string>> columns;
  const auto twice = [&](std::string_view name) { Complain(node, fmt::format("two fields are called \"{}\"", name)); };
  for (const ReportQuery& query : report.queries) {
    for (const ReportField& field : query.fields) {
      if (field.kind == FieldKind::kTable) {
        tables.insert(field.name);
        if (plain.count(field.name) != 0) twice(field.name);
        if (!columns.insert({field.name, field.column}).second) twice(field.name + "." + field.column);
        for (const std::string& label : field.labels) columns.insert({field.name, label});
      } else if (tables.count(field.name) != 0 || !plain.insert(field.name).second) {
        twice(field.name);
      }
    }
  }
  for (const ComputedField& computed : report.computed) {
    if (!computed.table.empty()) {
      if (tables.count(computed.table) == 0) {
        Complain(node, fmt::format("compute: no query fills a table \"{}\"", computed.table));
      } else if (!columns.insert({computed.table, computed.name}).second) {
        twice(computed.table + "." + computed.name);
      }
    } else if (tables.count(computed.name) != 0 || !plain.insert(computed.name).second) {
      twice(computed.name);
    }
  }
}

}  // namespace

Result<std::vector<ReportConfig>> ParseReports(std::string_view yaml, std::string_view name, uint32_t first_line,
                                               std::string_view base_dir) {
  VARVE_ASSIGN_OR_RETURN(const YamlDocument document, ParseYaml(yaml, name, first_line));
  Reader reader(name, base_dir);
  std::vector<ReportConfig> reports = reader.Read(document.root);
  VARVE_RETURN_IF_ERROR(reader.status());
  return reports;
}

Result<std::vector<ReportConfig>> ParseReportFile(std::string_view yaml, std::string_view name,
                                                  std::string_view base_dir) {
  VARVE_ASSIGN_OR_RETURN(const YamlDocument document, ParseYaml(yaml, name));
  Reader reader(name, base_dir);
  std::vector<ReportConfig> reports;
  if (!document.root.is_null() && reader.IsMapOf(document.root, {"reports"})) {
    if (const YamlNode* list = document.root.Find("reports")) reports = reader.Read(*list);
  }
  VARVE_RETURN_IF_ERROR(reader.status());
  return reports;
}

Result<std::vector<ReportConfig>> ReadReportFiles(const std::vector<std::string>& patterns) {
  std::set<std::string> paths;
  for (const std::string& pattern : patterns) {
    glob_t found = {};
    const int failed = glob(pattern.c_str(), 0, nullptr, &found);
    for (size_t i = 0; failed == 0 && i < found.gl_pathc; ++i) paths.insert(found.gl_pathv[i]);
    globfree(&found);
    if (failed != 0 && pattern.find_first_of("*?[") == std::string::npos) {
      return InvalidArgument(fmt::format("report_files: {} is not there", pattern));
    }
  }
  std::vector<ReportConfig> reports;
  for (const std::string& path : paths) {
    VARVE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kReportFileBytesMax));
    const size_t slash = path.rfind('/');
    VARVE_ASSIGN_OR_RETURN(std::vector<ReportConfig> of_file,
                           ParseReportFile(text, path, slash == std::string::npos ? "." : path.substr(0, slash)));
    std::move(of_file.begin(), of_file.end(), std::back_inserter(reports));
  }
  return reports;
}

Status CheckReports(const std::vector<ReportConfig>& reports, const std::vector<std::string>& receivers) {
  std::set<std::string_view> names;
  for (const ReportConfig& report : reports) {
    if (!names.insert(report.name).second) {
      return InvalidArgument(fmt::format("two reports are called \"{}\"", report.name));
    }
    for (const auto* list : {&report.receivers, &report.failure_receivers}) {
      for (const std::string& receiver : *list) {
        if (std::find(receivers.begin(), receivers.end(), receiver) != receivers.end()) continue;
        return InvalidArgument(fmt::format("report \"{}\": there is no receiver \"{}\" in alertmanager.config_file",
                                           report.name, receiver));
      }
    }
  }
  return Status::Ok();
}

}  // namespace varve
