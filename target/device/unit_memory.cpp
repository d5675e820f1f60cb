#include "target/device/unit_memory.hpp"

#include "base/log.hpp"

namespace device {

base::Result<void, std::string> KeptValues::restore(UnitMemory& memory, std::string unit) {
  for (std::size_t i = 0; i < keepsakes; ++i) {
    auto value = memory.load(unit, static_cast<Keepsake>(i));
    if (!value) return base::fail(value.error());
    values_[i] = std::move(*value);
  }
  memory_ = &memory;
  unit_ = std::move(unit);
  return {};
}

std::vector<std::uint8_t> KeptValues::value(Keepsake what) const {
  const std::scoped_lock lock(mutex_);
  return values_[static_cast<std::size_t>(what)];
}

bool KeptValues::save(Keepsake what, std::vector<std::uint8_t> value) {
  if (memory_ == nullptr) return false;
  const std::scoped_lock saving(saving_);
  if (const auto saved = memory_->save(unit_, what, value); !saved) {
    base::log::error("what a host gave unit {} to keep: {}", unit_, saved.error());
    return false;
  }
  const std::scoped_lock lock(mutex_);
  values_[static_cast<std::size_t>(what)] = std::move(value);
  return true;
}

}  // namespace device
