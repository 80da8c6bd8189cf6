#include "query/patterns/shape_clusters.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

namespace varve {
namespace {

constexpr uint32_t kVariableId = 0;
// Clusters of a group that rare shapes are compared with.
constexpr size_t kComparedClustersMax = 64;

uint64_t SlotHash(size_t slot, uint32_t id) {
  uint64_t x = (static_cast<uint64_t>(slot) << 32 | id) + 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Numbers the words of all groups.
class WordIds {
 public:
  uint32_t Of(std::string_view word, TokenKind kind) {
    const auto [found, is_new] = ids_.try_emplace(word, static_cast<uint32_t>(is_code_.size()));
    if (is_new) is_code_.push_back(kind == TokenKind::kCode);
    return found->second;
  }
  bool is_code(uint32_t id) const { return is_code_[id]; }

 private:
  std::unordered_map<std::string_view, uint32_t> ids_;
  std::vector<bool> is_code_{false};  // kVariableId
};

struct Item {
  std::vector<uint32_t> ids;  // by slot
  std::vector<const Shape*> members;
  uint64_t lines = 0;
  uint64_t hash = 0;  // the sum of all SlotHash

  void MakeVariable(size_t slot) {
    hash += SlotHash(slot, kVariableId) - SlotHash(slot, ids[slot]);
    ids[slot] = kVariableId;
  }
  // Equal items have equal hashes; that unequal ones do not is good enough for patterns.
  uint64_t RestHash(size_t slot) const { return hash - SlotHash(slot, ids[slot]); }
};

// The shapes of one skeleton.
class Group {
 public:
  Group(const std::vector<const Shape*>& shapes, WordIds* words) : words_(*words) {
    slots_ = shapes.front()->tokens.size();
    for (const Shape* shape : shapes) {
      Item item;
      for (size_t slot = 0; slot < slots_; ++slot) {
        const ShapeToken& token = shape->tokens[slot];
        item.ids.push_back(token.is_variable() ? kVariableId : words->Of(token.In(shape->text), token.kind));
        item.hash += SlotHash(slot, item.ids.back());
      }
      item.members = {shape};
      item.lines = shape->lines;
      items_.push_back(std::move(item));
    }
    Unite();
  }

  std::vector<Item> Run(uint64_t frequent_lines) {
    while (TakeBestStep(&Group::CollectValues, 1)) {
    }
    while (CountFrequent(frequent_lines) > kGroupPatternsMax &&
           TakeBestStep(&Group::CollectMultipliers, items_.size() / 3)) {
    }
    MergeSimilar(frequent_lines);
    return std::move(items_);
  }

 private:
  // Items by all that they are but one slot.
  using Contexts = std::unordered_map<uint64_t, std::vector<size_t>>;
  // Appends the items of one context whose word in the slot is to become a variable.
  using Collect = void (Group::*)(size_t slot, const std::vector<size_t>& context,
                                  std::vector<size_t>* change) const;

  Contexts ContextsOf(size_t slot) const {
    Contexts contexts;
    for (size_t i = 0; i < items_.size(); ++i) contexts[items_[i].RestHash(slot)].push_back(i);
    return contexts;
  }

  bool IsVariable(size_t item, size_t slot) const { return items_[item].ids[slot] == kVariableId; }

  // Words that are values: too many in one place, or numbers beside other numbers.
  void CollectValues(size_t slot, const std::vector<size_t>& context, std::vector<size_t>* change) const {
    const bool has_variable =
        std::any_of(context.begin(), context.end(), [&](size_t item) { return IsVariable(item, slot); });
    const bool all = context.size() > (has_variable ? kValuesMax / 2 : kValuesMax);
    for (const size_t item : context) {
      if (all || (has_variable && words_.is_code(items_[item].ids[slot]))) change->push_back(item);
    }
  }

  void CollectMultipliers(size_t /*slot*/, const std::vector<size_t>& context,
                          std::vector<size_t>* change) const {
    if (context.size() >= 3) change->insert(change->end(), context.begin(), context.end());
  }

  // Makes that slot a variable, in the items that `collect` names, which leaves the fewest items. False when
  // none would take away at least `gain_min`, and one.
  bool TakeBestStep(Collect collect, size_t gain_min) {
    size_t best_gain = 0, best_slot = 0;
    std::vector<size_t> best, all_changes, change;
    for (size_t slot = 0; slot < slots_; ++slot) {
      all_changes.clear();
      size_t gain = 0;
      for (const auto& [rest, context] : ContextsOf(slot)) {
        change.clear();
        (this->*collect)(slot, context, &change);
        if (change.empty()) continue;
        // What changes becomes one item, or part of one that was there.
        const bool joins =
            change.size() < context.size() &&
            std::any_of(context.begin(), context.end(), [&](size_t i) { return IsVariable(i, slot); });
        gain += change.size() - (joins ? 0 : 1);
        all_changes.insert(all_changes.end(), change.begin(), change.end());
      }
      if (gain <= best_gain) continue;
      best_gain = gain;
      best_slot = slot;
      best = all_changes;
    }
    if (best_gain == 0 || best_gain < gain_min) return false;
    for (const size_t item : best) items_[item].MakeVariable(best_slot);
    Unite();
    return true;
  }

  // Makes one item of those that have become equal; brings all into an order of their own.
  void Unite() {
    std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
      return a.ids != b.ids ? a.ids < b.ids : a.members.front()->text < b.members.front()->text;
    });
    size_t kept = 0;
    for (size_t i = 0; i < items_.size(); ++i) {
      if (kept != 0 && items_[kept - 1].ids == items_[i].ids) {
        Absorb(&items_[kept - 1], items_[i]);
      } else {
        if (kept != i) items_[kept] = std::move(items_[i]);
        ++kept;
      }
    }
    items_.resize(kept);
  }

