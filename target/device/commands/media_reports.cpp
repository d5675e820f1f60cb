// PRE-FETCH and READ DEFECT DATA: hints, and a medium without defects.
#include <algorithm>

#include "scsi/provisioning_cdbs.hpp"
#include "scsi/verify_cdbs.hpp"
#include "target/device/commands/commands.hpp"
#include "target/device/commands/media_checks.hpp"

namespace device::commands {
namespace {

// What may be asked of the system's cache at once and reckoned to be there.
constexpr base::ByteCount prefetch_fits{64u << 20};

// FORMAT values of address descriptors that SBC-4 defines for disks; an empty list has any of them.
constexpr std::uint8_t vendor_specific_format = 6;

void answer_no_defects(const Invocation& call, std::size_t header_bytes,
                       const scsi::Field& request_plist, const scsi::Field& request_glist,
                       const scsi::Field& format, const scsi::Field& allocation_length) {
  if (format.read(call.cdb()) >= vendor_specific_format) {
    return call.task.finish_check_condition(scsi::sense::invalid_field_in_cdb(format));
  }
  std::vector<std::uint8_t> out(header_bytes);
  out[1] = static_cast<std::uint8_t>(request_plist.read(call.cdb()) << 4 |
                                     request_glist.read(call.cdb()) << 3 | format.read(call.cdb()));
  call.task.finish_data(std::move(out), allocation_length.read(call.cdb()));
}

}  // namespace

// CONDITION MET tells that all of it fits in the cache, GOOD that not (SBC-4 5.12). A length of
// zero means all blocks to the end.
void pre_fetch(const Invocation& call) {
  scsi::media::Request request = scsi::media::decode(call.cdb());
  if (const auto bad = out_of_range(request.range, call.unit())) {
    return call.task.finish_check_condition(*bad);
  }
  if (request.range.count.value == 0) {
    const std::uint64_t capacity = call.unit().capacity().value;  // may shrink at any time
    request.range.count =
        base::BlockCount(std::max(capacity, request.range.first.value) - request.range.first.value);
  }
  base::Extent extent = to_extent(request.range, call.unit().block_length());
  const bool fits = extent.length <= prefetch_fits;
  extent.length = std::min(extent.length, prefetch_fits);
  call.path->channel.on_pool(
      [&guard = call.unit().guard(), extent] {
        if (!extent.empty()) guard.read_ahead(extent);
        return store::StoreResult<>();
      },
      [&task = call.task, fits](const store::StoreResult<>&) {
        task.finish_status(fits ? scsi::Status::condition_met : scsi::Status::good);
      });
}

void read_defect_data_10(const Invocation& call) {
  namespace fields = scsi::read_defect_data;
  answer_no_defects(call, 4, fields::req_plist_10, fields::req_glist_10, fields::format_10,
                    fields::allocation_length_10);
}

void read_defect_data_12(const Invocation& call) {
  namespace fields = scsi::read_defect_data;
  answer_no_defects(call, 8, fields::req_plist_12, fields::req_glist_12, fields::format_12,
                    fields::allocation_length_12);
}

}  // namespace device::commands
