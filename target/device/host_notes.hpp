// What hosts leave in a unit for each other, in memory only: the Application Client log page, the
// data buffer, the clock they set. Callable from any thread; never on the way of READ and WRITE.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "scsi/log_pages.hpp"

namespace device {

class HostNotes {
 public:
  std::vector<scsi::LogParameter> application_log() const;
  void change_application_log(const std::vector<scsi::ApplicationChange>& changes);
  void reset_application_log();

  // READ BUFFER and WRITE BUFFER of mode 02h; `offset` and length lie within data_buffer_bytes.
  static constexpr std::size_t data_buffer_bytes = 64 * 1024;
  std::vector<std::uint8_t> read_buffer(std::size_t offset, std::size_t length) const;
  void write_buffer(std::size_t offset, base::ByteView bytes);

  // Milliseconds since 1970, or, until a host has set the clock, since its start (SPC-4 5.2).
  struct Timestamp {
    std::uint64_t milliseconds = 0;  // 48 bits
    bool set_by_host = false;
  };
  Timestamp timestamp(base::Duration uptime) const;
  void set_timestamp(std::uint64_t milliseconds, base::Duration uptime);

  // What the unit had done when a host last reset the statistics.
  scsi::AccessFigures figures_at_reset() const;
  void set_figures_at_reset(const scsi::AccessFigures& figures);

 private:
  mutable std::mutex mutex_;
  std::vector<scsi::ApplicationParameter> application_log_;  // empty: nothing has been written
  std::vector<std::uint8_t> data_buffer_;                    // empty: nothing has been written
  std::uint64_t milliseconds_ahead_ = 0;                     // of the clock; modulo 2^64
  bool set_by_host_ = false;
  scsi::AccessFigures figures_at_reset_;
};

}  // namespace device