  static void Absorb(Item* into, const Item& item) {
    into->members.insert(into->members.end(), item.members.begin(), item.members.end());
    into->lines += item.lines;
  }

  size_t CountFrequent(uint64_t frequent_lines) const {
    return static_cast<size_t>(std::count_if(items_.begin(), items_.end(),
                                             [&](const Item& item) { return item.lines >= frequent_lines; }));
  }

  // Whether enough of the words of `a` and `b` agree.
  static bool AreSimilar(const Item& a, const Item& b) {
    size_t words = 0, equal = 0;
    for (size_t slot = 0; slot < a.ids.size(); ++slot) {
      if (a.ids[slot] == kVariableId && b.ids[slot] == kVariableId) continue;
      ++words;
      equal += a.ids[slot] == b.ids[slot] ? 1 : 0;
    }
    return equal >= 2 && static_cast<double>(equal) >= kSimilarMin * static_cast<double>(words);
  }

  // Puts rare items together, never into frequent ones: those would lose a word for a single line without it.
  void MergeSimilar(uint64_t frequent_lines) {
    std::stable_sort(items_.begin(), items_.end(),
                     [](const Item& a, const Item& b) { return a.lines > b.lines; });
    std::vector<Item> merged;
    const size_t frequent = CountFrequent(frequent_lines);
    for (size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      Item* similar = nullptr;
      const size_t end = std::min(merged.size(), frequent + kComparedClustersMax);
      for (size_t k = frequent; i >= frequent && k < end && similar == nullptr; ++k) {
        if (AreSimilar(merged[k], item)) similar = &merged[k];
      }
      if (similar == nullptr) {
        merged.push_back(std::move(item));
        continue;
      }
      for (size_t slot = 0; slot < slots_; ++slot) {
        if (similar->ids[slot] != item.ids[slot]) similar->MakeVariable(slot);
      }
      Absorb(similar, item);
    }
    items_ = std::move(merged);
    Unite();
  }

  WordIds& words_;
  size_t slots_ = 0;
  std::vector<Item> items_;  // no two equal
};

ShapeCluster MakeCluster(Item item) {
  ShapeCluster cluster;
  cluster.lines = item.lines;
  for (const uint32_t id : item.ids) cluster.variable.push_back(id == kVariableId);
  cluster.members = std::move(item.members);
  cluster.shape = *std::min_element(cluster.members.begin(), cluster.members.end(), [](auto* a, auto* b) {
    return a->lines != b->lines ? a->lines > b->lines : a->text < b->text;
  });
  return cluster;
}

}  // namespace

std::vector<ShapeCluster> ClusterShapes(const std::vector<Shape>& shapes) {
  uint64_t lines = 0;
  std::map<std::string, std::vector<const Shape*>> groups;
  for (const Shape& shape : shapes) {
    lines += shape.lines;
    groups[shape.Skeleton()].push_back(&shape);
  }
  const uint64_t frequent_lines = std::max<uint64_t>(lines / 1000, 5);
  WordIds words;
  std::vector<ShapeCluster> clusters;
  for (const auto& [skeleton, members] : groups) {
    for (Item& item : Group(members, &words).Run(frequent_lines))
      clusters.push_back(MakeCluster(std::move(item)));
  }
  std::sort(clusters.begin(), clusters.end(), [](const ShapeCluster& a, const ShapeCluster& b) {
    return a.lines != b.lines ? a.lines > b.lines : a.shape->text < b.shape->text;
  });
  return clusters;
}

}  // namespace varve
