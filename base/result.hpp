// The result type of every room: a value or the room's own error value.
#pragma once

#include <tl/expected.hpp>

namespace base {

template <class T, class E>
using Result = tl::expected<T, E>;

template <class E>
constexpr auto fail(E error) {
  return tl::unexpected<E>(std::move(error));
}

}  // namespace base
