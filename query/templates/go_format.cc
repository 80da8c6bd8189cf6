#include "query/templates/go_format.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "query/templates/go_time_layout.h"
#include "query/templates/template_limits.h"
#include "query/templates/template_text.h"

namespace varve::templates {
namespace {

// The decimal digits of a finite positive number, and where the point is: 0.d1d2… * 10^point.
struct Digits {
  std::string text;
  int point = 0;
};

// `count` digits after rounding, or the shortest that read back when it is below 1.
Digits SignificantDigits(double value, int count) {
  char buffer[1200];
  const auto end = count < 1 ? std::to_chars(buffer, std::end(buffer), value, std::chars_format::scientific)
                             : std::to_chars(buffer, std::end(buffer), value, std::chars_format::scientific,
                                             std::min(count, 1000) - 1);
  const std::string_view shown(buffer, static_cast<size_t>(end.ptr - buffer));
  const size_t exponent = shown.find('e');
  Digits digits;
  for (const char c : shown.substr(0, exponent)) {
    if (c != '.') digits.text.push_back(c);
  }
  int power = 0;
  const std::string_view tail = shown.substr(exponent + 1);
  std::from_chars(tail.data() + (tail[0] == '+' ? 1 : 0), tail.data() + tail.size(), power);
  while (digits.text.size() > 1 && digits.text.back() == '0') digits.text.pop_back();
  digits.point = value == 0 ? 0 : power + 1;
  return digits;
}

void AppendExponent(int exponent, char letter, std::string* out) {
  out->push_back(letter);
  out->push_back(exponent < 0 ? '-' : '+');
  const std::string digits = std::to_string(std::abs(exponent));
  if (digits.size() < 2) out->push_back('0');
  *out += digits;
}

void AppendScientific(const Digits& digits, int precision, char letter, std::string* out) {
  out->push_back(digits.text[0]);
  if (precision > 0) {
    out->push_back('.');
    for (size_t i = 1; i <= static_cast<size_t>(precision); ++i) {
      out->push_back(i < digits.text.size() ? digits.text[i] : '0');
    }
  }
  AppendExponent(digits.text == "0" ? 0 : digits.point - 1, letter, out);
}

void AppendPlain(const Digits& digits, std::string* out) {
  if (digits.point <= 0) {
    *out +=
        digits.text == "0" ? "0" : "0." + std::string(static_cast<size_t>(-digits.point), '0') + digits.text;
    return;
  }
  const auto point = static_cast<size_t>(digits.point);
  if (digits.text.size() <= point) {
    *out += digits.text + std::string(point - digits.text.size(), '0');
  } else {
    *out += digits.text.substr(0, point) + "." + digits.text.substr(point);
  }
}

// Go's strconv.AppendFloat of a finite positive value, verbs e E f F g G; precision -1 is the shortest.
void AppendMagnitude(double value, char verb, int precision, std::string* out) {
  if (verb == 'f' || verb == 'F') {
    if (precision < 0) return AppendPlain(SignificantDigits(value, 0), out);
    std::string buffer(static_cast<size_t>(precision) + 330, '\0');
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::fixed, precision);
    out->append(buffer.data(), end.ptr);
    return;
  }
  if (verb == 'e' || verb == 'E') {
    const Digits digits = SignificantDigits(value, precision < 0 ? 0 : precision + 1);
    const int shortest = static_cast<int>(digits.text.size()) - 1;
    return AppendScientific(digits, precision < 0 ? shortest : precision, verb, out);
  }
  if (precision == 0) precision = 1;
  const Digits digits = SignificantDigits(value, precision);
  const int count = static_cast<int>(digits.text.size());
  int exponent_from = precision;
  if (exponent_from > count && count >= digits.point) exponent_from = count;
  if (precision < 0) exponent_from = 6;
  const int exponent = digits.text == "0" ? 0 : digits.point - 1;
  if (exponent < -4 || exponent >= exponent_from) {
    return AppendScientific(digits, count - 1, verb == 'g' ? 'e' : 'E', out);
  }
  AppendPlain(digits, out);
}

// With its sign, "+" included.
std::string SignedFloat(double value, char verb, int precision) {
  if (std::isnan(value)) return "+NaN";
  std::string out = std::signbit(value) ? "-" : "+";
  if (std::isinf(value)) return out + "Inf";
  AppendMagnitude(std::abs(value), verb, precision, &out);
  return out;
}

struct Flags {
  bool plus = false, minus = false, sharp = false, space = false, zero = false;
  bool go_syntax = false;  // %#v
  bool has_width = false, has_precision = false;
  int width = 0, precision = 0;
};

// Prints one value with one verb.
class ValuePrinter {
 public:
  ValuePrinter(const Flags& flags, std::string* out) : flags_(flags), out_(*out) {}

