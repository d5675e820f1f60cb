// READ, WRITE, SYNCHRONIZE CACHE and READ CAPACITY.
#include "target/device/commands/commands.hpp"
#include "target/device/commands/media_checks.hpp"
#include "target/device/commands/protected_media.hpp"
#include "target/device/store_sense.hpp"

namespace device::commands {
namespace {

namespace media = scsi::media;

void read_extent(const Invocation& call, const base::Extent& extent) {
  call.path->meter->count_read(extent.length);
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
  if (const auto bad = check_transfer(request, call)) return call.task.finish_check_condition(*bad);
  if (request.needs_protection()) return protected_read(call, request);
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
  if (const auto bad = check_transfer(request, call)) return call.task.finish_check_condition(*bad);
  if (request.protect != 0) return protected_write(call, request);
  const base::ByteView data = blocks_arrived(request.range.count, call);
  if (data.empty()) return call.task.finish_good();
  count_write(call, base::ByteCount(data.size()));
  call.path->channel.write(
      call.unit().block_length().to_offset(request.range.first), data,
      durability_of(request.force_unit_access, call.unit()),
      [&task = call.task](const store::StoreResult<>& done) { finish_write(task, done); });
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
  call.path->channel.flush(
      [&task = call.task](const store::StoreResult<>& done) { finish_write(task, done); });
}

void read_capacity_10(const Invocation& call) {
  call.task.finish_data(scsi::read_capacity_10_data(call.unit().capacity_data()), 8);
}

void read_capacity_16(const Invocation& call) {
  call.task.finish_data(scsi::read_capacity_16_data(call.unit().capacity_data()),
                        scsi::read_capacity::allocation_length.read(call.cdb()));
}

}  // namespace device::commands
