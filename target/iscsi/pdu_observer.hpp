// Whoever wants to see what a connection says and hears: each PDU once, whole, in the order of its
// direction of the stream.
#pragma once

#include "base/bytes.hpp"
#include "target/iscsi/digests.hpp"
#include "target/iscsi/pdu.hpp"

namespace iscsi {

// Valid for the call only. DataSegmentLength in the header counts; `data` is shorter where what
// came was dropped.
struct SeenPdu {
  const Bhs& header;
  base::ByteView additional;  // header segments
  base::ByteView data;        // without padding
  Digests digests;            // that are on the wire; of data only where there is data
  bool data_intact = true;
};

class PduObserver {
 public:
  virtual void received(const SeenPdu& pdu) = 0;
  // Queued: nothing can come before it any more.
  virtual void queued(const SeenPdu& pdu) = 0;

 protected:
  ~PduObserver() = default;
};

}  // namespace iscsi
