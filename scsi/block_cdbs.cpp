#include "scsi/block_cdbs.hpp"

#include "scsi/long_cdbs.hpp"

namespace scsi::media {
namespace {

Request decode_with(base::ByteView cdb, const Field& lba, const Field& length) {
  Request out;
  out.range = {base::Lba(lba.read(cdb)), base::BlockCount(length.read(cdb))};
  out.force_unit_access = fua.is_set(cdb);
  out.protect = static_cast<std::uint8_t>(rdprotect.read(cdb));
  return out;
}

Request decode_6(base::ByteView cdb) {
  const std::uint64_t count = length_6.read(cdb);
  Request out;
  // A TRANSFER LENGTH of zero means 256 blocks in the 6-byte commands only (SBC-4 5.11).
  out.range = {base::Lba(lba_6.read(cdb)), base::BlockCount(count == 0 ? 256 : count)};
  return out;
}

Request decode_32(base::ByteView cdb) {
  Request out;
  out.range = {base::Lba(long_cdb::lba.read(cdb)), base::BlockCount(long_cdb::length.read(cdb))};
  out.force_unit_access = long_cdb::fua.is_set(cdb);
  out.protect = static_cast<std::uint8_t>(long_cdb::rdprotect.read(cdb));
  out.tells_tags = true;
  return out;
}

}  // namespace

Request decode(base::ByteView cdb) {
  switch (cdb_length(cdb[0])) {
    case 6:
      return decode_6(cdb);
    case 10:
      return decode_with(cdb, lba_10, length_10);
    case 12:
      return decode_with(cdb, lba_10, length_12);
    case 0:
      return decode_32(cdb);
    default:
      return decode_with(cdb, lba_16, length_16);
  }
}

}  // namespace scsi::media
