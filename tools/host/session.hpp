// The one place that knows libiscsi: a logical unit reached through a logged-in iSCSI session. A
// lost session is never reconnected behind the caller's back: its commands end undelivered, with
// the reason.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/units.hpp"
#include "tools/host/lun.hpp"
#include "tools/host/url.hpp"

namespace host {

struct SessionSettings {
  std::string initiator_name = "iqn.2026-11.io.copymgr:host";
  std::uint32_t command_timeout_seconds = 60;  // as Windows' disk TimeOutValue
};

// What the session's TCP connection carried, both ways; retransmissions are not counted twice.
struct WireBytes {
  base::ByteCount sent;
  base::ByteCount received;
};

class Session final : public Lun {
 public:
  // Connects and logs in; sends no SCSI command. The error is one line for a person.
  static base::Result<std::unique_ptr<Session>, std::string> open(const Url& url,
                                                                  const SessionSettings& settings);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start(const Command& command, Done done) override;
  std::optional<Readiness> readiness() override;
  void service(short events) override;
  void pause(base::Duration duration) override;

  WireBytes wire_bytes() const;

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace host
