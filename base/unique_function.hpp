// A move-only std::function whose small captures (up to 64 bytes) need no allocation.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace base {

template <class Signature>
class UniqueFunction;

template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, F&, Args...>)
      UniqueFunction(F&& f) {  // NOLINT(google-explicit-constructor): as std::function
    using Held = std::remove_cvref_t<F>;
    if constexpr (sizeof(Held) <= inline_bytes && std::is_nothrow_move_constructible_v<Held>) {
      new (storage_) Held(std::forward<F>(f));
      operations_ = &inline_operations<Held>;
    } else {
      new (storage_) Held*(new Held(std::forward<F>(f)));
      operations_ = &heap_operations<Held>;
    }
  }
  UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~UniqueFunction() { reset(); }

  explicit operator bool() const { return operations_ != nullptr; }
  R operator()(Args... args) { return operations_->call(storage_, std::forward<Args>(args)...); }

 private:
  static constexpr std::size_t inline_bytes = 64;
  struct Operations {
    R (*call)(void*, Args&&...);
    void (*move)(void* to, void* from) noexcept;
    void (*destroy)(void*) noexcept;
  };
  template <class Held>
  static constexpr Operations inline_operations{
      [](void* at, Args&&... args) -> R {
        return (*static_cast<Held*>(at))(std::forward<Args>(args)...);
      },
      [](void* to, void* from) noexcept {
        new (to) Held(std::move(*static_cast<Held*>(from)));
        static_cast<Held*>(from)->~Held();
      },
      [](void* at) noexcept { static_cast<Held*>(at)->~Held(); }};
  template <class Held>
  static constexpr Operations heap_operations{
      [](void* at, Args&&... args) -> R {
        return (**static_cast<Held**>(at))(std::forward<Args>(args)...);
      },
      [](void* to, void* from) noexcept { new (to) Held*(*static_cast<Held**>(from)); },
      [](void* at) noexcept { delete *static_cast<Held**>(at); }};

  void take(UniqueFunction& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->move(storage_, other.storage_);
  }
  void reset() {
    if (operations_ != nullptr) std::exchange(operations_, nullptr)->destroy(storage_);
  }

  const Operations* operations_ = nullptr;
  alignas(std::max_align_t) std::byte storage_[inline_bytes];
};

}  // namespace base
