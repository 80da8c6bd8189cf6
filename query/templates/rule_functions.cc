// The functions of Prometheus's rule templates.

#include <arpa/inet.h>
#include <algorithm>
#include <cmath>
#include <vector>

#include "query/templates/document_host.h"
#include "query/templates/go_format.h"
#include "query/templates/go_time_layout.h"
#include "query/templates/humanize.h"
#include "query/templates/url_escape.h"
#include "query/templates/word_case.h"

namespace varve::templates {
namespace {

using Value = TemplateValue;

bool Query(TemplateCall* call) {
  const TemplateMeans& means = MeansOf(*call);
  if (!means.query) return call->Fail("queries are not possible here");
  const Result<std::vector<QuerySample>> found = means.query(call->Text(0));
  if (!found.ok()) return call->Fail(found.status().message());
  std::vector<Value> samples;
  for (const QuerySample& sample : *found) {
    TemplateMap::Entry* labels = nullptr;
    TemplateMap::Entry* fields = nullptr;
    TemplateMap* label_map = NewMap(call->memory, sample.labels.size(), &labels);
    TemplateMap* field_map = NewMap(call->memory, 2, &fields);
    if (label_map == nullptr || field_map == nullptr) return call->FailMemory();
    for (size_t i = 0; i < sample.labels.size(); ++i) {
      // Names and values end with `found`: they are copied as results are.
      if (!call->ReturnCopy(sample.labels[i].first)) return false;
      labels[i].key = call->result.text;
      if (!call->ReturnCopy(sample.labels[i].second)) return false;
      labels[i].value = call->result;
    }
    SortEntries({labels, sample.labels.size()});
    fields[0] = {"Labels", Value::Map(ValueType::kLabels, label_map)};
    fields[1] = {"Value", Value::Float64(sample.value)};
    samples.push_back(Value::Struct(GoType::kSample, field_map));
  }
  return ReturnList(call, samples, GoType::kQueryResult);
}

bool First(TemplateCall* call) {
  const TemplateList& samples = *call->arguments[0].list;
  if (samples.items.empty()) return call->Fail("first() called on vector with no elements");
  return call->Return(samples.items[0]);
}

std::string_view LabelOf(const Value& sample, std::string_view name) {
  const Value* label = sample.map->entries[0].value.map->Find(name);
  return label == nullptr ? std::string_view() : label->text;
}

bool Label(TemplateCall* call) { return call->ReturnText(LabelOf(call->arguments[1], call->Text(0))); }
bool SampleValue(TemplateCall* call) { return call->Return(call->arguments[0].map->entries[1].value); }
bool TextValue(TemplateCall* call) { return call->ReturnText(LabelOf(call->arguments[0], "__value__")); }

bool SortByLabel(TemplateCall* call) {
  const std::span<const Value> items = call->arguments[1].list->items;
  std::vector<Value> sorted(items.begin(), items.end());
  const std::string_view name = call->Text(0);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Value& a, const Value& b) { return LabelOf(a, name) < LabelOf(b, name); });
  return ReturnList(call, sorted, GoType::kQueryResult);
}

bool Args(TemplateCall* call) {
  TemplateMap::Entry* entries = nullptr;
  TemplateMap* map = NewMap(call->memory, call->arguments.size(), &entries);
  if (map == nullptr) return call->FailMemory();
  for (size_t i = 0; i < call->arguments.size(); ++i) {
    if (!call->ReturnCopy("arg" + std::to_string(i))) return false;
    entries[i] = {call->result.text, call->arguments[i]};
  }
  SortEntries(map->entries.size() == 0 ? std::span<TemplateMap::Entry>()
                                       : std::span(entries, map->entries.size()));
  return call->Return(Value::Map(ValueType::kMap, map));
}

template <std::string (*kShow)(double)>
bool Humanized(TemplateCall* call) {
  double number = 0;
  return ConvertToFloat(call->arguments[0], &number, &call->error) && call->ReturnCopy(kShow(number));
}

bool ToTime(TemplateCall* call) {
  double seconds = 0;
  TimeValue time;
  return ConvertToFloat(call->arguments[0], &seconds, &call->error) &&
         TimeOfSeconds(seconds, &time, &call->error) && call->ReturnTime(time);
}

bool HumanizeTimestamp(TemplateCall* call) {
  double seconds = 0;
  if (!ConvertToFloat(call->arguments[0], &seconds, &call->error)) return false;
  std::string out;
  if (!std::isfinite(seconds)) {
    const Value shown = Value::Float64(seconds);
    AppendGoFormat("%.4g", {&shown, 1}, &out);
    return call->ReturnCopy(out);
  }
  TimeValue time;
  if (!TimeOfSeconds(seconds, &time, &call->error)) return false;
  AppendTime(time, kTimeStringLayout, &out);
  return call->ReturnCopy(out);
}