  void Print(const TemplateValue& value, uint32_t verb) {
    if (value.is_nil() || value.missing()) return verb == 'v' ? Pad("<nil>") : BadVerb(value, verb);
    if (verb == 'T') return PrintText(TemplateTypeName(value), 's');
    switch (value.type) {
      case ValueType::kBool:
        return verb == 't' || verb == 'v' ? Pad(value.truth ? "true" : "false") : BadVerb(value, verb);
      case ValueType::kFloat64: return PrintFloat(value, verb);
      case ValueType::kString: return PrintTextValue(value, value.text, verb);
      case ValueType::kList: return PrintList(value, verb);
      case ValueType::kMap:
      case ValueType::kLabels:
        return value.named == GoType::kKv ? PrintPairs(value, verb) : PrintMap(value, verb);
      case ValueType::kStruct: return PrintStruct(value, verb);
      case ValueType::kTime: return PrintTextValue(value, TimeText(*value.time), verb);
      case ValueType::kDuration:
      case ValueType::kMonth:
      case ValueType::kWeekday:
        if (std::string_view("vsqxX").find(static_cast<char>(verb)) != std::string_view::npos &&
            verb < 0x80) {
          return PrintTextValue(value, NamedInteger(value), verb);
        }
        return PrintInteger(value, verb);
      default: return PrintInteger(value, verb);
    }
  }

 private:
  static std::string NamedInteger(const TemplateValue& value) {
    if (value.type == ValueType::kDuration) return DurationText(value.integer);
    const bool month = value.type == ValueType::kMonth;
    const std::string_view name = month ? MonthName(value.integer) : WeekdayName(value.integer);
    if (!name.empty()) return std::string(name);
    return (month ? "%!Month(" : "%!Weekday(") + std::to_string(value.integer) + ")";
  }

  static std::string TimeText(const TimeValue& time) {
    std::string text;
    AppendTime(time, kTimeStringLayout, &text);
    return text;
  }

  void BadVerb(const TemplateValue& value, uint32_t verb) {
    out_ += "%!";
    AppendRune(verb, &out_);
    out_.push_back('(');
    if (value.is_nil() || value.missing()) {
      out_ += "<nil>";
    } else {
      out_ += TemplateTypeName(value);
      out_.push_back('=');
      ValuePrinter(Flags(), &out_).Print(value, 'v');
    }
    out_.push_back(')');
  }

  void Pad(std::string_view text) {
    const size_t runes = flags_.has_width ? CountRunes(text) : 0;
    const size_t missing = flags_.has_width && static_cast<size_t>(flags_.width) > runes
                               ? static_cast<size_t>(flags_.width) - runes
                               : 0;
    if (!flags_.minus) out_.append(missing, flags_.zero ? '0' : ' ');
    out_ += text;
    if (flags_.minus) out_.append(missing, ' ');
  }

  void PadWithSpaces(std::string_view text) {
    Flags flags = flags_;
    flags.zero = false;
    ValuePrinter(flags, &out_).Pad(text);
  }

