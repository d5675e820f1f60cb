#include "target/device/commands/media_checks.hpp"

#include <algorithm>

#include "scsi/long_cdbs.hpp"
#include "target/device/protection.hpp"
#include "target/device/store_sense.hpp"

namespace device::commands {
namespace {

namespace media = scsi::media;

const scsi::Field& transfer_length_field(std::uint8_t opcode) {
  switch (scsi::cdb_length(opcode)) {
    case 6:
      return media::length_6;
    case 10:
      return media::length_10;
    case 12:
      return media::length_12;
    case 0:
      return scsi::long_cdb::length;
    default:
      return media::length_16;
  }
}

}  // namespace

std::optional<scsi::Sense> out_of_range(const base::BlockRange& range, const LogicalUnit& unit) {
  const base::BlockCount capacity = unit.capacity();  // may change at any time
  if (within(range, capacity)) return std::nullopt;
  return scsi::sense::lba_out_of_range(std::max(range.first.value, capacity.value));
}

std::optional<scsi::Sense> check_place(const media::Request& request, const Invocation& call) {
  if (request.protect != 0) {
    if (auto bad = refuse_protect(request, call.cdb(), call.unit())) return bad;
  }
  return out_of_range(request.range, call.unit());
}

std::optional<scsi::Sense> check_transfer(const media::Request& request, const Invocation& call) {
  if (auto bad = check_place(request, call)) return bad;
  if (request.range.count > call.unit().maximum_transfer_length()) {
    return scsi::sense::invalid_field_in_cdb(transfer_length_field(call.cdb()[0]));
  }
  return std::nullopt;
}

std::optional<scsi::Sense> check_announced(base::ByteCount wanted, const scsi::Field& length_field,
                                           const Invocation& call) {
  const base::ByteCount arrived(call.task.data_out.size());
  if (call.task.data_out_announced == wanted && arrived == wanted) return std::nullopt;
  return scsi::sense::invalid_field_in_cdb(length_field);
}

store::Durability durability_of(bool force_unit_access, const LogicalUnit& unit) {
  const bool durable = force_unit_access || !unit.command_rules().write_cache_enabled;
  return durable ? store::Durability::durable : store::Durability::cached;
}

base::ByteView blocks_arrived(base::BlockCount count, const Invocation& call) {
  const base::BlockLength length = call.unit().block_length();
  call.task.transfer_length = length.to_bytes(count);
  const base::BlockCount blocks = length.whole_blocks(base::ByteCount(call.task.data_out.size()));
  return call.task.data_out.view().first(length.to_bytes(blocks).value);
}

void count_write(const Invocation& call, base::ByteCount length) {
  call.path->meter->count_write(length);
}

void finish_write(Task& task, const store::StoreResult<>& done) {
  if (!done) return task.finish_check_condition(sense_of_write(done.error()));
  task.finish_good();
}

void finish_compared(Task& task, const store::Compared& done) {
  if (!done && done.error().kind == store::StoreError::Kind::read_failed) {
    return task.finish_check_condition(sense_of_read(done.error()));
  }
  if (!done) return task.finish_check_condition(sense_of_write(done.error()));
  if (*done) return task.finish_check_condition(scsi::sense::miscompare((*done)->value));
  task.finish_good();
}

}  // namespace device::commands
