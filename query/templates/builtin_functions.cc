// Go's own functions but the comparisons: call, html, index, js, len, print, printf, println, slice,
// urlquery.

#include "query/templates/go_format.h"
#include "query/templates/template_call.h"
#include "query/templates/template_text.h"
#include "query/templates/url_escape.h"

namespace varve::templates {
namespace {

using Value = TemplateValue;

bool Len(TemplateCall* call) {
  const Value& value = call->arguments[0];
  size_t size = 0;
  switch (value.type) {
    case ValueType::kString: size = value.text.size(); break;
    case ValueType::kList: size = value.list->items.size(); break;
    case ValueType::kMap:
    case ValueType::kLabels: size = value.map->entries.size(); break;
    default:
      if (value.is_nil()) return call->Fail("reflect: call of reflect.Value.Type on zero Value");
      return call->Fail("len of type " + std::string(TemplateTypeName(value)));
  }
  return call->Return(Value::Int(static_cast<int64_t>(size)));
}

// An index into what has `size` elements; `up_to` is the largest one.
bool IndexArgument(TemplateCall* call, const Value& index, size_t up_to, size_t* result) {
  if (index.is_nil()) return call->Fail("cannot index slice/array with nil");
  if (!index.is_integer()) {
    return call->Fail("cannot index slice/array with type " + std::string(TemplateTypeName(index)));
  }
  if (index.integer < 0 || static_cast<uint64_t>(index.integer) > up_to) {
    return call->Fail("index out of range: " + std::to_string(index.integer));
  }
  *result = static_cast<size_t>(index.integer);
  return true;
}

bool Index(TemplateCall* call) {
  Value item = call->arguments[0];
  if (item.is_nil()) return call->Fail("index of untyped nil");
  for (const Value& index : call->arguments.subspan(1)) {
    if (item.is_nil()) return call->Fail("index of nil pointer");
    size_t i = 0;
    if (item.type == ValueType::kList || item.type == ValueType::kString) {
      const bool text = item.type == ValueType::kString;
      const size_t size = text ? item.text.size() : item.list->items.size();
      if (!IndexArgument(call, index, size, &i)) return false;
      if (i == size)
        return call->Fail(text ? "reflect: string index out of range" : "reflect: slice index out of range");
      item =
          text ? Value::Integer(ValueType::kUint8, static_cast<uint8_t>(item.text[i])) : item.list->items[i];
    } else if (item.is_map()) {
      if (index.is_nil()) return call->Fail("value is nil; should be of type string");
      if (index.type != ValueType::kString) {
        return call->Fail("value has type " + std::string(TemplateTypeName(index)) + "; should be string");
      }
      const Value* found = item.map->Find(index.text);
      if (found != nullptr) {
        item = *found;
      } else {
        item = item.type == ValueType::kLabels ? Value::String("") : Value::Nil();
      }
    } else {
      return call->Fail("can't index item of type " + std::string(TemplateTypeName(item)));
    }
  }
  return call->Return(item);
}

bool Slice(TemplateCall* call) {
  const Value& item = call->arguments[0];
  if (item.is_nil()) return call->Fail("slice of untyped nil");
  const auto indexes = call->arguments.subspan(1);
  if (indexes.size() > 3) return call->Fail("too many slice indexes: " + std::to_string(indexes.size()));
  const bool text = item.type == ValueType::kString;
  if (!text && item.type != ValueType::kList) {
    return call->Fail("can't slice item of type " + std::string(TemplateTypeName(item)));
  }
  if (text && indexes.size() == 3) return call->Fail("cannot 3-index slice a string");
  const size_t size = text ? item.text.size() : item.list->items.size();
  size_t bounds[3] = {0, size, size};
  for (size_t i = 0; i < indexes.size(); ++i) {
    if (!IndexArgument(call, indexes[i], size, &bounds[i])) return false;
  }
  for (size_t i = 0; i < 2; ++i) {
    if (bounds[i] <= bounds[i + 1]) continue;
    return call->Fail("invalid slice index: " + std::to_string(bounds[i]) + " > " +
                      std::to_string(bounds[i + 1]));
  }
  if (text) return call->ReturnText(item.text.substr(bounds[0], bounds[1] - bounds[0]));
  auto* list = call->memory->AllocateArray<TemplateList>(1);
  if (list == nullptr) return call->FailMemory();
  list->items = item.list->items.subspan(bounds[0], bounds[1] - bounds[0]);
  return call->Return(Value::List(list));
}

bool Print(TemplateCall* call) {
  std::string out;
  AppendGoValues(call->arguments, &out);
  return call->ReturnCopy(out);
}

bool PrintLine(TemplateCall* call) {
  std::string out;
  for (size_t i = 0; i < call->arguments.size(); ++i) {
    if (i > 0) out.push_back(' ');
    AppendGoValue(call->arguments[i], &out);
  }
  out.push_back('\n');
  return call->ReturnCopy(out);
}

bool PrintFormat(TemplateCall* call) {
  std::string out;
  AppendGoFormat(call->Text(0), call->arguments.subspan(1), &out);
  return call->ReturnCopy(out);
}

// The arguments as one text, for the escaping functions.
std::string Joined(const TemplateCall& call) {
  std::string out;
  if (call.arguments.size() == 1 && call.arguments[0].is_nil()) return "<no value>";
  AppendGoValues(call.arguments, &out);
  return out;
}

bool Html(TemplateCall* call) {
  std::string out;
  for (const char c : Joined(*call)) {
    switch (c) {
      case '\0': out += "\xEF\xBF\xBD"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out.push_back(c); break;
    }
  }
  return call->ReturnCopy(out);
}

bool Js(TemplateCall* call) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const auto escape = [](uint32_t rune, std::string* out) {
    std::string digits;
    for (uint32_t rest = rune; rest != 0 || digits.size() < 4; rest >>= 4)
      digits.insert(0, 1, kHex[rest & 15]);
    *out += "\\u" + digits;
  };
  const std::string joined = Joined(*call);
  std::string out;
  for (std::string_view rest = joined; !rest.empty();) {
    const auto [rune, size] = FirstRune(rest);
    if (rune == '\\' || rune == '\'' || rune == '"') {
      out.push_back('\\');
      out.push_back(rest[0]);
    } else if (rune < ' ' || rune == '<' || rune == '>' || rune == '&' || rune == '=' ||
               (rune >= 0x80 && !IsPrintRune(rune))) {
      escape(rune, &out);
    } else {
      out += rest.substr(0, size);
    }
    rest.remove_prefix(size);
  }
  return call->ReturnCopy(out);
}

bool UrlQuery(TemplateCall* call) {
  std::string out;
  AppendQueryEscaped(Joined(*call), &out);
  return call->ReturnCopy(out);
}

// No value a template can get hold of is a function.
bool CallValue(TemplateCall* call) {
  const Value& value = call->arguments[0];
  if (value.is_nil()) return call->Fail("call of nil");
  return call->Fail("non-function of type " + std::string(TemplateTypeName(value)));
}

constexpr TemplateFunction kFunctions[] = {
    {"call", "vv*", CallValue},
    {"html", "aa*", Html},
    {"index", "vv*", Index},
    {"js", "aa*", Js},
    {"len", "v", Len},
    {"print", "a*", Print},
    {"printf", "sa*", PrintFormat},
    {"println", "a*", PrintLine},
    {"slice", "vv*", Slice},
    {"urlquery", "aa*", UrlQuery},
};

}  // namespace

std::span<const TemplateFunction> BuiltinFunctions() { return kFunctions; }

}  // namespace varve::templates
