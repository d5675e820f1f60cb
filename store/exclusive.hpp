// Exclusive use of an extent of a guarded store, with nothing in it that a snapshot still needs:
// for commands that read and write as one step.
#pragma once

#include "store/guard.hpp"

namespace store {

class Exclusive {
 public:
  // `extent` lies within the guard's size. May sleep.
  Exclusive(Guard& guard, base::Extent extent) : section_(guard, extent), part_(section_, extent) {}
  Store& store() const { return *part_.piece().store; }

 private:
  const Guard::WriteSection section_;
  const Guard::WriteSection::Part part_;
};

}  // namespace store
