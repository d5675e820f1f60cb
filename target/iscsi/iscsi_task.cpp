#include "target/iscsi/iscsi_task.hpp"

#include <algorithm>

namespace iscsi {

std::vector<std::uint8_t> sense_segment(const scsi::Sense& sense) {
  const scsi::FixedSense bytes = scsi::to_fixed_format(sense);
  std::vector<std::uint8_t> out(2);
  base::store_be16(out, 0, bytes.size());
  out.insert(out.end(), bytes.begin(), bytes.end());
  return out;
}

Residual residual_of(std::uint64_t transfer_length, std::uint32_t expected_length) {
  Residual out;
  out.overflow = transfer_length > expected_length;
  out.underflow = transfer_length < expected_length;
  const std::uint64_t difference =
      out.overflow ? transfer_length - expected_length : expected_length - transfer_length;
  out.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(difference, UINT32_MAX));
  return out;
}

DataInStep next_data_in(std::uint32_t offset, std::uint32_t end, const Parameters& parameters) {
  const std::uint32_t left_in_burst =
      parameters.max_burst_length - offset % parameters.max_burst_length;
  DataInStep step;
  step.length =
      std::min({end - offset, left_in_burst, parameters.peer_max_recv_data_segment_length});
  step.final = offset + step.length == end || step.length == left_in_burst;
  return step;
}

}  // namespace iscsi