  void PrintTextValue(const TemplateValue& value, std::string_view text, uint32_t verb) {
    switch (verb) {
      case 'v': return PrintText(text, flags_.go_syntax && value.type == ValueType::kString ? 'q' : 's');
      case 's':
      case 'q':
      case 'x':
      case 'X': return PrintText(text, static_cast<char>(verb));
      default: return BadVerb(value, verb);
    }
  }

  void PrintText(std::string_view text, char verb) {
    if (verb == 'x' || verb == 'X') return PrintHex(text, verb);
    if (flags_.has_precision) {
      std::string_view rest = text;
      for (int i = 0; i < flags_.precision && !rest.empty(); ++i) rest.remove_prefix(FirstRune(rest).second);
      text.remove_suffix(rest.size());
    }
    if (verb == 's') return Pad(text);
    std::string quoted;
    if (flags_.sharp && text.find_first_of("`\x7F") == std::string_view::npos &&
        std::all_of(text.begin(), text.end(),
                    [](char c) { return c == '\t' || static_cast<uint8_t>(c) >= ' '; })) {
      quoted = "`" + std::string(text) + "`";
    } else {
      AppendQuotedGo(text, flags_.plus, '"', &quoted);
    }
    Pad(quoted);
  }

  void PrintHex(std::string_view text, char verb) {
    const char* digits = verb == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
    if (flags_.has_precision) text = text.substr(0, static_cast<size_t>(flags_.precision));
    std::string hex;
    for (size_t i = 0; i < text.size(); ++i) {
      if (i > 0 && flags_.space) hex.push_back(' ');
      if (flags_.sharp && (i == 0 || flags_.space)) hex += verb == 'x' ? "0x" : "0X";
      hex.push_back(digits[static_cast<uint8_t>(text[i]) >> 4]);
      hex.push_back(digits[static_cast<uint8_t>(text[i]) & 15]);
    }
    Pad(hex);
  }

  void PrintFloat(const TemplateValue& value, uint32_t verb) {
    int precision = -1;
    switch (verb) {
      case 'v':
      case 'g':
      case 'G': break;
      case 'e':
      case 'E':
      case 'f':
      case 'F': precision = 6; break;
      default: return BadVerb(value, verb);
    }
    if (flags_.has_precision) precision = flags_.precision;
    std::string text = SignedFloat(value.number, verb == 'v' ? 'g' : static_cast<char>(verb), precision);
    if (flags_.space && text[0] == '+' && !flags_.plus) text[0] = ' ';
    if (text[1] == 'I' || text[1] == 'N') {
      if (text[1] == 'N' && !flags_.space && !flags_.plus) text.erase(0, 1);
      return PadWithSpaces(text);
    }
    if (flags_.sharp && text.find('.') == std::string::npos) {
      text.insert(std::min(text.find_first_of("eE"), text.size()), ".");
    }
    if (!flags_.plus && text[0] == '+') return Pad(std::string_view(text).substr(1));
    if (flags_.zero && !flags_.minus && flags_.has_width && static_cast<size_t>(flags_.width) > text.size()) {
      out_.push_back(text[0]);
      out_.append(static_cast<size_t>(flags_.width) - text.size(), '0');
      out_.append(text, 1);
      return;
    }
    Pad(text);
  }

  void PrintInteger(const TemplateValue& value, uint32_t verb) {
    switch (verb) {
      case 'v':
      case 'd': return PrintDigits(value.integer, 10, 'd');
      case 'b': return PrintDigits(value.integer, 2, 'b');
      case 'o':
      case 'O': return PrintDigits(value.integer, 8, static_cast<char>(verb));
      case 'x':
      case 'X': return PrintDigits(value.integer, 16, static_cast<char>(verb));
      case 'c':
      case 'q': {
        std::string text;
        AppendRune(RuneOf(value.integer), &text);
        if (verb == 'c') return Pad(text);
        std::string quoted;
        AppendQuotedGo(text, flags_.plus, '\'', &quoted);
        return Pad(quoted);
      }
      case 'U': return PrintCodePoint(value.integer);
      default: return BadVerb(value, verb);
    }
  }

