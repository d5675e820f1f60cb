#include "target/device/medium.hpp"

namespace device {

bool Medium::start() {
  const std::scoped_lock lock(mutex_);
  if (state_ == State::absent) return false;
  state_ = State::ready;
  return true;
}

void Medium::stop() {
  const std::scoped_lock lock(mutex_);
  if (state_ == State::ready) state_ = State::stopped;
}

bool Medium::eject() {
  const std::scoped_lock lock(mutex_);
  if (!preventing_.empty()) return false;
  state_ = State::absent;
  return true;
}

Medium::Loading Medium::load() {
  const std::scoped_lock lock(mutex_);
  const bool was_absent = state_ == State::absent;
  if (was_absent && !preventing_.empty()) return Loading::prevented;
  state_ = State::ready;
  return was_absent ? Loading::loaded : Loading::was_there;
}

void Medium::put_back() {
  const std::scoped_lock lock(mutex_);
  if (state_ == State::absent) state_ = State::ready;
}

void Medium::reset() {
  const std::scoped_lock lock(mutex_);
  preventing_.clear();
  if (state_ == State::stopped) state_ = State::ready;
}

void Medium::prevent_removal(std::uint64_t nexus_number) {
  const std::scoped_lock lock(mutex_);
  preventing_.insert(nexus_number);
}

void Medium::allow_removal(std::uint64_t nexus_number) {
  const std::scoped_lock lock(mutex_);
  preventing_.erase(nexus_number);
}

bool Medium::removal_prevented() const {
  const std::scoped_lock lock(mutex_);
  return !preventing_.empty();
}

scsi::Sense sense_of(Medium::State state) {
  return scsi::sense::make(scsi::SenseKey::not_ready,
                           state == Medium::State::absent
                               ? scsi::asc::medium_not_present
                               : scsi::asc::not_ready_initializing_required);
}

}  // namespace device
