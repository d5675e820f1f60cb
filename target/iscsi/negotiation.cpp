#include "target/iscsi/negotiation.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace iscsi {
namespace {

enum class Rule : std::uint8_t {
  minimum,         // numeric, the smaller of both
  maximum,         // numeric, the larger of both
  declare_length,  // numeric, each side tells its own
  boolean_and,
  boolean_or,
  digest,                    // a list: the first that the policy takes
  obsolete_marker,           // a boolean that is always answered No (RFC 3720 initiators still ask)
  obsolete_marker_interval,  // always answered Reject
  task_reporting,            // a list: RFC3720 is what this target does (RFC 7143 13.23)
};

struct Key {
  std::string_view name;
  Rule rule;
  bool session_wide;  // "Irrelevant" in a discovery session
  std::uint32_t low = 0, high = 0;
  std::uint32_t Parameters::*number = nullptr;
  bool Parameters::*flag = nullptr;
  bool Digests::*digest = nullptr;
  DigestPolicy Parameters::*policy = nullptr;
};

constexpr std::uint32_t length_min = 512, length_max = (1u << 24) - 1;

constexpr Key number(std::string_view name, Rule rule, bool session_wide, std::uint32_t low,
                     std::uint32_t high, std::uint32_t Parameters::*place) {
  return {name, rule, session_wide, low, high, place};
}
constexpr Key boolean(std::string_view name, Rule rule, bool Parameters::*place) {
  return {name, rule, true, 0, 0, nullptr, place};
}
constexpr Key digest(std::string_view name, bool Digests::*place,
                     DigestPolicy Parameters::*policy) {
  return {name, Rule::digest, false, 0, 0, nullptr, nullptr, place, policy};
}
constexpr Key plain(std::string_view name, Rule rule) {
  return {name, rule, false};
}

constexpr auto keys = std::to_array<Key>({
    digest("HeaderDigest", &Digests::header, &Parameters::header_digest),
    digest("DataDigest", &Digests::data, &Parameters::data_digest),
    number("MaxConnections", Rule::minimum, true, 1, 65535, &Parameters::max_connections),
    boolean("InitialR2T", Rule::boolean_or, &Parameters::initial_r2t),
    boolean("ImmediateData", Rule::boolean_and, &Parameters::immediate_data),
    number("MaxRecvDataSegmentLength", Rule::declare_length, false, length_min, length_max,
           &Parameters::peer_max_recv_data_segment_length),
    number("MaxBurstLength", Rule::minimum, true, length_min, length_max,
           &Parameters::max_burst_length),
    number("FirstBurstLength", Rule::minimum, true, length_min, length_max,
           &Parameters::first_burst_length),
    number("DefaultTime2Wait", Rule::maximum, false, 0, 3600, &Parameters::default_time2wait),
    number("DefaultTime2Retain", Rule::minimum, false, 0, 3600, &Parameters::default_time2retain),
    number("MaxOutstandingR2T", Rule::minimum, true, 1, 65535, &Parameters::max_outstanding_r2t),
    boolean("DataPDUInOrder", Rule::boolean_or, &Parameters::data_pdu_in_order),
    boolean("DataSequenceInOrder", Rule::boolean_or, &Parameters::data_sequence_in_order),
    number("ErrorRecoveryLevel", Rule::minimum, false, 0, 2, &Parameters::error_recovery_level),
    number("iSCSIProtocolLevel", Rule::minimum, true, 0, 31, &Parameters::protocol_level),
    plain("TaskReporting", Rule::task_reporting),
    plain("IFMarker", Rule::obsolete_marker),
    plain("OFMarker", Rule::obsolete_marker),
    plain("IFMarkInt", Rule::obsolete_marker_interval),
    plain("OFMarkInt", Rule::obsolete_marker_interval),
});

const Key* find_key(std::string_view name) {
  const auto at =
      std::find_if(keys.begin(), keys.end(), [name](const Key& key) { return key.name == name; });
  return at == keys.end() ? nullptr : &*at;
}

// Keys with the use "LO" of RFC 7143 clause 13: all that set a value for the whole session.
bool leading_only(const Key& key) {
  return key.flag != nullptr || (key.number != nullptr && key.rule != Rule::declare_length);
}

std::string yes_no(bool value) {
  return value ? "Yes" : "No";
}

std::string negotiate_number(const Key& key, std::string_view value, Parameters& parameters) {
  const auto offered = parse_number(value);
  if (!offered || *offered < key.low || *offered > key.high) return "Reject";
  const auto theirs = static_cast<std::uint32_t>(*offered);
  std::uint32_t& ours = parameters.*key.number;
  if (key.rule == Rule::declare_length) {
    ours = theirs;
    return std::to_string(parameters.max_recv_data_segment_length);
  }
  ours = key.rule == Rule::minimum ? std::min(ours, theirs) : std::max(ours, theirs);
  return std::to_string(ours);
}

std::string negotiate_boolean(const Key& key, std::string_view value, Parameters& parameters) {
  if (value != "Yes" && value != "No") return "Reject";
  bool& ours = parameters.*key.flag;
  const bool theirs = value == "Yes";
  ours = key.rule == Rule::boolean_and ? ours && theirs : ours || theirs;
  return yes_no(ours);
}

// The initiator's order of preference decides (RFC 7143 6.2.1); what it does not offer is not used.
// Discovery moves no data: nothing is insisted on there.
std::string negotiate_digest(const Key& key, std::string_view value, Parameters& parameters,
                             SessionKind kind) {
  const bool takes_crc = parameters.*key.policy != DigestPolicy::none;
  const bool takes_none =
      kind == SessionKind::discovery || parameters.*key.policy != DigestPolicy::crc32c;
  for (const std::string_view offered : split_list(value)) {
    const bool crc = offered == "CRC32C";
    if (!crc && offered != "None") continue;
    if (crc ? !takes_crc : !takes_none) continue;
    parameters.digests.*key.digest = crc;
    return std::string(offered);
  }
  return "Reject";
}

std::string negotiate_task_reporting(std::string_view value) {
  const auto offered = split_list(value);
  const bool known = std::find(offered.begin(), offered.end(), "RFC3720") != offered.end();
  return known ? "RFC3720" : "Reject";
}

std::string negotiate_one(const Key& key, std::string_view value, Parameters& parameters,
                          SessionKind kind) {
  if (kind == SessionKind::discovery && key.session_wide) return "Irrelevant";
  if (kind == SessionKind::joining && leading_only(key)) return "Reject";
  switch (key.rule) {
    case Rule::minimum:
    case Rule::maximum:
    case Rule::declare_length:
      return negotiate_number(key, value, parameters);
    case Rule::boolean_and:
    case Rule::boolean_or:
      return negotiate_boolean(key, value, parameters);
    case Rule::digest:
      return negotiate_digest(key, value, parameters, kind);
    case Rule::obsolete_marker:
      return "No";
    case Rule::obsolete_marker_interval:
      return "Reject";
    case Rule::task_reporting:
      return kind == SessionKind::discovery ? "Irrelevant" : negotiate_task_reporting(value);
  }
  return "NotUnderstood";
}

}  // namespace

