// A live daemon whose tokens an administrator ends while a host holds them.
#include <fmt/format.h>

#include "base/digest.hpp"
#include "tests/support/live_daemon.hpp"
#include "tools/host/admin_client.hpp"
#include "tools/host/document_table.hpp"
#include "tools/host/token_commands.hpp"

namespace {

base::BlockRange range(std::uint64_t lba, std::uint64_t count) {
  return {base::Lba(lba), base::BlockCount(count)};
}

std::string state_of(const test::Daemon& daemon, const scsi::RodTokenBytes& token) {
  const std::string body = fmt::format(R"({{"token":"{}"}})", base::to_hex(token));
  const auto answer = host::ask_admin(daemon.admin_socket(), {"/v1/tokens/lookup", body});
  REQUIRE(answer);
  return host::text_member(*answer, "state");
}

}  // namespace

TEST_CASE("a token that an administrator ended is refused to its host, with the reason") {
  test::Daemon daemon;
  daemon.start("0=memory:4M");
  const auto session = daemon.log_in("iqn.host:a");
  host::TokenTraffic traffic;
  struct End {
    const char* verb;
    const char* state;
    scsi::AdditionalSense sense;
  };
  for (const End& end : {End{"revoke", "revoked", scsi::asc::token_revoked},
                         End{"expire", "expired", scsi::asc::token_expired},
                         End{"delete", "deleted", scsi::asc::token_deleted}}) {
    const auto made = host::offload_read(*session, range(0, 64), 60, traffic);
    REQUIRE(made);
    const host::OffloadWrite write{made->token, {}, range(4096, 64)};
    CHECK(host::offload_write(*session, write, 552, traffic).blocks == base::BlockCount(64));
    CHECK(state_of(daemon, made->token) == "live");
    const std::string path = fmt::format("/v1/tokens/{}/{}", scsi::hash_of(made->token), end.verb);
    REQUIRE(host::ask_admin(daemon.admin_socket(), {path, "{}"}));
    CHECK(state_of(daemon, made->token) == end.state);
    const auto refused = host::offload_write(*session, write, 552, traffic);
    REQUIRE(refused.trouble);
    REQUIRE(refused.trouble->sense);
    CHECK(refused.trouble->sense->key == scsi::SenseKey::illegal_request);
    CHECK(refused.trouble->sense->additional == end.sense);
    const auto again = host::ask_admin(daemon.admin_socket(), {path, "{}"});
    CHECK_FALSE(again);
  }
  CHECK(daemon.end(SIGTERM) == 0);
}
