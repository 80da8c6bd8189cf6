// Arbitrary templates over fixed rows.
//
// The first byte picks the row. Whatever the template: no crash, the output bounded, an error never without
// its text, and the same row rendered twice gives the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "query/logql/templates/template.h"
#include "query/templates/template_limits.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace varve;
  using namespace varve::logql;
  if (size == 0 || size > 4096) return 0;
  static const Labels kStreams[] = {
      Labels::FromUnsorted({{"app", "q"}, {"n", "42"}, {"f", "-1.5e3"}, {"empty", "x"}}),
      Labels::FromUnsorted({{"j", R"({"a":[1,{"b":null}],"t":true,"s":"\u00e9"})"},
                            {"re", "(a|b)*"},
                            {"u", "Zo\xC3\xAB\xFF"}}),
      Labels::FromUnsorted({{"t", "2026-11-01T02:03:04Z"}, {"d", "1h2m"}, {"b", "12KB"}, {"x", "a%20b+c"}}),
  };
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Result<Template> parsed = Template::Parse("line", text);
  if (!parsed.ok()) {
    VARVE_CHECK(parsed.status().code() == Code::kInvalidArgument);
    VARVE_CHECK(parsed.status().message().starts_with("template: line:"));
    return 0;
  }
  Row row;
  row.labels.SetStream(kStreams[data[0] % 3]);
  std::string first;
  for (int round = 0; round < 2; ++round) {
    row.labels.Reset({});
    row.line = "level=info msg=\"the line\"";
    row.ts_ns = 1'793'494'800'123'456'021;
    std::string out;
    std::string error;
    const bool ok = parsed->Execute(&row, &out, &error);
    VARVE_CHECK(ok || error.starts_with("template: line:"));
    if (ok) VARVE_CHECK(out.size() <= templates::kTemplateOutputBytesMax);
    const bool tells_time =
        text.find("now") != std::string_view::npos || text.find("date") != std::string_view::npos;
    if (round == 0) first = ok ? out : error;
    VARVE_CHECK(tells_time || first == (ok ? out : error));
  }
  return 0;
}
