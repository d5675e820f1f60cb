// A logical unit as a host sees it: a place to send CDBs. The real one is a Session over libiscsi,
// tests give a fake array. Promises: every started command ends with exactly one reply, in a later
// progress(), and a reply that says `delivered` carries what the array answered, untouched.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/unique_function.hpp"
#include "scsi/cdb.hpp"
#include "scsi/command.hpp"
#include "scsi/sense.hpp"

namespace host {

// One command and the memory of its data; the memory belongs to the caller and lives until the
// reply.
struct Command {
  std::string_view name;
  scsi::CdbBytes cdb{};
  std::uint8_t cdb_length = 16;
  base::ByteView data_out;
  base::ByteSpan data_in;
  std::uint32_t timeout_seconds = 0;  // 0: the session's default
};
Command make_command(const scsi::CdbLayout& layout);

struct Reply {
  bool delivered = false;  // false: no answer came, `trouble` says why
  std::string trouble;
  scsi::Status status = scsi::Status::good;
  std::optional<scsi::Sense> sense;
  std::size_t data_in_bytes = 0;

  bool good() const { return delivered && status == scsi::Status::good; }
};
// "RESERVATION CONFLICT", "05/23/07 token expired", "connection lost: ...": for a person.
std::string describe(const Reply& reply);
std::string describe(const scsi::Sense& sense);

// A descriptor and the poll(2) events that a unit waits for.
struct Readiness {
  int descriptor = -1;
  short events = 0;
};

class Lun {
 public:
  using Done = base::UniqueFunction<void(Reply)>;

  virtual ~Lun() = default;
  virtual void start(const Command& command, Done done) = 0;
  // Nullopt: there is something to do at once, service(0) does it.
  virtual std::optional<Readiness> readiness() = 0;
  virtual void service(short events) = 0;
  // Lets time pass before a retry.
  virtual void pause(base::Duration) = 0;
};

// Waits until one of the units has something to do (a second at most), then serves them all.
void progress(std::initializer_list<Lun*> luns);

// Sends one command and waits for its reply. No retry.
Reply execute(Lun& lun, const Command& command);

// What ordinary commands put up with: each kind of unit attention once, busy units for a while.
class Patience {
 public:
  enum class Advice { accept, again, again_after_pause };
  Advice after(const Reply& reply);

 private:
  static constexpr std::size_t unit_attentions_max = 8;
  static constexpr unsigned busy_replies_max = 100;

  std::vector<scsi::AdditionalSense> unit_attentions_;
  unsigned busy_replies_ = 0;
};
inline constexpr base::Duration busy_pause = std::chrono::milliseconds(50);

// execute() with Patience.
Reply execute_patiently(Lun& lun, const Command& command);

}  // namespace host
