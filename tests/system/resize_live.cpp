// A live daemon whose unit grows and shrinks while a host writes: every write in what stays is
// GOOD, each of two sessions hears of each change once, nothing is written behind the end.
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "scsi/block_cdbs.hpp"
#include "tests/support/live_daemon.hpp"
#include "tools/host/admin_client.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::uint64_t small = 16u << 20, large = 48u << 20;
constexpr std::uint32_t blocks = 64;

host::Command transfer(const scsi::CdbLayout& layout, std::uint64_t lba) {
  host::Command command = host::make_command(layout);
  base::store_be64(command.cdb, 2, lba);
  base::store_be32(command.cdb, 10, blocks);
  return command;
}

bool is_capacity_attention(const host::Reply& reply) {
  return reply.sense && reply.sense->key == scsi::SenseKey::unit_attention &&
         reply.sense->additional == scsi::asc::capacity_data_changed;
}

// Writes in what always stays, until told to stop.
struct Writer {
  void run() {
    Bytes data(blocks * 512, 0x5a);
    for (std::uint64_t i = 0; !stop; ++i) {
      host::Command command = transfer(scsi::media::write_16, i * blocks % (small / 512));
      command.data_out = data;
      const host::Reply reply = host::execute(*session, command);
      if (is_capacity_attention(reply)) {
        ++attentions;
      } else if (reply.good()) {
        ++written;
      } else {
        ++wrong;
      }
    }
  }
  std::unique_ptr<host::Session> session;
  std::atomic<bool> stop{false};
  std::atomic<int> attentions{0}, written{0}, wrong{0};
};

}  // namespace

TEST_CASE("a unit is resized while a host writes to it") {
  test::Daemon daemon;
  const std::string image = daemon.path("a.img");
  daemon.start(fmt::format("0=file:{},size={}", image, small));
  Writer writer;
  writer.session = daemon.log_in("iqn.host:writer");
  const auto watcher = daemon.log_in("iqn.host:watcher");
  std::thread thread([&writer] { writer.run(); });
  int resizes = 0, heard = 0;
  bool sizes_right = true, all_done = true;
  for (int i = 0; i < 12; ++i) {
    const std::uint64_t size = i % 2 == 0 ? large : small;
    const auto answer = host::ask_admin(
        daemon.admin_socket(), {fmt::format("/v1/targets/{}/luns/0/size", test::daemon_target),
                                fmt::format(R"({{"size":"{}","shrink":true}})", size)});
    all_done = all_done && answer.has_value();
    ++resizes;
    for (int ready = 0; ready < 3; ++ready) {
      const auto reply = host::execute(*watcher, host::make_command(scsi::CdbLayout{"TUR", 0}));
      if (is_capacity_attention(reply)) ++heard;
    }
    Bytes data(blocks * 512, 0x77);
    host::Command command = transfer(scsi::media::write_16, small / 512);
    command.data_out = data;
    const host::Reply beyond = host::execute(*watcher, command);
    sizes_right = sizes_right && beyond.good() == (size == large) &&
                  std::filesystem::file_size(image) == size;
    for (int wait = 0; wait < 5000 && writer.attentions < resizes; ++wait)
      ::usleep(1000);
  }
  writer.stop = true;
  thread.join();
  CHECK(all_done);
  CHECK(sizes_right);
  CHECK(heard == resizes);
  CHECK(writer.attentions == resizes);
  CHECK(writer.wrong == 0);
  CHECK(writer.written > 0);
  CHECK(daemon.end(SIGTERM) == 0);
}
