// A doubly linked list whose links live in its elements: no allocation, O(1) unlink from anywhere.
//
// An element derives from ListNode<Tag>; the tag lets one object sit in several lists. A node is in at most one list of its tag.
// A node unlinks itself when it is destroyed; a list that is destroyed unlinks what is left and destroys nothing.
// While walking, only the current element may leave (IntrusiveList::ForEach); to let anything leave, move all to a second list and pop.
//
// Thread: that of its owner. Owns: nothing. After error: cannot fail.
#pragma once

#include <cstddef>

#include "base/assert.h"

namespace sluice {

template <class Tag = void>
class ListNode {
 public:
  ListNode() = default;
  ~ListNode() { Unlink(); }
  // A node's place belongs to the object, not to its value.
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  bool is_linked() const { return next_ != nullptr; }
  // Leaves its list; nothing happens if it is in none.
  void Unlink() {
    if (next_ == nullptr) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
  }

 private:
  template <class T, class U>
  friend class IntrusiveList;
  void InsertBefore(ListNode* at) {
    SLUICE_ASSERT(!is_linked());
    prev_ = at->prev_;
    next_ = at;
    at->prev_->next_ = this;
    at->prev_ = this;
  }
  ListNode* prev_ = nullptr;
  ListNode* next_ = nullptr;
};

template <class T, class Tag = void>
class IntrusiveList {
  using Node = ListNode<Tag>;

 public:
  IntrusiveList() { head_.prev_ = head_.next_ = &head_; }
  ~IntrusiveList() {
    Clear();
    head_.prev_ = head_.next_ = nullptr;
  }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return head_.next_ == &head_; }
  // Counts: O(n).
  size_t size() const {
    size_t n = 0;
    for (const Node* node = head_.next_; node != &head_; node = node->next_) ++n;
    return n;
  }
  // Null when empty.
  T* front() { return empty() ? nullptr : Element(head_.next_); }
  T* back() { return empty() ? nullptr : Element(head_.prev_); }
  // The element after one of this list; null at the end.
  T* Next(T* element) {
    Node* next = static_cast<Node*>(element)->next_;
    return next == &head_ ? nullptr : Element(next);
  }

  void PushBack(T* element) { static_cast<Node*>(element)->InsertBefore(&head_); }
  void PushFront(T* element) { static_cast<Node*>(element)->InsertBefore(head_.next_); }
  // Puts `element` before `at`, which is in this list; at == nullptr: at the end.
  void InsertBefore(T* at, T* element) {
    static_cast<Node*>(element)->InsertBefore(at == nullptr ? &head_ : static_cast<Node*>(at));
  }
  // Unlinks and returns the first; null when empty.
  T* PopFront() {
    T* element = front();
    if (element != nullptr) static_cast<Node*>(element)->Unlink();
    return element;
  }
  void Clear() {
    while (PopFront() != nullptr) {
    }
  }
  // Takes all elements of `other` to its own end, in order.
  void TakeAll(IntrusiveList* other) {
    if (other->empty()) return;
    Node* first = other->head_.next_;
    Node* last = other->head_.prev_;
    other->head_.prev_ = other->head_.next_ = &other->head_;
    first->prev_ = head_.prev_;
    head_.prev_->next_ = first;
    last->next_ = &head_;
    head_.prev_ = last;
  }
  // Calls f(T*) for each; f may unlink or destroy the element it is given, no other.
  template <class F>
  void ForEach(F f) {
    for (Node* node = head_.next_; node != &head_;) {
      Node* next = node->next_;
      f(Element(node));
      node = next;
    }
  }

 private:
  static T* Element(Node* node) { return static_cast<T*>(node); }
  Node head_;
};

}  // namespace sluice
