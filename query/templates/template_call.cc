#include "query/templates/template_call.h"

#include <algorithm>
#include <cstring>

namespace varve::templates {

bool TemplateMemory::Charge(size_t size) {
  if (size > left_) return false;
  left_ -= size;
  return true;
}

char* TemplateMemory::Allocate(size_t size) {
  if (!Charge(size)) return nullptr;
  static char nothing = 0;  // an arena's nothing may be null, which means no memory here
  return size == 0 ? &nothing : arena_->Allocate(size);
}

std::string LimitError(std::string_view name, int64_t value) {
  return "exceeded " + std::string(name) + " (" + std::to_string(value) + ")";
}

bool TemplateCall::ReturnCopy(std::string_view text) {
  if (text.empty()) return ReturnText("");
  char* const copy = memory->Allocate(text.size());
  if (copy == nullptr) return FailMemory();
  std::memcpy(copy, text.data(), text.size());
  return ReturnText({copy, text.size()});
}

bool TemplateCall::ReturnTime(const TimeValue& time) {
  auto* copy = memory->AllocateArray<TimeValue>(1);
  if (copy == nullptr) return FailMemory();
  *copy = time;
  return Return(TemplateValue::Time(copy));
}

FunctionTable::FunctionTable(std::initializer_list<std::span<const TemplateFunction>> tables) {
  for (const auto& table : tables) {
    for (const TemplateFunction& function : table) {
      std::erase_if(functions_, [&](const auto* known) { return known->name == function.name; });
      functions_.push_back(&function);
    }
  }
  std::sort(functions_.begin(), functions_.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
}

const TemplateFunction* FunctionTable::Find(std::string_view name) const {
  const auto found =
      std::lower_bound(functions_.begin(), functions_.end(), name,
                       [](const auto* function, std::string_view wanted) { return function->name < wanted; });
  return found == functions_.end() || (*found)->name != name ? nullptr : *found;
}

}  // namespace varve::templates
