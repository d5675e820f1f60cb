// A logical unit of another array over iSCSI: commands one at a time, and its blocks read in order
// with several requests in flight. Blocks its caller, boundedly: every wait has a deadline and
// looks at `stopped`. Used by one thread at a time. Knows no SCSI but what reading takes; what else
// is asked of the unit comes and goes as bytes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "store/store.hpp"

namespace store {

struct RemoteAddress {
  std::string portal;  // "192.0.2.1:3260"
  std::string target_name, initiator_name;
  std::uint16_t lun = 0;
  // CHAP, in both directions: no login without the target's proof.
  std::string user, secret, target_user, target_secret;
};

struct RemoteLimits {
  base::Duration connect_timeout{0};  // for the login, all of it
  base::Duration answer_timeout{0};   // without any answer
  std::uint32_t reads_in_flight = 8;
};

// Why the unit did not do what it was asked.
struct RemoteTrouble {
  enum class Kind : std::uint8_t {
    unreachable,  // no connection, or it was lost, or no answer came
    refused,      // CHECK CONDITION, with sense
    stopped,
  };
  Kind kind = Kind::unreachable;
  std::string text;                 // one line for a person
  std::vector<std::uint8_t> sense;  // as it came
};
template <class T = void>
using RemoteResult = base::Result<T, RemoteTrouble>;

class RemoteUnit {
 public:
  using Stopped = std::function<bool()>;  // looked at often; what is under way is given up
  // `clock` outlives the unit.
  static RemoteResult<std::unique_ptr<RemoteUnit>> connect(const RemoteAddress& address,
                                                           const RemoteLimits& limits,
                                                           const base::Clock& clock,
                                                           Stopped stopped);
  ~RemoteUnit();  // logs out, if that takes no time
  RemoteUnit(const RemoteUnit&) = delete;
  RemoteUnit& operator=(const RemoteUnit&) = delete;

  // One command of 16 bytes. Returns how many bytes of `data_in` came. `patience`: the answer
  // timeout, for who waits less.
  RemoteResult<std::size_t> command(base::ByteView cdb, base::ByteView data_out,
                                    base::ByteSpan data_in,
                                    std::optional<base::Duration> patience = {});
  // Sends a command without data; its answer is waited for by the next command(). Does not block.
  void tell(base::ByteView cdb);

  // Whoever is asked from now on whether to stop; empty: nobody. For who uses it next.
  void set_stopped(Stopped stopped);
  // There is no connection any more, or what was under way in it was given up.
  bool is_lost() const;

  // Hands the bytes of `extent` (whole blocks) to `take`, in order; holes, as the unit tells them,
  // as `take_zeros`: no byte of them is sent. Ends at the first error of either side.
  struct Taker {
    std::function<StoreResult<>(base::ByteOffset at, base::ByteView bytes)> take;
    std::function<StoreResult<>(base::Extent extent)> take_zeros;
  };
  struct Streamed {
    base::ByteCount bytes;  // taken, from the start on
    std::optional<RemoteTrouble> trouble;
    std::optional<StoreError> not_taken;
  };
  Streamed stream(base::Extent extent, base::BlockLength block_length, const Taker& taker);

 private:
  struct State;
  struct Part;
  struct FreeBuffer {
    void operator()(std::uint8_t* bytes) const;
  };
  using Buffer = std::unique_ptr<std::uint8_t, FreeBuffer>;

  std::optional<RemoteTrouble> await_told(base::Duration patience);
  RemoteResult<std::vector<Store::Run>> map(base::Extent extent, base::BlockLength length);
  Part begin(base::Extent extent, bool hole, base::BlockLength length);
  std::optional<RemoteTrouble> complete(Part& part);
  static base::ByteView view_of(const Part& part);
  Buffer take_buffer();
  void give_back(Buffer buffer);

  explicit RemoteUnit(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace store
