// What one template may cost. Parsing refuses what exceeds the first group; exceeding the second fails the
// row or document with an error that names the limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace varve::templates {

// Parentheses and control structures inside each other, in the text.
inline constexpr int kTemplateNestingMax = 100;

// Control structures, parentheses and {{template}} calls inside each other, while a row is rendered.
inline constexpr int kTemplateDepthMax = 256;
// Commands run and loop turns for one row; text that functions read counts one step per
// kTemplateBytesPerStep.
inline constexpr size_t kTemplateStepsMax = 100'000;
inline constexpr size_t kTemplateBytesPerStep = 256;
// The rendered text of one row.
inline constexpr size_t kTemplateOutputBytesMax = 1 << 20;
// Everything that functions produce for one row, also what repeat, indent and the align functions pad.
inline constexpr size_t kTemplateMemoryBytesMax = 8 << 20;
// Variables in scope.
inline constexpr size_t kTemplateVariablesMax = 1'000;
// Objects and arrays inside each other in fromJson's text.
inline constexpr int kTemplateJsonDepthMax = 64;
// Regular expressions made from a row's values that one thread keeps compiled.
inline constexpr size_t kTemplateRegexCacheMax = 32;
// The bytes of one such expression.
inline constexpr size_t kTemplateRegexBytesMax = 4 << 10;
// What compiling one counts for in kTemplateMemoryBytesMax.
inline constexpr size_t kTemplateRegexCompileBytes = 16 << 10;
// What differs between rows, of which there are millions, and documents.
struct TemplateBounds {
  size_t steps_max;
  size_t output_bytes_max;
  size_t memory_bytes_max;
};
inline constexpr TemplateBounds kRowBounds = {kTemplateStepsMax, kTemplateOutputBytesMax,
                                              kTemplateMemoryBytesMax};
// Notifications and reports: a mail of 8 MiB is one that nobody reads. Beside what functions produce, memory
// holds the data that the document is about.
inline constexpr TemplateBounds kDocumentBounds = {5'000'000, 8 << 20, 64 << 20};
// A set's templates: their number, and the bytes of all texts.
inline constexpr size_t kTemplateDefinitionsMax = 10'000;
inline constexpr size_t kTemplateSetBytesMax = 16 << 20;
// Elements of lists and fields inside each other in the data of a document.
inline constexpr int kTemplateDataDepthMax = 32;

// Decimal digits of addf, subf, mulf and divf's intermediate results.
inline constexpr int64_t kTemplateDecimalDigitsMax = 4'000;
// Width and precision in printf.
inline constexpr int kTemplatePrintfWidthMax = 10'000;

}  // namespace varve::templates
