// The rows of the copy-manager wire reference through the real wire path: lists and CDBs are typed
// here from the reference, answers are compared as bytes; nothing of ours encodes or decodes them.
#pragma once

#include <fmt/format.h>

#include "tests/story/world.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/scsi/hex.hpp"

namespace story {

using Bytes = std::vector<std::uint8_t>;
using scsi::test::hex;

struct Range {
  std::uint64_t lba = 0;
  std::uint32_t blocks = 0;
};

inline Bytes list_of(std::size_t header, const std::vector<Range>& ranges) {
  Bytes list(header + 16 * ranges.size());
  base::store_be16(list, 0, static_cast<std::uint16_t>(list.size() - 2));
  base::store_be16(list, header - 2, static_cast<std::uint16_t>(16 * ranges.size()));
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    base::store_be64(list, header + 16 * i, ranges[i].lba);
    base::store_be32(list, header + 16 * i + 8, ranges[i].blocks);
  }
  return list;
}

// "GOOD", "18" (a status), or "05/26/00 @14 I=5": sense, the byte of the list or "C" of the CDB
// that it points at, INFORMATION.
inline std::string told(const Answer& answer) {
  if (answer.is_good()) return "GOOD";
  if (!answer.sense) return fmt::format("{:02X}", static_cast<unsigned>(answer.status));
  const scsi::Sense& sense = *answer.sense;
  std::string out = fmt::format("{:02X}/{:02X}/{:02X}", static_cast<unsigned>(sense.key),
                                sense.additional.code, sense.additional.qualifier);
  using Into = scsi::Sense::PointsInto;
  if (sense.points_into == Into::parameter_list) out += fmt::format(" @{}", sense.field.byte);
  if (sense.points_into == Into::cdb) out += fmt::format(" C{}", sense.field.byte);
  if (sense.information) out += fmt::format(" I={}", *sense.information);
  return out;
}

inline const std::vector<std::string> three_units{"memory:8M", "memory:8M",
                                                  "memory:8M,blocksize=4096"};
// LUN 0 and 1 of 16384 blocks of 512 bytes, LUN 2 of blocks of 4096, unless said otherwise; one
// host.
struct Rows {
  explicit Rows(const copymgr::CopySettings& copies = {},
                const device::LogicalUnitLimits& limits = {},
                const std::vector<std::string>& luns = three_units,
                base::Executor* copy_pool = nullptr)
      : array(luns, folder.path(), limits, copies, copy_pool),
        host(array, "iqn.1991-05.com.microsoft:rows") {}

  static scsi::CdbBytes out(std::uint8_t action, std::uint32_t id, std::size_t length) {
    scsi::CdbBytes cdb{0x83, action};
    base::store_be32(cdb, 6, id);
    base::store_be32(cdb, 10, static_cast<std::uint32_t>(length));
    return cdb;
  }
  Answer populate(const Bytes& list, std::uint32_t id = 1, std::uint16_t lun = 0) {
    return host.command(lun, out(0x10, id, list.size()), list);
  }
  Answer write_using(const Bytes& list, std::uint32_t id = 2, std::uint16_t lun = 1) {
    return host.command(lun, out(0x11, id, list.size()), list);
  }
  Answer ask(std::uint8_t action, std::uint32_t id, std::uint32_t allocation = 805,
             std::uint16_t lun = 0) {
    scsi::CdbBytes cdb{0x84, action};
    base::store_be32(cdb, 2, id);
    base::store_be32(cdb, 10, allocation);
    return host.command(lun, cdb, {}, allocation);
  }
  Answer information(std::uint32_t id, std::uint32_t allocation = 805, std::uint16_t lun = 0) {
    return ask(0x07, id, allocation, lun);
  }
  Answer abort(std::uint32_t id, std::uint16_t lun = 0) {
    scsi::CdbBytes cdb{0x83, 0x1c};
    base::store_be32(cdb, 2, id);
    return host.command(lun, cdb);
  }

  // The 512 bytes of a token, fetched.
  Bytes token(const std::vector<Range>& ranges, std::uint32_t type = 0, std::uint32_t timeout = 0) {
    Bytes list = list_of(16, ranges);
    base::store_be32(list, 4, timeout);
    if (type != 0) list[2] = 0x02;
    base::store_be32(list, 8, type);
    REQUIRE(told(populate(list, 900)) == "GOOD");
    const Bytes data = information(900).data;
    REQUIRE(data.size() == 550);
    return {data.begin() + 38, data.end()};
  }
  static Bytes write_list(const Bytes& token, const std::vector<Range>& ranges,
                          std::uint64_t offset = 0) {
    Bytes list = list_of(536, ranges);
    base::store_be64(list, 8, offset);
    std::copy(token.begin(), token.end(), list.begin() + 16);
    return list;
  }

  test::TempDir folder;
  Array array;
  Host host;
};

}  // namespace story
