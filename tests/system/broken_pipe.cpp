// Who has gone, and who had still something to tell: an error, and no end by SIGPIPE.
#include <array>

#include <poll.h>

#include "scsi/block_cdbs.hpp"
#include "tests/support/live_daemon.hpp"

TEST_CASE("commands to an array that has gone are told to be undelivered") {
  test::Daemon daemon;
  daemon.start();
  const auto session = daemon.log_in("iqn.host:1");
  daemon.end(SIGKILL);
  unsigned undelivered = 0;
  const std::array<std::uint8_t, 512> block{};
  host::Command command = host::make_command(scsi::media::write_16);
  base::store_be32(command.cdb, 10, 1);
  command.data_out = block;
  for (int i = 0; i < 3; ++i) {
    session->start(command, [&](const host::Reply& reply) {
      CHECK_FALSE(reply.trouble.empty());
      if (!reply.delivered) ++undelivered;
    });
  }
  // The first is what the system answers with a reset, the second breaks the pipe.
  for (int i = 0; i < 10 && undelivered < 3; ++i)
    session->service(POLLOUT);
  CHECK(undelivered == 3);
}
