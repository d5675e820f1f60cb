// Operational keys: declared in one table, negotiated by one pure function (RFC 7143 clause 13).
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/result.hpp"
#include "target/iscsi/digests.hpp"
#include "target/iscsi/pdu.hpp"
#include "target/iscsi/text.hpp"

namespace iscsi {

// What this side takes of the digests that an initiator offers.
enum class DigestPolicy : std::uint8_t { any, none, crc32c };

// The keys of a session and its connection: what this side offers before, what holds after
// negotiation. As made here: what holds for a key that nobody offers (RFC 7143 13).
struct Parameters {
  std::uint32_t max_recv_data_segment_length = 8192;       // of this side
  std::uint32_t peer_max_recv_data_segment_length = 8192;  // of the initiator, as it declared
  std::uint32_t max_burst_length = 262144;
  std::uint32_t first_burst_length = 65536;
  std::uint32_t default_time2wait = 2;
  std::uint32_t default_time2retain = 20;
  std::uint32_t max_outstanding_r2t = 1;
  std::uint32_t max_connections = 1;
  std::uint32_t error_recovery_level = 0;
  std::uint32_t protocol_level = 1;  // RFC 7143
  bool initial_r2t = true;
  bool immediate_data = true;
  bool data_pdu_in_order = true;
  bool data_sequence_in_order = true;
  DigestPolicy header_digest = DigestPolicy::any, data_digest = DigestPolicy::any;
  Digests digests;

  // Whether what was agreed on is what the policies insist on.
  bool digests_suffice() const {
    return (digests.header || header_digest != DigestPolicy::crc32c) &&
           (digests.data || data_digest != DigestPolicy::crc32c);
  }

  bool operator==(const Parameters&) const = default;
};

// What this target offers; the result is never wider (R16). InitialR2T=Yes as Windows needs it
// (R13).
Parameters default_offer();

// What a login is for: a new session, one more connection of a session, discovery.
enum class SessionKind : std::uint8_t { leading, joining, discovery };

struct Negotiated {
  Parameters parameters;
  KeyValues answers;  // to the offered keys only, in their order
};

// Negotiates `offered` (operational keys; those of the security stage and names are the caller's)
// starting from what holds now. A key that breaks its own syntax is answered "Reject"; an unknown
// one "NotUnderstood"; a session key in a discovery session "Irrelevant"; a key of the leading
// connection on another one "Reject". A key given twice is an error.
base::Result<Negotiated, LoginStatus> negotiate(const KeyValues& offered, const Parameters& now,
                                                SessionKind kind);

// What holds once login is over: the default wherever the initiator has not offered the key.
Parameters with_defaults(const Parameters& negotiated, const std::set<std::string>& offered);

}  // namespace iscsi