bool ToDuration(TemplateCall* call) {
  double seconds = 0;
  if (!ConvertToFloat(call->arguments[0], &seconds, &call->error)) return false;
  const double nanoseconds = seconds * 1e9;
  const bool fits = nanoseconds > -9.3e18 && nanoseconds < 9.2233720368547748e18;
  const int64_t duration_ns = fits ? static_cast<int64_t>(nanoseconds) : std::numeric_limits<int64_t>::min();
  return call->Return(Value::Integer(ValueType::kDuration, duration_ns));
}

bool ParseDuration(TemplateCall* call) {
  int64_t duration_ns = 0;
  return ParsePrometheusDuration(call->Text(0), &duration_ns, &call->error) &&
         call->Return(Value::Float64(static_cast<double>(duration_ns) / 1e9));
}

bool Now(TemplateCall* call) {
  return call->Return(Value::Float64(static_cast<double>(MeansOf(*call).now_ns / 1'000'000) / 1000.0));
}

bool ExternalUrl(TemplateCall* call) { return call->ReturnText(MeansOf(*call).external_url); }

bool PathPrefix(TemplateCall* call) {
  std::string_view url = MeansOf(*call).external_url;
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
    url.remove_prefix(std::min(url.find_first_of("/?#"), url.size()));
  }
  return call->ReturnText(url.substr(0, url.find_first_of("?#")));
}

template <char kTab>
bool ExpressionLink(TemplateCall* call) {
  std::string out = "/graph?g0.expr=";
  AppendQueryEscaped(call->Text(0), &out);
  out += "&g0.tab=";
  out.push_back(kTab);
  return call->ReturnCopy(out);
}

bool QueryEscape(TemplateCall* call) {
  std::string out;
  AppendQueryEscaped(call->Text(0), &out);
  return call->ReturnCopy(out);
}

bool SafeHtml(TemplateCall* call) { return call->Return(Value::String(call->Text(0)).As(GoType::kHtml)); }

// As net.SplitHostPort. False: there is no port.
bool SplitHostPort(std::string_view text, std::string_view* host, std::string_view* port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  size_t rest_from = 0;  // where brackets may not be any more
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos || close + 1 != colon) return false;
    *host = text.substr(1, close - 1);
    if (host->find('[') != std::string_view::npos) return false;
    rest_from = close + 1;
  } else {
    *host = text.substr(0, colon);
    if (host->find(':') != std::string_view::npos) return false;
  }
  if (text.find_first_of("[]", rest_from) != std::string_view::npos) return false;
  *port = text.substr(colon + 1);
  return true;
}

bool StripPort(TemplateCall* call) {
  std::string_view host;
  std::string_view port;
  return call->ReturnText(SplitHostPort(call->Text(0), &host, &port) ? host : call->Text(0));
}

bool IsAddress(std::string_view host) {
  const std::string text(host.substr(0, 64));
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

bool StripDomain(TemplateCall* call) {
  std::string_view host = call->Text(0);
  std::string_view port;
  if (!SplitHostPort(call->Text(0), &host, &port)) host = call->Text(0);
  if (IsAddress(host)) return call->ReturnText(call->Text(0));
  host = host.substr(0, host.find('.'));
  if (port.empty()) return call->ReturnText(host);
  const bool brackets = host.find(':') != std::string_view::npos;
  return call->ReturnCopy((brackets ? "[" + std::string(host) + "]" : std::string(host)) + ":" +
                          std::string(port));
}

bool Title(TemplateCall* call) { return call->ReturnCopy(TitleCase(call->Text(0), false)); }
bool Upper(TemplateCall* call) { return call->ReturnCopy(UpperCase(call->Text(0))); }
bool Lower(TemplateCall* call) { return call->ReturnCopy(LowerCase(call->Text(0))); }

constexpr TemplateFunction kFunctions[] = {
    {"args", "a*", Args},
    {"externalURL", "", ExternalUrl},
    {"first", "q", First},
    {"graphLink", "s", ExpressionLink<'0'>},
    {"humanize", "a", Humanized<Humanize>},
    {"humanize1024", "a", Humanized<Humanize1024>},
    {"humanizeDuration", "a", Humanized<HumanizeDuration>},
    {"humanizePercentage", "a", Humanized<HumanizePercentage>},
    {"humanizeTimestamp", "a", HumanizeTimestamp},
    {"label", "se", Label},
    {"match", "ss", MatchRegex, true},
    {"now", "", Now},
    {"parseDuration", "s", ParseDuration},
    {"pathPrefix", "", PathPrefix},
    {"query", "s", Query},
    {"reReplaceAll", "sss", ReplaceAllRegex, true},
    {"safeHtml", "s", SafeHtml},
    {"sortByLabel", "sq", SortByLabel},
    {"stripDomain", "s", StripDomain},
    {"stripPort", "s", StripPort},
    {"strvalue", "e", TextValue},
    {"tableLink", "s", ExpressionLink<'1'>},
    {"title", "s", Title},
    {"toDuration", "a", ToDuration},
    {"toLower", "s", Lower},
    {"toTime", "a", ToTime},
    {"toUpper", "s", Upper},
    {"urlQueryEscape", "s", QueryEscape},
    {"value", "e", SampleValue},
};

}  // namespace

std::span<const TemplateFunction> RuleFunctions() { return kFunctions; }

}  // namespace varve::templates
