// A SCSI task with what iSCSI needs to move its data, and the pure steps of that movement.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "target/device/task.hpp"
#include "target/iscsi/negotiation.hpp"
#include "target/iscsi/output_queue.hpp"
#include "target/iscsi/pdu.hpp"

namespace iscsi {

// One sequence of Data-Out PDUs that the initiator has been asked for, or sends unasked.
struct DataSequence {
  std::uint32_t target_transfer_tag = reserved_tag;
  std::uint32_t offset = 0;  // where the next PDU of it must start
  std::uint32_t end = 0;
  std::uint32_t data_sn = 0;  // of the next PDU
};

// Tasks that one task management request aborts, and what happens when the last has ended.
struct AbortGroup {
  bool is_told = false;  // by TASK ABORTED
  std::size_t tasks = 0;
  std::size_t waiting = 0;
  base::UniqueFunction<void(std::size_t)> done;
};

class Connection;

struct IscsiTask final : device::Task {
  Connection* connection = nullptr;  // that the command came on, and its data and answer belong to
  std::uint32_t initiator_task_tag = reserved_tag;
  std::uint32_t expected_length = 0;  // Expected Data Transfer Length
  bool reads = false;
  bool writes = false;

  // Data-out.
  std::uint32_t wanted = 0;  // bytes that the device server takes, at most expected_length
  std::uint32_t asked = 0;   // bytes asked for or announced so far, from the start
  std::uint32_t arrived = 0;
  std::uint32_t r2t_sn = 0;
  std::vector<DataSequence> sequences;  // open ones, at most MaxOutstandingR2T
  bool executing = false;               // handed to the device server
  bool in_order = false;                // its turn has come
  bool damaged = false;                 // some of its data had a wrong digest
  bool counted = false;                 // takes a place in the command window
  enum class Refusal : std::uint8_t {
    none,
    no_room_now,  // too much write data is under way: TASK SET FULL
    too_large,    // more data than there ever is room for
  } refusal = Refusal::none;
  std::vector<std::shared_ptr<AbortGroup>> abort_groups;  // not empty: its outcome is not told

  void reset_task() {
    device::Task::reset();
    connection = nullptr;
    initiator_task_tag = reserved_tag;
    expected_length = wanted = asked = arrived = r2t_sn = 0;
    reads = writes = in_order = executing = damaged = counted = false;
    refusal = Refusal::none;
    sequences.clear();
    abort_groups.clear();
  }
  bool is_aborted_by(const std::shared_ptr<AbortGroup>& group) const {
    return std::find(abort_groups.begin(), abort_groups.end(), group) != abort_groups.end();
  }
  bool has_all_data() const { return arrived >= wanted && sequences.empty(); }
};

// The data segment of a SCSI Response or an asynchronous SCSI event (RFC 7143 11.4.7.2).
std::vector<std::uint8_t> sense_segment(const scsi::Sense& sense);

// Residual of a finished task (RFC 7143 11.4.5): what the command wanted to move against what the
// initiator announced.
struct Residual {
  bool overflow = false;
  bool underflow = false;
  std::uint32_t count = 0;
};
Residual residual_of(std::uint64_t transfer_length, std::uint32_t expected_length);

// How long the next Data-In PDU at `offset` may be, and whether it ends its sequence: cut at the
// initiator's MaxRecvDataSegmentLength and at every multiple of MaxBurstLength.
struct DataInStep {
  std::uint32_t length = 0;
  bool final = false;
};
DataInStep next_data_in(std::uint32_t offset, std::uint32_t end, const Parameters& parameters);

}  // namespace iscsi
