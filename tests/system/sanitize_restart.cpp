// kill -9 in the middle of SANITIZE: after the restart the unit is closed until every old byte is
// gone, and nothing has to be asked for again.
#include "scsi/block_cdbs.hpp"
#include "scsi/primary_cdbs.hpp"
#include "scsi/sanitize_cdbs.hpp"
#include "tests/support/live_daemon.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;
using test::Daemon;

constexpr std::uint64_t unit_bytes = 64u << 20;
constexpr std::uint8_t old_byte = 0x5e, pattern_byte = 0xa5;

host::Reply send(host::Session& session, const scsi::CdbBytes& cdb, std::uint8_t length,
                 const Bytes& data_out = {}, base::ByteSpan data_in = {}) {
  host::Command command;
  command.name = "command";
  command.cdb = cdb;
  command.cdb_length = length;
  command.data_out = data_out;
  command.data_in = data_in;
  return host::execute_patiently(session, command);
}

host::Reply test_unit_ready(host::Session& session) {
  return send(session, scsi::make_cdb(scsi::test_unit_ready::layout), 6);
}

void sanitize_immed(host::Session& session) {
  Bytes list{31, 0, 0, 1, pattern_byte};
  scsi::CdbBytes cdb = scsi::make_cdb(scsi::sanitize::overwrite);
  scsi::sanitize::immed.write(cdb, 1);
  scsi::sanitize::parameter_list_length.write(cdb, list.size());
  const host::Reply reply = send(session, cdb, 10, list);
  INFO(host::describe(reply));
  REQUIRE(reply.good());
}

// How many of the bytes of LUN 0 are `byte`.
std::uint64_t count(const std::string& path, std::uint8_t byte) {
  std::ifstream file(path, std::ios::binary);
  Bytes piece(1u << 20);
  std::uint64_t found = 0;
  while (
      file.read(reinterpret_cast<char*>(piece.data()), static_cast<std::streamsize>(piece.size())))
    found += static_cast<std::uint64_t>(std::count(piece.begin(), piece.end(), byte));
  return found;
}

}  // namespace

TEST_CASE("kill -9 in the middle of SANITIZE: it goes on after the restart, to the last byte") {
  Daemon daemon;
  const std::string path = daemon.path("lun.img"), lun = "0=file:" + path + ",size=64M";
  daemon.start(lun);
  daemon.end(SIGTERM);
  {
    std::ofstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    const Bytes piece(1u << 20, old_byte);
    for (std::uint64_t i = 0; i < unit_bytes / piece.size(); ++i)
      file.write(reinterpret_cast<const char*>(piece.data()),
                 static_cast<std::streamsize>(piece.size()));
  }
  REQUIRE(count(path, old_byte) == unit_bytes);
  daemon.start(lun);
  {
    const auto session = daemon.log_in("iqn.host:a");
    sanitize_immed(*session);
    daemon.end(SIGKILL);
  }
  // Two restarts more, as fast as they come.
  for (int i = 0; i < 2; ++i) {
    daemon.start(lun);
    daemon.end(SIGKILL);
  }
  daemon.start(lun);
  const auto session = daemon.connect("iqn.host:b");
  for (;;) {
    const host::Reply ready = test_unit_ready(*session);
    REQUIRE(ready.delivered);
    if (ready.good()) break;
    // Nothing else than that it goes on, and no block can be read meanwhile.
    REQUIRE(ready.sense);
    REQUIRE(ready.sense->key == scsi::SenseKey::not_ready);
    REQUIRE(ready.sense->additional == scsi::asc::sanitize_in_progress);
    REQUIRE(ready.sense->progress);
    ::usleep(10000);
  }
  CHECK(count(path, pattern_byte) == unit_bytes);
  Bytes data(1u << 20);
  scsi::CdbBytes read = scsi::make_cdb(scsi::media::read_16);
  base::store_be32(read, 10, static_cast<std::uint32_t>(data.size() / 512));
  REQUIRE(send(*session, read, 16, {}, data).good());
  CHECK(data == Bytes(data.size(), pattern_byte));
  // It is not done once more: what is written now stays.
  const Bytes fresh(512, 0x42);
  scsi::CdbBytes write = scsi::make_cdb(scsi::media::write_16);
  base::store_be32(write, 10, 1);
  REQUIRE(send(*session, write, 16, fresh).good());
  daemon.end(SIGKILL);
  daemon.start(lun);
  const auto later = daemon.log_in("iqn.host:c");
  Bytes block(512);
  base::store_be32(read, 10, 1);
  REQUIRE(send(*later, read, 16, {}, block).good());
  CHECK(block == fresh);
}