  static uint32_t RuneOf(int64_t value) {
    return value < 0 || value > 0x10FFFF ? 0xFFFD : static_cast<uint32_t>(value);
  }

  void PrintCodePoint(int64_t value) {
    char digits[24];
    const auto end = std::to_chars(digits, std::end(digits), static_cast<uint64_t>(value), 16);
    std::string text(digits, end.ptr);
    for (char& c : text) c = c >= 'a' ? static_cast<char>(c - 32) : c;
    const size_t wanted =
        flags_.has_precision && flags_.precision > 4 ? static_cast<size_t>(flags_.precision) : 4;
    if (text.size() < wanted) text.insert(0, wanted - text.size(), '0');
    text.insert(0, "U+");
    if (flags_.sharp && value >= 0 && value <= 0x10FFFF && IsPrintRune(static_cast<uint32_t>(value))) {
      text += " '";
      AppendRune(static_cast<uint32_t>(value), &text);
      text += "'";
    }
    PadWithSpaces(text);
  }

  void PrintDigits(int64_t value, int base, char verb) {
    const bool negative = value < 0;
    const uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    const bool signed_shown = negative || flags_.plus || flags_.space;
    int wanted = 0;
    if (flags_.has_precision) {
      wanted = flags_.precision;
      if (wanted == 0 && value == 0) return PadWithSpaces("");
    } else if (flags_.zero && !flags_.minus && flags_.has_width) {
      wanted = flags_.width - (signed_shown ? 1 : 0);
    }
    char buffer[70];
    const auto end = std::to_chars(buffer, std::end(buffer), magnitude, base);
    std::string text(buffer, end.ptr);
    if (verb == 'X') {
      for (char& c : text) c = c >= 'a' ? static_cast<char>(c - 32) : c;
    }
    if (wanted > 0 && text.size() < static_cast<size_t>(wanted)) {
      text.insert(0, static_cast<size_t>(wanted) - text.size(), '0');
    }
    if (flags_.sharp) {
      if (base == 2) text.insert(0, "0b");
      if (base == 8 && text[0] != '0') text.insert(0, "0");
      if (base == 16) text.insert(0, verb == 'X' ? "0X" : "0x");
    }
    if (verb == 'O') text.insert(0, "0o");
    if (signed_shown) text.insert(0, negative ? "-" : flags_.plus ? "+" : " ");
    PadWithSpaces(text);
  }

  void PrintList(const TemplateValue& value, uint32_t verb) {
    if (verb == 'p') return BadVerb(value, verb);
    const bool go_syntax = flags_.go_syntax;
    if (value.named == GoType::kPairs && !go_syntax) return PrintPairs(value, verb);
    out_ += go_syntax ? std::string(TemplateTypeName(value)) + "{" : "[";
    bool first = true;
    for (const TemplateValue& item : value.list->items) {
      if (!first) out_ += go_syntax ? ", " : " ";
      first = false;
      if (Full()) break;
      PrintElement(item, verb);
    }
    out_.push_back(go_syntax ? '}' : ']');
  }

  void PrintMap(const TemplateValue& value, uint32_t verb) {
    if (verb == 'p') return BadVerb(value, verb);
    const bool go_syntax = flags_.go_syntax;
    out_ += go_syntax ? std::string(TemplateTypeName(value)) + "{" : "map[";
    bool first = true;
    for (const TemplateMap::Entry& entry : value.map->entries) {
      if (!first) out_ += go_syntax ? ", " : " ";
      first = false;
      if (Full()) break;
      Print(TemplateValue::String(entry.key), verb);
      out_.push_back(':');
      PrintElement(entry.value, verb);
    }
    out_.push_back(go_syntax ? '}' : ']');
  }

