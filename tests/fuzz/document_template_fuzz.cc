// Arbitrary templates of documents over fixed data.
//
// The first byte picks functions and escaping. Whatever the template: no crash, the output bounded, an error
// never without its text; and a value never opens an element in HTML unless the template says so itself.
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "query/templates/template_limits.h"
#include "query/templates/template_set.h"

namespace {

using namespace varve;
using namespace varve::templates;

constexpr std::string_view kHostile = "<hostile>\"'`&javascript:x";

Datum Data() {
  const Datum labels{DatumFields{{"alertname", Datum{"A"}}, {"x", Datum{std::string(kHostile)}}},
                     DatumKind::kLabelSet};
  const Datum alert{DatumFields{{"Status", Datum{"firing"}},
                                {"Labels", labels},
                                {"StartsAt", Datum{Datum::Time{1'793'494'800'123'456'021}}}},
                    DatumKind::kAlert};
  return Datum{DatumFields{{"Alerts", Datum{DatumList{alert}, DatumKind::kAlerts}},
                           {"Labels", labels},
                           {"Value", Datum{-1.5e3}},
                           {"N", Datum{int64_t{42}}},
                           {"H", Datum{std::string(kHostile)}}}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 4096) return 0;
  static const Datum kData = Data();
  const auto functions = static_cast<FunctionSet>(data[0] % 3);
  const bool html = (data[0] & 4) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  TemplateMeans means;
  means.external_url = "http://example.org/p";
  means.now_ns = 1'793'494'830'000'000'000;
  means.query = [](std::string_view) -> Result<std::vector<QuerySample>> {
    return std::vector<QuerySample>{{{{"x", std::string(kHostile)}}, 1}};
  };
  const TemplateSet set(functions);
  const Status parsed = set.Check("doc", text);
  VARVE_CHECK(parsed.ok() || parsed.message().starts_with("template: doc:"));
  const Result<std::string> out = set.Execute("doc", text, kData, html ? Escape::kHtml : Escape::kText, means,
                                              {{"v", Datum{std::string(kHostile)}}});
  if (!out.ok()) {
    VARVE_CHECK(!out.status().message().empty());
    return 0;
  }
  VARVE_CHECK(out->size() <= kDocumentBounds.output_bytes_max);
  const bool says_so = text.find("safe") != std::string_view::npos ||
                       text.find("hostile") != std::string_view::npos ||
                       text.find("tmpl") != std::string_view::npos;
  if (html && !says_so) VARVE_CHECK(out->find("<hostile>") == std::string::npos);
  return 0;
}
