// A whole array in one thread: initiators speak iSCSI bytes to engines, engines run commands on a
// real target device over real stores, time stands still until told otherwise. No socket, no
// thread, no clock of the system.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/random.hpp"
#include "copymgr/copy_manager.hpp"
#include "scsi/cdb.hpp"
#include "scsi/copy_cdbs.hpp"
#include "scsi/copy_results.hpp"
#include "scsi/token_parameters.hpp"
#include "store/open.hpp"
#include "target/device/nexus.hpp"
#include "target/device/target_device.hpp"
#include "target/iscsi/connection.hpp"

namespace story {

inline std::vector<std::uint8_t> pattern(std::size_t bytes, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> out(bytes);
  for (auto& byte : out)
    byte = static_cast<std::uint8_t>(random());
  return out;
}

inline constexpr const char* target_name = "iqn.2026-11.io.copymgr:story";

// What a host sees of a command.
struct Answer {
  scsi::Status status = scsi::Status::good;
  std::optional<scsi::Sense> sense;
  std::vector<std::uint8_t> sense_bytes, data;
  bool is_good() const { return status == scsi::Status::good; }
};

// "GOOD" or "05/23/07 at parameter list byte 16": what the stories compare.
inline std::string outcome_of(const Answer& answer) {
  if (answer.is_good()) return "GOOD";
  return answer.sense ? scsi::to_text(*answer.sense).substr(0, 8) : "no sense";
}

class Array {
 public:
  // One spec a LUN, from 0 on, as on the command line. At the end there may be one of
  // ",protection=N", ",provisioned=SIZE", or ",failing": what is read of its store while
  // `reads_fail` cannot be read. `copy_pool` is where copies run, if it is not to be `pool`.
  explicit Array(const std::vector<std::string>& luns, const std::string& side_directory,
                 const device::LogicalUnitLimits& limits = {},
                 const copymgr::CopySettings& copies = {}, base::Executor* copy_pool = nullptr)
      : copy_manager(clock, randomness, copy_pool != nullptr ? *copy_pool : pool, copies),
        target(add_target(target_name, luns, side_directory, limits)) {}

  // Another one of the same array.
  std::shared_ptr<device::TargetDevice> add_target(const std::string& name,
                                                   const std::vector<std::string>& luns,
                                                   const std::string& side_directory,
                                                   const device::LogicalUnitLimits& limits = {});
  device::LogicalUnit& unit(std::uint16_t lun) { return *target->units().at({lun}); }

  base::ManualClock clock;
  base::SystemRandomness randomness;
  base::InlineExecutor pool;
  base::BufferPool buffers;
  bool reads_fail = false;
  std::uint64_t next_session = 1, next_unit = 1;
  copymgr::CopyManager copy_manager;
  std::shared_ptr<device::TargetDevice> target;

 private:
  std::unique_ptr<store::Guard> open(const std::string& spec, const std::string& side_directory,
                                     base::BlockLength& block_length) const;
};

// A logged-in session, seen from the host. The PDUs are written here byte by byte, not by the
// target's encoder.
class Host final : public iscsi::Host {
 public:
  // At the array's first target, unless it is another one.
  Host(Array& array, std::string initiator_name,
       std::shared_ptr<device::TargetDevice> target = nullptr);

  // Task attribute of what is sent from now on: 1 SIMPLE, 2 ORDERED, 3 HEAD OF QUEUE.
  std::uint8_t attribute = 1;

  // A command as it stands on the wire, not sent; the next number is its.
  std::vector<std::uint8_t> bytes_of(std::uint16_t lun, const scsi::CdbBytes& cdb,
                                     base::ByteView immediate, std::size_t data_out_bytes,
                                     std::uint32_t data_in_bytes);
  iscsi::Connection& engine() { return engine_; }

  // Sends a command without data-out; what comes back of anything that was sent.
  std::vector<std::uint8_t> start(std::uint16_t lun, const scsi::CdbBytes& cdb,
                                  std::uint32_t data_in_bytes = 0);
  std::vector<std::uint8_t> look() { return take_output(); }
  // Sends a command with at most 4096 bytes of data-out, which goes on meanwhile; and its end.
  void begin(std::uint16_t lun, const scsi::CdbBytes& cdb, base::ByteView data_out);
  Answer end(base::ByteView data_out = {});
  // An immediate task management request; its response, alone.
  std::uint8_t manage(std::uint8_t function, std::uint16_t lun);
  Answer command(std::uint16_t lun, const scsi::CdbBytes& cdb, base::ByteView data_out = {},
                 std::uint32_t data_in_bytes = 0);

  std::vector<std::uint8_t> read(std::uint16_t lun, std::uint64_t lba, std::uint32_t blocks,
                                 std::uint32_t block_bytes = 512);
  Answer write(std::uint16_t lun, std::uint64_t lba, base::ByteView data,
               std::uint32_t block_bytes = 512);
  // A WRITE(16) of 512-byte blocks without its data: the R2T that asks for it.
  std::vector<std::uint8_t> start_write(std::uint16_t lun, std::uint64_t lba, std::uint32_t blocks);
  // Sends what the R2T asked for; what comes back.
  std::vector<std::uint8_t> finish_write(base::ByteView r2t, base::ByteView data);
  Answer populate(std::uint16_t lun, std::uint32_t list_identifier,
                  const scsi::PopulateToken& request);
  Answer write_using(std::uint16_t lun, std::uint32_t list_identifier,
                     const scsi::WriteUsingToken& request);
  Answer send_list(std::uint16_t lun, const scsi::CdbLayout& layout, std::uint32_t list_identifier,
                   base::ByteView list);
  // RECEIVE ROD TOKEN INFORMATION; nullopt when it was refused.
  std::optional<scsi::CopyResult> result(std::uint16_t lun, std::uint32_t list_identifier);

  bool connected() const { return !engine_.closing(); }
  void drop() { engine_.abandon(); }

  base::Result<iscsi::TargetView, iscsi::LoginStatus> find_target(std::string_view name,
                                                                  std::string_view) const override;
  std::vector<iscsi::DiscoveredTarget> discover(std::string_view) const override { return {}; }
  std::shared_ptr<iscsi::Session> find_session(std::uint16_t) const override { return nullptr; }
  base::Result<iscsi::Admission, iscsi::LoginStatus> admit(
      const std::shared_ptr<iscsi::Session>& session) override;
  base::Randomness& randomness() const override { return array_.randomness; }

 private:
  void log_in(const std::string& initiator_name);
  void send_command(std::uint16_t lun, const scsi::CdbBytes& cdb, base::ByteView immediate,
                    std::size_t data_out_bytes, std::uint32_t data_in_bytes);
  static std::vector<std::uint8_t> stream_of(const iscsi::Bhs& header, base::ByteView data,
                                             base::ByteView additional = {});
  void send(const std::vector<std::uint8_t>& stream);
  void send(const iscsi::Bhs& header, base::ByteView data) { send(stream_of(header, data)); }
  std::vector<std::uint8_t> take_output();
  void answer_r2t(base::ByteView r2t, base::ByteView data_out);

  Array& array_;
  const std::shared_ptr<device::TargetDevice> target_;
  iscsi::Connection engine_;
  std::uint32_t cmd_sn_ = 1;
  std::uint32_t task_tag_ = 1;
};

}  // namespace story