  // As the String methods of Alertmanager's KV and Pairs.
  void PrintPairs(const TemplateValue& value, uint32_t verb) {
    std::string text;
    const auto add = [&](std::string_view name, const TemplateValue& shown) {
      if (!text.empty()) text += ", ";
      text += name;
      text.push_back('=');
      text += shown.text;
    };
    if (value.type == ValueType::kList) {
      for (const TemplateValue& pair : value.list->items)
        add(pair.map->entries[0].value.text, pair.map->entries[1].value);
    } else {
      const auto named = [](const auto& entry) { return entry.key == "alertname"; };
      for (const auto& entry : value.map->entries) {
        if (named(entry)) add(entry.key, entry.value);
      }
      for (const auto& entry : value.map->entries) {
        if (!named(entry)) add(entry.key, entry.value);
      }
    }
    PrintTextValue(value, text, verb);
  }

  void PrintStruct(const TemplateValue& value, uint32_t verb) {
    if (value.named == GoType::kNotification || value.named == GoType::kSample) out_.push_back('&');
    out_.push_back('{');
    bool first = true;
    for (const TemplateMap::Entry& entry : value.map->entries) {
      if (!first) out_.push_back(' ');
      first = false;
      if (Full()) break;
      PrintElement(entry.value, verb);
    }
    out_.push_back('}');
  }

  // Widths make each element large; what comes then is refused for its size anyway.
  bool Full() const { return out_.size() > kTemplateMemoryBytesMax; }

  void PrintElement(const TemplateValue& item, uint32_t verb) {
    if (item.is_nil()) {
      out_ += flags_.go_syntax ? "interface {}(nil)" : "<nil>";
    } else {
      Print(item, verb);
    }
  }

  const Flags flags_;
  std::string& out_;
};

class Formatter {
 public:
  Formatter(std::string_view format, std::span<const TemplateValue> values, std::string* out)
      : format_(format), values_(values), out_(*out) {}

  void Run() {
    while (at_ < format_.size()) {
      const size_t percent = std::min(format_.find('%', at_), format_.size());
      out_ += format_.substr(at_, percent - at_);
      at_ = percent;
      if (at_ == format_.size() || out_.size() > kTemplateMemoryBytesMax) break;
      ++at_;
      Directive();
    }
    if (reordered_ || next_ >= values_.size()) return;
    out_ += "%!(EXTRA ";
    for (size_t i = next_; i < values_.size(); ++i) {
      if (i > next_) out_ += ", ";
      if (values_[i].valid() && !values_[i].is_nil()) {
        out_ += TemplateTypeName(values_[i]);
        out_.push_back('=');
      }
      ValuePrinter(Flags(), &out_).Print(values_[i], 'v');
    }
    out_.push_back(')');
  }

 private:
  void Directive() {
    Flags flags;
    good_index_ = true;
    after_index_ = false;
    for (; at_ < format_.size(); ++at_) {
      const char c = format_[at_];
      if (c == '#')
        flags.sharp = true;
      else if (c == '0')
        flags.zero = true;
      else if (c == '+')
        flags.plus = true;
      else if (c == '-')
        flags.minus = true;
      else if (c == ' ')
        flags.space = true;
      else
        break;
    }
    Index();
    ReadWidth(&flags);
    ReadPrecision(&flags);
    if (!after_index_) Index();
    if (at_ >= format_.size()) {
      out_ += "%!(NOVERB)";
      return;
    }
    const auto [verb, size] = FirstRune(format_.substr(at_));
    at_ += size;
    if (verb == '%') {
      out_.push_back('%');
    } else if (!good_index_) {
      Bad(verb, "(BADINDEX)");
    } else if (next_ >= values_.size()) {
      Bad(verb, "(MISSING)");
    } else {
      if (verb == 'v') {
        flags.go_syntax = flags.sharp;
        flags.sharp = flags.plus = false;
      }
      ValuePrinter(flags, &out_).Print(values_[next_++], verb);
    }
  }

