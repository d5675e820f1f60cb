// Short ways to say POPULATE TOKEN, WRITE USING TOKEN and RECEIVE ROD TOKEN INFORMATION through a
// nexus, with parameter lists made here and answers read here by the offsets of the wire reference.
#pragma once

#include "tests/unit/device/device_world.hpp"

namespace device::test {

using Token = Bytes;  // 512

struct Range {
  std::uint64_t lba = 0;
  std::uint32_t blocks = 0;
};
using Ranges = std::vector<Range>;

inline Bytes list_of(std::size_t header_bytes, const Ranges& ranges) {
  Bytes list(header_bytes + 16 * ranges.size());
  base::store_be16(list, 0, static_cast<std::uint16_t>(list.size() - 2));
  base::store_be16(list, header_bytes - 2, static_cast<std::uint16_t>(16 * ranges.size()));
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    base::store_be64(list, header_bytes + 16 * i, ranges[i].lba);
    base::store_be32(list, header_bytes + 16 * i + 8, ranges[i].blocks);
  }
  return list;
}
inline Bytes populate_list(const Ranges& ranges, std::uint32_t timeout_seconds = 0) {
  Bytes list = list_of(16, ranges);
  base::store_be32(list, 4, timeout_seconds);
  return list;
}
inline Bytes write_list(const Token& token, const Ranges& ranges, std::uint64_t offset = 0) {
  Bytes list = list_of(536, ranges);
  base::store_be64(list, 8, offset);
  std::copy(token.begin(), token.end(), list.begin() + 16);
  return list;
}

inline scsi::CdbBytes token_cdb(std::uint8_t action, std::uint32_t id, std::size_t length) {
  scsi::CdbBytes cdb{0x83, action};
  put(cdb, 6, 4, id);
  put(cdb, 10, 4, length);
  return cdb;
}
inline scsi::CdbBytes result_cdb(std::uint8_t action, std::uint32_t id,
                                 std::uint32_t allocation = 805) {
  scsi::CdbBytes cdb{0x84, action};
  put(cdb, 2, 4, id);
  put(cdb, 10, 4, allocation);
  return cdb;
}
inline scsi::CdbBytes abort_cdb(std::uint32_t id) {
  scsi::CdbBytes cdb{0x83, 0x1c};
  put(cdb, 2, 4, id);
  return cdb;
}

inline Token zero_token() {
  Token token = hex("FF FF 00 01 00 00 01 F8");
  token.resize(512);
  return token;
}

struct CopyWorld : OneSession {
  using OneSession::OneSession;

  Answer populate(std::uint32_t id, const Bytes& list, std::uint16_t lun = 0) {
    return run(token_cdb(0x10, id, list.size()), list, lun);
  }
  Answer write_using(std::uint32_t id, const Bytes& list, std::uint16_t lun = 0) {
    return run(token_cdb(0x11, id, list.size()), list, lun);
  }
  Answer information(std::uint32_t id, std::uint16_t lun = 0, std::uint32_t allocation = 805) {
    return run(result_cdb(0x07, id, allocation), {}, lun);
  }
  // The whole answer to RECEIVE ROD TOKEN INFORMATION; there must be a record.
  Bytes record(std::uint32_t id, std::uint16_t lun = 0) {
    const Answer answer = information(id, lun);
    REQUIRE(answer.good());
    REQUIRE(answer.data.size() >= 36);
    return answer.data;
  }

  // Populates and fetches; everything must go well.
  Token make_token(const Ranges& ranges, std::uint16_t lun = 0, std::uint32_t timeout_seconds = 0) {
    const std::uint32_t id = next_id++;
    REQUIRE(populate(id, populate_list(ranges, timeout_seconds), lun).good());
    const Answer answer = information(id, lun);
    REQUIRE(answer.data.size() == 550);
    return {answer.data.begin() + 38, answer.data.end()};
  }
  // Writes with a list identifier of its own.
  Answer use_token(const Token& token, const Ranges& ranges, std::uint16_t lun = 0,
                   std::uint64_t offset = 0) {
    return write_using(next_id++, write_list(token, ranges, offset), lun);
  }
  void fill(std::uint64_t lba, const Bytes& data, std::uint16_t lun = 0,
            std::size_t block_bytes = 512) {
    const auto blocks = static_cast<std::uint32_t>(data.size() / block_bytes);
    REQUIRE(run(write_16(lba, blocks), data, lun).good());
  }
  Bytes content(std::uint64_t lba, std::uint32_t blocks, std::uint16_t lun = 0) {
    return run(read_16(lba, blocks), {}, lun).data;
  }

  std::uint32_t next_id = 1000;
};

// A refusal that names a byte of the parameter list.
inline void check_bad_list(const Answer& answer, std::uint8_t code, std::uint8_t qualifier,
                           std::uint16_t at) {
  check_illegal(answer, code, qualifier);
  CHECK(answer.sense->points_into == scsi::Sense::PointsInto::parameter_list);
  CHECK(answer.sense->field == byte(at));
}

}  // namespace device::test
