#include "base/intrusive_list.h"

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <random>
#include <vector>

namespace sluice {
namespace {

struct A;
struct B;
struct Item : ListNode<A>, ListNode<B> {
  explicit Item(int v) : value(v) {}
  int value;
};
using ListA = IntrusiveList<Item, A>;
using ListB = IntrusiveList<Item, B>;

std::vector<int> Values(ListA& list) {
  std::vector<int> out;
  list.ForEach([&](Item* item) { out.push_back(item->value); });
  return out;
}
using V = std::vector<int>;

TEST(IntrusiveList, OrderAndEnds) {
  Item one(1), two(2), three(3);
  ListA list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.PopFront(), nullptr);
  list.PushBack(&two);
  list.PushFront(&one);
  list.PushBack(&three);
  EXPECT_EQ(Values(list), (V{1, 2, 3}));
  EXPECT_EQ(list.back(), &three);
  EXPECT_EQ(list.Next(&two), &three);
  EXPECT_EQ(list.Next(&three), nullptr);
  two.ListNode<A>::Unlink();
  two.ListNode<A>::Unlink();
  EXPECT_EQ(Values(list), (V{1, 3}));
  list.InsertBefore(&three, &two);
  EXPECT_EQ(Values(list), (V{1, 2, 3}));
  EXPECT_EQ(list.PopFront(), &one);
  EXPECT_EQ(list.size(), 2u);
}

TEST(IntrusiveList, DestroyedNodeLeavesAndDestroyedListLetsGo) {
  Item keep(1);
  {
    ListA list;
    list.PushBack(&keep);
    {
      Item gone(2);
      list.PushBack(&gone);
    }
    EXPECT_EQ(Values(list), (V{1}));
  }
  EXPECT_FALSE(keep.ListNode<A>::is_linked());
}

TEST(IntrusiveList, TwoTagsAreIndependent) {
  Item item(1);
  ListA a;
  ListB b;
  a.PushBack(&item);
  b.PushBack(&item);
  item.ListNode<A>::Unlink();
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(b.front(), &item);
}

TEST(IntrusiveList, ElementMayLeaveDuringForEachAndTakeAllKeepsOrder) {
  std::vector<std::unique_ptr<Item>> items;
  ListA list, other;
  for (int i = 0; i < 10; ++i) {
    items.push_back(std::make_unique<Item>(i));
    list.PushBack(items.back().get());
  }
  list.ForEach([&](Item* item) {
    if (item->value % 2 == 1) items[static_cast<size_t>(item->value)].reset();
  });
  EXPECT_EQ(Values(list), (V{0, 2, 4, 6, 8}));
  Item first(100);
  other.PushBack(&first);
  other.TakeAll(&list);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(Values(other), (V{100, 0, 2, 4, 6, 8}));
  other.TakeAll(&list);
  EXPECT_EQ(other.size(), 6u);
}

TEST(IntrusiveListDeathTest, LinkingTwiceIsABrokenInvariant) {
  Item item(1);
  ListA list;
  list.PushBack(&item);
  EXPECT_DEATH(list.PushBack(&item), "broken invariant");
}

}  // namespace
}  // namespace sluice
