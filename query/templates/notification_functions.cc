// The functions of Alertmanager's templates.

#include <algorithm>
#include <vector>

#include "query/templates/document_host.h"
#include "query/templates/go_format.h"
#include "query/templates/go_json.h"
#include "query/templates/go_time_layout.h"
#include "query/templates/humanize.h"
#include "query/templates/template_text.h"
#include "query/templates/time_zone.h"
#include "query/templates/url_escape.h"
#include "query/templates/value_methods.h"
#include "query/templates/word_case.h"

namespace varve::templates {
namespace {

using Value = TemplateValue;

bool Upper(TemplateCall* call) { return call->ReturnCopy(UpperCase(call->Text(0))); }
bool Lower(TemplateCall* call) { return call->ReturnCopy(LowerCase(call->Text(0))); }
bool Title(TemplateCall* call) { return call->ReturnCopy(TitleCase(call->Text(0), true)); }

bool TrimSpace(TemplateCall* call) {
  std::string_view text = call->Text(0);
  while (!text.empty() && IsSpaceRune(FirstRune(text).first)) text.remove_prefix(FirstRune(text).second);
  while (!text.empty() && IsSpaceRune(LastRune(text).first)) text.remove_suffix(LastRune(text).second);
  return call->ReturnText(text);
}

bool Join(TemplateCall* call) {
  std::string out;
  bool first = true;
  for (const Value& item : call->arguments[1].list->items) {
    if (!first) out += call->Text(0);
    first = false;
    out += item.text;
    if (out.size() > call->memory->bytes_max()) return call->FailMemory();
  }
  return call->ReturnCopy(out);
}

template <GoType kType>
bool Safe(TemplateCall* call) {
  return call->Return(Value::String(call->Text(0)).As(kType));
}

bool UrlUnescape(TemplateCall* call) {
  std::string out;
  return AppendQueryUnescaped(call->Text(0), &out, &call->error) && call->ReturnCopy(out);
}

bool StringSlice(TemplateCall* call) { return ReturnList(call, call->arguments, GoType::kStringSlice); }
bool List(TemplateCall* call) { return ReturnList(call, call->arguments, GoType::kNone); }

bool Append(TemplateCall* call) {
  const std::span<const Value> items = call->arguments[0].list->items;
  std::vector<Value> all(items.begin(), items.end());
  all.insert(all.end(), call->arguments.begin() + 1, call->arguments.end());
  return ReturnList(call, all, GoType::kNone);
}

bool Dict(TemplateCall* call) {
  const std::span<const Value> values = call->arguments;
  if (values.size() % 2 != 0) return call->Fail("dict requires an even number of arguments");
  std::vector<TemplateMap::Entry> entries;
  for (size_t i = 0; i < values.size(); i += 2) {
    if (values[i].type != ValueType::kString || values[i].named != GoType::kNone)
      return call->Fail("dict keys must be strings");
    std::erase_if(entries, [&](const auto& entry) { return entry.key == values[i].text; });
    entries.push_back({values[i].text, values[i + 1]});
  }
  TemplateMap::Entry* copy = nullptr;
  TemplateMap* map = NewMap(call->memory, entries.size(), &copy);
  if (map == nullptr) return call->FailMemory();
  SortEntries(entries);
  std::copy(entries.begin(), entries.end(), copy);
  return call->Return(Value::Map(ValueType::kMap, map));
}

bool Now(TemplateCall* call) { return call->ReturnTime(TimeFromUnixNs(MeansOf(*call).now_ns)); }

bool Since(TemplateCall* call) {
  const TimeValue& then = *call->arguments[0].time;
  const TimeValue now = TimeFromUnixNs(MeansOf(*call).now_ns);
  const __int128 difference = (static_cast<__int128>(now.seconds) - then.seconds) * 1'000'000'000 +
                              (now.nanoseconds - then.nanoseconds);
  constexpr __int128 kMax = std::numeric_limits<int64_t>::max();
  constexpr __int128 kMin = std::numeric_limits<int64_t>::min();
  return call->Return(
      Value::Integer(ValueType::kDuration, static_cast<int64_t>(std::clamp(difference, kMin, kMax))));
}

bool Date(TemplateCall* call) {
  std::string out;
  AppendTime(*call->arguments[1].time, call->Text(0), &out);
  return call->ReturnCopy(out);
}

bool InZone(TemplateCall* call) {
  const std::string_view name = call->Text(0);
  TimeValue time = *call->arguments[1].time;
  time.location = nullptr;
  time.offset_seconds = 0;
  time.zone = "UTC";
  if (!name.empty() && name != "UTC" && name != "Local") {
    time.location = TimeZone::Load(name);
    if (time.location == nullptr) return call->Fail("unknown time zone " + std::string(name));
  }
  SetZone(&time);
  return call->ReturnTime(time);
}

template <bool kMust>
bool ToDate(TemplateCall* call) {
  TimeValue time;
  if (!ParseTime(call->Text(0), call->Text(1), nullptr, &time)) {
    if (kMust) {
      std::string text;
      std::string layout;
      AppendQuotedGo(call->Text(1), false, '"', &text);
      AppendQuotedGo(call->Text(0), false, '"', &layout);
      return call->Fail("parsing time " + text + " as " + layout + ": cannot parse");
    }
    time = TimeValue();
    time.seconds = kZeroTimeSeconds;
  }
  return call->ReturnTime(time);
}

bool HumanizedDuration(TemplateCall* call) {
  double seconds = 0;
  return ConvertToFloat(call->arguments[0], &seconds, &call->error) &&
         call->ReturnCopy(HumanizeDuration(seconds));
}

bool ToJson(TemplateCall* call) {
  std::string out;
  return AppendGoJson(call->arguments[0], &out, &call->error) && call->ReturnCopy(out);
}

// Route labels of a notification: "" where there are none.
bool RouteLabels(TemplateCall* call) { return call->ReturnText(""); }

bool Base64Encode(TemplateCall* call) {
  std::string out;
  AppendBase64(call->Text(0), Base64Alphabet::kUrl, &out);
  return call->ReturnCopy(out);
}

bool Base64Decode(TemplateCall* call) {
  std::string out;
  size_t bad = 0;
  if (DecodeBase64(call->Text(0), Base64Alphabet::kUrl, &out, &bad)) return call->ReturnCopy(out);
  return call->Fail("illegal base64 data at input byte " + std::to_string(bad));
}

constexpr TemplateFunction kFunctions[] = {
    {"append", "La*", Append},
    {"base64decode", "s", Base64Decode},
    {"base64encode", "s", Base64Encode},
    {"date", "st", Date},
    {"dict", "a*", Dict},
    {"humanizeDuration", "a", HumanizedDuration},
    {"join", "sl", Join},
    {"list", "a*", List},
    {"match", "ss", MatchRegex, true},
    {"mustToDate", "ss", ToDate<true>},
    {"now", "", Now},
    {"reReplaceAll", "sss", ReplaceAllRegex, true},
    {"routeLabels", "s", RouteLabels},
    {"safeHtml", "s", Safe<GoType::kHtml>},
    {"safeUrl", "s", Safe<GoType::kUrl>},
    {"since", "t", Since},
    {"stringSlice", "s*", StringSlice},
    {"title", "s", Title},
    {"toDate", "ss", ToDate<false>},
    {"toJson", "a", ToJson},
    {"toLower", "s", Lower},
    {"toUpper", "s", Upper},
    {"trimSpace", "s", TrimSpace},
    {"tz", "st", InZone},
    {"urlUnescape", "s", UrlUnescape},
};

}  // namespace

std::span<const TemplateFunction> NotificationFunctions() { return kFunctions; }

}  // namespace varve::templates
