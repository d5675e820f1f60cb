#include "target/device/host_notes.hpp"

#include <algorithm>

namespace device {
namespace {

std::uint64_t milliseconds_of(base::Duration uptime) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(uptime).count());
}

}  // namespace

std::vector<scsi::LogParameter> HostNotes::application_log() const {
  const std::scoped_lock lock(mutex_);
  std::vector<scsi::LogParameter> out;
  for (std::uint16_t code = 0; code < scsi::application_parameters; ++code) {
    scsi::LogParameter parameter{code, {}};
    if (application_log_.empty()) {
      parameter.value.resize(scsi::application_parameter_bytes);
    } else {
      parameter.value.assign(application_log_[code].begin(), application_log_[code].end());
    }
    out.push_back(std::move(parameter));
  }
  return out;
}

void HostNotes::change_application_log(const std::vector<scsi::ApplicationChange>& changes) {
  const std::scoped_lock lock(mutex_);
  application_log_.resize(scsi::application_parameters);
  for (const scsi::ApplicationChange& change : changes)
    application_log_[change.code] = change.value;
}

void HostNotes::reset_application_log() {
  const std::scoped_lock lock(mutex_);
  application_log_.clear();
}

std::vector<std::uint8_t> HostNotes::read_buffer(std::size_t offset, std::size_t length) const {
  std::vector<std::uint8_t> out(length);
  const std::scoped_lock lock(mutex_);
  if (!data_buffer_.empty()) {
    std::copy_n(data_buffer_.begin() + static_cast<std::ptrdiff_t>(offset), length, out.begin());
  }
  return out;
}

void HostNotes::write_buffer(std::size_t offset, base::ByteView bytes) {
  const std::scoped_lock lock(mutex_);
  data_buffer_.resize(data_buffer_bytes);
  std::copy(bytes.begin(), bytes.end(), data_buffer_.begin() + static_cast<std::ptrdiff_t>(offset));
}

HostNotes::Timestamp HostNotes::timestamp(base::Duration uptime) const {
  constexpr std::uint64_t field_mask = (std::uint64_t{1} << 48) - 1;
  const std::scoped_lock lock(mutex_);
  return {(milliseconds_of(uptime) + milliseconds_ahead_) & field_mask, set_by_host_};
}

void HostNotes::set_timestamp(std::uint64_t milliseconds, base::Duration uptime) {
  const std::scoped_lock lock(mutex_);
  milliseconds_ahead_ = milliseconds - milliseconds_of(uptime);
  set_by_host_ = true;
}

scsi::AccessFigures HostNotes::figures_at_reset() const {
  const std::scoped_lock lock(mutex_);
  return figures_at_reset_;
}

void HostNotes::set_figures_at_reset(const scsi::AccessFigures& figures) {
  const std::scoped_lock lock(mutex_);
  figures_at_reset_ = figures;
}

}  // namespace device