  void Bad(uint32_t verb, std::string_view why) {
    out_ += "%!";
    AppendRune(verb, &out_);
    out_ += why;
  }

  // [3], an explicit argument.
  void Index() {
    if (at_ >= format_.size() || format_[at_] != '[') return;
    reordered_ = true;
    const size_t close = format_.find(']', at_);
    if (close == std::string_view::npos) {
      good_index_ = false;
      ++at_;
      return;
    }
    size_t index = 0;
    const char* const end = format_.data() + close;
    const auto read = std::from_chars(format_.data() + at_ + 1, end, index);
    at_ = close + 1;
    after_index_ = read.ec == std::errc() && read.ptr == end && index >= 1 && index <= values_.size();
    if (after_index_) {
      next_ = index - 1;
    } else {
      good_index_ = false;
    }
  }

  bool IntegerFromValue(int* number) {
    if (next_ >= values_.size()) return false;
    const TemplateValue& value = values_[next_++];
    if (!value.is_integer() || value.integer > 1'000'000 || value.integer < -1'000'000) return false;
    *number = static_cast<int>(value.integer);
    return true;
  }

  bool ReadNumber(int* number) {
    const size_t begin = at_;
    int value = 0;
    for (; at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9'; ++at_) {
      value = std::min(value * 10 + (format_[at_] - '0'), 1'000'000);
    }
    *number = value;
    return at_ > begin;
  }

  void ReadWidth(Flags* flags) {
    if (at_ < format_.size() && format_[at_] == '*') {
      ++at_;
      flags->has_width = IntegerFromValue(&flags->width);
      if (!flags->has_width) out_ += "%!(BADWIDTH)";
      if (flags->width < 0) {
        flags->width = -flags->width;
        flags->minus = true;
        flags->zero = false;
      }
      after_index_ = false;
    } else {
      flags->has_width = ReadNumber(&flags->width);
      if (after_index_ && flags->has_width) good_index_ = false;
    }
    flags->width = std::min(flags->width, kTemplatePrintfWidthMax);
  }

  void ReadPrecision(Flags* flags) {
    if (at_ >= format_.size() || format_[at_] != '.') return;
    ++at_;
    if (after_index_) good_index_ = false;
    after_index_ = false;
    Index();
    if (at_ < format_.size() && format_[at_] == '*') {
      ++at_;
      flags->has_precision = IntegerFromValue(&flags->precision);
      if (flags->precision < 0) {
        flags->precision = 0;
        flags->has_precision = false;
      }
      if (!flags->has_precision) out_ += "%!(BADPREC)";
      after_index_ = false;
    } else {
      ReadNumber(&flags->precision);
      flags->has_precision = true;
    }
    flags->precision = std::min(flags->precision, kTemplatePrintfWidthMax);
  }

  const std::string_view format_;
  const std::span<const TemplateValue> values_;
  std::string& out_;
  size_t at_ = 0;
  size_t next_ = 0;  // the value to print next
  bool reordered_ = false;
  bool good_index_ = true;
  bool after_index_ = false;
};

}  // namespace

void AppendGoValue(const TemplateValue& value, std::string* out) {
  ValuePrinter(Flags(), out).Print(value, 'v');
}

void AppendGoValues(std::span<const TemplateValue> values, std::string* out) {
  bool text_before = true;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool text = values[i].type == ValueType::kString;
    if (i > 0 && !text && !text_before) out->push_back(' ');
    AppendGoValue(values[i], out);
    text_before = text;
  }
}

void AppendGoFloat(double value, std::string* out) { AppendGoValue(TemplateValue::Float64(value), out); }

void AppendGoFormat(std::string_view format, std::span<const TemplateValue> values, std::string* out) {
  Formatter(format, values, out).Run();
}

}  // namespace varve::templates
