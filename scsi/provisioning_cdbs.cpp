#include "scsi/provisioning_cdbs.hpp"

namespace scsi {

std::vector<std::uint8_t> lba_status_data(const std::vector<LbaStatusRange>& ranges) {
  std::vector<std::uint8_t> out(lba_status_header_bytes +
                                ranges.size() * lba_status_descriptor_bytes);
  base::store_be32(out, 0, static_cast<std::uint32_t>(out.size() - 4));
  std::size_t at = lba_status_header_bytes;
  for (const LbaStatusRange& each : ranges) {
    base::store_be64(out, at, each.range.first.value);
    base::store_be32(out, at + 8, static_cast<std::uint32_t>(each.range.count.value));
    out[at + 12] = static_cast<std::uint8_t>(each.status);
    at += lba_status_descriptor_bytes;
  }
  return out;
}

}  // namespace scsi
