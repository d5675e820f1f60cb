// READ, WRITE, SYNCHRONIZE CACHE and READ CAPACITY.
#include <algorithm>

#include "scsi/block_cdbs.hpp"
#include "target/device/command_table.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/store_sense.hpp"

namespace device::commands {
namespace {

namespace media = scsi::media;

std::optional<scsi::Sense> out_of_range(const base::BlockRange& range, const LogicalUnit& unit) {
  if (within(range, unit.capacity())) return std::nullopt;
  return scsi::sense::lba_out_of_range(std::max(range.first.value, unit.capacity().value));
}

const scsi::Field& transfer_length_field(std::uint8_t opcode) {
  switch (scsi::cdb_length(opcode)) {
    case 6:
      return media::length_6;
    case 10:
      return media::length_10;
    case 12:
      return media::length_12;
    default:
      return media::length_16;
  }
}

// What READ and WRITE share: no protection information is configured, the range exists, one command
// may move no more than Block Limits tells.
std::optional<scsi::Sense> check(const media::Request& request, const Invocation& call) {
  if (media::has_protect(call.cdb()[0]) && request.protect != 0) {
    return scsi::sense::invalid_field_in_cdb(media::rdprotect);
  }
  if (auto bad = out_of_range(request.range, call.unit())) return bad;
  if (request.range.count > call.unit().maximum_transfer_length()) {
    return scsi::sense::invalid_field_in_cdb(transfer_length_field(call.cdb()[0]));
  }
  return std::nullopt;
}

void read_extent(const Invocation& call, const base::Extent& extent) {
  call.unit().counters().reads.add(call.nexus.worker().stripe, 1);
  call.unit().counters().bytes_read.add(call.nexus.worker().stripe, extent.length.value);
  if (const auto lent = call.unit().guard().lend(extent)) return call.task.finish_lent(*lent);
  Task& task = call.task;
  task.data_in_buffer = call.nexus.worker().buffers.take(extent.length.value);
  call.path->channel.read(extent.offset, task.data_in_buffer.span(),
                          [&task](store::StoreResult<> done) {
                            if (!done)
                              return task.finish_check_condition(sense_of_read(done.error()));
                            task.finish_buffer(std::move(task.data_in_buffer));
                          });
}

}  // namespace

void read(const Invocation& call) {
  const media::Request request = media::decode(call.cdb());
  if (const auto bad = check(request, call)) return call.task.finish_check_condition(*bad);
  const base::Extent extent = to_extent(request.range, call.unit().block_length());
  if (extent.empty()) return call.task.finish_good();
  if (!request.force_unit_access) return read_extent(call, extent);
  // FUA: what the write cache holds reaches the medium before it is read (SBC-4 5.11).
  call.path->channel.flush([call, extent](store::StoreResult<> flushed) {
    if (!flushed) return call.task.finish_check_condition(sense_of_write(flushed.error()));
    read_extent(call, extent);
  });
}

void write(const Invocation& call) {
  const media::Request request = media::decode(call.cdb());
  if (const auto bad = check(request, call)) return call.task.finish_check_condition(*bad);
  Task& task = call.task;
  const base::BlockLength block_length = call.unit().block_length();
  task.transfer_length = block_length.to_bytes(request.range.count);
  // An initiator that announced less than the CDB says sends less: its whole blocks count.
  const base::ByteCount arrived =
      block_length.to_bytes(block_length.whole_blocks(base::ByteCount(task.data_out.size())));
  if (arrived.value == 0) return task.finish_good();
  call.unit().counters().writes.add(call.nexus.worker().stripe, 1);
  call.unit().counters().bytes_written.add(call.nexus.worker().stripe, arrived.value);
  const bool durable =
      request.force_unit_access || !call.unit().mode_parameters().write_cache_enabled;
  call.path->channel.write(block_length.to_offset(request.range.first),
                           task.data_out.view().first(arrived.value),
                           durable ? store::Durability::durable : store::Durability::cached,
                           [&task](store::StoreResult<> done) {
                             if (!done)
                               return task.finish_check_condition(sense_of_write(done.error()));
                             task.finish_good();
                           });
}

// The whole cache is flushed whatever the range, and IMMED waits as well: an answer that promises
// nothing would help nobody.
void synchronize_cache(const Invocation& call) {
  namespace fields = scsi::synchronize_cache;
  const bool ten = scsi::cdb_length(call.cdb()[0]) == 10;
  const base::BlockRange range{
      base::Lba((ten ? media::lba_10 : media::lba_16).read(call.cdb())),
      base::BlockCount((ten ? fields::count_10 : fields::count_16).read(call.cdb()))};
  if (const auto bad = out_of_range(range, call.unit())) {
    return call.task.finish_check_condition(*bad);
  }
  Task& task = call.task;
  call.path->channel.flush([&task](store::StoreResult<> done) {
    if (!done) return task.finish_check_condition(sense_of_write(done.error()));
    task.finish_good();
  });
}

void read_capacity_10(const Invocation& call) {
  call.task.finish_data(scsi::read_capacity_10_data(call.unit().capacity_data()), 8);
}

void read_capacity_16(const Invocation& call) {
  call.task.finish_data(scsi::read_capacity_16_data(call.unit().capacity_data()),
                        scsi::read_capacity::allocation_length.read(call.cdb()));
}

}  // namespace device::commands