Parameters default_offer() {
  Parameters offer;
  offer.max_recv_data_segment_length = 262144;
  offer.max_burst_length = 1u << 20;
  offer.max_outstanding_r2t = 16;
  offer.default_time2wait = 0;
  offer.default_time2retain = 0;
  return offer;
}

base::Result<Negotiated, LoginStatus> negotiate(const KeyValues& offered, const Parameters& now,
                                                SessionKind kind) {
  Negotiated out{now, {}};
  std::set<std::string_view> seen;
  for (const KeyValue& item : offered) {
    if (!seen.insert(item.key).second) return base::fail(LoginStatus::initiator_error);
    const Key* key = find_key(item.key);
    out.answers.push_back({item.key, key == nullptr
                                         ? "NotUnderstood"
                                         : negotiate_one(*key, item.value, out.parameters, kind)});
  }
  // FirstBurstLength must not exceed MaxBurstLength (RFC 7143 13.14); the answer that names it
  // follows.
  Parameters& result = out.parameters;
  if (result.first_burst_length > result.max_burst_length) {
    result.first_burst_length = result.max_burst_length;
    for (KeyValue& answer : out.answers) {
      if (answer.key == "FirstBurstLength" && parse_number(answer.value)) {
        answer.value = std::to_string(result.first_burst_length);
      }
    }
  }
  return out;
}

Parameters with_defaults(const Parameters& negotiated, const std::set<std::string>& offered) {
  constexpr Parameters defaults;
  Parameters out = negotiated;
  for (const Key& key : keys) {
    if (offered.contains(std::string(key.name))) continue;
    if (key.number != nullptr) out.*key.number = defaults.*key.number;
    if (key.flag != nullptr) out.*key.flag = defaults.*key.flag;
  }
  return out;
}

}  // namespace iscsi
