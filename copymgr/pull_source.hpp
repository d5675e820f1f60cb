// A token of another member of the group, opened there: its data as a disk that can only be read.
// While it lives the token rests on a lease at its creator. Blocks its caller, boundedly. The
// session is one that was kept (kept_sessions.hpp), if there is one, and is kept afterwards.
#pragma once

#include <functional>
#include <memory>

#include "copymgr/copy_manager.hpp"
#include "copymgr/peers.hpp"
#include "store/remote_unit.hpp"

namespace copymgr {

// Who is there, if the member can be reached and knows the secret of the group: what `copymgr group
// probe` asks. The error is one line for a person.
base::Result<CopyManagerDesignator, std::string> probe(Peers& peers, Peer& peer);

class PullSource {
 public:
  using Stopped = std::function<bool()>;

  // The token bears the seal of the group, and is another member's. On success `peer` is that one.
  // A fault of kind `aborted`: `stopped`.
  static base::Result<std::unique_ptr<PullSource>, CopyFault> open(Peers& peers,
                                                                   const scsi::RodTokenBytes& token,
                                                                   const Stopped& stopped);

  // The lease ends; nobody waits for that.
  ~PullSource();
  PullSource(const PullSource&) = delete;
  PullSource& operator=(const PullSource&) = delete;

  const PeerPtr& peer() const { return peer_; }
  // What it can be read in multiples of.
  base::BlockLength block_length() const { return block_length_; }
  store::RemoteUnit& unit() { return *unit_; }
  // The token is to end at its creator (DEL_TKN). False: that could not be told.
  bool remove_token();

 private:
  PullSource(PeerPtr peer, std::shared_ptr<const GroupView> group,
             std::unique_ptr<store::RemoteUnit> unit, base::BlockLength length)
      : peer_(std::move(peer)),
        group_(std::move(group)),
        unit_(std::move(unit)),
        block_length_(length) {}

  const PeerPtr peer_;
  const std::shared_ptr<const GroupView> group_;
  std::unique_ptr<store::RemoteUnit> unit_;
  const base::BlockLength block_length_;
  bool open_ = true;
};

// How a copy ends whose source has trouble, if it has not moved anything yet.
CopyFault fault_of(const store::RemoteTrouble& trouble);

}  // namespace copymgr
