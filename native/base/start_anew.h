// Lists that are used again and again.
//
// Thread: any. Owns: nothing. After error: cannot fail.
#pragma once

#include <cstddef>

namespace sluice {

// Empties a list (or a string) that is used from request to request; what an unusual one needed is given back.
template <class List>
void StartAnew(List* list) {
  constexpr size_t kKept = 4096;
  if (list->capacity() > kKept) *list = List();
  list->clear();
}

}  // namespace sluice
